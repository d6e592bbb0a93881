/// Formats a text in its canonical form: two blanks per level of indentation, one blank around operators, one statement per
/// line. Comments are kept.
///
/// The formatter works on tokens, so strings and numbers stay as they were written. Line breaks inside brackets and before
/// `|>` stay where the author put them. A block of several lines gets a line for each statement.
public struct Formatter {
  private enum Item {
    case token(Token)
    case comment(Comment)

    var range: Range<Int> {
      switch self {
      case .token(let token): token.range
      case .comment(let comment): comment.range
      }
    }
  }

  private struct Group {
    /// The indentation of the line with the opening bracket.
    let indent: Int
    let isBlock: Bool
    /// Are the contents on lines of their own?
    let isBroken: Bool
  }

  private struct Line {
    var indent: Int
    var text: String
    var comment: String?
    var isBlankBefore: Bool
    var isCell = false
  }

  private let tree: SyntaxTree
  private var items: [Item] = []
  /// The offsets at which statements begin that need a line of their own: those of the top level and of blocks of several
  /// lines.
  private var starts: Set<Int> = []
  /// For each block in braces, by the offset of its `{`: does it take several lines?
  private var blocks: [Int: Bool] = [:]
  private var cells: Set<Int> = []
  private var groups: [Group] = []
  private var lines: [Line] = []
  private var previous: Item?
  private var previousToken: Token?
  private var beforePrevious: Token?
  private var previousIsUnary = false

  /// The canonical form of a text. Nil if the text has errors, or if the result would not mean the same as the text; the latter
  /// is a bug of the formatter, and must not damage a file.
  public static func format(_ tree: SyntaxTree) -> String? {
    guard tree.diagnostics.isEmpty else { return nil }
    var formatter = Formatter(tree)
    let text = formatter.run()
    return areEquivalent(tree.file, SourceFile(name: tree.file.name, text: text)) ? text : nil
  }

  private init(_ tree: SyntaxTree) {
    self.tree = tree
    let file = tree.file
    let lexer = Lexer(file)
    let tokens = lexer.tokens.dropLast()
    cells = Set(tree.cells.map(\.offset))
    tree.visitBlocks { [file] statements, block in
      let first = statements.first?.span.range.lowerBound
      if let block, block.span.range.lowerBound == first { return }  // the expression behind `=>` or `=`
      var isBroken = true
      if let block {
        let (open, close) = (block.span.range.lowerBound, block.span.range.upperBound - 1)
        isBroken = file.line(at: open) != file.line(at: close)
        blocks[open] = isBroken
      }
      if isBroken { starts.formUnion(statements.map(\.span.range.lowerBound)) }
    }
    items.reserveCapacity(tokens.count + lexer.comments.count)
    var comments = lexer.comments[...]
    for token in tokens {
      while let comment = comments.first, comment.range.lowerBound < token.range.lowerBound {
        // A comment in the braces of a string belongs to the string's token.
        if comment.range.lowerBound >= (items.last?.range.upperBound ?? 0) { items.append(.comment(comment)) }
        comments.removeFirst()
      }
      items.append(.token(token))
    }
    for comment in comments where comment.range.lowerBound >= (items.last?.range.upperBound ?? 0) {
      items.append(.comment(comment))
    }
  }

  private mutating func run() -> String {
    for (index, item) in items.enumerated() {
      switch item {
      case .comment(let comment): add(comment, index)
      case .token(let token): add(token, index)
      }
    }
    alignComments()
    var text = ""
    for (index, line) in lines.enumerated() {
      if index > 0 && line.isBlankBefore { text += "\n" }
      text += String(repeating: " ", count: 2 * line.indent) + line.text
      if let comment = line.comment { text += comment }
      text += "\n"
    }
    return text
  }

  // MARK: Lines

