import Datasets
import Foundation
import Interpreter
import Kernels
import Layers
import RunStore
import Training

/// Records a training in the database of runs: at its start, at most every five seconds, and at its end.
///
/// If the database cannot be written, a note says so once and the training continues without a record.
final class RunRecorder {
  private let database: RunDatabase
  private let host: any InterpreterHost
  private var row: RunRow
  private var history: [[String: Double]] = []
  private var saved = ProcessClock.wall()
  private var isBroken = false
  /// The path of the training's checkpoint, if it may have one.
  private let checkpoint: String?

  /// nil if runs are not recorded, or the database cannot be used.
  init?(
    _ call: Builtin.Call, _ kind: String, _ name: String, _ recipe: Recipe, _ split: Split, _ model: Model, _ keeper: RunFolder?
  ) {
    host = call.interpreter.host
    checkpoint = keeper?.path
    guard let path = host.runDatabase else { return nil }
    if let problem = call.interpreter.databaseRefusal(path) {
      host.note("this training is not recorded: \(problem)")
      return nil
    }
    var row = RunRow(name: name, kind: kind, fingerprint: keeper?.identity.fingerprint ?? "")
    (row.script, row.scriptHash) = host.script
    row.data = split.train.source
    row.dataFingerprint = TrainingIdentity.hash(split)
    row.model =
      "\(model.network.kind)(\(model.network.options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")), seed: \(model.seed))"
    row.parameters = Self.parameters(recipe, split)
    row.seed = Int64(clamping: recipe.seed)
    row.threads = host.threads
    row.version = host.version
    row.blocks = model.network.depth
    row.metric = recipe.watch.name
    do throws(RunDatabase.Failure) {
      database = try call.interpreter.database(path)
      self.row = try database.add(row)
    } catch {
      host.note("this training is not recorded: \(error.message)")
      return nil
    }
  }

  func evaluated(_ point: HistoryPoint) {
    var entry: [String: Double] = [
      "step": Double(point.step), "epoch": point.epoch, "seconds": point.seconds, "cpu_seconds": point.cpuSeconds,
      "phase": Double(point.phase), "blocks": Double(point.blocks),
    ]
    if let loss = point.loss, loss.isFinite { entry["loss"] = loss }
    if let rate = point.rate { entry["lr"] = rate }
    for (metric, value) in point.metrics { entry[metric.name] = value }
    history.append(entry)
    (row.steps, row.seconds, row.cpuSeconds, row.blocks) = (point.step, point.seconds, point.cpuSeconds, point.blocks)
    if let value = entry[row.metric], value > row.best ?? -.infinity { (row.best, row.bestStep) = (value, point.step) }
    guard ProcessClock.wall() - saved > 5 else { return }
    save()
  }

  func finished(_ run: TrainingRun) {
    switch run.stop {
    case .finished, .patience: row.state = .finished
    case .interrupted: row.state = .interrupted
    case .diverged: row.state = .diverged
    }
    row.stop = run.stop.text
    (row.steps, row.seconds, row.blocks) = (run.steps, run.seconds, run.model.network.depth)
    row.cpuSeconds = run.history.last?.cpuSeconds ?? 0
    row.evaluationSeconds = run.evaluationSeconds
    row.best = run.best.metrics[run.recipe.watch]
    row.bestStep = run.best.step
    row.metrics = Self.json(Dictionary(uniqueKeysWithValues: run.best.metrics.map { ($0.key.name, $0.value) }))
    history = []
    for point in run.history { evaluated(point) }
    row.best = run.best.metrics[run.recipe.watch]
    row.bestStep = run.best.step
    row.growths = Self.json(
      run.growths.map { mark -> [String: Any] in
        ["step": mark.step, "seconds": mark.seconds, "from": mark.from, "to": mark.to, "by": mark.by.rawValue, "carry": mark.carry]
      })
    save()
  }

  func failed(_ error: any Error) {
    row.state = .failed
    row.stop = (error as? any HasEngineMessage)?.engineMessage.message ?? "\(error)"
    save()
  }

  private func save() {
    guard !isBroken else { return }
    saved = ProcessClock.wall()
    if let checkpoint, FileManager.default.fileExists(atPath: checkpoint) { row.checkpoint = checkpoint }
    row.history = Self.json(history)
    do throws(RunDatabase.Failure) {
      try database.update(row)
    } catch {
      isBroken = true
      host.note("\(row.name) is no longer recorded: \(error.message)")
    }
  }

  /// The settings as JSON: the recipe, the rule of the split, and the rule for ties.
  private static func parameters(_ recipe: Recipe, _ split: Split) -> String {
    guard let tree = try? recipe.tree() else { return "null" }
    return Tree.object(["recipe": tree, "split": .text(split.rule), "ties": .text("expectation")]).canonical
  }

  private static func json(_ value: Any) -> String {
    guard let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes]) else {
      return "null"
    }
    return String(decoding: data, as: UTF8.self)
  }
}
