/// A recursive-descent parser. After an error it continues at the next statement, so that one run reports all errors.
public struct Parser {
  let file: SourceFile
  var tokens: [Token]
  var position = 0
  var diagnostics: [Diagnostic] = []
  var isIncomplete = false
  /// Are further errors suppressed? Set after an error that swallowed the rest of the text, of which they are consequences.
  var isMuted = false
  var depth = 0
  /// The number of open brackets. Inside brackets a line break does not end a statement.
  var brackets = 0
  private let comments: [Comment]

  static let maximumDepth = 200

  public static func parse(_ file: SourceFile) -> SyntaxTree {
    let lexer = Lexer(file)
    var parser = Parser(file, lexer.tokens, comments: lexer.comments)
    let statements = parser.statements(untilBrace: false)
    let unclosedString = lexer.diagnostics.contains { $0.code == .unclosedString }
    // Errors of the parser are usually consequences of those of the lexer.
    let all = lexer.diagnostics.isEmpty ? parser.diagnostics : lexer.diagnostics
    let (taught, isWhole) = Self.taught(all, file)
    return SyntaxTree(
      file: file, statements: statements, comments: lexer.comments, cells: lexer.cells, diagnostics: taught,
      isIncomplete: parser.isIncomplete && lexer.diagnostics.isEmpty && !unclosedString && !isWhole)
  }

  /// The errors, with one error per line where the line has a form of another language, and the form of this language in its help.
  /// Also whether one of them cannot become right by a further line.
  private static func taught(_ diagnostics: [Diagnostic], _ file: SourceFile) -> (diagnostics: [Diagnostic], isWhole: Bool) {
    var result: [Diagnostic] = []
    var known: Set<Int> = []
    var isWhole = false
    for diagnostic in diagnostics {
      guard let span = diagnostic.span else {
        result.append(diagnostic)
        continue
      }
      // An error at the end of the text belongs to its last line that is not empty.
      var offset = span.range.lowerBound
      while span.range.isEmpty, offset > 0, [0x20, 0x09, 0x0a, 0x0d].contains(file.bytes[min(offset, file.bytes.count) - 1]) { offset -= 1 }
      let number = file.line(at: max(0, offset - (span.range.isEmpty && offset > 0 ? 1 : 0)))
      if known.contains(number) { continue }
      let line = file.text(file.lineRange(number))
      guard diagnostic.code != .unclosedBracket, diagnostic.code != .tooDeep,
        let form = ForeignForms.find(in: line, at: min(offset, file.bytes.count) - file.lineRange(number).lowerBound)
      else {
        // The same error twice in a line says nothing more.
        if result.last?.message == diagnostic.message, let last = result.last?.span, file.line(at: last.range.lowerBound) == number {
          continue
        }
        result.append(diagnostic)
        continue
      }
      known.insert(number)
      isWhole = isWhole || form.isWhole
      result.append(Diagnostic(diagnostic.code, diagnostic.message, at: span, label: diagnostic.label, help: form.help))
    }
    return (result, isWhole)
  }

  init(_ file: SourceFile, _ tokens: [Token], comments: [Comment] = []) {
    self.file = file
    self.tokens = tokens
    self.comments = comments
  }

  // MARK: Tokens

  var current: Token { tokens[position] }
  func peek(_ ahead: Int = 1) -> Token { tokens[min(position + ahead, tokens.count - 1)] }
  var span: Span { Span(file, current.range) }
  var previousSpan: Span { Span(file, tokens[max(0, position - 1)].range) }
  var atEnd: Bool { if case .end = current.kind { true } else { false } }
  /// Can the current token continue the statement? True if it is on the line of the token before it, or inside brackets.
  var continues: Bool { brackets > 0 || !current.startsLine }

  func isSymbol(_ symbol: Token.Symbol, _ token: Token? = nil) -> Bool {
    if case .symbol(let found) = (token ?? current).kind { return found == symbol }
    return false
  }

  func isKeyword(_ keyword: Token.Keyword, _ token: Token? = nil) -> Bool {
    if case .keyword(let found) = (token ?? current).kind { return found == keyword }
    return false
  }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  mutating func accept(_ symbol: Token.Symbol) -> Bool {
    guard isSymbol(symbol) else { return false }
    advance()
    return true
  }

  /// The name of a token in messages.
  func describe(_ token: Token) -> String {
    switch token.kind {
    case .end: return token.range.isEmpty && token.range.lowerBound < file.bytes.count ? "the end of this" : "the end of the text"
    default: return "`\(file.text(token.range).prefix(40))`"
    }
  }

