import Basics
import Foundation
import Interpreter
import Syntax

/// A table of text cells, with its renderings: terminal, LaTeX, Markdown, HTML and CSV.
struct Grid {
  enum Mark { case none, best, second }

  struct Cell {
    var text: String
    /// Printed after the number, as `± 0.0012`.
    var uncertainty: String?
    var mark = Mark.none
    /// Significance: 1 for p < 0.05, 2 for p < 0.01, 3 for p < 0.001.
    var stars = 0

    init(_ text: String, uncertainty: String? = nil, mark: Mark = .none, stars: Int = 0) {
      self.text = text
      self.uncertainty = uncertainty
      self.mark = mark
      self.stars = stars
    }

    var plain: String { text + (uncertainty.map { " ± \($0)" } ?? "") + String(repeating: "*", count: stars) }
  }

  var caption: String
  var label: String?
  var header: [String]
  /// Indices of columns of numbers, which are aligned right.
  var numeric: Set<Int>
  var rows: [[Cell]]
  /// Indices of rows with a rule above them.
  var rules: Set<Int> = []

  // MARK: Terminal

  func screen() -> String {
    let lines = TextTable.aligned([header] + rows.map { $0.map(\.plain) }, right: numeric)
    let width = lines.map { TextWidth.of($0) }.max() ?? 0
    let rule = String(repeating: "─", count: width)
    var output = Self.wrapped(TerminalText.safe(caption, keepsLines: false), max(width, 72)) + [rule, lines[0], rule]
    for (index, line) in lines.dropFirst().enumerated() {
      if rules.contains(index) { output.append(rule) }
      output.append(line)
    }
    return (output + [rule]).joined(separator: "\n")
  }

