import Basics
import Testing

/// Expected values are from NumPy 2 and RFC 8259.
@Suite struct BasicsTests {
  @Test func quantilesMatchNumPy() {
    let sorted = [1, 2, 4, 8.5]
    for (share, value) in [(0, 1), (0.1, 1.3), (0.5, 3), (0.9, 7.15), (1, 8.5)] {
      #expect(abs(SampleStatistics.quantile(sorted, share) - value) < 1e-12)
    }
    #expect(SampleStatistics.quantile([3], 0.7) == 3)
    // At a whole position no interpolation takes place, so an infinite neighbour does not matter.
    #expect(SampleStatistics.quantile([1, 2, .infinity], 0.5) == 2)
    #expect(SampleStatistics.quantile([-1e308, 1e308], 0.5) == 0)
  }

  @Test func deviationDividesByCountMinusOne() {
    #expect(SampleStatistics.deviation([2, 4, 4, 4, 5, 5, 7, 9]) == (32.0 / 7).squareRoot())
    #expect(SampleStatistics.deviation([1]).isNaN && SampleStatistics.mean([]).isNaN)
  }

  @Test func textsAreEscaped() {
    #expect(Escapes.json("a\"b\\c\n\r\t\u{1}\u{1f}é/") == #""a\"b\\c\n\r\t\u0001\u001fé/""#)
    #expect(Escapes.html("<a href=\"x\">&'</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;")
  }
}
