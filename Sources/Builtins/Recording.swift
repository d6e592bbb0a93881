import Datasets
import Foundation
import Interpreter
import Layers
import RunStore
import Training

/// Writes a training down while it runs: at its beginning, now and then, and at its end.
///
/// A database that cannot be written is told once and loses nothing else.
final class RunRecorder {
  private let database: RunDatabase
  private let host: any InterpreterHost
  private var row: RunRow
  private var history: [[String: Double]] = []
  private var saved = Clock.wall()
  private var isBroken = false
  /// Where the training's state is kept, if it is.
  private let checkpoint: String?

  /// nil where nothing is to be recorded, or cannot be.
  init?(
    _ call: Builtin.Call, _ kind: String, _ options: TrainingOptions, _ split: Split, _ model: Model, _ phases: [Phase],
    _ keeper: RunFolder?
  ) {
    host = call.interpreter.host
    checkpoint = keeper?.path
    guard let path = host.runDatabase else { return nil }
    var row = RunRow(name: options.name, kind: kind, fingerprint: keeper?.fingerprint.text ?? "")
    (row.script, row.scriptHash) = host.script
    row.data = split.train.source
    row.dataFingerprint = Fingerprint.of(split)
    row.model =
      "\(model.network.kind)(\(model.network.options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")), seed: \(model.seed))"
    row.parameters = Self.parameters(options, split, phases)
    row.seed = Int64(clamping: options.seed)
    row.threads = host.threads
    row.version = host.version
    row.blocks = model.network.depth
    row.metric = options.watch.name
    do throws(RunDatabase.Failure) {
      database = try RunDatabase(path)
      self.row = try database.add(row)
    } catch {
      host.note("this training is not written down: \(error.message)")
      return nil
    }
  }

  func evaluated(_ point: HistoryPoint) {
    var entry: [String: Double] = [
      "step": Double(point.step), "epoch": point.epoch, "seconds": point.seconds, "cpu_seconds": point.cpuSeconds,
      "phase": Double(point.phase), "blocks": Double(point.blocks),
    ]
    if let loss = point.loss, loss.isFinite { entry["loss"] = loss }
    for (metric, value) in point.metrics { entry[metric.name] = value }
    history.append(entry)
    (row.steps, row.seconds, row.cpuSeconds, row.blocks) = (point.step, point.seconds, point.cpuSeconds, point.blocks)
    if let value = entry[row.metric], value > row.best ?? -.infinity { (row.best, row.bestStep) = (value, point.step) }
    guard Clock.wall() - saved > 5 else { return }
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
    row.best = run.best.metrics[run.options.watch]
    row.bestStep = run.best.step
    row.metrics = Self.json(Dictionary(uniqueKeysWithValues: run.best.metrics.map { ($0.key.name, $0.value) }))
    history = []
    for point in run.history { evaluated(point) }
    row.best = run.best.metrics[run.options.watch]
    row.bestStep = run.best.step
    row.growths = Self.json(
      run.growths.map { mark -> [String: Any] in
        ["step": mark.step, "seconds": mark.seconds, "from": mark.from, "to": mark.to, "by": mark.by.rawValue, "carry": mark.carry]
      })
    save()
  }

  func failed(_ error: any Error) {
    row.state = .failed
    row.stop = (error as? TrainingError)?.message ?? "\(error)"
    save()
  }

  private func save() {
    guard !isBroken else { return }
    saved = Clock.wall()
    if let checkpoint, FileManager.default.fileExists(atPath: checkpoint) { row.checkpoint = checkpoint }
    row.history = Self.json(history)
    do throws(RunDatabase.Failure) {
      try database.update(row)
    } catch {
      isBroken = true
      host.note("\(row.name) is not written down any further: \(error.message)")
    }
  }

  private static func parameters(_ options: TrainingOptions, _ split: Split, _ phases: [Phase]) -> String {
    let adam = options.optimizer
    var record: [String: Any] = [
      "batch": options.batch, "loss": options.loss.name, "lr": adam.rate, "beta1": adam.beta1, "beta2": adam.beta2,
      "epsilon": adam.epsilon, "lazy": adam.lazy, "l2": adam.l2, "eval_every": "\(options.evaluateEvery)",
      "metrics": options.metrics.map(\.name), "pads_in_loss": options.padsInLoss, "split": split.rule,
    ]
    if let clip = adam.clip { record["clip"] = clip }
    if let patience = options.patience { record["patience"] = patience }
    if let spikes = options.spikeGuard { record["skip_spikes"] = spikes }
    record["phases"] = phases.map { phase -> [String: Any] in
      var entry: [String: Any] = ["carry": phase.carry.name]
      if let run = phase.run { entry["run"] = "\(run)" }
      if let to = phase.to { entry["to"] = to }
      if let by = phase.by { entry["by"] = by.rawValue }
      if phase.dataShare < 1 { entry["data"] = phase.dataShare }
      if let freeze = phase.freezeOld { entry["freeze_old"] = "\(freeze)" }
      return entry
    }
    return json(record)
  }

  private static func json(_ value: Any) -> String {
    guard let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes]) else {
      return "null"
    }
    return String(decoding: data, as: UTF8.self)
  }
}

extension Builtin {
  static let recording: [Builtin] = [runs]

