import Datasets
import Evaluation
import Interpreter
import Syntax
import Training

/// A table of results: one row per method, one column per metric.
struct Table {
  struct Row {
    let name: String
    /// Texts of the columns between the name and the metrics.
    let facts: [String]
    let cells: [Cell]
    /// Whether the row is a baseline or an upper bound, printed below a rule and never marked as best.
    let isReference: Bool
    /// Values beyond accuracy, of which none is the best.
    var beyond: [Cell] = []
  }

  struct Cell {
    let value: Double
    /// For several runs: their standard deviation, or half the 95 % confidence interval of their mean.
    let spread: Double?
    /// The p-value and the effect size of the difference from the first row, if it was tested.
    var p: Double?
    var effect: Double?
  }

  var caption: String
  /// Whether `spread` is `std` or `ci95`.
  var spreadName = "std"
  var effectName: String?
  let factNames: [String]
  let metrics: [Metric]
  let rows: [Row]
  /// The columns beyond accuracy.
  var beyond: (names: [String], titles: [String]) = ([], [])

  /// Marks the best and the second best value of a metric among the compared methods. Values that print alike are equal.
  private func mark(_ row: Row, _ m: Int) -> Grid.Mark {
    guard !row.isReference else { return .none }
    func shown(_ value: Double) -> String { NumberFormat.fixed(value, digits: 4) }
    let values = rows.filter { !$0.isReference }.map { $0.cells[m].value }.sorted(by: >)
    guard values.count > 1, let best = values.first else { return .none }
    if shown(row.cells[m].value) == shown(best) { return .best }
    let second = values.first { shown($0) != shown(best) }
    return second.map { shown(row.cells[m].value) == shown($0) } ?? false ? .second : .none
  }

  static func stars(_ p: Double?) -> Int {
    guard let p else { return 0 }
    return p < 0.001 ? 3 : p < 0.01 ? 2 : p < 0.05 ? 1 : 0
  }

  func grid(label: String? = nil) -> Grid {
    var cells: [[Grid.Cell]] = []
    var rules: Set<Int> = []
    for (index, row) in rows.enumerated() {
      if row.isReference && index > 0 && !rows[index - 1].isReference { rules.insert(index) }
      cells.append(
        [Grid.Cell(row.name)] + row.facts.map { Grid.Cell($0) }
          + row.cells.enumerated().map { m, cell in
            Grid.Cell(
              NumberFormat.fixed(cell.value, digits: 4), uncertainty: cell.spread.map { NumberFormat.fixed($0, digits: 4) },
              mark: mark(row, m), stars: Self.stars(cell.p))
          }
          + row.beyond.map { cell in
            Grid.Cell(
              NumberFormat.fixed(cell.value, digits: 4), uncertainty: cell.spread.map { NumberFormat.fixed($0, digits: 4) })
          })
    }
    return Grid(
      caption: caption, label: label, header: ["method"] + factNames + metrics.map(\.title) + beyond.titles,
      numeric: Set(1..<(1 + factNames.count + metrics.count + beyond.titles.count)), rows: cells, rules: rules)
  }

  /// The table in full precision, with standard deviations and p-values.
  func csv() -> [[String]] {
    var header = ["method"] + factNames
    for metric in metrics {
      header += [metric.name, "\(metric.name) \(spreadName)", "\(metric.name) p"] + (effectName.map { ["\(metric.name) \($0)"] } ?? [])
    }
    for name in beyond.names { header += [name, "\(name) \(spreadName)"] }
    var lines = [header + ["judged"]]
    for row in rows {
      func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
      let extra = row.beyond.flatMap { ["\($0.value)", text($0.spread)] }
      let numbers = row.cells.flatMap { cell -> [String] in
        return ["\(cell.value)", text(cell.spread), text(cell.p)] + (effectName == nil ? [] : [text(cell.effect)])
      }
      lines.append([row.name] + row.facts + numbers + extra + [caption])
    }
    return lines
  }

  var records: [Value] {
    rows.map { row in
      var record = Record([("method", .text(row.name))])
      for (metric, cell) in zip(metrics, row.cells) {
        record[metric.name] = .number(cell.value)
        if let spread = cell.spread { record["\(metric.name) \(spreadName)"] = .number(spread) }
        if let p = cell.p { record["\(metric.name) p"] = .number(p) }
        if let effect = cell.effect { record["\(metric.name) effect"] = .number(effect) }
      }
      for (name, cell) in zip(beyond.names, row.beyond) {
        record[name] = .number(cell.value)
        if let spread = cell.spread { record["\(name) \(spreadName)"] = .number(spread) }
      }
      return .record(record)
    }
  }
}

/// A table as a value of the language: results, or any records.
final class TableValue: ObjectValue {
  static let type = ObjectType(
    "a table", members: [("caption", .text, "the caption"), ("rows", .list(.record(nil)), "the rows as records")])

  let grid: Grid
  let records: [Value]
  /// Rows in full precision; the first is the header.
  let csv: [[String]]

  init(_ table: Table) {
    grid = table.grid()
    records = table.records
    csv = table.csv()
  }

  init(_ grid: Grid, records: [Value], csv: [[String]]) {
    self.grid = grid
    self.records = records
    self.csv = csv
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "caption": .text(grid.caption)
    case "rows": .list(records)
    default: nil
    }
  }

  var elements: [Value]? { records }
  var summary: String { "table of \(records.count) rows" + (grid.caption.isEmpty ? "" : ": \(grid.caption)") }
  var display: String { grid.screen() }
}

/// Metrics of one model on one set of sequences.
final class EvaluationValue: ObjectValue {
  static let type = ObjectType(
    "an evaluation", members: [("protocol", .text, "how it was evaluated")], element: .number)

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
