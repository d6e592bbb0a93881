import Basics
import Glibc
import Kernels

/// Significance tests and effect sizes for paired differences. Wilcoxon's test and the t test agree with SciPy.
public enum Significance {
  /// The alternative hypothesis.
  public enum Sides: String, Sendable, CaseIterable {
    /// Two-sided: the differences are not centred at 0.
    case two
    /// One-sided: the differences tend to be above 0.
    case greater
  }

  // MARK: Wilcoxon

  /// The rank sums of positive and negative differences, the number n of ranks, and the correction term for ties. Zeros are
  /// left out. Differences of equal size get the mean of their ranks.
  private static func rankSums(_ differences: [Double]) -> (positive: Double, negative: Double, n: Int, ties: Double) {
    let d = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    var positive = 0.0
    var ties = 0.0
    var start = 0
    while start < d.count {
      var end = start
      while end < d.count && abs(d[end]) == abs(d[start]) { end += 1 }
      let size = Double(end - start)
      // These differences have the ranks start + 1 ... end; each gets their mean.
      positive += d[start..<end].reduce(0) { $0 + ($1 > 0 ? Double(start + 1 + end) / 2 : 0) }
      ties += size * size * size - size
      start = end
    }
    let n = Double(d.count)
    return (positive, n * (n + 1) / 2 - positive, d.count, ties)
  }

  /// The p-value of the signed-rank test (Wilcoxon, 1945). For up to 50 pairs without zeros and ties it is exact. Otherwise
  /// it uses the normal approximation with the variance corrected for ties. nil if all differences are 0.
  public static func wilcoxon(_ differences: [Double], sides: Sides = .two) -> Double? {
    let (positive, negative, n, ties) = rankSums(differences)
    guard n > 0 else { return nil }
    if n <= 50 && ties == 0 && n == differences.count {
      switch sides {
      case .two: return min(1, 2 * exactTail(max(positive, negative), n))
      case .greater: return exactTail(positive, n)
      }
    }
    let count = Double(n)
    let mean = count * (count + 1) / 4
    let variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
    guard variance > 0 else { return 1 }
    let z = (positive - mean) / variance.squareRoot()
    switch sides {
    case .two: return erfc(abs(z) / 2.0.squareRoot())
    case .greater: return erfc(z / 2.0.squareRoot()) / 2
    }
  }

  /// The probability that a rank sum is at least `sum` if each of the ranks 1 to n belongs to it with probability 1/2.
  private static func exactTail(_ sum: Double, _ n: Int) -> Double {
    var probabilities = [1.0]
    for rank in 1...n {
      var next = [Double](repeating: 0, count: probabilities.count + rank)
      for (value, p) in probabilities.enumerated() {
        next[value] += p / 2
        next[value + rank] += p / 2
      }
      probabilities = next
    }
    return probabilities[min(probabilities.count, Int(sum.rounded(.up)))...].reduce(0, +)
  }

  /// The matched-pairs rank-biserial correlation (Kerby, 2014): the rank sum of positive differences minus that of negative
  /// ones, divided by their total. From -1 to 1; 0 if all differences are 0.
  public static func rankBiserial(_ differences: [Double]) -> Double {
    let (positive, negative, _, _) = rankSums(differences)
    return positive + negative > 0 ? (positive - negative) / (positive + negative) : 0
  }

  // MARK: Student's t

  /// The p-value of the paired t test; nil for fewer than two pairs or if all differences are 0.
  public static func pairedT(_ differences: [Double], sides: Sides = .two) -> Double? {
    guard differences.count > 1 else { return nil }
    let deviation = SampleStatistics.deviation(differences)
    let mean = SampleStatistics.mean(differences)
    guard deviation > 0 || mean != 0 else { return nil }
    // Equal differences other than 0 make t infinite, and p 0 or 1.
    let t = mean / (deviation / Double(differences.count).squareRoot())
    guard t.isFinite else { return sides == .greater && mean < 0 ? 1 : 0 }
    let both = tail(abs(t), Double(differences.count - 1))
    switch sides {
    case .two: return both
    case .greater: return t > 0 ? both / 2 : 1 - both / 2
    }
  }

  /// Cohen's d of paired differences: mean / standard deviation; nil for fewer than two pairs or if all differences are equal.
  public static func cohensD(_ differences: [Double]) -> Double? {
    guard differences.count > 1 else { return nil }
    let deviation = SampleStatistics.deviation(differences)
    return deviation > 0 ? SampleStatistics.mean(differences) / deviation : nil
  }

  /// Half the width of the 95 % confidence interval of a mean, by Student's t; nil for fewer than two values.
  public static func interval95(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    return quantile975(Double(values.count - 1)) * SampleStatistics.deviation(values) / Double(values.count).squareRoot()
  }

