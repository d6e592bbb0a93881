import Foundation
import Syntax

// Functions of numbers. Most work on lists of numbers as well, element by element.
extension Kind where T == [Double] {
  /// One number or a list of numbers.
  static var numbers: Kind<[Double]> {
    Kind(.oneOf([.number, .list(.number), .range])) { value throws(ConversionError) in
      if case .number(let number) = value { return [number] }
      if case .range(let low, let high) = value, high - low >= Value.longestList {
        throw .value("has more than \(NumberFormat.grouped(Value.longestList)) elements")
      }
      guard let elements = value.sequence else { throw .type }
      var result: [Double] = []
      for element in elements {
        guard case .number(let number) = element else { throw .value("must contain only numbers") }
        result.append(number)
      }
      return result
    }
  }
}

extension Builtin {
  static let maths: [Builtin] =
    [
      pointwise("abs", "The absolute value.", "print(abs(-2))  #> 2") { Swift.abs($0) },
      pointwise("sign", "The sign of a number: 1, 0 or -1.", "print(sign(-2.5))  #> -1") { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
      pointwise("sqrt", "The square root.", "print(sqrt(9))  #> 3", domain: { $0 >= 0 ? nil : "must not be negative" }) {
        $0.squareRoot()
      },
      pointwise("exp", "e to the power of a number.", "print(exp(0))  #> 1") { Foundation.exp($0) },
      pointwise("log", "The natural logarithm.", "print(log(1))  #> 0", domain: above(0)) { Foundation.log($0) },
      pointwise("log2", "The logarithm to base 2.", "print(log2(8))  #> 3", domain: above(0)) { Foundation.log2($0) },
      pointwise("log10", "The logarithm to base 10.", "print(log10(1000))  #> 3", domain: above(0)) { Foundation.log10($0) },
      pointwise("sin", "The sine of an angle in radians.", "print(sin(0))  #> 0") { Foundation.sin($0) },
      pointwise("cos", "The cosine of an angle in radians.", "print(cos(0))  #> 1") { Foundation.cos($0) },
      pointwise("tan", "The tangent of an angle in radians.", "print(tan(0))  #> 0") { Foundation.tan($0) },
      pointwise("atan", "The arc tangent, in radians.", "print(4 * atan(1))  #> 3.14159") { Foundation.atan($0) },
      pointwise("tanh", "The hyperbolic tangent.", "print(tanh(0))  #> 0") { Foundation.tanh($0) },
      pointwise("floor", "The largest integer that is not above a number.", "print(floor(2.7))  #> 2") { $0.rounded(.down) },
      pointwise("ceil", "The smallest integer that is not below a number.", "print(ceil(2.1))  #> 3") { $0.rounded(.up) },
      round, mod, clamp, isNaN,
    ]

  private static func above(_ bound: Double) -> @Sendable (Double) -> String? {
    { $0 > bound ? nil : "must be above \(NumberFormat.text(bound))" }
  }

  /// Declares a function of a number that works on lists element by element. `domain` returns what is wrong with a number, or
  /// nil.
  private static func pointwise(
    _ name: String, _ summary: String, _ example: String, domain: @escaping @Sendable (Double) -> String? = { _ in nil },
    _ body: @escaping @Sendable (Double) -> Double
  ) -> Builtin {
    Builtin(name, summary, topic: "Maths", returns: .any, example: example) { d in
      let argument = d.positional("x", .oneOf, "a number, or a list of numbers")
      d.ofNumber = { domain($0) == nil ? body($0) : nil }
      return { call in
        var known: [UnsafeRawPointer: Value] = [:]
        return try apply(try call[argument], call, call.work, domain, body, &known)
      }
    }
  }

  /// - Parameter known: The results for lists that have occurred before, because parts of a list may be shared many times.
  private static func apply(
    _ value: Value, _ call: Call, _ work: Work, _ domain: (Double) -> String?, _ body: (Double) -> Double,
    _ known: inout [UnsafeRawPointer: Value]
  ) throws -> Value {
    try work.step()
    if case .number(let x) = value {
      if let problem = domain(x) {
        throw call.error(.badValue, "`x` of \(call.builtin.name) \(problem); it is \(NumberFormat.text(x))", argument: "x")
      }
      return .number(body(x))
    }
    guard let elements = value.sequence else {
      throw call.error(.wrongType, "`\(call.builtin.name)` works on numbers, not on \(value.described)", argument: "x")
    }
    // Only lists that are part of the argument keep their address; a list made of a range does not.
    var address: UnsafeRawPointer?
    if case .list(let values) = value, Operators.containLists(values) { address = Operators.address(values) }
    if let address, let result = known[address] { return result }
    let result = Value.list(try elements.map { try apply($0, call, work, domain, body, &known) })
    if let address { known[address] = result }
    return result
  }

  static let round = Builtin(
    "round", "Rounds a number to `digits` digits after the decimal point, halves away from 0, as `format` does.",
    topic: "Maths", returns: .number,
    example: "print(round(2.345, digits: 2))  #> 2.35"
  ) { d in
    let x = d.positional("x", .number, "what to round")
    let digits = d.named("digits", .whole(from: 0, to: 15), default: 0, "0", "digits after the decimal point")
    return { call in
      let (value, digits) = (try call[x], try call[digits])
      // Numbers that large have no fraction.
      guard abs(value) < 0x1p53 else { return .number(value) }
      // Adding 0 turns -0 into 0.
      return .number((Double(NumberFormat.fixed(value, digits: digits)) ?? value) + 0)
    }
  }

  static let mod = Builtin(
    "mod", "The remainder of a divided by b, with the sign of b.", topic: "Maths", returns: .number,
    example: "print(mod(7, 3))  #> 1"
  ) { d in
    let a = d.positional("a", .number, "the dividend")
    let b = d.positional("b", .number, "the divisor")
    d.ofNumbers = { $1 == 0 ? nil : remainder($0, $1) }
    return { call in
      let (x, y) = (try call[a], try call[b])
      guard y != 0 else { throw call.error(.badValue, "division by zero", argument: "b") }
      return .number(remainder(x, y))
    }
  }

  /// The remainder with the sign of `y`, exact for numbers of any size.
  private static func remainder(_ x: Double, _ y: Double) -> Double {
    let rest = fmod(x, y)
    // Return 0 instead of -0.
    if rest == 0 { return 0 }
    return (rest < 0) == (y < 0) ? rest : rest + y
  }

  static let clamp = Builtin(
    "clamp", "Limits a number to the range from `low` to `high`.", topic: "Maths", returns: .number,
    example: "print(clamp(7, 0, 5))  #> 5"
  ) { d in
    let x = d.positional("x", .number, "the number")
    let low = d.positional("low", .number, "the lower bound")
    let high = d.positional("high", .number, "the upper bound")
    return { call in
      let (low, high) = (try call[low], try call[high])
      guard low <= high else {
        throw call.error(
          .badValue, "`low` of clamp is above `high`: \(NumberFormat.text(low)) and \(NumberFormat.text(high))", argument: "low")
      }
      return .number(min(max(try call[x], low), high))
    }
  }

  static let isNaN = Builtin(
    "is_nan", "Is this NaN, the result of an undefined computation?", topic: "Maths", returns: .bool,
    example: "print(is_nan(1))  #> false"
  ) { d in
    let x = d.positional("x", .number, "the number")
    return { call in .bool((try call[x]).isNaN) }
  }
}

extension Kind where T == Value {
  /// A number, a list or a range, without conversion.
  static var oneOf: Kind<Value> {
    Kind(.oneOf([.number, .list(.any), .range])) { value throws(ConversionError) in
      switch value {
      case .number, .list, .range: return value
      default: throw .type
      }
    }
  }
}
