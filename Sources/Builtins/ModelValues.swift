import Datasets
import Foundation
import Growth
import Interpreter
import Layers
import Training

/// A model with its parameters.
final class ModelValue: ObjectValue {
  static let type = ObjectType(
    "a model",
    members: [
      ("blocks", .list(.text), "its blocks, by what each computes"), ("depth", .number, "how many blocks"),
      ("dim", .number, "width of its hidden states"), ("parameters", .number, "how many numbers it learns"),
      ("kind", .text, "the function that makes such models"),
    ])

  let model: Model
  /// Where its blocks came from, for a stacked one.
  let plan: GrowthPlan?
  let known: Vocabularies
  /// Items in the sequences it was trained on, where that is known.
  let length: Int?

  init(_ model: Model, plan: GrowthPlan? = nil, knowing known: Vocabularies, length: Int? = nil) {
    self.length = length
    self.model = model
    self.plan = plan
    self.known = known
  }

  func member(_ name: String) -> Value? {
    let network = model.network
    switch name {
    case "blocks": return .list((network.stacks.first?.blocks ?? []).map { .text($0.signature) })
    case "depth": return .number(Double(network.depth))
    case "dim": return .number(Double(network.width))
    case "parameters": return .number(Double(network.layout.count))
    case "kind": return .text(network.kind)
    default: return nil
    }
  }

  var summary: String {
    "\(model.network.kind), \(model.network.depth) blocks, \(NumberFormat.grouped(model.network.layout.count)) parameters"
  }

  var display: String {
    let network = model.network
    var lines = ["\(network.kind)(\(network.options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")))"]
    var rows: [[String]] = [["part", "shape", "parameters"]]
    for parameter in network.layout.parameters where parameter.block == nil {
      rows.append([parameter.name, Self.shape(parameter.shape), NumberFormat.grouped(parameter.count)])
    }
    for stack in network.stacks {
      let inside = network.layout.parameters.filter { $0.block?.stack == stack.name }
      let first = inside.filter { $0.block?.index == 0 }
      for parameter in first {
        rows.append([
          "\(stack.name).*.\(parameter.block?.local ?? "")", "\(stack.count) x \(Self.shape(parameter.shape))",
          NumberFormat.grouped(parameter.count * stack.count),
        ])
      }
    }
    rows.append(["all", "", "\(NumberFormat.grouped(network.layout.count)) (\(Self.megabytes(4 * network.layout.count)))"])
    lines += TextTable.aligned(rows, right: [2]).map { "  " + $0 }
    if let plan {
      lines.append("  grown by \(plan.operation.rawValue), carry \(plan.carry.name):")
      let sources = plan.sources.enumerated().map { index, source -> String in
        switch source {
        case .fresh: return "\(index): fresh"
        case .copy(let old): return "\(index): \(old)" + (plan.carry.preserving && !plan.kept[index] ? " (silent)" : "")
        }
      }
      lines.append("  new block: old block   " + sources.joined(separator: ", "))
      lines += Self.origins(plan)
    }
    return lines.joined(separator: "\n")
  }

  /// Where the parameters of a grown model came from: a line for each that is the same in all blocks.
  private static func origins(_ plan: GrowthPlan) -> [String] {
    var order: [String] = []
    var groups: [String: [GrowthPlan.Step]] = [:]
    for step in plan.steps {
      let name = step.target.block.map { "\($0.stack).*.\($0.local)" } ?? step.target.name
      if groups[name] == nil { order.append(name) }
      groups[name, default: []].append(step)
    }
    let rows = order.map { name -> [String] in
      let steps = groups[name] ?? []
      let copied = steps.count { $0.source != nil }
      let (zero, one) = (steps.count { $0.constant == 0 }, steps.count { $0.constant == 1 })
      let counts = [(copied, "copied"), (zero, "set to 0"), (one, "set to 1"), (steps.count - copied - zero - one, "fresh")]
      let present = counts.filter { $0.0 > 0 }
      return [name, present.count == 1 ? present[0].1 : present.map { "\($0.0) \($0.1)" }.joined(separator: ", ")]
    }
    return TextTable.aligned(rows, right: []).map { "  " + $0 }
  }

  static func shape(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " x ") }
  static func megabytes(_ bytes: Int) -> String {
    bytes < 1 << 20 ? "\((bytes + 512) >> 10) KB" : NumberFormat.fixed(Double(bytes) / 1_048_576, digits: 1) + " MB"
  }
}

