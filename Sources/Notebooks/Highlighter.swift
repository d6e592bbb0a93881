import Basics
import Syntax

/// Code as HTML with syntax highlighting by the lexer of the language.
enum Highlighter {
  static func html(_ code: String, functions: Set<String>) -> String {
    let file = SourceFile(name: "cell", text: code)
    let lexer = Lexer(file)
    var pieces: [(range: Range<Int>, kind: String)] = lexer.comments.map { ($0.range, "c") }
    for token in lexer.tokens {
      if let kind = kind(token, functions, file) { pieces.append((token.range, kind)) }
    }
    var html = ""
    var offset = 0
    for piece in pieces.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) where piece.range.lowerBound >= offset {
      html += Escapes.html(file.text(offset..<piece.range.lowerBound))
      html += "<span class=\"\(piece.kind)\">\(Escapes.html(file.text(piece.range)))</span>"
      offset = piece.range.upperBound
    }
    return html + Escapes.html(file.text(offset..<file.bytes.count))
  }

  private static func kind(_ token: Token, _ functions: Set<String>, _ file: SourceFile) -> String? {
    switch token.kind {
    case .number, .quantity, .metric: "n"
    case .string: "s"
    case .keyword: "k"
    case .identifier(let name): functions.contains(name) ? "f" : nil
    case .symbol, .end: nil
    }
  }
}
