import Foundation

/// Tick marks with labels that gnuplot cannot make: thousands with commas, times in hours and minutes.
struct Ticks: Equatable {
  let positions: [Double]
  let labels: [String]
  /// The range of the axis, extended to tick marks if it is not fixed.
  let range: ClosedRange<Double>

  /// Tick marks for an axis from `low` to `high`. Nil if gnuplot's own marks are good enough.
  ///
  /// - Parameters:
  ///   - most: The maximum number of intervals.
  ///   - isFixed: Whether the range must not be extended.
  ///   - always: Whether to make marks even if gnuplot's own are good enough.
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
      // gnuplot writes six digits, which would give several marks the same label.
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
    positions = (Int(first)...Int(last)).map { Double($0) * step }
    labels = positions.map(label)
    range = isFixed ? low...high : (first * step)...(last * step)
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
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

  /// Formats seconds, 5400 as 1h 30m.
  static func time(_ seconds: Double, step: Double) -> String {
    if seconds == 0 { return "0" }
    let sign = seconds < 0 ? "-" : ""
    let whole = Int(abs(seconds).rounded())
    let parts = [(whole / 86_400, "d"), (whole % 86_400 / 3600, "h"), (whole % 3600 / 60, "m"), (whole % 60, "s")]
    return sign + parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined(separator: " ")
  }

  static func grouped(_ value: Double) -> String {
    var text = String(Int(abs(value).rounded()))
    var position = text.count - 3
    while position > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: position))
      position -= 3
    }
    return value < 0 ? "-" + text : text
  }
}
