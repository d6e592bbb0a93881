import Foundation

/// Marks of an axis whose numbers want more than digits: thousands with commas, times in minutes and hours.
struct Ticks: Equatable {
  let places: [Double]
  let labels: [String]
  /// Where the axis begins and ends so that it does so at a mark.
  let range: ClosedRange<Double>

  /// nil where gnuplot's own marks are right.
  ///
  /// - Parameters:
  ///   - most: marks there is room for.
  ///   - isFixed: the axis begins and ends where it does.
  ///   - always: marks of our own whatever the numbers are.
  init?(_ low: Double, _ high: Double, unit: Axis.Unit, most: Int, isFixed: Bool, always: Bool = false) {
    let largest = max(abs(low), abs(high))
    guard low.isFinite, high.isFinite, high > low, (high - low).isFinite else { return nil }
    let step: Double
    let label: (Double) -> String
    if unit == .seconds && largest >= 120 && largest < 1e15 && high - low >= 1 {
      step = Self.timeStep((high - low) / Double(max(1, most)))
      label = { Self.time($0, step: step) }
    } else if largest >= 10_000 && largest < 1e12 && Self.niceStep((high - low) / Double(max(1, most))) >= 1 {
      step = Self.niceStep((high - low) / Double(max(1, most)))
      label = Self.grouped
    } else if (high - low) / largest < 1e-3 {
      // Six digits, as gnuplot writes, do not tell them apart.
      step = Self.niceStep((high - low) / Double(max(1, most)))
      let digits = Int(-log10(step).rounded(.down))
      guard step > largest * 1e-14 else { return nil }
      label = { largest < 1e9 ? String(format: "%.\(max(0, digits))f", $0) : String(format: "%.15g", $0) }
    } else if always {
      step = Self.niceStep((high - low) / Double(max(1, most)))
      label = { String(format: "%.6g", abs($0) < step * 1e-6 ? 0 : $0) }
    } else {
      return nil
    }
    let first = isFixed ? (low / step).rounded(.up) : (low / step).rounded(.down)
    let last = isFixed ? (high / step).rounded(.down) : (high / step).rounded(.up)
    guard last >= first, last - first < 50, abs(first) < 1e15, abs(last) < 1e15 else { return nil }
    places = (Int(first)...Int(last)).map { Double($0) * step }
    labels = places.map(label)
    range = isFixed ? low...high : (first * step)...(last * step)
  }

  /// 1, 2 or 5 times a power of ten, not below `least`.
  static func niceStep(_ least: Double) -> Double {
    let power = pow(10, floor(log10(least)))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * (1 - 1e-9) } ?? 10 * power
  }

  static func timeStep(_ least: Double) -> Double {
    let steps: [Double] = [
      1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
    ]
    return steps.first { $0 >= least } ?? niceStep(least / 86_400) * 86_400
  }

  /// 5400 as 1h 30m; only as fine as the step.
  static func time(_ seconds: Double, step: Double) -> String {
    if seconds == 0 { return "0" }
    let sign = seconds < 0 ? "-" : ""
    let whole = Int(abs(seconds).rounded())
    let parts = [(whole / 86_400, "d"), (whole % 86_400 / 3600, "h"), (whole % 3600 / 60, "m"), (whole % 60, "s")]
    return sign + parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined(separator: " ")
  }

  static func grouped(_ value: Double) -> String {
    var text = String(Int(abs(value).rounded()))
    var place = text.count - 3
    while place > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: place))
      place -= 3
    }
    return value < 0 ? "-" + text : text
  }
}
