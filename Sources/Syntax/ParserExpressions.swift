// Expressions, from the lowest to the highest precedence: lambda, |>, or, and, not, comparison, .., + -, * /, minus, ^,
// calls.
extension Parser {
  mutating func expression() -> Expression {
    nested { $0.lambdaOrPipe() } ?? Expression(.broken, span)
  }

  private mutating func lambdaOrPipe() -> Expression {
    if let lambda = lambda() { return lambda }
    var left = or()
    var links = 0
    // `|>` may be at the beginning of the next line, so the loop does not ask whether the line continues.
    while isSymbol(.pipe) {
      advance()
      let right = lambda() ?? or()
      left = Expression(.pipe(left, right), left.span.to(right.span))
      if isTooLong(&links) { break }
    }
    return left
  }

  /// Parses `x => body` or `(a, b) => body`; nil if no lambda begins here.
  private mutating func lambda() -> Expression? {
    let start = span
    var parameters: [FunctionParameter] = []
    if case .identifier(let text) = current.kind, isSymbol(.arrow, peek()) {
      parameters = [FunctionParameter(name: Name(text: text, span: span), defaultValue: nil)]
      advance()
    } else if isSymbol(.openParenthesis), startsLambda() {
      advance()
      brackets += 1
      parameters = functionParameters()
      brackets -= 1
      expect(.closeParenthesis, "after the parameters")
    } else {
      return nil
    }
    expect(.arrow, "after the parameters")
    let body: Block
    if isSymbol(.openBrace) && !looksLikeRecord() {
      body = block("")
    } else {
      let value = expression()
      body = Block(statements: [Statement(kind: .expression(value), span: value.span)], span: value.span)
    }
    let function = FunctionBody(parameters: parameters, body: body, span: start.to(previousSpan))
    return Expression(.lambda(function), function.span)
  }

  /// Does `=>` follow the parenthesis that closes the current one?
  private func startsLambda() -> Bool {
    var open = 0
    var ahead = 0
    while true {
      let token = peek(ahead)
      switch token.kind {
      case .symbol(.openParenthesis): open += 1
      case .symbol(.closeParenthesis):
        open -= 1
        if open == 0 { return isSymbol(.arrow, peek(ahead + 1)) }
      case .end: return false
      default: break
      }
      ahead += 1
    }
  }

  /// `{ name:`, `{ "key":`, `{ ..x` and `{ }` are records.
  private func looksLikeRecord() -> Bool {
    switch peek().kind {
    case .symbol(.closeBrace), .symbol(.dots): return true
    case .identifier, .keyword, .string, .metric: return isSymbol(.colon, peek(2))
    default: return false
    }
  }

  /// Counts a link of a chain and reports one with too many links. A chain is a tree as deep as it is long, and code that walks
  /// the tree recursively needs stack for each level.
  private mutating func isTooLong(_ links: inout Int) -> Bool {
    links += 1
    guard links >= 10_000 else { return false }
    fail("this chain has more than 10,000 links", help: "split it with `let`", code: .tooDeep)
    isMuted = true
    position = tokens.count - 1
    return true
  }

  private mutating func binary(
    _ next: (inout Parser) -> Expression, _ operators: (Token) -> BinaryOperator?
  ) -> Expression {
    var left = next(&self)
    var links = 0
    while continues, let operation = operators(current) {
      let operatorSpan = span
      advance()
      let right = next(&self)
      left = Expression(
        .binary(operation, left, right, operatorSpan: operatorSpan), left.span.to(right.span))
      if isTooLong(&links) { break }
    }
    return left
  }

  private mutating func or() -> Expression {
    binary({ $0.and() }) { if case .keyword(.or) = $0.kind { .or } else { nil } }
  }

  private mutating func and() -> Expression {
    binary({ $0.not() }) { if case .keyword(.and) = $0.kind { .and } else { nil } }
  }

