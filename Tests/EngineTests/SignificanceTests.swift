import Testing

@testable import Training

/// Against SciPy 1.16: `scipy.stats.wilcoxon(d, zero_method="wilcox", correction=False, mode="approx")`.
@Suite struct SignificanceTests {
  @Test func wilcoxonSignedRank() throws {
    let tied = [
      0.5, -0.25, 1, 0, 0.5, 0.5, -1, 0.333, 0, 0.2, -0.2, 0.25, 0.5, 1, 1, -0.5, 0.2, 0.333, 0.25, 0.1,
    ]
    #expect(abs(try #require(Significance.wilcoxon(tied)) - 0.035715762672154386) < 1e-12)
    #expect(abs(try #require(Significance.wilcoxon([1, 2, 3, -4, 5, 6, 7, 8, -9, 10])) - 0.13941397332153205) < 1e-12)
    #expect(Significance.wilcoxon([0, 0]) == nil)
    #expect(Significance.wilcoxon([1, -1]) == 1)
  }

  @Test func corrections() {
    // Holm, by hand: 0.01 x 3, max(0.03, 0.02 x 2), max(0.04, 0.04 x 1).
    #expect(zip(Significance.holm([0.04, 0.01, 0.02]), [0.04, 0.03, 0.04]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(Significance.bonferroni([0.5, 0.01]) == [1, 0.02])
    #expect(Significance.holm([]) == [])
  }

  @Test func intervals() throws {
    // Mean 2, standard deviation 1, t(2) = 4.3027.
    #expect(abs(try #require(Significance.interval95([1, 2, 3])) - 4.3027 / 3.0.squareRoot()) < 1e-9)
    #expect(Significance.interval95([1]) == nil)
  }
}
