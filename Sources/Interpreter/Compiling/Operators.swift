import Foundation
import Syntax

/// The operators. The compiler handles numbers itself; all other values come here.
///
/// Lists may share parts: after thirty bindings like `let b = [a, a]`, thirty lists in memory have a billion elements. Shared
/// parts are therefore processed once, and their results are shared as well.
enum Operators {
  /// The identity of the operands of an operation on one or two lists, to find its result if the operands occur again.
  private struct SharedLists: Hashable {
    let a: UnsafeRawPointer?
    var b: UnsafeRawPointer?
    /// The other operand, if it is a number or quantity.
    var scalar: Double?
    var unit: String?
    var isLeft = false

    /// Nil for lists that contain no lists, which are not worth remembering.
    init?(_ values: [Value], _ others: [Value]? = nil) {
      guard Operators.containLists(values) || others.map(Operators.containLists) ?? false else { return nil }
      a = Operators.address(values)
      b = others.flatMap(Operators.address)
    }
  }

  /// The identity of a list and a number or quantity as operands.
  private static func key(_ values: [Value], with scalar: Value, isLeft: Bool) -> SharedLists? {
    guard var key = SharedLists(values) else { return nil }
    switch scalar {
    case .number(let number): key.scalar = number
    case .quantity(let number, let unit): (key.scalar, key.unit) = (number, unit.rawValue)
    default: return nil
    }
    key.isLeft = isLeft
    return key
  }

  /// Are two values equal? Takes time proportional to their size in memory, however often parts are shared.
  static func equal(_ a: Value, _ b: Value) -> Bool {
    var known = EqualSets()
    return equal(a, b, &known)
  }

  /// Sets of lists and records that are equal, or whose comparison is in progress. If such a comparison fails, the whole
  /// comparison fails, so the assumption does no harm.
  ///
  /// This is a union-find structure: two values with n and m parts need n + m comparisons of parts, not n * m.
  private struct EqualSets {
    private var parents: [UnsafeRawPointer: UnsafeRawPointer] = [:]

    private mutating func root(_ address: UnsafeRawPointer) -> UnsafeRawPointer {
      var root = address
      while let next = parents[root] { root = next }
      var address = address
      while let next = parents[address], next != root {
        parents[address] = root
        address = next
      }
      return root
    }

    /// Unites the sets of two addresses. Returns false if they were in the same set already.
    mutating func join(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> Bool {
      let (x, y) = (root(a), root(b))
      if x == y { return false }
      parents[x] = y
      return true
    }
  }

  private static func equal(_ a: Value, _ b: Value, _ known: inout EqualSets) -> Bool {
    switch (a, b) {
    case (.nothing, .nothing): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.number(let x), .number(let y)): return x == y
    case (.quantity(let x, let u), .quantity(let y, let v)):
      // 3mm equals 0.3cm, although 3 * 0.1 is not exactly 0.3 in binary.
      let (a, b) = (x * u.factor, y * v.factor)
      return u.dimension == v.dimension && (a == b || abs(a - b) <= 1e-12 * max(abs(a), abs(b)))
    case (.quantity(let x, .percent), .number(let y)), (.number(let y), .quantity(let x, .percent)):
      return x / 100 == y
    case (.text(let x), .text(let y)), (.word(let x), .word(let y)), (.text(let x), .word(let y)),
      (.word(let x), .text(let y)):
      return x == y
    case (.metric(let x), .metric(let y)): return x == y
    case (.date(let x), .date(let y)): return x == y
    case (.range(let a, let b), .range(let c, let d)): return a == c && b == d
    case (.list(let x), .list(let y)):
      guard x.count == y.count else { return false }
      let (p, q) = (address(x), address(y))
      if p == q { return true }
      // Lists of plain values are not worth remembering.
      if let p, let q, containLists(x), !known.join(p, q) { return true }
      for (a, b) in zip(x, y) where !equal(a, b, &known) { return false }
      return true
    case (.record(let x), .record(let y)):
      guard x.count == y.count else { return false }
      let (p, q) = (x.address, y.address)
      if p == q || x.count == 0 { return true }
      if let p, let q, !known.join(p, q) { return true }
      for field in x.fields {
        guard let other = y[field.key], equal(field.value, other, &known) else { return false }
      }
      return true
    case (.function(let x), .function(let y)): return x === y
    case (.object(let x), .object(let y)): return x === y
    default: return false
    }
  }

  static func address(_ values: [Value]) -> UnsafeRawPointer? { values.withUnsafeBytes { $0.baseAddress } }

  static func containLists(_ values: [Value]) -> Bool {
    values.contains {
      switch $0 {
      case .list, .record: true
      default: false
      }
    }
  }