  private mutating func not() -> Expression {
    guard isKeyword(.not) else { return comparison() }
    let start = span
    advance()
    let value = nested { $0.not() } ?? Expression(.broken, span)
    return Expression(.unary(.not, value), start.to(value.span))
  }

  private mutating func comparison() -> Expression {
    let left = range()
    guard continues, let operation = Self.comparisons(current) else { return left }
    let operatorSpan = span
    // In R, x <- 5 binds a name. Here it would compare x with -5, without a word.
    if operation == .less, isSymbol(.minus, peek()), peek().range.lowerBound == current.range.upperBound {
      fail(
        "`<-` is no operator", at: operatorSpan,
        help: "a name is bound with `let name = value`; a comparison with a negative number has a blank: x < -5")
    }
    advance()
    let right = range()
    if continues, Self.comparisons(current) != nil {
      fail("comparisons cannot be chained", help: "write a < b and b < c")
    }
    return Expression(.binary(operation, left, right, operatorSpan: operatorSpan), left.span.to(right.span))
  }

  private static func comparisons(_ token: Token) -> BinaryOperator? {
    guard case .symbol(let symbol) = token.kind else { return nil }
    switch symbol {
    case .equal: return .equal
    case .unequal: return .unequal
    case .less: return .less
    case .lessOrEqual: return .lessOrEqual
    case .greater: return .greater
    case .greaterOrEqual: return .greaterOrEqual
    default: return nil
    }
  }

  private mutating func range() -> Expression {
    let low = sum()
    guard continues, isSymbol(.dots) else { return low }
    advance()
    let high = sum()
    return Expression(.range(low, high), low.span.to(high.span))
  }

  private mutating func sum() -> Expression {
    binary({ $0.product() }) {
      switch $0.kind {
      case .symbol(.plus): .plus
      case .symbol(.minus): .minus
      default: nil
      }
    }
  }

  private mutating func product() -> Expression {
    binary({ $0.prefix() }) {
      switch $0.kind {
      case .symbol(.times): .times
      case .symbol(.divide): .divide
      default: nil
      }
    }
  }

  private mutating func prefix() -> Expression {
    guard isSymbol(.minus) else { return power() }
    let start = span
    advance()
    let value = nested { $0.prefix() } ?? Expression(.broken, span)
    return Expression(.unary(.minus, value), start.to(value.span))
  }

  private mutating func power() -> Expression {
    let base = postfix()
    guard continues, isSymbol(.power) else { return base }
    let operatorSpan = span
    advance()
    let exponent = nested { $0.prefix() } ?? Expression(.broken, span)
    return Expression(
      .binary(.power, base, exponent, operatorSpan: operatorSpan), base.span.to(exponent.span))
  }

  private mutating func postfix() -> Expression {
    var value = primary()
    var links = 0
    while continues {
      if isTooLong(&links) { break }
      if isSymbol(.openParenthesis) {
        let arguments = arguments()
        value = Expression(.call(value, arguments), value.span.to(previousSpan))
      } else if isSymbol(.openBracket) {
        let open = span
        advance()
        brackets += 1
        let index = expression()
        brackets -= 1
        closeBracket(.closeBracket, open, "after the index")
        if case .range(_, let high) = index.kind, case .unary(.minus, _) = high.kind {
          fail(
            "a range does not count from the end of a list", at: high.span,
            help: "all from the first on: slice(xs, 0); the last two: slice(xs, -2); without the last: xs[0..len(xs) - 2]")
        }
        value = Expression(.index(value, index), value.span.to(previousSpan))
      } else if isSymbol(.dot) {
        advance()
        guard let name = memberName() else { return value }
        value = Expression(.member(value, name), value.span.to(name.span))
      } else {
        break
      }
    }
    return value
  }

  private mutating func memberName() -> Name? {
    if case .keyword(let keyword) = current.kind {
      let name = Name(text: keyword.rawValue, span: span)
      advance()
      return name
    }
    return expectName("after the dot")
  }

