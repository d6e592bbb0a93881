/// Statistics of a sample of numbers.
public enum SampleStatistics {
  /// The arithmetic mean; NaN for an empty sample.
  public static func mean(_ x: [Double]) -> Double {
    let (scaled, unit) = scaled(x)
    return scaled.reduce(0, +) / Double(x.count) * unit
  }

  /// The sample standard deviation, `sqrt(sum((x[i] - mean)^2) / (n - 1))`; NaN for fewer than two numbers.
  public static func deviation(_ x: [Double]) -> Double {
    let (scaled, unit) = scaled(x)
    return (products(scaled, scaled) / Double(x.count - 1)).squareRoot() * unit
  }

  /// The sample variance, the square of the deviation.
  public static func variance(_ x: [Double]) -> Double {
    let (scaled, unit) = scaled(x)
    return products(scaled, scaled) / Double(x.count - 1) * unit * unit
  }

  /// Pearson's correlation of two samples of the same size; nil if all numbers of one are equal.
  public static func correlation(_ x: [Double], _ y: [Double]) -> Double? {
    let (a, b) = (scaled(x).values, scaled(y).values)
    let (xx, yy) = (products(a, a), products(b, b))
    if xx == 0 || yy == 0 { return nil }
    return products(a, b) / (xx.squareRoot() * yy.squareRoot())
  }

  /// The sum of (x[i] - mean(x)) * (y[i] - mean(y)).
  private static func products(_ x: [Double], _ y: [Double]) -> Double {
    let (a, b) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
    return zip(x, y).reduce(0) { $0 + ($1.0 - a) * ($1.1 - b) }
  }

  /// The numbers divided by a power of two, so that sums and squares neither overflow nor vanish. This rounds nothing, except
  /// numbers that are too small to matter in the sums.
  private static func scaled(_ x: [Double]) -> (values: [Double], unit: Double) {
    let largest = x.reduce(0) { max($0, abs($1)) }
    guard largest.isFinite, largest > 1e140 || largest < 1e-140, largest > 0 else { return (x, 1) }
    let unit = Double(sign: .plus, exponent: max(-1021, min(1020, largest.exponent)), significand: 1)
    return (x.map { $0 / unit }, unit)
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
