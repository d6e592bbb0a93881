import Datasets
import Evaluation
import Interpreter
import Kernels
import ModelFiles
import Training

/// A training that has ended, also by an interruption or divergence.
final class RunValue: ObjectValue {
  static let type = ObjectType(
    "a run",
    members: [
      ("name", .text, "the name of the run"), ("model", .object(ModelValue.type), "the model with its best parameters"),
      ("best", .number, "the best value of the watched metric"), ("best_step", .number, "the step of that value"),
      ("steps", .number, "number of steps of all phases"), ("seconds", .number, "training time in seconds, without evaluations"),
      ("protocol", .text, "how its data was split: held_out or stackrec"),
      ("evaluation_seconds", .number, "time of the evaluations in seconds"), ("stop", .text, "why the training ended"),
      ("growths", .list(.record(nil)), "the growths: step, epoch, seconds, from, to, by, carry, and what was tried by auto"),
      ("history", .list(.record(nil)), "every evaluation: step, epoch, seconds, loss, lr, blocks, phase, and the metrics"),
    ], standsFor: [ModelValue.type])

  let run: TrainingRun

  init(_ run: TrainingRun) { self.run = run }

  var modelValue: ModelValue { ModelValue(run.model, knowing: Vocabularies(run.data.train), length: run.data.train.length) }

  func member(_ name: String) -> Value? {
    switch name {
    case "name": return .text(run.name)
    case "model": return .object(modelValue)
    case "best": return .number(run.best.metrics[run.recipe.watch] ?? 0)
    case "best_step": return .number(Double(run.best.step))
    case "steps": return .number(Double(run.steps))
    case "seconds": return .number(run.seconds)
    case "evaluation_seconds": return .number(run.evaluationSeconds)
    case "protocol": return .text(run.data.evaluation.rawValue)
    case "stop": return .text(run.stop.text)
    case "growths":
      return .list(
        run.growths.map { mark in
          .record(
            Record([
              ("step", .number(Double(mark.step))), ("epoch", .number(mark.epoch)), ("seconds", .number(mark.seconds)),
              ("from", .number(Double(mark.from))), ("to", .number(Double(mark.to))), ("by", .text(mark.by.rawValue)),
              ("carry", .text(mark.carry)),
              (
                "tried",
                .list(
                  mark.trials.map { trial in
                    .record(
                      Record([
                        ("name", .text(trial.name)), ("value", trial.value.map { .number($0) } ?? .nothing),
                        ("steps", .number(Double(trial.steps))), ("seconds", .number(trial.seconds)),
                      ]))
                  })
              ),
            ]))
        })
    case "history":
      return .list(
        run.history.map { point in
          var record = Record([
            ("step", .number(Double(point.step))), ("epoch", .number(point.epoch)),
            ("seconds", .number(point.seconds)), ("loss", point.loss.map { .number($0) } ?? .nothing),
            ("lr", point.rate.map { .number($0) } ?? .nothing),
            ("blocks", .number(Double(point.blocks))), ("phase", .number(Double(point.phase))),
          ])
          for (metric, value) in point.metrics.sorted(by: { $0.key.name < $1.key.name }) {
            record[metric.name] = .number(value)
          }
          return .record(record)
        })
    default: return nil
    }
  }

  var summary: String {
    var remarks = run.sampledCandidates.map { " (among \($0) sampled items)" } ?? ""
    if run.data.evaluation == .stackrec { remarks += " (protocol stackrec)" }
    return
      "run \(run.name): best \(run.recipe.watch.title) \(NumberFormat.fixed(run.best.metrics[run.recipe.watch] ?? 0, digits: 4)) at step \(run.best.step)\(remarks)"
  }

  var display: String {
    let watch = run.recipe.watch
    var source = run.data.evaluation == .stackrec ? "protocol stackrec: on the test part" : "validation"
    if let sampled = run.sampledCandidates { source += ", among \(sampled) sampled items" }
    if let caption = run.recipe.ranking.hide.caption { source += ", \(caption)" }
    let metrics = run.recipe.metrics.map { "\($0.title) \(NumberFormat.fixed(run.best.metrics[$0] ?? 0, digits: 4))" }
    var lines = [
      "run \(run.name): \(run.model.network.kind), \(NumberFormat.count(run.model.network.depth, "block")), \(run.stop.text)",
      "  best at step \(run.best.step) of \(run.steps): \(metrics.joined(separator: ", ")) (\(source))",
      "  \(NumberFormat.duration(run.seconds)) training, \(NumberFormat.duration(run.evaluationSeconds)) evaluation; loss \(run.recipe.loss.name), batch \(run.recipe.batch), seed \(run.recipe.seed)",
    ]
    if run.data.evaluation == .stackrec { lines.append("  protocol stackrec: \(run.recipe.rules)") }
    for mark in run.growths {
      lines.append(
        "  step \(mark.step): \(mark.from) -> \(NumberFormat.count(mark.to, "block")), by \(mark.by.rawValue), carry \(mark.carry)"
          + (mark.trials.isEmpty ? "" : ", the best of \(mark.trials.count) that were tried"))
    }
    lines.append("  \(watch.title) \(Self.sparkline(run.history.compactMap { $0.metrics[watch] }))")
    return lines.joined(separator: "\n")
  }

  /// The last 60 values as block characters, scaled to their range.
  static func sparkline(_ values: [Double]) -> String {
    guard let low = values.min(), let high = values.max() else { return "" }
    let levels = Array("▁▂▃▄▅▆▇█")
    return String(values.suffix(60).map { high > low ? levels[min(7, Int(($0 - low) / (high - low) * 8))] : levels[0] })
  }
}
