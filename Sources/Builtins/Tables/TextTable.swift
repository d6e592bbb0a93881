import Syntax

/// Aligns columns of cells by their width on a terminal.
enum TextTable {
  /// One line per row. Cells may contain names from data, runs and files, so control characters are escaped.
  ///
  /// - Parameter right: indices of the columns that are aligned right.
  static func aligned(_ rows: [[String]], right: Set<Int>, gap: String = "  ") -> [String] {
    let rows = rows.map { $0.map { TerminalText.safe($0, keepsLines: false) } }
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? TextWidth.of($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let pad = String(repeating: " ", count: widths[column] - TextWidth.of(cell))
        return right.contains(column) ? pad + cell : cell + pad
      }
      var line = cells.joined(separator: gap)
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
