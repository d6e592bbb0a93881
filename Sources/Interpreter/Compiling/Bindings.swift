import Syntax

/// The names that the statements of a function or file bind, and how often. Bodies of inner functions are not included.
struct Bindings {
  private(set) var counts: [String: Int] = [:]

  init(_ statements: [Statement]) { statements.forEach { visit($0) } }

  var once: Set<String> { Set(counts.filter { $0.value == 1 }.keys) }

  private mutating func bind(_ name: Name) { counts[name.text, default: 0] += 1 }

  private mutating func visit(_ block: Block) { block.statements.forEach { visit($0) } }

  private mutating func visit(_ statement: Statement) {
    switch statement.kind {
    case .expression(let value), .import(let value): visit(value)
    case .bind(let pattern, let value):
      pattern.names.forEach { bind($0) }
      visit(value)
    case .parameter(let name, let value, _):
      bind(name)
      visit(value)
    case .function(let name, _): bind(name)
    case .loop(let pattern, let sequence, let body):
      // A loop binds its variables in every iteration, so they count as bound more than once.
      pattern.names.forEach { bind($0) }
      pattern.names.forEach { bind($0) }
      visit(sequence)
      visit(body)
    case .whileLoop(let condition, let body):
      visit(condition)
      visit(body)
    case .return(let value): if let value { visit(value) }
    case .assert(let condition, let message):
      visit(condition)
      if let message { visit(message) }
    case .break, .continue: break
    }
  }

  private mutating func visit(_ expression: Expression) {
    switch expression.kind {
    case .conditional(let branches, let otherwise):
      for (condition, then) in branches {
        visit(condition)
        visit(then)
      }
      if let otherwise { visit(otherwise) }
    case .attempt(let body, let name, let otherwise):
      visit(body)
      if let name { bind(name) }
      visit(otherwise)
    case .timed(let body): visit(body)
    case .list(let elements): elements.forEach { visit($0.value) }
    case .record(let fields): fields.forEach { visit($0.value) }
    case .range(let a, let b), .index(let a, let b), .pipe(let a, let b), .binary(_, let a, let b, _):
      visit(a)
      visit(b)
    case .unary(_, let a), .member(let a, _), .group(let a): visit(a)
    case .call(let callee, let arguments):
      visit(callee)
      arguments.forEach { visit($0.value) }
    case .string(let parts):
      for case .code(let value) in parts { visit(value) }
    case .lambda, .number, .quantity, .metric, .bool, .nil, .name, .broken: break
    }
  }
}
