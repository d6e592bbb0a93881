import Foundation
import Syntax

// Numbers and lists of them.
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
        guard case .number(let number) = element else { throw .value("must hold numbers only") }
        result.append(number)
      }
      return result
    }
  }
}

extension Builtin {
  static let maths: [Builtin] =
    [
      statistic("sum", "The sum of a list of numbers.", "print(sum([1, 2, 3]))  #> 6", least: 0) { $0.reduce(0, +) },
      statistic("mean", "The mean of a list of numbers.", "print(mean([1, 2, 6]))  #> 3", least: 1) {
        $0.reduce(0, +) / Double($0.count)
      },
      statistic(
        "std", "The sample standard deviation (n - 1 below) of a list of numbers.", "print(std([1, 2, 3]))  #> 1",
        least: 2
      ) { x in
        let mean = x.reduce(0, +) / Double(x.count)
        return (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1)).squareRoot()
      },
      statistic("median", "The middle of a list of numbers.", "print(median([3, 1, 2, 10]))  #> 2.5", least: 1) {
        let sorted = $0.sorted()
        let half = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
      },
      statistic("min", "The least of a list of numbers.", "print(min([3, 1, 2]))  #> 1", least: 1) { $0.min() ?? 0 },
      statistic("max", "The most of a list of numbers.", "print(max([3, 1, 2]))  #> 3", least: 1) { $0.max() ?? 0 },
      pointwise("abs", "The size of a number.", "print(abs(-2))  #> 2") { Swift.abs($0) },
      pointwise("sqrt", "The square root.", "print(sqrt(9))  #> 3", domain: { $0 >= 0 ? nil : "must not be negative" }) {
        $0.squareRoot()
      },
      pointwise("exp", "e to the power of a number.", "print(exp(0))  #> 1") { Foundation.exp($0) },
      pointwise("log", "The natural logarithm.", "print(log(1))  #> 0", domain: { $0 > 0 ? nil : "must be above 0" }) {
        Foundation.log($0)
      },
      pointwise("floor", "The whole number below.", "print(floor(2.7))  #> 2") { $0.rounded(.down) },
      pointwise("ceil", "The whole number above.", "print(ceil(2.1))  #> 3") { $0.rounded(.up) },
      round, mod,
    ]

  private static func statistic(
    _ name: String, _ summary: String, _ example: String, least: Int, _ body: @escaping @Sendable ([Double]) -> Double
  ) -> Builtin {
    Builtin(name, summary, topic: "Maths", returns: .number, example: example) { d in
      let list = d.positional("numbers", .numbers, "a list of numbers")
      return { call in
        let numbers = try call[list]
        guard numbers.count >= least else {
          throw call.error(
            .badValue, "`\(name)` needs at least \(least) number\(least == 1 ? "" : "s"), here are \(numbers.count)",
            argument: "numbers")
        }
        return .number(body(numbers))
      }
    }
  }

  /// A function of a number that works on lists element by element.
  private static func pointwise(
    _ name: String, _ summary: String, _ example: String, domain: @escaping @Sendable (Double) -> String? = { _ in nil },
    _ body: @escaping @Sendable (Double) -> Double
  ) -> Builtin {
    Builtin(name, summary, topic: "Maths", returns: .any, example: example) { d in
      let argument = d.positional("x", .oneOf, "a number, or a list of numbers")
      return { call in try apply(try call[argument], call, domain, body) }
    }
  }

  private static func apply(
    _ value: Value, _ call: Call, _ domain: (Double) -> String?, _ body: (Double) -> Double
  ) throws -> Value {
    if case .number(let x) = value {
      if let problem = domain(x) {
        throw call.error(.badValue, "`x` of \(call.builtin.name) \(problem); it is \(NumberFormat.text(x))", argument: "x")
      }
      return .number(body(x))
    }
    guard let elements = value.sequence else {
      throw call.error(.wrongType, "`\(call.builtin.name)` works on numbers, not on \(value.described)", argument: "x")
    }
    return .list(try elements.map { try apply($0, call, domain, body) })
  }

  static let round = Builtin(
    "round", "The nearest number with so many digits after the point.", topic: "Maths", returns: .number,
    example: "print(round(2.345, digits: 2))  #> 2.35"
  ) { d in
    let x = d.positional("x", .number, "what to round")
    let digits = d.named("digits", .whole(from: 0, to: 15), default: 0, "0", "digits after the point")
    return { call in
      let scale = pow(10, Double(try call[digits]))
      let value = try call[x]
      // Numbers that large have no digits there.
      guard abs(value) * scale < 0x1p53 else { return .number(value) }
      return .number((value * scale).rounded() / scale)
    }
  }

  static let mod = Builtin(
    "mod", "What is left of a after whole steps of b; has the sign of b.", topic: "Maths", returns: .number,
    example: "print(mod(7, 3))  #> 1"
  ) { d in
    let a = d.positional("a", .number, "the number")
    let b = d.positional("b", .number, "the step")
    return { call in
      let (x, y) = (try call[a], try call[b])
      guard y != 0 else { throw call.error(.badValue, "division by zero", argument: "b") }
      return .number(x - y * (x / y).rounded(.down))
    }
  }
}

extension Kind where T == Value {
  /// Numbers or lists of them, taken as they are.
  static var oneOf: Kind<Value> { Kind(.oneOf([.number, .list(.any), .range])) { $0 } }
}