  /// The largest size of a text in bytes, so that a loop that doubles a text cannot fill the memory.
  static let longestText = 1 << 30

  /// Compares numbers, quantities of the same dimension, dates and texts. Nil for values that have no order.
  static func compare(_ a: Value, _ b: Value) -> ComparisonResult? {
    func order(_ x: Double, _ y: Double) -> ComparisonResult {
      x < y ? .orderedAscending : x > y ? .orderedDescending : .orderedSame
    }
    switch (a, b) {
    case (.number(let x), .number(let y)): return x.isNaN || y.isNaN ? nil : order(x, y)
    case (.quantity(let x, let u), .quantity(let y, let v)) where u.dimension == v.dimension:
      return order(x * u.factor, y * v.factor)
    case (.date(let x), .date(let y)): return order(x, y)
    case (.text(let x), .text(let y)): return x < y ? .orderedAscending : x == y ? .orderedSame : .orderedDescending
    default: return nil
    }
  }

  static func binary(_ operation: BinaryOperator, _ a: Value, _ b: Value, _ span: Span) throws -> Value {
    switch operation {
    case .equal: return .bool(equal(a, b))
    case .unequal: return .bool(!equal(a, b))
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard let order = compare(a, b) else { throw bad(operation, a, b, span) }
      switch operation {
      case .less: return .bool(order == .orderedAscending)
      case .lessOrEqual: return .bool(order != .orderedDescending)
      case .greater: return .bool(order == .orderedDescending)
      default: return .bool(order != .orderedAscending)
      }
    case .plus, .minus, .times, .divide, .power:
      var known: [SharedLists: Value] = [:]
      return try arithmetic(operation, a, b, span, &known)
    case .and, .or: throw bad(operation, a, b, span)
    }
  }

  /// - Parameter known: The results for lists that have occurred before.
  private static func arithmetic(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ span: Span, _ known: inout [SharedLists: Value]
  ) throws -> Value {
    switch (a, b) {
    case (.number(let x), .number(let y)): return .number(try apply(operation, x, y, span))
    case (.text(let x), .text(let y)) where operation == .plus:
      guard x.utf8.count + y.utf8.count <= longestText else {
        throw Diagnostic(.badValue, "this text would have more than \(NumberFormat.grouped(longestText)) bytes", at: span)
      }
      return .text(x + y)
    case (.date(let x), .quantity(let y, let unit)) where unit.dimension == .time && (operation == .plus || operation == .minus):
      return try Calendar.value(try apply(operation, x, y * unit.factor, span), span)
    case (.date(let x), .date(let y)) where operation == .minus: return Calendar.duration(x - y)
    case (.quantity(let x, let u), .quantity(let y, let v)) where u.dimension == v.dimension:
      switch operation {
      case .plus, .minus: return .quantity(try apply(operation, x, y * v.factor / u.factor, span), u)
      case .divide: return .number(try apply(.divide, x * u.factor, y * v.factor, span))
      default: throw bad(operation, a, b, span)
      }
    case (.quantity(let x, .percent), .number(let y)) where operation == .times: return .number(x / 100 * y)
    case (.quantity(let x, let u), .number(let y)) where operation == .times || operation == .divide:
      return .quantity(try apply(operation, x, y, span), u)
    case (.number(let x), .quantity(let y, let u)) where operation == .times && u != .percent:
      return .quantity(try apply(.times, x, y, span), u)
    case (.number(let x), .quantity(let y, .percent)) where operation == .times: return .number(x * y / 100)
    case (.list(let x), .list(let y)):
      guard x.count == y.count else {
        throw Diagnostic(
          .badOperands, "these lists have \(x.count) and \(y.count) elements", at: span,
          help: "`\(operation.rawValue)` works element by element; to join lists write [..a, ..b]")
      }
      return try once(SharedLists(x, y), &known) { known in
        try zip(x, y).map { try arithmetic(operation, $0, $1, span, &known) }
      }
    case (.list(let x), .number), (.list(let x), .quantity):
      return try once(key(x, with: b, isLeft: false), &known) { known in try x.map { try arithmetic(operation, $0, b, span, &known) } }
    case (.number, .list(let y)), (.quantity, .list(let y)):
      return try once(key(y, with: a, isLeft: true), &known) { known in try y.map { try arithmetic(operation, a, $0, span, &known) } }
    // The list that is made of a range is temporary, and another list may get its address later, so its results must not be
    // remembered beyond this operation.
    case (.range, _), (_, .range):
      var own: [SharedLists: Value] = [:]
      func list(_ value: Value) -> Value { if case .range = value { .list(value.sequence ?? []) } else { value } }
      return try arithmetic(operation, list(a), list(b), span, &own)
    default: throw bad(operation, a, b, span)
    }
  }

