extension Statement {
  /// Calls `visit` with every name that the statement reads: variables, functions and words, including those in function
  /// bodies and in the braces of strings.
  public func visitNames(_ visit: (String) -> Void) { visitExpressions { if case .name(let name) = $0.kind { visit(name) } } }

  /// The statements directly inside the blocks of this statement, except the blocks of functions.
  public var innerStatements: [Statement] {
    var inner: [Statement] = []
    func add(_ block: Block) { inner += block.statements }
    switch kind {
    case .loop(_, _, let body), .whileLoop(_, let body): add(body)
    default: break
    }
    // `if`, `try` and `time` are expressions with blocks.
    visitExpressions(inFunctions: false) { expression in
      switch expression.kind {
      case .conditional(let branches, let otherwise):
        branches.forEach { add($0.then) }
        if let otherwise { add(otherwise) }
      case .attempt(let body, _, let otherwise):
        add(body)
        add(otherwise)
      case .timed(let body): add(body)
      default: break
      }
    }
    return inner
  }

  func visitExpressions(inFunctions: Bool = true, _ visit: (Expression) -> Void) {
    func go(_ expression: Expression) { expression.visitExpressions(inFunctions: inFunctions, visit) }
    func go(_ block: Block) { block.statements.forEach { $0.visitExpressions(inFunctions: inFunctions, visit) } }
    switch kind {
    case .expression(let value), .bind(_, let value), .parameter(_, let value, _), .import(let value): go(value)
    case .function(_, let function): if inFunctions { function.visitExpressions(visit) }
    case .loop(_, let sequence, let body):
      go(sequence)
      if inFunctions { go(body) }
    case .whileLoop(let condition, let body):
      go(condition)
      if inFunctions { go(body) }
    case .return(let value): if let value { go(value) }
    case .assert(let condition, let message):
      go(condition)
      if let message { go(message) }
    case .break, .continue: break
    }
  }
}

extension FunctionBody {
  fileprivate func visitExpressions(_ visit: (Expression) -> Void) {
    parameters.forEach { $0.defaultValue?.visitExpressions(inFunctions: true, visit) }
    body.statements.forEach { $0.visitExpressions(visit) }
  }
}

extension Expression {
  /// - Parameter inFunctions: Whether to visit the bodies of functions and the blocks as well. If false, only the expressions
  ///   of the statement itself are visited.
  fileprivate func visitExpressions(inFunctions: Bool, _ visit: (Expression) -> Void) {
    visit(self)
    func go(_ expression: Expression) { expression.visitExpressions(inFunctions: inFunctions, visit) }
    func go(_ block: Block) { if inFunctions { block.statements.forEach { $0.visitExpressions(visit) } } }
    switch kind {
    case .number, .quantity, .metric, .bool, .nil, .name, .broken: break
    case .string(let parts):
      for case .code(let value) in parts { go(value) }
    case .list(let elements): elements.forEach { go($0.value) }
    case .record(let fields): fields.forEach { go($0.value) }
    case .range(let a, let b), .index(let a, let b), .pipe(let a, let b), .binary(_, let a, let b, _):
      go(a)
      go(b)
    case .unary(_, let a), .member(let a, _), .group(let a): go(a)
    case .call(let callee, let arguments):
      go(callee)
      arguments.forEach { go($0.value) }
    case .lambda(let function): if inFunctions { function.visitExpressions(visit) }
    case .conditional(let branches, let otherwise):
      for (condition, then) in branches {
        go(condition)
        go(then)
      }
      if let otherwise { go(otherwise) }
    case .attempt(let body, _, let otherwise):
      go(body)
      go(otherwise)
    case .timed(let body): go(body)
    }
  }
}
