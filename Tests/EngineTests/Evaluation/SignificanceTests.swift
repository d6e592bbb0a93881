import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Compares with SciPy 1.16: `scipy.stats.wilcoxon`, `ttest_1samp`, `t.interval`, `bootstrap`, `t.sf`, `t.ppf`.
@Suite struct SignificanceTests {
  private let x = [
    -0.0201, -0.0462, 0.0076, 0.041, 0.0768, 0.0255, -0.0076, -0.0192, 0.0574, 0.1017, 0.0336, -0.0417, -0.0279, 0.1, 0.0301, -0.0666,
    0.0158, -0.0382, -0.0115, -0.0044, -0.0157, 0.0477, 0.0168, -0.0095, 0.0405, 0.0615, -0.0622, 0.0072, -0.029, 0.0113,
  ]
  private let y = [-0.0145, 0.051, 0.0481, 0.0348, -0.0024, 0.0302, -0.0046, -0.0178]

  private func near(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-10) throws { #expect(abs(try #require(a) - b) < tolerance) }

  @Test func wilcoxonSignedRank() throws {
    let tied = [
      0.5, -0.25, 1, 0, 0.5, 0.5, -1, 0.333, 0, 0.2, -0.2, 0.25, 0.5, 1, 1, -0.5, 0.2, 0.333, 0.25, 0.1,
    ]
    // method="approx": ties and zeros.
    try near(Significance.wilcoxon(tied), 0.035715762672154386)
    try near(Significance.wilcoxon(x), 0.3876466201224624)
    try near(Significance.wilcoxon(x, sides: .greater), 0.1938233100612312)
    // method="exact".
    try near(Significance.wilcoxon(y), 0.3125)
    try near(Significance.wilcoxon(y, sides: .greater), 0.15625)
    try near(Significance.wilcoxon([1, 2, 3]), 0.25)
    #expect(Significance.wilcoxon([0, 0]) == nil)
    #expect(Significance.wilcoxon([1, -1]) == 1)
  }

  /// `permutation_test(permutation_type="samples", n_resamples=inf)`.
  @Test func exactPermutations() throws {
    try near(Significance.signFlips(y), 0.171875)
    try near(Significance.signFlips(y, sides: .greater), 0.0859375)
    try near(Significance.signFlips([0.1, 0.2, 0.1, 0.3]), 0.125)
    try near(Significance.signFlips([0, 0]), 1)
    #expect(Significance.signFlips([]) == nil && Significance.signFlips(x) == nil)
  }

  @Test func pairedT() throws {
    try near(Significance.pairedT(x), 0.2648614465130001)
    try near(Significance.pairedT(x, sides: .greater), 0.13243072325650004)
    try near(Significance.pairedT(y), 0.16417987619745994)
    try near(Significance.pairedT(y.map { -$0 }, sides: .greater), 1 - 0.08208993809872997)
    #expect(Significance.pairedT([1]) == nil && Significance.pairedT([0, 0]) == nil)
    // As in SciPy: t is infinite.
    #expect(Significance.pairedT([1, 1]) == 0)
    #expect(Significance.pairedT([-1, -1], sides: .greater) == 1)
  }

  @Test(arguments: [
    (1.0, 0.2951672353008665, 12.706204736174694), (2, 0.18350341907227397, 4.302652729749462),
    (5, 0.10193947882985835, 2.5705818356363146),
    (30, 0.054625044962983094, 2.0422724563012378), (100, 0.04821217873113365, 1.9839715185235518),
    (1000, 0.04577034649325166, 1.9623390808264083),
  ])
  func studentsT(_ freedom: Double, _ tail: Double, _ quantile: Double) throws {
    try near(Significance.tail(2, freedom), tail, 1e-12)
    try near(Significance.quantile975(freedom), quantile, 1e-9)
  }

  @Test func farTails() throws {
    #expect(abs(Significance.tail(12.5, 30) / 1.99849634939664e-13 - 1) < 1e-6)
    #expect(abs(Significance.tail(12.5, 1000) / 2.0316243019045302e-33 - 1) < 1e-6)
    try near(Significance.tail(0.1, 5), 0.9242301411546604)
  }

  @Test func effectSizes() throws {
    try near(Significance.cohensD(x), 0.20758009806318808)
    try near(Significance.rankBiserial(x), 0.18064516129032257)
    try near(Significance.rankBiserial(y), 0.4444444444444444)
    #expect(Significance.cohensD([2, 2]) == nil && Significance.rankBiserial([0]) == 0)
  }

  @Test func bootstrap() throws {
    let result = try #require(Significance.bootstrap(x))
    // SciPy's values; it draws other random numbers, so they agree only approximately.
    try near(result.low, -0.006123333333333333, 5e-4)
    try near(result.high, 0.024866666666666662, 5e-4)
    #expect(result.p > 0.2 && result.p < 0.32)
    #expect(try #require(Significance.bootstrap(x, sides: .greater)).p < result.p)
    #expect(try #require(Significance.bootstrap(x)).p == result.p, "the same seed")
    #expect(Significance.bootstrap([]) == nil)
  }

  @Test func corrections() {
    // Holm, by hand: 0.01 x 3, max(0.03, 0.02 x 2), max(0.04, 0.04 x 1).
    #expect(zip(Significance.holm([0.04, 0.01, 0.02]), [0.04, 0.03, 0.04]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(Significance.bonferroni([0.5, 0.01]) == [1, 0.02])
    #expect(Significance.holm([]) == [])
  }

  @Test func intervals() throws {
    try near(Significance.interval95(y), (0.03934068112646962 + 0.008140681126469622) / 2)
    try near(Significance.interval95(x), (0.02562816637922998 + 0.0073148330458966525) / 2)
    #expect(Significance.interval95([1]) == nil)
  }
}