  /// Wraps a text at spaces to lines of at most `columns` columns. A longer word keeps a line of its own.
  private static func wrapped(_ text: String, _ columns: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, TextWidth.of(last) + 1 + TextWidth.of(String(word)) <= columns {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  // MARK: LaTeX

  /// For booktabs and siunitx: numbers are aligned at their decimal points.
  ///
  /// - Parameter marks: print the best value of a column bold and underline the second best.
  func latex(marks: Bool) -> String {
    let columns = header.indices.map { numeric.contains($0) ? "S[table-format=\(format(of: $0))]" : "l" }.joined(separator: " ")
    var lines = [
      "% Needs \\usepackage{booktabs,siunitx}.", "\\begin{table}", "  \\centering",
      "  \\sisetup{detect-weight=true,separate-uncertainty=true,table-align-text-post=false}", "  \\caption{\(Self.escaped(caption))}",
    ]
    if let label { lines.append("  \\label{\(label.filter { $0.isLetter || $0.isNumber || "-:_.".contains($0) })}") }
    lines += [
      "  \\begin{tabular}{\(columns)}", "    \\toprule", "    " + header.map { "{\(Self.escaped($0))}" }.joined(separator: " & ") + " \\\\",
      "    \\midrule",
    ]
    for (index, row) in rows.enumerated() {
      if rules.contains(index) { lines.append("    \\midrule") }
      let cells = row.enumerated().map { column, cell in
        numeric.contains(column) ? number(cell, marks: marks) : Self.escaped(cell.text)
      }
      lines.append("    " + cells.joined(separator: " & ") + " \\\\")
    }
    lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{table}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func isNumber(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    return !digits.isEmpty && digits.allSatisfy { ("0"..."9").contains($0) || $0 == "." } && digits.filter { $0 == "." }.count < 2
      && digits.first != "." && digits.last != "."
  }

  /// siunitx's `table-format` of a column: digits before and after the decimal point, and of the uncertainty.
  private func format(of column: Int) -> String {
    let cells = rows.map { $0[column] }.filter { Self.isNumber($0.text) }
    guard !cells.isEmpty else { return "1.0" }
    let parts = cells.map { $0.text.split(separator: ".", omittingEmptySubsequences: false) }
    let (whole, rest) = (parts.map { $0[0].count }.max() ?? 1, parts.map { $0.count > 1 ? $0[1].count : 0 }.max() ?? 0)
    let uncertain = cells.contains { $0.uncertainty != nil } ? "(\(max(1, rest + 1)))" : ""
    return "\(whole).\(rest)\(uncertain)"
  }

  private func number(_ cell: Cell, marks: Bool) -> String {
    guard Self.isNumber(cell.text) else { return cell.text.isEmpty ? "" : "{\(Self.escaped(cell.text))}" }
    let stars = cell.stars > 0 ? "\\textsuperscript{\(String(repeating: "*", count: cell.stars))}" : ""
    let spread = cell.uncertainty.map { Self.isNumber($0) ? " \\pm \($0)" : "" } ?? ""
    switch marks ? cell.mark : .none {
    case .none: return cell.text + spread + stars
    case .best: return "\\bfseries " + cell.text + spread + stars
    case .second: return "{$\\underline{\(cell.text)}\(spread)$\(stars)}"
    }
  }

  /// Escapes TeX's special characters. It goes by Unicode scalars: a special character with a combining accent is one
  /// `Character` in Swift, but is still special to TeX.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\textbackslash{}"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(scalar)"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "<", ">": result += "$\(scalar)$"
      case "|": result += "$\\mid$"
      case "±": result += "$\\pm$"
      case "\"": result += "''"
      case "\n", "\r", "\u{2028}", "\u{2029}", "\u{85}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  // MARK: Markdown and HTML

  func markdown(marks: Bool) -> String {
    func escaped(_ text: String) -> String {
      var result = ""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\\", "|", "*", "_", "`", "<", "[": result += "\\\(scalar)"
        case "\n", "\r", "\u{2028}", "\u{2029}", "\u{85}": result += " "
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result
    }
    func written(_ cell: Cell) -> String {
      let text = escaped(cell.text) + (cell.uncertainty.map { " ± \($0)" } ?? "") + String(repeating: "\\*", count: cell.stars)
      switch marks ? cell.mark : .none {
      case .none: return text
      case .best: return "**\(text)**"
      case .second: return "<u>\(text)</u>"
      }
    }
    var lines = ["| " + header.map(escaped).joined(separator: " | ") + " |"]
    lines.append("|" + header.indices.map { numeric.contains($0) ? "---:|" : ":---|" }.joined())
    for row in rows { lines.append("| " + row.map(written).joined(separator: " | ") + " |") }
    return lines.joined(separator: "\n") + "\n" + (caption.isEmpty ? "" : "\n\(escaped(caption))\n")
  }

  func html(marks: Bool) -> String {
    func written(_ cell: Cell) -> String {
      var text = Escapes.html(cell.text)
      switch marks ? cell.mark : .none {
      case .none: break
      case .best: text = "<strong>\(text)</strong>"
      case .second: text = "<u>\(text)</u>"
      }
      return text + (cell.uncertainty.map { " ± \(Escapes.html($0))" } ?? "")
        + (cell.stars > 0 ? "<sup>\(String(repeating: "*", count: cell.stars))</sup>" : "")
    }
    func line(_ cells: [String], _ tag: String) -> String {
      "    <tr>"
        + cells.enumerated().map { "<\(tag)\(numeric.contains($0) ? " style=\"text-align:right\"" : "")>\($1)</\(tag)>" }.joined() + "</tr>"
    }
    var lines = ["<table>"]
    if !caption.isEmpty { lines.append("  <caption>\(Escapes.html(caption))</caption>") }
    lines += ["  <thead>", line(header.map(Escapes.html), "th"), "  </thead>", "  <tbody>"]
    for row in rows { lines.append(line(row.map(written), "td")) }
    return (lines + ["  </tbody>", "</table>"]).joined(separator: "\n") + "\n"
  }

  // MARK: CSV

  /// - Parameter isGuarded: put a `'` before texts that a spreadsheet would evaluate as formulas.
  static func csv(_ rows: [[String]], isGuarded: Bool = false) -> String {
    func quoted(_ cell: String) -> String {
      let text = isGuarded ? CSV.guarded(cell) : cell
      guard text.unicodeScalars.contains(where: { ",\"\n\r\u{2028}\u{2029}\u{85}".unicodeScalars.contains($0) }) else { return text }
      var result = "\""
      for scalar in text.unicodeScalars { result += scalar == "\"" ? "\"\"" : String(scalar) }
      return result + "\""
    }
    return rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }
}
