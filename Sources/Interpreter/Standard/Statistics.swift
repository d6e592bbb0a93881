import Basics
import Foundation
import Syntax

// Functions of lists of numbers.
extension Builtin {
  static let statistics: [Builtin] = [
    statistic("sum", "The sum of a list of numbers.", "print(sum([1, 2, 3]))  #> 6", least: 0) { $0.reduce(0, +) },
    statistic("product", "The product of a list of numbers.", "print(product([2, 3, 4]))  #> 24", least: 0) { $0.reduce(1, *) },
    statistic("mean", "The mean of a list of numbers.", "print(mean([1, 2, 6]))  #> 3", least: 1) { SampleStatistics.mean($0) },
    statistic(
      "std", "The sample standard deviation (divisor n - 1) of a list of numbers.", "print(std([1, 2, 3]))  #> 1", least: 2
    ) { SampleStatistics.deviation($0) },
    statistic(
      "variance", "The sample variance (divisor n - 1) of a list of numbers.", "print(variance([1, 2, 3]))  #> 1", least: 2
    ) { SampleStatistics.variance($0) },
    statistic("median", "The median of a list of numbers.", "print(median([3, 1, 2, 10]))  #> 2.5", least: 1) {
      SampleStatistics.quantile($0.sorted(), 0.5)
    },
    statistic("min", "The smallest of a list of numbers.", "print(min([3, 1, 2]))  #> 1", least: 1) { extreme($0, <) },
    statistic("max", "The largest of a list of numbers.", "print(max([3, 1, 2]))  #> 3", least: 1) { extreme($0, >) },
    quantileOf, correlation, dot, cumulativeSum,
  ]

  private static func statistic(
    _ name: String, _ summary: String, _ example: String, least: Int, _ body: @escaping @Sendable ([Double]) -> Double
  ) -> Builtin {
    Builtin(name, summary, topic: "Statistics", returns: .number, example: example) { d in
      let list = d.positional("numbers", .numbers, "a list of numbers")
      return { call in
        let numbers = try call[list]
        guard numbers.count >= least else {
          throw call.error(
            .badValue, "`\(name)` needs at least \(least) number\(least == 1 ? "" : "s"), but got \(numbers.count)",
            argument: "numbers")
        }
        return .number(body(numbers))
      }
    }
  }

  /// The smallest or largest number; NaN if one of the numbers is NaN.
  private static func extreme(_ x: [Double], _ isBetter: (Double, Double) -> Bool) -> Double {
    x.dropFirst().reduce(x[0]) { $0.isNaN || $1.isNaN ? .nan : isBetter($1, $0) ? $1 : $0 }
  }

  static let quantileOf = Builtin(
    "quantile", "A quantile of a list of numbers, by linear interpolation as in NumPy.", topic: "Statistics",
    returns: .number, example: "print(quantile([1, 2, 3, 4, 5], 25%))  #> 2"
  ) { d in
    let list = d.positional("numbers", .numbers.checked { $0.isEmpty ? "must not be empty" : nil }, "a list of numbers")
    let share = d.positional("share", .share, "the share: 25% or 0.25")
    return { call in .number(SampleStatistics.quantile((try call[list]).sorted(), try call[share])) }
  }

  static let correlation = Builtin(
    "correlation", "Pearson's correlation coefficient of two lists of numbers, from -1 to 1.", topic: "Statistics", returns: .number,
    example: "print(correlation([1, 2, 3], [2, 4, 6]))  #> 1"
  ) { d in
    let (a, b) = pair(&d)
    return { call in
      let (x, y) = try equallyLong(call, try call[a], try call[b], least: 2)
      guard let value = SampleStatistics.correlation(x, y) else {
        throw call.error(
          .badValue, "the correlation is undefined if all numbers of a list are the same",
          argument: x.allSatisfy { $0 == x[0] } ? "a" : "b")
      }
      return .number(value)
    }
  }

  static let dot = Builtin(
    "dot", "The sum of the products of the elements of two lists of numbers.", topic: "Statistics", returns: .number,
    example: "print(dot([1, 2], [3, 4]))  #> 11"
  ) { d in
    let (a, b) = pair(&d)
    return { call in
      let (x, y) = try equallyLong(call, try call[a], try call[b], least: 0)
      return .number(Swift.zip(x, y).reduce(0) { $0 + $1.0 * $1.1 })
    }
  }

  private static func pair(_ d: inout Declaration) -> (Argument<[Double]>, Argument<[Double]>) {
    (d.positional("a", .numbers, "a list of numbers"), d.positional("b", .numbers, "as many numbers"))
  }

  private static func equallyLong(_ call: Call, _ x: [Double], _ y: [Double], least: Int) throws -> ([Double], [Double]) {
    guard x.count == y.count, x.count >= least else {
      let need = x.count == y.count ? "`\(call.builtin.name)` needs at least \(least) of each" : "the lists must have the same length"
      throw call.error(.badValue, "these are \(x.count) and \(y.count) numbers; \(need)", argument: "b")
    }
    return (x, y)
  }

  static let cumulativeSum = Builtin(
    "cumulative_sum", "The cumulative sums of a list of numbers.", topic: "Statistics", returns: .list(.number),
    example: "print(cumulative_sum([1, 2, 3]))  #> [1, 3, 6]"
  ) { d in
    let list = d.positional("numbers", .numbers, "a list of numbers")
    return { call in
      var sum = 0.0
      return .list(
        (try call[list]).map { number in
          sum += number
          return .number(sum)
        })
    }
  }
}
