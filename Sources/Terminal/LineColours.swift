import Syntax

/// Colours for a line of code on the terminal, by the lexer of the language.
enum LineColours {
  /// The line with terminal codes, which take no columns.
  static func coloured(_ line: String, functions: Set<String>) -> String {
    if let first = line.first(where: { $0 != " " }), "%!?".contains(first) { return line }
    let file = SourceFile(name: "line", text: line)
    let lexer = Lexer(file)
    var pieces: [(range: Range<Int>, code: String)] = lexer.comments.map { ($0.range, "90") }
    for token in lexer.tokens {
      if let code = code(token, functions) { pieces.append((token.range, code)) }
    }
    var text = ""
    var offset = 0
    for piece in pieces.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
    where piece.range.lowerBound >= offset && piece.range.upperBound <= file.bytes.count {
      text += file.text(offset..<piece.range.lowerBound)
      text += "\u{1b}[\(piece.code)m\(file.text(piece.range))\u{1b}[0m"
      offset = piece.range.upperBound
    }
    return text + file.text(offset..<file.bytes.count)
  }

  private static func code(_ token: Token, _ functions: Set<String>) -> String? {
    switch token.kind {
    case .number, .quantity, .metric: "36"
    case .string: "32"
    case .keyword: "1;35"
    case .identifier(let name): functions.contains(name) ? "34" : nil
    case .symbol, .end: nil
    }
  }
}
