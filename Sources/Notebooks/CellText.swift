import Syntax

/// Converts the texts of cells to lines of a script and back, without any loss.
///
/// A text that is not code is written as comments. A line that would not be a plain comment, or contains characters that a
/// script refuses or that an editor interprets as line ends, is written as `#\ ` followed by the line with escapes.
enum CellText {
  /// The lines of a text, separated by line feeds. A carriage return is part of its line.
  static func lines(_ text: String) -> [String] {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
  }

  // MARK: Texts as comments

  /// A line of text as a comment.
  static func commented(_ line: String) -> String {
    var inner = line.unicodeScalars[...]
    // A carriage return at the end of the line needs no escape.
    if inner.last == "\r" { inner.removeLast() }
    let plain = "# " + line
    if CellMark.isMark(String(inner).utf8Comment) || inner.contains(where: TerminalText.isCommand) { return "#\\ " + escaped(line) }
    return line.isEmpty ? "#" : plain
  }

  /// The line of text in a comment. A line that is not a comment is returned as it is.
  static func uncommented(_ line: String) -> String {
    var rest = line.unicodeScalars.drop { $0 == " " || $0 == "\t" }
    guard rest.popFirst() == "#" else { return line }
    if rest.starts(with: "\\ ".unicodeScalars), let text = unescaped(rest.dropFirst(2)) { return text }
    if rest.first == " " { rest.removeFirst() }
    return String(rest)
  }

  // MARK: Code

  /// Inserts a backslash after the `#` of a line of code that would otherwise begin a cell. A line that already has backslashes
  /// there gets one more, so that `unprotected` restores every line.
  static func protected(_ line: String) -> String { isMarkBehindBackslashes(line, atLeast: 0) ? "#\\" + line.dropScalars(1) : line }

  /// The inverse of `protected`.
  static func unprotected(_ line: String) -> String { isMarkBehindBackslashes(line, atLeast: 1) ? "#" + line.dropScalars(2) : line }

  private static func isMarkBehindBackslashes(_ line: String, atLeast least: Int) -> Bool {
    guard line.utf8.first == 0x23 else { return false }
    let rest = line.utf8.dropFirst()
    let backslashes = rest.prefix { $0 == 0x5c }.count
    var end = Array(rest.dropFirst(backslashes))
    if end.last == 0x0d { end.removeLast() }
    return backslashes >= least && CellMark.isMark([0x23] + end)
  }

  // MARK: Titles

  /// The title as it is written after a cell's mark, with escapes if necessary.
  static func written(title: String) -> String {
    let scalars = title.unicodeScalars
    let isPlain =
      !scalars.contains { TerminalText.isCommand($0) || $0 == "\n" || $0 == "\t" } && scalars.first != " " && scalars.last != " "
      && scalars.first != "[" && scalars.first != "\\"
    if isPlain { return title }
    // Blanks at the end of a line are escaped as well, because the lexer and editors remove them.
    let end = scalars.reversed().prefix { $0 == " " || $0 == "\t" }.reversed().map { "\\u{\(String($0.value, radix: 16))}" }.joined()
    return "\\" + escaped(String(String.UnicodeScalarView(scalars.dropLast(end.isEmpty ? 0 : trailingBlanks(scalars))))) + end
  }

  private static func trailingBlanks(_ scalars: String.UnicodeScalarView) -> Int {
    scalars.reversed().prefix { $0 == " " || $0 == "\t" }.count
  }

  /// The inverse of `written(title:)`.
  static func title(_ written: String) -> String {
    guard written.unicodeScalars.first == "\\" else { return written }
    return unescaped(written.unicodeScalars.dropFirst()) ?? written
  }

  // MARK: Escapes

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\r": result += "\\r"
      case "\n": result += "\\n"
      case _ where TerminalText.isCommand(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The inverse of `escaped`; nil if the text contains other escapes.
  private static func unescaped(_ scalars: Substring.UnicodeScalarView) -> String? {
    var result = String.UnicodeScalarView()
    var rest = scalars
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        result.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "\\": result.append("\\")
      case "r": result.append("\r")
      case "n": result.append("\n")
      case "u":
        guard rest.popFirst() == "{", let close = rest.firstIndex(of: "}"), let value = UInt32(String(rest[..<close]), radix: 16),
          let scalar = Unicode.Scalar(value)
        else { return nil }
        result.append(scalar)
        rest = rest[rest.index(after: close)...]
      default: return nil
      }
    }
    return String(result)
  }
}

extension String {
  /// The bytes of a comment with this line.
  fileprivate var utf8Comment: [UInt8] { Array("# ".utf8) + Array(utf8) }

  fileprivate func dropScalars(_ count: Int) -> String { String(unicodeScalars.dropFirst(count)) }
}
