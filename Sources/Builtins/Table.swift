import Datasets
import Interpreter
import Syntax
import Training

/// A table of results: on screen, as LaTeX, as CSV.
struct Table {
  struct Row {
    let name: String
    /// Plain facts before the metrics.
    let facts: [String]
    let cells: [Cell]
    /// Baselines and bounds, told apart from what is compared.
    let isReference: Bool
  }

  struct Cell {
    let value: Double
    /// Standard deviation over runs, where there are several.
    let deviation: Double?
    /// Of the difference from the first row, where it was tested.
    var p: Double?
  }

  var caption: String
  let factNames: [String]
  let metrics: [Metric]
  let rows: [Row]

  private func text(_ cell: Cell) -> String {
    NumberFormat.fixed(cell.value, digits: 4) + (cell.deviation.map { " ± " + NumberFormat.fixed($0, digits: 4) } ?? "")
      + (cell.p.map { " (p \(Self.probability($0)))" } ?? "")
  }

  private static func probability(_ p: Double) -> String {
    p < 0.001 ? "< 0.001" : "= " + NumberFormat.fixed(p, digits: 3)
  }

  /// The best value of each metric among what is compared.
  private var best: [Double] {
    metrics.indices.map { m in rows.filter { !$0.isReference }.map { $0.cells[m].value }.max() ?? .infinity }
  }

  func screen() -> String {
    var cells = [["method"] + factNames + metrics.map(\.title)]
    for row in rows { cells.append([row.name] + row.facts + row.cells.map(text)) }
    let lines = TextTable.aligned(cells, right: Set(1...(factNames.count + metrics.count)))
    let width = lines.map { TextWidth.of($0) }.max() ?? 0
    let rule = String(repeating: "─", count: width)
    var output = [caption, rule, lines[0], rule]
    var wasReference = false
    for (row, line) in zip(rows, lines.dropFirst()) {
      if row.isReference && !wasReference { output.append(rule) }
      wasReference = row.isReference
      output.append(line)
    }
    return (output + [rule]).joined(separator: "\n")
  }

  func csv() -> String {
    func quoted(_ text: String) -> String {
      text.contains(where: { ",\"\n\r".contains($0) }) ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
    }
    var header = ["method"] + factNames
    for metric in metrics { header += [metric.name, metric.name + " std", metric.name + " p"] }
    header.append("judged")
    var lines = [header]
    for row in rows {
      lines.append(
        [row.name] + row.facts + row.cells.flatMap { ["\($0.value)", $0.deviation.map { "\($0)" } ?? "", $0.p.map { "\($0)" } ?? ""] } + [
          caption
        ])
    }
    return lines.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// For `\usepackage{booktabs}`.
  func latex(boldBest: Bool) -> String {
    let columns = "l" + String(repeating: "r", count: factNames.count + metrics.count)
    var lines = [
      "% Needs \\usepackage{booktabs}.", "\\begin{table}", "  \\centering", "  \\caption{\(Self.escaped(caption))}",
      "  \\begin{tabular}{\(columns)}", "    \\toprule",
      "    " + (["Method"] + factNames.map(Self.escaped) + metrics.map { Self.escaped($0.title) }).joined(separator: " & ") + " \\\\",
      "    \\midrule",
    ]
    let best = best
    var wasReference = false
    for row in rows {
      if row.isReference && !wasReference { lines.append("    \\midrule") }
      wasReference = row.isReference
      let cells = row.cells.enumerated().map { m, cell -> String in
        let text = "$" + self.text(cell).replacingOccurrences(of: "±", with: "\\pm") + "$"
        return boldBest && !row.isReference && cell.value == best[m]
          ? "$\\mathbf{\(NumberFormat.fixed(cell.value, digits: 4))}$"
            + (cell.deviation == nil ? "" : " $\\pm \(NumberFormat.fixed(cell.deviation ?? 0, digits: 4))$")
            + (cell.p.map { " $(p \(Self.probability($0)))$" } ?? "") : text
      }
      lines.append("    " + ([Self.escaped(row.name)] + row.facts.map(Self.escaped) + cells).joined(separator: " & ") + " \\\\")
    }
    lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{table}"]
    return lines.joined(separator: "\n") + "\n"
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\textbackslash{}"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(character)"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "\n": result += " "
      default: result.append(character)
      }
    }
    return result
  }
}

/// A table as a value.
final class TableValue: ObjectValue {
  static let type = ObjectType(
    "a table", members: [("caption", .text, "what it says of itself"), ("rows", .list(.record(nil)), "its rows as records")])

  let table: Table

  init(_ table: Table) { self.table = table }

  func member(_ name: String) -> Value? {
    switch name {
    case "caption": return .text(table.caption)
    case "rows": return .list(elements ?? [])
    default: return nil
    }
  }

  var elements: [Value]? {
    table.rows.map { row in
      var record = Record([("method", .text(row.name))])
      for (metric, cell) in zip(table.metrics, row.cells) { record[metric.name] = .number(cell.value) }
      return .record(record)
    }
  }

  var summary: String { "table of \(table.rows.count) rows: \(table.caption)" }
  var display: String { table.screen() }
}

/// Metrics of one model on one set.
final class EvaluationValue: ObjectValue {
  static let type = ObjectType(
    "an evaluation", members: [("protocol", .text, "how it was judged")], element: .number)

  let metrics: [(Metric, Double)]
  let title: String

  init(_ metrics: [(Metric, Double)], title: String) {
    self.metrics = metrics
    self.title = title
  }

  func member(_ name: String) -> Value? { name == "protocol" ? .text(title) : nil }

  func element(_ index: Value) -> Value? {
    guard case .metric(let name) = index, let metric = Metric(name) else { return nil }
    return metrics.first { $0.0 == metric }.map { .number($0.1) }
  }

  var summary: String {
    metrics.map { "\($0.0.title) \(NumberFormat.fixed($0.1, digits: 4))" }.joined(separator: ", ") + " (\(title))"
  }
}