  mutating func fail(_ message: String, at span: Span? = nil, help: String? = nil, code: Diagnostic.Code = .unexpectedToken) {
    if atEnd { isIncomplete = true }
    if isMuted { return }
    let location = span ?? self.span
    // One error per span is enough.
    if let last = diagnostics.last?.span, last.range == location.range { return }
    if diagnostics.count < 50 { diagnostics.append(Diagnostic(code, message, at: location, help: help)) }
  }

  @discardableResult
  mutating func expect(_ symbol: Token.Symbol, _ context: String) -> Bool {
    if accept(symbol) { return true }
    fail("expected `\(symbol.rawValue)` \(context), found \(describe(current))")
    return false
  }

  mutating func expectName(_ context: String) -> Name? {
    if case .identifier(let text) = current.kind {
      let name = Name(text: text, span: span)
      advance()
      return name
    }
    if case .keyword(let keyword) = current.kind {
      fail("`\(keyword.rawValue)` is a word of the language and cannot be a name", help: "choose another name")
      advance()
      return nil
    }
    fail("expected a name \(context), found \(describe(current))")
    return nil
  }

  /// Runs `body` one level deeper. Reports an error and returns nil at the maximum depth.
  mutating func nested<Result>(_ body: (inout Parser) -> Result) -> Result? {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maximumDepth else {
      fail("this is nested too deeply (\(Self.maximumDepth) levels)", code: .tooDeep)
      isMuted = true
      position = tokens.count - 1
      return nil
    }
    return body(&self)
  }

  // MARK: Statements

  mutating func statements(untilBrace: Bool) -> [Statement] {
    let outer = brackets
    brackets = 0
    defer { brackets = outer }
    var result: [Statement] = []
    while !atEnd && !(untilBrace && isSymbol(.closeBrace)) {
      if accept(.semicolon) { continue }
      let before = position
      let errors = diagnostics.count
      if let statement = nested({ $0.statement() }) ?? nil { result.append(statement) }
      if diagnostics.count > errors {
        recover(before, untilBrace: untilBrace)
      } else if !atEnd && !current.startsLine && !isSymbol(.semicolon) && !(untilBrace && isSymbol(.closeBrace))
        && !isSymbol(.closeBrace, tokens[max(0, position - 1)])
      {
        fail("expected the end of the statement, found \(describe(current))", help: hintAfterStatement())
        recover(before, untilBrace: untilBrace)
      }
      if position == before { advance() }
    }
    return result
  }

  private func hintAfterStatement() -> String? {
    if isSymbol(.assign) { return "a name is bound with `let name = value`; equality is `==`" }
    if case .identifier = current.kind { return "is an operator or a comma missing before it?" }
    return nil
  }

  /// After an error, skips to the start of a line outside all brackets that were opened since the token `start`.
  private mutating func recover(_ start: Int, untilBrace: Bool) {
    brackets = 0
    var open = 0
    for token in tokens[start..<position] { open += nesting(token) }
    open = max(0, open)
    while !atEnd {
      if open == 0 && (current.startsLine && position > start || (untilBrace && isSymbol(.closeBrace))) { return }
      open = max(0, open + nesting(current))
      advance()
      if open == 0 && current.startsLine { return }
    }
  }

  private func nesting(_ token: Token) -> Int {
    switch token.kind {
    case .symbol(.openBrace), .symbol(.openBracket), .symbol(.openParenthesis): 1
    case .symbol(.closeBrace), .symbol(.closeBracket), .symbol(.closeParenthesis): -1
    default: 0
    }
  }

  private mutating func statement() -> Statement? {
    let start = span
    guard case .keyword(let keyword) = current.kind else { return expressionStatement(start) }
    switch keyword {
    case .let: return binding(start)
    case .param: return parameter(start)
    case .fn:
      if case .identifier = peek().kind { return function(start) }
      advance()
      fail("expected a name after `fn`, found \(describe(current))", help: "a function without a name is written x => x * 2")
      return nil
    case .for: return loop(start)
    case .while:
      advance()
      let condition = expression()
      let body = block("after the condition of `while`")
      return Statement(kind: .whileLoop(condition, body), span: start.to(previousSpan))
    case .return:
      advance()
      let hasValue = continues && !atEnd && !isSymbol(.closeBrace) && !isSymbol(.semicolon)
      let value = hasValue ? expression() : nil
      return Statement(kind: .return(value), span: start.to(previousSpan))
    case .break:
      advance()
      return Statement(kind: .break, span: start)
    case .continue:
      advance()
      return Statement(kind: .continue, span: start)
    case .import:
      advance()
      return Statement(kind: .import(expression()), span: start.to(previousSpan))
    case .assert:
      advance()
      let condition = expression()
      let message = accept(.comma) ? expression() : nil
      return Statement(kind: .assert(condition, message), span: start.to(previousSpan))
    default: return expressionStatement(start)
    }
  }