  /// The probability that |T| is at least t, for Student's t distribution with `freedom` degrees of freedom.
  static func tail(_ t: Double, _ freedom: Double) -> Double { betaShare(freedom / (freedom + t * t), freedom / 2, 0.5) }

  /// The 97.5 % quantile of Student's t distribution, by bisection.
  static func quantile975(_ freedom: Double) -> Double {
    var (low, high) = (0.0, 1000.0)
    while high - low > 1e-12 * high {
      let middle = (low + high) / 2
      if middle == low || middle == high { break }
      if tail(middle, freedom) > 0.05 { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method).
  private static func betaShare(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast for small x only; for larger x use I_x(a, b) = 1 - I_(1-x)(b, a).
    if x > (a + 1) / (a + b + 2) { return 1 - betaShare(1 - x, b, a) }
    let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)) / a
    let tiny = 1e-300
    var (f, c, d) = (1.0, 1.0, 0.0)
    for i in 0...1000 {
      let m = Double(i / 2)
      let numerator =
        i == 0
        ? 1
        : i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + numerator * d
      if abs(d) < tiny { d = tiny }
      d = 1 / d
      c = 1 + numerator / c
      if abs(c) < tiny { c = tiny }
      f *= c * d
      if abs(1 - c * d) < 1e-16 { break }
    }
    return front * (f - 1)
  }

  private static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }

  // MARK: Bootstrap

  /// The percentile bootstrap of the mean of paired differences (Efron, 1979): the 95 % confidence interval and a p-value.
  /// The two-sided p-value is twice the smaller share of resampled means on one side of 0; the one-sided p-value is the
  /// share at or below 0. nil without differences, and once `isCancelled` returns true.
  public static func bootstrap(
    _ differences: [Double], sides: Sides = .two, resamples: Int = 9999, seed: UInt64 = 0, isCancelled: () -> Bool = { false }
  ) -> (
    p: Double, low: Double, high: Double
  )? {
    guard !differences.isEmpty else { return nil }
    let stream = RandomStream(seed: seed, "bootstrap")
    var means: [Double] = []
    means.reserveCapacity(resamples)
    for sample in 0..<resamples {
      if isCancelled() { return nil }
      var numbers = stream.numbers(at: UInt64(sample))
      var sum = 0.0
      for _ in differences.indices { sum += differences[numbers.below(differences.count)] }
      means.append(sum / Double(differences.count))
    }
    means.sort()
    // Adding 1 counts the sample itself as one of its resamples, so p is never 0.
    let below = Double(1 + means.count { $0 <= 0 }) / Double(resamples + 1)
    let above = Double(1 + means.count { $0 >= 0 }) / Double(resamples + 1)
    let p = sides == .two ? min(1, 2 * min(below, above)) : below
    return (p, SampleStatistics.quantile(means, 0.025), SampleStatistics.quantile(means, 0.975))
  }

  // MARK: Exact

  /// The largest number of pairs for the exact permutation test. With so few pairs, a bootstrap underestimates the variance.
  public static let exactPairs = 16

  /// The p-value of the exact permutation test of paired differences (Fisher, 1935): the share of all 2^n sign assignments
  /// whose mean is at least as far from 0 as the observed mean or, one-sided, at least as high. nil without differences or
  /// with more than `exactPairs`.
  public static func signFlips(_ differences: [Double], sides: Sides = .two) -> Double? {
    guard !differences.isEmpty, differences.count <= exactPairs else { return nil }
    let observed = differences.reduce(0, +)
    // Equal sums may differ by rounding.
    let tolerance = 1e-12 * differences.reduce(0) { $0 + abs($1) }
    var extreme = 0
    for signs in 0..<(1 << differences.count) {
      var sum = 0.0
      for (bit, value) in differences.enumerated() { sum += signs >> bit & 1 == 1 ? -value : value }
      if sides == .two ? abs(sum) >= abs(observed) - tolerance : sum >= observed - tolerance { extreme += 1 }
    }
    return Double(extreme) / Double(1 << differences.count)
  }

  // MARK: Several tests

  /// The p-values after Holm's correction (1979) for multiple tests, in the order of the arguments.
  public static func holm(_ p: [Double]) -> [Double] {
    var result = p
    var least = 0.0
    for (order, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated() {
      least = max(least, min(1, p[index] * Double(p.count - order)))
      result[index] = least
    }
    return result
  }

  /// The p-values after Bonferroni's correction for multiple tests.
  public static func bonferroni(_ p: [Double]) -> [Double] { p.map { min(1, $0 * Double(p.count)) } }
}