  private mutating func add(_ comment: Comment, _ index: Int) {
    defer { previous = .comment(comment) }
    var text = comment.text
    while let last = text.unicodeScalars.last, Self.isBlank(last) { text.unicodeScalars.removeLast() }
    if !comment.ownLine, !lines.isEmpty, case .token = previous {
      lines[lines.count - 1].comment = text
      return
    }
    let isCell = cells.contains(comment.range.lowerBound)
    let indent = isCell ? 0 : indentOfComment(index)
    // An indented comment `# %%` does not begin a cell. Without indentation it would, so one blank is kept.
    if !isCell && indent == 0 && (text == "# %%" || text.hasPrefix("# %% ")) { text = " " + text }
    lines.append(Line(indent: indent, text: text, isBlankBefore: isCell || isBlank(before: index), isCell: isCell))
  }

  private mutating func add(_ token: Token, _ index: Int) {
    if isSymbol(.semicolon, token), isDropped(index) { return }
    let isClosing = closes(token)
    let group = isClosing ? groups.popLast() : nil
    if breaks(before: token, group) {
      let indent = group?.indent ?? indentOf(token)
      lines.append(Line(indent: indent, text: text(token), isBlankBefore: !isClosing && isBlank(before: index)))
    } else {
      let last = lines.count - 1
      if needsBlank(before: token) { lines[last].text += " " }
      lines[last].text += text(token)
    }
    if opens(token) {
      let isBlock = blocks[token.range.lowerBound] != nil && isSymbol(.openBrace, token)
      groups.append(
        Group(
          indent: lines[lines.count - 1].indent, isBlock: isBlock,
          isBroken: isBlock ? blocks[token.range.lowerBound] ?? false : opensLine(index)))
    }
    previousIsUnary = isMinus(token) && !(previousToken.map(isOperandEnd) ?? false && !starts.contains(token.range.lowerBound))
    beforePrevious = previousToken
    previousToken = token
    previous = .token(token)
  }

  /// Is this semicolon removed? Semicolons are kept only between the statements of a block on a single line.
  private func isDropped(_ index: Int) -> Bool {
    guard let group = groups.last, group.isBlock, !group.isBroken else { return true }
    guard index + 1 < items.count, case .token(let next) = items[index + 1] else { return true }
    return isSymbol(.closeBrace, next) || isSymbol(.semicolon, next) || previousToken.map { isSymbol(.openBrace, $0) } ?? true
  }

  private func breaks(before token: Token, _ closed: Group?) -> Bool {
    guard let previous else { return true }
    if case .comment = previous { return true }
    if starts.contains(token.range.lowerBound) { return true }
    if let closed { return closed.isBroken || (token.startsLine && !closed.isBlock) }
    if let before = previousToken, isSymbol(.openBrace, before), let group = groups.last, group.isBlock, group.isBroken { return true }
    guard token.startsLine else { return false }
    // `{` and `else` go on the line of what precedes them.
    if isSymbol(.openBrace, token) && blocks[token.range.lowerBound] != nil { return false }
    if case .keyword(.else) = token.kind, let before = previousToken, isSymbol(.closeBrace, before) {
      return !lines[lines.count - 1].text.hasPrefix("}")
    }
    return true
  }

  private func indentOf(_ token: Token) -> Int {
    let base = groups.last.map { $0.indent + 1 } ?? 0
    if groups.last?.isBlock ?? true { return starts.contains(token.range.lowerBound) ? base : base + 1 }
    guard let before = previousToken else { return base }
    return isSymbol(.comma, before) || opens(before) ? base : base + 1
  }

  /// A comment is indented like the token that follows it.
  private func indentOfComment(_ index: Int) -> Int {
    let base = groups.last.map { $0.indent + 1 } ?? 0
    for item in items[index...] {
      guard case .token(let token) = item, !isSymbol(.semicolon, token) else { continue }
      return closes(token) ? base : indentOf(token)
    }
    return base
  }

  private func isBlank(before index: Int) -> Bool {
    guard let previous else { return false }
    if let before = previousToken, case .token = previous, opens(before) { return false }
    var count = 0
    for byte in tree.file.bytes[previous.range.upperBound..<items[index].range.lowerBound] where byte == 0x0a { count += 1 }
    return count > 1
  }

