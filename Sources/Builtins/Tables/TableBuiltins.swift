import Interpreter
import Syntax
import Training

extension Builtin {
  static let tables: [Builtin] = [table]

  static let table = Builtin(
    "table",
    "Makes a table from a list of records: one row per record, one column per field. It can be printed, or saved as LaTeX, Markdown, HTML, CSV or text.",
    topic: "Evaluation", returns: .object(TableValue.type),
    example: """
      print(table([{ depth: 8, mrr: 0.25 }, { depth: 16, mrr: 0.5 }]))
      #> ─────────────
      #> depth     mrr
      #> ─────────────
      #>     8  0.2500
      #>    16  0.5000
      #> ─────────────
      """
  ) { d in
    let rows = d.positional("rows", Kind<Record>.record.list, "records with the same fields")
    let caption = d.named("caption", .text, default: "", "\"\"", "the caption")
    let label = d.optional("label", .text, "for .tex: the name for \\ref")
    let digits = d.named("digits", .whole(from: 0, to: 15), default: 4, "4", "digits after the decimal point, in columns with fractions")
    return { call in
      let rows = try call[rows]
      let names = rows.first?.keys ?? []
      if let odd = rows.first(where: { $0.keys != names }) {
        throw call.error(
          .badValue, "the rows have different fields: \(names.joined(separator: ", ")) and \(odd.keys.joined(separator: ", "))",
          argument: "rows")
      }
      return .object(
        TableValue(records: rows, names: names, caption: try call[caption], label: try call[label], digits: try call[digits]))
    }
  }
}

extension TableValue {
  /// A table of records with the same fields.
  ///
  /// - Parameter digits: digits after the decimal point, in columns with fractions.
  convenience init(records rows: [Record], names: [String], caption: String = "", label: String? = nil, digits: Int = 4) {
    let columns = names.map { name in rows.map { $0[name] ?? .nothing } }
    let texts = columns.map { column -> (cells: [String], isNumeric: Bool) in
      let numbers = column.compactMap { if case .number(let number) = $0 { number } else { nil } }
      let hasFractions = numbers.contains { $0 != $0.rounded() }
      let cells = column.map { value -> String in
        if case .nothing = value { return "" }
        guard hasFractions, case .number(let number) = value else { return value.printed }
        return NumberFormat.fixed(number, digits: digits)
      }
      return (cells, !numbers.isEmpty)
    }
    let grid = Grid(
      caption: caption, label: label, header: names, numeric: Set(texts.indices.filter { texts[$0].isNumeric }),
      rows: rows.indices.map { row in texts.map { Grid.Cell($0.cells[row]) } })
    let full = rows.map { record in names.map { name in Self.full(record[name] ?? .nothing) } }
    self.init(grid, records: rows.map { .record($0) }, csv: [names] + full)
  }

  private static func full(_ value: Value) -> String {
    switch value {
    case .nothing: ""
    case .number(let number): number == number.rounded() && abs(number) < 1e15 ? NumberFormat.text(number) : "\(number)"
    default: value.printed
    }
  }
}
