/// Statistics of a sample of numbers.
public enum SampleStatistics {
  /// The arithmetic mean; NaN for an empty sample.
  public static func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

  /// The sample standard deviation, `sqrt(sum((x[i] - mean)^2) / (n - 1))`; NaN for fewer than two numbers.
  public static func deviation(_ x: [Double]) -> Double {
    let mean = mean(x)
    return (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1)).squareRoot()
  }

  /// A quantile by linear interpolation between neighbouring values: type 7 of Hyndman and Fan (1996), the default of NumPy and
  /// R.
  ///
  /// - Parameters:
  ///   - sorted: the sample in ascending order, not empty.
  ///   - share: from 0 to 1.
  public static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let position = share * Double(sorted.count - 1)
    let low = Int(position.rounded(.down))
    let high = min(low + 1, sorted.count - 1)
    let part = position - Double(low)
    // Weighted, and not `low + part * (high - low)`, whose difference can exceed the largest number.
    return part == 0 ? sorted[low] : sorted[low] * (1 - part) + sorted[high] * part
  }
}