  private mutating func closeBracket(_ symbol: Token.Symbol, _ open: Span, _ context: String) {
    if accept(symbol) { return }
    if atEnd {
      isIncomplete = true
      fail("this `\(open.text)` is not closed", at: open, code: .unclosedBracket)
      isMuted = true
    } else {
      var help: String?
      if case .symbol(let found) = current.kind, [.closeParenthesis, .closeBracket, .closeBrace].contains(found) {
        let place = file.location(of: open.range.lowerBound)
        help = "the `\(open.text)` of line \(place.line), column \(place.column) is open"
      }
      switch current.kind {
      case .identifier, .number, .quantity, .metric, .string: help = "is a comma missing before \(describe(current))?"
      case .symbol(.openBracket), .symbol(.openBrace): help = "is a comma missing before \(describe(current))?"
      default: break
      }
      fail("expected `\(symbol.rawValue)` \(context), found \(describe(current))", help: help)
    }
  }

  // MARK: Arguments, lists, records

  private mutating func arguments() -> [Expression.Argument] {
    let open = span
    advance()
    brackets += 1
    var result: [Expression.Argument] = []
    while !isSymbol(.closeParenthesis) && !atEnd {
      let errors = diagnostics.count
      if accept(.dots) {
        result.append(.init(label: nil, value: expression(), isSpread: true))
      } else if let label = label() {
        result.append(.init(label: label, value: expression(), isSpread: false))
      } else {
        result.append(.init(label: nil, value: expression(), isSpread: false))
      }
      if diagnostics.count > errors || !accept(.comma) { break }
    }
    brackets -= 1
    closeBracket(.closeParenthesis, open, "or `,` after the argument")
    return result
  }

  /// `name:`, keywords included.
  private mutating func label() -> Name? {
    guard isSymbol(.colon, peek()) else { return nil }
    let text: String
    switch current.kind {
    case .identifier(let name): text = name
    case .keyword(let keyword): text = keyword.rawValue
    default: return nil
    }
    let name = Name(text: text, span: span)
    advance()
    advance()
    return name
  }

  private mutating func list(_ open: Span) -> Expression {
    advance()
    brackets += 1
    var elements: [Expression.Element] = []
    while !isSymbol(.closeBracket) && !atEnd {
      let errors = diagnostics.count
      let spread = accept(.dots)
      elements.append(.init(value: expression(), isSpread: spread))
      if diagnostics.count > errors || !accept(.comma) { break }
    }
    brackets -= 1
    closeBracket(.closeBracket, open, "or `,` after the element")
    return Expression(.list(elements), open.to(previousSpan))
  }

  private mutating func record(_ open: Span) -> Expression {
    advance()
    brackets += 1
    var fields: [Expression.Field] = []
    var names: Set<String> = []
    while !isSymbol(.closeBrace) && !atEnd {
      let errors = diagnostics.count
      if accept(.dots) {
        fields.append(.init(key: nil, value: expression()))
      } else if let key = key() {
        if !names.insert(key.text).inserted {
          fail("the field `\(key.text)` is given twice", at: key.span, code: .repeatedArgument)
        }
        fields.append(.init(key: key, value: expression()))
      }
      if diagnostics.count > errors || !accept(.comma) { break }
    }
    brackets -= 1
    closeBracket(.closeBrace, open, "or `,` after the field")
    return Expression(.record(fields), open.to(previousSpan))
  }

  private mutating func key() -> Name? {
    if let label = label() { return label }
    if case .string(let parts) = current.kind, isSymbol(.colon, peek()) {
      var text = ""
      for part in parts {
        guard case .text(let piece) = part else {
          fail("the name of a field cannot contain {expressions}")
          return nil
        }
        text += piece
      }
      let name = Name(text: text, span: span)
      advance()
      advance()
      return name
    }
    var help = "braces that are not the body of if, for, while or fn are a record"
    if case .keyword(let keyword) = current.kind, [.let, .return, .for, .while, .break, .continue, .assert].contains(keyword) {
      help = "a body of statements follows without `=`: fn f(x) { ... }"
    }
    fail("expected a field, `name: value`, found \(describe(current))", help: help)
    return nil
  }