  static let runs = Builtin(
    "runs",
    "The trainings that were written down in the folder runs, as a table of records: the newest last. `srs runs` does the same at the shell.",
    topic: "Judging", returns: .object(TableValue.type),
    example: "for run in runs(name: \"deep\") { print(run.id, run.state, run.best) }"
  ) { d in
    let name = d.optional("name", .text, "only those whose name holds this")
    let state = d.optional("state", Kind<RunRow.State>.word, "only those in this state")
    let last = d.optional("last", .whole(from: 1), "only so many, the newest")
    return { call in
      guard let path = call.interpreter.host.runDatabase, FileManager.default.fileExists(atPath: path) else {
        return .object(TableValue(RunTable.grid([]), records: [], csv: RunTable.lines([])))
      }
      var rows: [RunRow]
      do throws(RunDatabase.Failure) {
        rows = try RunDatabase(path).all()
      } catch {
        throw call.error(.file, error.message)
      }
      if let name = try call[name] { rows = rows.filter { $0.name.contains(name) } }
      if let state = try call[state] { rows = rows.filter { $0.state == state } }
      if let last = try call[last] { rows = Array(rows.suffix(last)) }
      return .object(TableValue(RunTable.grid(rows), records: rows.map(RunTable.record), csv: RunTable.lines(rows)))
    }
  }
}

/// Recorded trainings as tables.
public enum RunTable {
  static func grid(_ rows: [RunRow]) -> Grid {
    Grid(
      caption: rows.isEmpty ? "no trainings are written down here" : "", label: nil,
      header: ["id", "name", "kind", "state", "model", "blocks", "steps", "training", "metric", "best", "seed", "started"],
      numeric: [0, 5, 6, 9, 10],
      rows: rows.map { row in
        [
          "\(row.id ?? 0)", row.name, row.kind, row.state.rawValue, String(row.model.prefix { $0 != "(" }), "\(row.blocks)", "\(row.steps)",
          NumberFormat.duration(row.seconds), row.metric, row.best.map { NumberFormat.fixed($0, digits: 4) } ?? "", "\(row.seed)",
          date(row.started),
        ].map { Grid.Cell($0) }
      })
  }

  /// Of a script, to know it again.
  public static func hash(_ bytes: [UInt8]) -> String { Fingerprint.of(bytes) }

  /// Settings that are not the same in all rows, a line each.
  public static func differences(_ rows: [RunRow]) -> String {
    func settings(_ row: RunRow) -> [String: String] {
      let parsed = (try? JSONSerialization.jsonObject(with: Data(row.parameters.utf8))) as? [String: Any] ?? [:]
      var all = parsed.mapValues { "\($0)".split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      for (name, value) in [
        ("model", row.model), ("data", row.data), ("data_fingerprint", row.dataFingerprint), ("seed", "\(row.seed)"),
        ("script", row.script),
        ("script_hash", row.scriptHash), ("version", row.version), ("machine", row.machine),
      ] { all[name] = value }
      return all
    }
    let all = rows.map(settings)
    let names = Set(all.flatMap(\.keys)).sorted()
    let lines = names.compactMap { name -> String? in
      let values = all.map { $0[name] ?? "-" }
      return Set(values).count > 1 ? "\(name): \(values.joined(separator: " | "))\n" : nil
    }
    return lines.isEmpty ? "their settings are the same\n" : lines.joined()
  }

  public static func screen(_ rows: [RunRow]) -> String { grid(rows).screen() }

  static func date(_ seconds: Double) -> String { Value.date(seconds.rounded(.down)).printed }

  static func record(_ row: RunRow) -> Value {
    .record(
      Record([
        ("id", .number(Double(row.id ?? 0))), ("name", .text(row.name)), ("kind", .text(row.kind)), ("state", .text(row.state.rawValue)),
        ("started", .date(row.started.rounded(.down))), ("script", .text(row.script)), ("data", .text(row.data)),
        ("model", .text(row.model)), ("seed", .number(Double(row.seed))), ("threads", .number(Double(row.threads))),
        ("blocks", .number(Double(row.blocks))), ("steps", .number(Double(row.steps))), ("seconds", .number(row.seconds)),
        ("cpu_seconds", .number(row.cpuSeconds)), ("evaluation_seconds", .number(row.evaluationSeconds)), ("metric", .text(row.metric)),
        ("best", row.best.map { .number($0) } ?? .nothing), ("best_step", row.bestStep.map { .number(Double($0)) } ?? .nothing),
        ("stop", .text(row.stop)), ("fingerprint", .text(row.fingerprint)), ("checkpoint", .text(row.checkpoint)),
      ]))
  }

  /// - Parameter isGuarded: texts that a spreadsheet would take for formulas get a mark in front.
  public static func csv(_ rows: [RunRow], isGuarded: Bool = false) -> String { Grid.csv(lines(rows), isGuarded: isGuarded) }

  static func lines(_ rows: [RunRow]) -> [[String]] {
    let header = [
      "id", "name", "kind", "state", "started", "script", "script_hash", "data", "data_fingerprint", "model", "parameters", "seed",
      "threads",
      "machine", "version", "blocks", "steps", "seconds", "cpu_seconds", "evaluation_seconds", "metric", "best", "best_step", "stop",
      "fingerprint", "checkpoint",
    ]
    return [header]
      + rows.map { row in
        [
          "\(row.id ?? 0)", row.name, row.kind, row.state.rawValue, date(row.started), row.script, row.scriptHash, row.data,
          row.dataFingerprint, row.model, row.parameters, "\(row.seed)", "\(row.threads)", row.machine, row.version, "\(row.blocks)",
          "\(row.steps)", "\(row.seconds)", "\(row.cpuSeconds)", "\(row.evaluationSeconds)", row.metric, row.best.map { "\($0)" } ?? "",
          row.bestStep.map { "\($0)" } ?? "", row.stop, row.fingerprint, row.checkpoint,
        ]
      }
  }
}
