import Foundation
import Syntax
import Testing

/// Generated and damaged texts give an error or a result, in time proportional to their length.
@Suite struct RobustnessTests {
  private func codes(_ text: String) -> [String] { checkScript(SourceFile(name: "t", text: text)).map(\.code.rawValue) }

  @Test func hugeTexts() {
    #expect(codes(String(repeating: "(", count: 2_000_000)) == ["E0107"])
    #expect(codes(String(repeating: "x => ", count: 100_000)) == ["E0107"])
    #expect(codes("let a = " + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)) == ["E0107"])
    #expect(codes("print(" + String(repeating: "1+", count: 1_000_000) + "1)") == ["E0107"])
    #expect(codes("print(" + String(repeating: "9", count: 1_000_000) + ")") == ["E0103"])
    #expect(codes("let x = \"" + String(repeating: "a", count: 2_000_000) + "\"") == [])
    #expect(codes("let x = \"" + String(repeating: "a", count: 2_000_000)) == ["E0102"])
    #expect(codes(String(repeating: "print(\"{", count: 200_000)) == ["E0102"])
    #expect(codes(String(repeating: "fn f() {\n", count: 1000)) == ["E0107"])
    #expect(codes(String(repeating: "if a { } else ", count: 100_000) + "{ }").first == "E0201")
    #expect(codes(String(repeating: "#", count: 2_000_000)) == [])
    #expect(codes(String(repeating: "\u{301}", count: 500_000)).count == 1)
    // The number of reported errors is limited.
    #expect(codes(String(repeating: "let = 1\n", count: 20_000)).count == 50)
    #expect(codes(String(repeating: "nothing()\n", count: 20_000)).count == 100)
  }

  @Test func bytesThatAreNotText() {
    var state: UInt64 = 7
    for length in [0, 1, 2, 3, 100, 10_000] {
      for _ in 0..<20 {
        let bytes = (0..<length).map { _ -> UInt8 in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return UInt8(truncatingIfNeeded: state >> 33)
        }
        let diagnostics = checkScript(SourceFile(name: "t", bytes: bytes))
        for diagnostic in diagnostics { #expect(!DiagnosticRenderer(colour: false).render(diagnostic).isEmpty) }
      }
    }
  }

  /// A text that is eight times as long takes at most 24 times as long, so nothing is quadratic.
  @Test(arguments: [
    "let x = [1, 2, 3] |> map(x => x * 2 + 1) |> sum  # a comment\n",
    "print(\"a {1 + 2} b {\"c {3}\"}\", 1e-3, 20epochs, mrr@5)\n",
    "fn f(a, b = 1) { if a > b { return a } else { return b } }\n",
    "param p = 1  # what\n",
    "f(\n  a,\n",
    "let r = { a: 1, b: { c: [2, 3] } }\n\n\n# %% cell\n",
    "print(unknown_name, other.member, lenn(3))\n",
    "\"unclosed\n",
    "'\u{e9}\u{2028}\n",
  ])
  func timeGrowsWithTheText(line: String) {
    func seconds(_ lines: Int) -> Double {
      let file = SourceFile(name: "t", text: String(repeating: line, count: lines))
      var start = timespec()
      var end = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
      let diagnostics = checkScript(file)
      let tree = Parser.parse(file)
      if diagnostics.isEmpty { #expect(Formatter.format(tree) != nil) }
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
      return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
    }
    let short = (0..<3).map { _ in seconds(1500) }.min() ?? 0
    let long = seconds(12_000)
    #expect(long < 24 * short + 0.05, "\(short) s, then \(long) s")
  }
}
