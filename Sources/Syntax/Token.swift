/// A token: the smallest unit of the grammar.
public struct Token: Sendable {
  public indirect enum Kind: Sendable {
    case number(Double)
    case quantity(Double, Unit)
    case metric(String, Int)
    case string([StringPart])
    case identifier(String)
    case keyword(Keyword)
    case symbol(Symbol)
    case end
  }

  public enum StringPart: Sendable {
    case text(String)
    /// The tokens between braces, with `.end` as the last one.
    case code([Token])
  }

  public enum Keyword: String, Sendable, CaseIterable {
    case `let`, fn, param, `if`, `else`, `for`, `in`, `while`, `return`, `break`, `continue`, `true`, `false`, `nil`
    case and, or, not, `import`, assert, `try`
  }

  public enum Symbol: String, Sendable, CaseIterable {
    case pipe = "|>"
    case arrow = "=>"
    case dots = ".."
    case equal = "=="
    case unequal = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case assign = "="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case power = "^"
    case dot = "."
    case comma = ","
    case colon = ":"
    case semicolon = ";"
    case openParenthesis = "("
    case closeParenthesis = ")"
    case openBracket = "["
    case closeBracket = "]"
    case openBrace = "{"
    case closeBrace = "}"
  }

  public let kind: Kind
  public let range: Range<Int>
  /// Is this the first token of its line?
  public let startsLine: Bool
}

/// A comment, from `#` to the end of its line.
public struct Comment: Sendable {
  public let range: Range<Int>
  public let text: String
  /// Is the comment alone on its line?
  public let ownLine: Bool
}

/// A line `# %% title` that begins a cell.
public struct CellMark: Sendable {
  /// The contents of a cell: code, or a text in comments.
  public enum Kind: String, Sendable, CaseIterable {
    case code, markdown
    /// A text that is not Markdown and is meant for other programs, as in Jupyter.
    case raw
  }

  public let offset: Int
  public let title: String
  public let kind: Kind

  public var isMarkdown: Bool { kind == .markdown }

  /// Does this line, given without its line break, begin a cell?
  public static func isMark(_ line: some Sequence<UInt8>) -> Bool {
    var rest = line.makeIterator()
    for byte in "# %%".utf8 where rest.next() != byte { return false }
    let next = rest.next()
    return next == nil || next == 0x20
  }
}