  private mutating func expressionStatement(_ start: Span) -> Statement? {
    let value = expression()
    return Statement(kind: .expression(value), span: start.to(previousSpan))
  }

  private mutating func binding(_ start: Span) -> Statement? {
    advance()
    guard let pattern = pattern("after `let`") else { return nil }
    guard expect(.assign, "and a value after `let \(pattern.names.first?.text ?? "")`") else { return nil }
    return Statement(kind: .bind(pattern, expression()), span: start.to(previousSpan))
  }

  private mutating func pattern(_ context: String) -> Pattern? {
    let start = span
    guard accept(.openParenthesis) else {
      return expectName(context).map { Pattern(names: [$0], isTuple: false, span: $0.span) }
    }
    var names: [Name] = []
    var seen: Set<String> = []
    repeat {
      guard let name = expectName("in these parentheses") else { return nil }
      if !seen.insert(name.text).inserted {
        fail("the name `\(name.text)` is given twice", at: name.span, code: .repeatedArgument)
      }
      names.append(name)
    } while accept(.comma)
    guard expect(.closeParenthesis, "after the names") else { return nil }
    return Pattern(names: names, isTuple: true, span: start.to(previousSpan))
  }

  private mutating func parameter(_ start: Span) -> Statement? {
    advance()
    guard let name = expectName("after `param`") else { return nil }
    guard expect(.assign, "and a default value after `param \(name.text)`") else { return nil }
    let value = expression()
    let end = previousSpan.range.upperBound
    let line = file.line(at: end)
    let comment = comments[firstComment(from: end)...].first.flatMap { file.line(at: $0.range.lowerBound) == line ? $0 : nil }
    let text = comment.map { String($0.text.drop { $0 == "#" || $0 == " " }) }
    return Statement(kind: .parameter(name, value, comment: text), span: start.to(previousSpan))
  }

  /// The index of the first comment at or after a byte offset.
  private func firstComment(from offset: Int) -> Int {
    var (low, high) = (0, comments.count)
    while low < high {
      let middle = (low + high) / 2
      if comments[middle].range.lowerBound < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func function(_ start: Span) -> Statement? {
    advance()
    guard let name = expectName("after `fn`") else { return nil }
    guard expect(.openParenthesis, "and the parameters after `fn \(name.text)`") else { return nil }
    brackets += 1
    let parameters = functionParameters()
    brackets -= 1
    guard expect(.closeParenthesis, "after the parameters of \(name.text)") else { return nil }
    let body: Block
    if accept(.assign) {
      let value = expression()
      body = Block(statements: [Statement(kind: .expression(value), span: value.span)], span: value.span)
    } else {
      body = block("or `=` and the body of \(name.text)")
    }
    let function = FunctionBody(parameters: parameters, body: body, span: start.to(previousSpan))
    return Statement(kind: .function(name, function), span: start.to(previousSpan))
  }

  mutating func functionParameters() -> [FunctionParameter] {
    var parameters: [FunctionParameter] = []
    var seen: Set<String> = []
    while !isSymbol(.closeParenthesis) && !atEnd {
      guard let name = expectName("of a parameter") else { break }
      if !seen.insert(name.text).inserted {
        fail("the parameter `\(name.text)` is given twice", at: name.span, code: .repeatedArgument)
      }
      let value = accept(.assign) ? expression() : nil
      parameters.append(FunctionParameter(name: name, defaultValue: value))
      if !accept(.comma) { break }
    }
    return parameters
  }

  private mutating func loop(_ start: Span) -> Statement? {
    advance()
    guard let pattern = pattern("after `for`") else { return nil }
    guard isKeyword(.in) else {
      fail("expected `in` after `for \(pattern.names.first?.text ?? "")`, found \(describe(current))")
      return nil
    }
    advance()
    let sequence = expression()
    let body = block("after the sequence of `for`")
    return Statement(kind: .loop(pattern, in: sequence, body), span: start.to(previousSpan))
  }

  mutating func block(_ context: String) -> Block {
    let start = span
    guard expect(.openBrace, context) else { return Block(statements: [], span: start) }
    let body = statements(untilBrace: true)
    if !accept(.closeBrace) {
      if atEnd { isIncomplete = true }
      fail("this `{` is not closed", at: atEnd ? start : nil, code: .unclosedBracket)
    }
    return Block(statements: body, span: start.to(previousSpan))
  }
}
