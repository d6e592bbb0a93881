import Glibc

/// Tests of differences that reviewers ask for.
public enum Significance {
  /// Two-sided p of the Wilcoxon signed-rank test of paired differences (Wilcoxon, 1945): zeros are left out, equal
  /// sizes share their mean rank, and the sum of ranks is taken for normal with the variance corrected for ties. For 20
  /// pairs or more, which is what test users give. nil where no pair differs.
  public static func wilcoxon(_ differences: [Double]) -> Double? {
    let d = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    let n = Double(d.count)
    guard n > 0 else { return nil }
    var positive = 0.0
    var ties = 0.0
    var start = 0
    while start < d.count {
      var end = start
      while end < d.count && abs(d[end]) == abs(d[start]) { end += 1 }
      let size = Double(end - start)
      // Ranks start + 1 ... end, all of them their mean.
      positive += d[start..<end].reduce(0) { $0 + ($1 > 0 ? Double(start + 1 + end) / 2 : 0) }
      ties += size * size * size - size
      start = end
    }
    let mean = n * (n + 1) / 4
    let variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    guard variance > 0 else { return 1 }
    return erfc(abs(positive - mean) / variance.squareRoot() / 2.0.squareRoot())
  }

  /// Holm's correction (1979) of p-values for as many tests, in the order they are given.
  public static func holm(_ p: [Double]) -> [Double] {
    var result = p
    var least = 0.0
    for (place, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated() {
      least = max(least, min(1, p[index] * Double(p.count - place)))
      result[index] = least
    }
    return result
  }

  public static func bonferroni(_ p: [Double]) -> [Double] { p.map { min(1, $0 * Double(p.count)) } }

  /// Half the width of the 95 % interval of a mean, by Student's t; nil for a single value.
  public static func interval95(_ values: [Double]) -> Double? {
    let n = values.count
    guard n > 1 else { return nil }
    let mean = values.reduce(0, +) / Double(n)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)
    return quantile975(n - 1) * (variance / Double(n)).squareRoot()
  }

  /// 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, Cornish and Fisher's first terms.
  private static func quantile975(_ freedom: Int) -> Double {
    let table = [
      12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
      2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ]
    if freedom <= table.count { return table[freedom - 1] }
    let z = 1.959964
    return z + (z * z * z + z) / (4 * Double(freedom))
  }
}