  // MARK: Primary

  private mutating func primary() -> Expression {
    let start = span
    switch current.kind {
    case .number(let value):
      advance()
      return Expression(.number(value), start)
    case .quantity(let value, let unit):
      advance()
      return Expression(.quantity(value, unit), start)
    case .metric(let name, let k):
      advance()
      return Expression(.metric(name, k), start)
    case .string(let parts):
      advance()
      var pieces: [Expression.StringPart] = []
      for part in parts { pieces.append(stringPart(part)) }
      return Expression(.string(pieces), start)
    case .identifier(let name):
      advance()
      if name == "time", isSymbol(.openBrace), continues {
        let body = block("")
        return Expression(.timed(body), start.to(previousSpan))
      }
      return Expression(.name(name), start)
    case .keyword(let keyword): return keywordExpression(keyword, start)
    case .symbol(.openParenthesis):
      advance()
      brackets += 1
      let first = expression()
      var rest: [Expression] = []
      while accept(.comma) { rest.append(expression()) }
      brackets -= 1
      closeBracket(.closeParenthesis, start, "after the expression")
      let whole = start.to(previousSpan)
      // `(a, b)` is a list, which reads better for sizes and pairs.
      if !rest.isEmpty {
        return Expression(.list(([first] + rest).map { .init(value: $0, isSpread: false) }), whole)
      }
      return Expression(.group(first), whole)
    case .symbol(.openBracket): return list(start)
    case .symbol(.openBrace): return record(start)
    default:
      fail("expected an expression, found \(describe(current))")
      return Expression(.broken, start)
    }
  }

  private mutating func keywordExpression(_ keyword: Token.Keyword, _ start: Span) -> Expression {
    switch keyword {
    case .true, .false:
      advance()
      return Expression(.bool(keyword == .true), start)
    case .nil:
      advance()
      return Expression(.nil, start)
    case .if: return conditional(start)
    case .try:
      advance()
      let body = block("after `try`")
      guard isKeyword(.else) else {
        fail("expected `else` after the block of `try`, found \(describe(current))", help: "try { ... } else e => { ... }")
        return Expression(.broken, start)
      }
      advance()
      var name: Name?
      if case .identifier(let text) = current.kind {
        name = Name(text: text, span: span)
        advance()
        expect(.arrow, "after the name of the error")
      }
      let otherwise = isSymbol(.openBrace) && !looksLikeRecord() ? block("") : expressionBlock()
      return Expression(.attempt(body, name, otherwise), start.to(previousSpan))
    default:
      fail("expected an expression, found `\(keyword.rawValue)`")
      return Expression(.broken, start)
    }
  }

  private mutating func expressionBlock() -> Block {
    let value = expression()
    return Block(statements: [Statement(kind: .expression(value), span: value.span)], span: value.span)
  }

  private mutating func conditional(_ start: Span) -> Expression {
    var branches: [(condition: Expression, then: Block)] = []
    var otherwise: Block?
    while true {
      advance()
      let condition = expression()
      branches.append((condition, block("after the condition of `if`")))
      guard isKeyword(.else) else { break }
      advance()
      if isKeyword(.if) { continue }
      otherwise = block("or `if` after `else`")
      break
    }
    return Expression(.conditional(branches, otherwise: otherwise), start.to(previousSpan))
  }

  private mutating func stringPart(_ part: Token.StringPart) -> Expression.StringPart {
    switch part {
    case .text(let text): return .text(text)
    case .code(let tokens):
      var inner = Parser(file, tokens)
      inner.brackets = 1
      inner.depth = depth
      let value = inner.expression()
      if inner.diagnostics.isEmpty && !inner.atEnd {
        inner.fail("expected `}` after the expression, found \(inner.describe(inner.current))")
      }
      diagnostics += inner.diagnostics
      return .code(value)
    }
  }

}