  private func opensLine(_ index: Int) -> Bool {
    guard index + 1 < items.count else { return false }
    switch items[index + 1] {
    case .comment: return true
    case .token(let next): return next.startsLine && !closes(next)
    }
  }

  /// Aligns the comments at the ends of neighbouring lines.
  private mutating func alignComments() {
    let widest = 60
    var start = 0
    while start < lines.count {
      guard lines[start].comment != nil else {
        start += 1
        continue
      }
      var end = start + 1
      while end < lines.count, lines[end].comment != nil, !lines[end].isBlankBefore, lines[end].indent == lines[start].indent {
        end += 1
      }
      let widths = lines[start..<end].map { 2 * $0.indent + $0.text.count }
      let column = widths.filter { $0 <= widest }.max() ?? 0
      for (index, width) in zip(start..<end, widths) {
        lines[index].comment = String(repeating: " ", count: max(2, column + 2 - width)) + (lines[index].comment ?? "")
      }
      start = end
    }
  }

  // MARK: Blanks

  private func needsBlank(before token: Token) -> Bool {
    guard let before = previousToken else { return false }
    if previousIsUnary { return false }
    switch (before.kind, token.kind) {
    case (.symbol(.openBrace), .symbol(.closeBrace)): return false
    case (.symbol(.openParenthesis), _), (.symbol(.openBracket), _), (.symbol(.dot), _), (.symbol(.dots), _): return false
    case (_, .symbol(.closeParenthesis)), (_, .symbol(.closeBracket)), (_, .symbol(.comma)), (_, .symbol(.semicolon)),
      (_, .symbol(.colon)), (_, .symbol(.dot)):
      return false
    case (_, .symbol(.dots)), (_, .symbol(.openParenthesis)), (_, .symbol(.openBracket)): return !isOperandEnd(before)
    default: return true
    }
  }

  /// Can a value end with this token? Then a following `(` is a call and a following `-` a subtraction.
  private func isOperandEnd(_ token: Token) -> Bool {
    switch token.kind {
    case .number, .quantity, .metric, .string, .identifier: return true
    case .keyword(.true), .keyword(.false), .keyword(.nil): return true
    // After a dot, a keyword is the name of a member, as in `r.if`.
    case .keyword: return token.range.lowerBound > 0 && tree.file.bytes[token.range.lowerBound - 1] == 0x2e
    case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace): return true
    default: return false
    }
  }

  private func isMinus(_ token: Token) -> Bool { isSymbol(.minus, token) }

  private func isSymbol(_ symbol: Token.Symbol, _ token: Token) -> Bool {
    if case .symbol(symbol) = token.kind { return true }
    return false
  }

  private func opens(_ token: Token) -> Bool {
    isSymbol(.openParenthesis, token) || isSymbol(.openBracket, token) || isSymbol(.openBrace, token)
  }

  private func closes(_ token: Token) -> Bool {
    isSymbol(.closeParenthesis, token) || isSymbol(.closeBracket, token) || isSymbol(.closeBrace, token)
  }

  private func text(_ token: Token) -> String { tree.file.text(token.range) }

  /// Characters that are removed from the end of a comment. That includes the carriage return of a Windows line ending.
  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\r" }

  // MARK: Verification

  /// Do two texts have the same tokens (except semicolons), comments, cells and statements?
  private static func areEquivalent(_ a: SourceFile, _ b: SourceFile) -> Bool {
    func contents(_ file: SourceFile) -> ([String], [String], [String], [Int], Bool) {
      let lexer = Lexer(file)
      let tree = Parser.parse(file)
      var counts: [Int] = []
      tree.visitBlocks { statements, _ in counts.append(statements.count) }
      let tokens = lexer.tokens.map { file.text($0.range) }.filter { $0 != ";" }
      let comments = lexer.comments.map { comment in
        var text = comment.text
        while let last = text.unicodeScalars.last, isBlank(last) { text.unicodeScalars.removeLast() }
        return text
      }
      return (tokens, comments, tree.cells.map(\.title), counts, tree.diagnostics.isEmpty)
    }
    return contents(a) == contents(b)
  }
}