/// A finished training.
final class RunValue: ObjectValue {
  static let type = ObjectType(
    "a run",
    members: [
      ("name", .text, "as it was named"), ("model", .object(ModelValue.type), "the model with its best parameters"),
      ("best", .number, "the best value of the watched metric"), ("best_step", .number, "the step it was reached at"),
      ("steps", .number, "steps of all phases"), ("seconds", .number, "training time, evaluation left out"),
      ("protocol", .text, "held_out, or stackrec: how its data was split"),
      ("evaluation_seconds", .number, "time of the evaluations"), ("stop", .text, "why it ended"),
      ("growths", .list(.record(nil)), "when it was stacked: step, epoch, seconds, from, to, by, carry"),
      ("history", .list(.record(nil)), "every evaluation: step, epoch, seconds, loss, blocks, and the metrics"),
    ], standsFor: [ModelValue.type])

  let run: TrainingRun

  init(_ run: TrainingRun) { self.run = run }

  var modelValue: ModelValue { ModelValue(run.model, knowing: Vocabularies(run.data.train), length: run.data.train.length) }

  func member(_ name: String) -> Value? {
    switch name {
    case "name": return .text(run.name)
    case "model": return .object(modelValue)
    case "best": return .number(run.best.metrics[run.options.watch] ?? 0)
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
            ]))
        })
    case "history":
      return .list(
        run.history.map { point in
          var record = Record([
            ("step", .number(Double(point.step))), ("epoch", .number(point.epoch)),
            ("seconds", .number(point.seconds)), ("loss", point.loss.map { .number($0) } ?? .nothing),
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
    var judged = run.sampledCandidates.map { " (among \($0) sampled items)" } ?? ""
    if run.data.evaluation == .stackrec { judged += " (protocol stackrec)" }
    return
      "run \(run.name): best \(run.options.watch.title) \(NumberFormat.fixed(run.best.metrics[run.options.watch] ?? 0, digits: 4)) at step \(run.best.step)\(judged)"
  }

  var display: String {
    let watch = run.options.watch
    var judged = run.data.evaluation == .stackrec ? "protocol stackrec: on the test part" : "validation"
    if let sampled = run.sampledCandidates { judged += ", among \(sampled) sampled items" }
    let metrics = run.options.metrics.map { "\($0.title) \(NumberFormat.fixed(run.best.metrics[$0] ?? 0, digits: 4))" }
    var lines = [
      "run \(run.name): \(run.model.network.kind), \(run.model.network.depth) blocks, \(run.stop.text)",
      "  best at step \(run.best.step) of \(run.steps): \(metrics.joined(separator: ", ")) (\(judged))",
      "  \(NumberFormat.duration(run.seconds)) training, \(NumberFormat.duration(run.evaluationSeconds)) evaluation; loss \(run.options.loss.name), batch \(run.options.batch), seed \(run.options.seed)",
    ]
    for mark in run.growths {
      lines.append("  step \(mark.step): \(mark.from) -> \(mark.to) blocks, by \(mark.by.rawValue), carry \(mark.carry)")
    }
    lines.append("  \(watch.title) \(Self.sparkline(run.history.compactMap { $0.metrics[watch] }))")
    return lines.joined(separator: "\n")
  }

  /// A small picture of a curve.
  static func sparkline(_ values: [Double]) -> String {
    guard let low = values.min(), let high = values.max() else { return "" }
    let levels = Array("▁▂▃▄▅▆▇█")
    return String(values.suffix(60).map { high > low ? levels[min(7, Int(($0 - low) / (high - low) * 8))] : levels[0] })
  }
}

extension Kind where T == ModelValue {
  /// A model, or a run that stands for its model.
  static var model: Kind<ModelValue> {
    Kind(.object(ModelValue.type)) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let model = object as? ModelValue { return model }
      if let run = object as? RunValue { return run.modelValue }
      throw .type
    }
  }
}
