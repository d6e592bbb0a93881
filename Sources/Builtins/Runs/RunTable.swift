import Foundation
import Interpreter
import RunStore
import Training

/// Recorded trainings as tables.
public enum RunTable {
  /// - Parameter without: names of columns to leave out.
  static func grid(_ rows: [RunRow], without: Set<String> = []) -> Grid {
    let all = ["id", "name", "kind", "state", "model", "blocks", "steps", "training", "metric", "best", "seed", "started"]
    let shown = all.indices.filter { !without.contains(all[$0]) }
    let numeric: Set<String> = ["id", "blocks", "steps", "best", "seed"]
    return Grid(
      caption: rows.isEmpty ? "no trainings are recorded here" : "", label: nil, header: shown.map { all[$0] },
      numeric: Set(shown.indices.filter { numeric.contains(all[shown[$0]]) }),
      rows: rows.map { row in
        let cells = [
          "\(row.id ?? 0)", row.name, row.kind, row.state.rawValue, String(row.model.prefix { $0 != "(" }), "\(row.blocks)", "\(row.steps)",
          NumberFormat.duration(row.seconds), row.metric, row.best.map { NumberFormat.fixed($0, digits: 4) } ?? "", seeds(row),
          date(row.started),
        ]
        return shown.map { Grid.Cell(cells[$0]) }
      })
  }

  /// The seed of the training; with the model's before it, where they differ: `1/2`.
  private static func seeds(_ row: RunRow) -> String {
    let model = row.model.range(of: "seed: ", options: .backwards).map { row.model[$0.upperBound...].prefix(while: \.isNumber) }
    return model.map { $0.isEmpty || $0 == "\(row.seed)" ? "\(row.seed)" : "\($0)/\(row.seed)" } ?? "\(row.seed)"
  }

  /// The hash of a script's text, by which the database identifies it.
  public static func hash(_ bytes: [UInt8]) -> String { TrainingIdentity.hash(bytes) }

  /// The settings that differ between the rows, one line each.
  public static func differences(_ rows: [RunRow]) -> String {
    func settings(_ row: RunRow) -> [String: String] {
      // Rows of version 0.1 have a flat list of settings instead of the recipe.
      var all = ((try? Tree(parsing: row.parameters))?.leaves() ?? [:]).mapValues(\.canonical)
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

  /// The runs as a table. In a terminal that is too narrow, columns are left out, but never the name, the state and the metric.
  ///
  /// - Parameter columns: the width of the terminal; nil: no limit.
  public static func screen(_ rows: [RunRow], columns: Int? = nil) -> String {
    var without: Set<String> = []
    var text = grid(rows).screen()
    for name in ["kind", "started", "seed", "model", "training", "blocks"] {
      guard let columns, text.split(separator: "\n").contains(where: { $0.count > columns }) else { break }
      without.insert(name)
      text = grid(rows, without: without).screen()
    }
    return text
  }

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

  /// - Parameter isGuarded: put a `'` before texts that a spreadsheet would evaluate as formulas.
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