  /// The remembered result for a key, or else the result of `make`, which is then remembered.
  private static func once(
    _ key: SharedLists?, _ known: inout [SharedLists: Value], _ make: (inout [SharedLists: Value]) throws -> [Value]
  ) rethrows -> Value {
    if let key, let value = known[key] { return value }
    let value = Value.list(try make(&known))
    if let key { known[key] = value }
    return value
  }

  private static func apply(_ operation: BinaryOperator, _ x: Double, _ y: Double, _ span: Span) throws -> Double {
    switch operation {
    case .plus: return x + y
    case .minus: return x - y
    case .times, .power:
      let result = operation == .times ? x * y : Foundation.pow(x, y)
      if !result.isFinite && x.isFinite && y.isFinite {
        throw Diagnostic(
          .badValue,
          "\(NumberFormat.text(x)) \(operation.rawValue) \(NumberFormat.text(y)) is \(result.isNaN ? "not a real number" : "too large for a number")",
          at: span)
      }
      return result
    default:
      if y == 0 { throw Diagnostic(.badValue, "division by zero", at: span) }
      return x / y
    }
  }

  static func negate(_ value: Value, _ span: Span) throws -> Value {
    var known: [SharedLists: Value] = [:]
    return try negate(value, span, &known)
  }

  private static func negate(_ value: Value, _ span: Span, _ known: inout [SharedLists: Value]) throws -> Value {
    switch value {
    case .number(let x): return .number(-x)
    case .quantity(let x, let unit): return .quantity(-x, unit)
    case .list(let values):
      return try once(SharedLists(values), &known) { known in try values.map { try negate($0, span, &known) } }
    default: throw Diagnostic(.badOperands, "`-` needs a number, not \(value.described)", at: span)
    }
  }

  private static func bad(_ operation: BinaryOperator, _ a: Value, _ b: Value, _ span: Span) -> Diagnostic {
    bad(operation, a.described, b.described, textual: a.isText || b.isText, span)
  }

  static func bad(_ operation: BinaryOperator, _ a: String, _ b: String, textual: Bool, _ span: Span) -> Diagnostic {
    var help: String?
    if operation == .plus && textual { help = "to put values into a text write \"... {value} ...\"" }
    let verb: String
    switch operation {
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      verb = "cannot be compared with"
      if a.hasPrefix("a list") { help = "the elements that fit: filter(xs, x => x > 2)" }
    default: verb = "and"
    }
    let message =
      verb == "and" ? "`\(operation.rawValue)` does not work on \(a) and \(b)" : "\(a) \(verb) \(b)"
    return Diagnostic(.badOperands, message, at: span, help: help)
  }

  /// Can the operator work on these types? True if a type is unknown.
  static func fits(_ operation: BinaryOperator, _ a: ValueType, _ b: ValueType) -> Bool {
    func isNumeric(_ t: ValueType) -> Bool {
      switch t {
      case .any, .number, .quantity, .list, .range, .oneOf: true
      default: false
      }
    }
    if case .date = a {
      switch (operation, b) {
      case (.plus, .quantity(.time)), (.minus, .quantity(.time)), (.minus, .date), (_, .any), (_, .oneOf): return true
      case (.equal, _), (.unequal, _): return true
      case (.less, .date), (.lessOrEqual, .date), (.greater, .date), (.greaterOrEqual, .date): return true
      default: return false
      }
    }
    func isUnknown(_ t: ValueType) -> Bool {
      switch t {
      case .any, .oneOf: true
      default: false
      }
    }
    switch operation {
    case .equal, .unequal, .and, .or: return true
    case .plus:
      if case .text = a, case .text = b { return true }
      if case .text = a { return isUnknown(b) }
      if case .text = b { return isUnknown(a) }
      if case .quantity(let x) = a, case .quantity(let y) = b { return x == y }
      return isNumeric(a) && isNumeric(b)
    case .minus:
      if case .quantity(let x) = a, case .quantity(let y) = b { return x == y }
      return isNumeric(a) && isNumeric(b)
    case .times, .divide, .power: return isNumeric(a) && isNumeric(b)
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      switch (a, b) {
      case (.any, _), (_, .any), (.oneOf, _), (_, .oneOf), (.number, .number), (.text, .text): return true
      case (.quantity(let x), .quantity(let y)): return x == y
      default: return false
      }
    }
  }
}

extension Value {
  var isText: Bool { if case .text = self { true } else { false } }
}
