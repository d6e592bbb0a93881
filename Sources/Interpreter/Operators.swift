import Foundation
import Syntax

/// What the operators do. Numbers are the fast path of the compiler; the rest comes here.
///
/// Lists may share their parts: `let b = [a, a]`, thirty times over, is a billion elements in thirty lists. What is shared
/// is therefore gone through once, and what comes of it is shared as well.
enum Operators {
  /// One list, or two.
  private struct Place: Hashable {
    let a: UnsafeRawPointer?
    var b: UnsafeRawPointer?
    /// What a list meets element by element, where that is no list.
    var scalar: Double?
    var unit: String?
    var isLeft = false

    /// Known only for lists that hold lists: others are not worth remembering.
    init?(_ values: [Value], _ others: [Value]? = nil) {
      guard Operators.holdsLists(values) || others.map(Operators.holdsLists) ?? false else { return nil }
      a = Operators.address(values)
      b = others.flatMap(Operators.address)
    }
  }

  /// A list and the number or quantity on its other side.
  private static func place(_ values: [Value], with scalar: Value, isLeft: Bool) -> Place? {
    guard var place = Place(values) else { return nil }
    switch scalar {
    case .number(let number): place.scalar = number
    case .quantity(let number, let unit): (place.scalar, place.unit) = (number, unit.rawValue)
    default: return nil
    }
    place.isLeft = isLeft
    return place
  }

  /// Are two values equal? In a time that grows with what lies in memory of them, however often parts are shared.
  static func equal(_ a: Value, _ b: Value) -> Bool {
    var known = Equals()
    return equal(a, b, &known)
  }

  /// Lists and records that were found equal, or are being looked at: if they are not equal, neither is the whole.
  ///
  /// What equals a third is put together with it, so that two values of n and m parts need n + m comparisons of parts,
  /// not n * m.
  private struct Equals {
    private var above: [UnsafeRawPointer: UnsafeRawPointer] = [:]

    private mutating func root(_ place: UnsafeRawPointer) -> UnsafeRawPointer {
      var root = place
      while let next = above[root] { root = next }
      var place = place
      while let next = above[place], next != root {
        above[place] = root
        place = next
      }
      return root
    }

    /// Puts two together; false where they were.
    mutating func join(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> Bool {
      let (x, y) = (root(a), root(b))
      if x == y { return false }
      above[x] = y
      return true
    }
  }

  private static func equal(_ a: Value, _ b: Value, _ known: inout Equals) -> Bool {
    switch (a, b) {
    case (.nothing, .nothing): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.number(let x), .number(let y)): return x == y
    case (.quantity(let x, let u), .quantity(let y, let v)):
      // 3mm is 0.3cm, though 3 * 0.1 is not 0.3 in binary.
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
      if let p, let q, holdsLists(x), !known.join(p, q) { return true }
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

  static func holdsLists(_ values: [Value]) -> Bool {
    values.contains {
      switch $0 {
      case .list, .record: true
      default: false
      }
    }
  }

  /// A longer text would fill the memory before anyone notices.
  static let longestText = 1 << 30

  /// Order of numbers, quantities of one dimension, and texts; nil for what has none.
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
      var known: [Place: Value] = [:]
      return try arithmetic(operation, a, b, span, &known)
    case .and, .or: throw bad(operation, a, b, span)
    }
  }

  /// - Parameter known: what came of lists that were met before.
  private static func arithmetic(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ span: Span, _ known: inout [Place: Value]
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
      return try once(Place(x, y), &known) { known in
        try zip(x, y).map { try arithmetic(operation, $0, $1, span, &known) }
      }
    case (.list(let x), .number), (.list(let x), .quantity):
      return try once(place(x, with: b, isLeft: false), &known) { known in try x.map { try arithmetic(operation, $0, b, span, &known) } }
    case (.number, .list(let y)), (.quantity, .list(let y)):
      return try once(place(y, with: a, isLeft: true), &known) { known in try y.map { try arithmetic(operation, a, $0, span, &known) } }
    // The list of a range is gone afterwards, and another may take its place in memory: nothing to be remembered.
    case (.range, _), (_, .range):
      var own: [Place: Value] = [:]
      func list(_ value: Value) -> Value { if case .range = value { .list(value.sequence ?? []) } else { value } }
      return try arithmetic(operation, list(a), list(b), span, &own)
    default: throw bad(operation, a, b, span)
    }
  }

  /// What comes of a list, from before where it was met before.
  private static func once(
    _ place: Place?, _ known: inout [Place: Value], _ make: (inout [Place: Value]) throws -> [Value]
  ) rethrows -> Value {
    if let place, let value = known[place] { return value }
    let value = Value.list(try make(&known))
    if let place { known[place] = value }
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
    var known: [Place: Value] = [:]
    return try negate(value, span, &known)
  }

  private static func negate(_ value: Value, _ span: Span, _ known: inout [Place: Value]) throws -> Value {
    switch value {
    case .number(let x): return .number(-x)
    case .quantity(let x, let unit): return .quantity(-x, unit)
    case .list(let values):
      return try once(Place(values), &known) { known in try values.map { try negate($0, span, &known) } }
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
    case .less, .lessOrEqual, .greater, .greaterOrEqual: verb = "cannot be compared with"
    default: verb = "and"
    }
    let message =
      verb == "and" ? "`\(operation.rawValue)` does not work on \(a) and \(b)" : "\(a) \(verb) \(b)"
    return Diagnostic(.badOperands, message, at: span, help: help)
  }

  /// Could the operator work on these types? Unknown ones could.
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
