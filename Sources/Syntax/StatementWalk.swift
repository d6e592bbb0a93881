extension SyntaxTree {
  /// Calls `visit` with every list of statements in the text: first the top level (`block` is nil), then each block in the
  /// order of the text, outer blocks before inner ones.
  public func visitBlocks(_ visit: (_ statements: [Statement], _ block: Block?) -> Void) {
    visit(statements, nil)
    statements.forEach { $0.visitBlocks(visit) }
  }
}

extension Block {
  func visitBlocks(_ visit: ([Statement], Block?) -> Void) {
    visit(statements, self)
    statements.forEach { $0.visitBlocks(visit) }
  }
}

extension Statement {
  func visitBlocks(_ visit: ([Statement], Block?) -> Void) {
    switch kind {
    case .expression(let value), .bind(_, let value), .parameter(_, let value, _), .import(let value):
      value.visitBlocks(visit)
    case .function(_, let function): function.visitBlocks(visit)
    case .loop(_, let sequence, let body):
      sequence.visitBlocks(visit)
      body.visitBlocks(visit)
    case .whileLoop(let condition, let body):
      condition.visitBlocks(visit)
      body.visitBlocks(visit)
    case .return(let value): value?.visitBlocks(visit)
    case .assert(let condition, let message):
      condition.visitBlocks(visit)
      message?.visitBlocks(visit)
    case .break, .continue: break
    }
  }
}

extension FunctionBody {
  func visitBlocks(_ visit: ([Statement], Block?) -> Void) {
    parameters.forEach { $0.defaultValue?.visitBlocks(visit) }
    body.visitBlocks(visit)
  }
}

extension Expression {
  func visitBlocks(_ visit: ([Statement], Block?) -> Void) {
    switch kind {
    case .number, .quantity, .metric, .bool, .nil, .name, .broken: break
    case .string(let parts):
      for case .code(let value) in parts { value.visitBlocks(visit) }
    case .list(let elements): elements.forEach { $0.value.visitBlocks(visit) }
    case .record(let fields): fields.forEach { $0.value.visitBlocks(visit) }
    case .range(let a, let b), .index(let a, let b), .pipe(let a, let b), .binary(_, let a, let b, _):
      a.visitBlocks(visit)
      b.visitBlocks(visit)
    case .unary(_, let a), .member(let a, _), .group(let a): a.visitBlocks(visit)
    case .call(let callee, let arguments):
      callee.visitBlocks(visit)
      arguments.forEach { $0.value.visitBlocks(visit) }
    case .lambda(let function): function.visitBlocks(visit)
    case .conditional(let branches, let otherwise):
      for (condition, then) in branches {
        condition.visitBlocks(visit)
        then.visitBlocks(visit)
      }
      otherwise?.visitBlocks(visit)
    case .attempt(let body, _, let otherwise):
      body.visitBlocks(visit)
      otherwise.visitBlocks(visit)
    case .timed(let body): body.visitBlocks(visit)
    }
  }
}
