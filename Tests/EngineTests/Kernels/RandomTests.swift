import Testing

@testable import Kernels

/// Counter-based random numbers.
@Suite struct RandomTests {
  /// Known answers of Philox4x32-10 from the Random123 distribution.
  @Test func philoxKnownAnswers() {
    let zero = RandomStream(key: SIMD2(0, 0)).words(SIMD4(0, 0, 0, 0))
    #expect(zero == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = RandomStream(key: SIMD2(repeating: .max)).words(SIMD4(repeating: .max))
    #expect(ones == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = RandomStream(key: SIMD2(0xa409_3822, 0x299f_31d0))
      .words(SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
    #expect(pi == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func substreamsDoNotDependOnEarlierDraws() {
    let stream = RandomStream(seed: 3, "shuffle")
    var a = stream.numbers(at: 7)
    var other = stream.numbers(at: 6)
    for _ in 0..<100 { _ = other.next() }
    var b = stream.numbers(at: 7)
    #expect((0..<50).map { _ in a.next() } == (0..<50).map { _ in b.next() })
    var c = RandomStream(seed: 3, "dropout").numbers(at: 7)
    var d = RandomStream(seed: 4, "shuffle").numbers(at: 7)
    var e = stream.numbers(at: 7)
    let first = e.next()
    #expect(c.next() != first && d.next() != first)
  }

  @Test func momentsAndBounds() {
    var numbers = RandomStream(seed: 1, "test").numbers()
    let n = 100_000
    let uniform = (0..<n).map { _ in numbers.uniform() }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(uniform.reduce(0, +) / Double(n) - 0.5) < 0.005)
    let normal = (0..<n).map { _ in numbers.normal() }
    let mean = normal.reduce(0, +) / Double(n)
    #expect(abs(mean) < 0.015)
    #expect(abs(normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n) - 1) < 0.02)
    let truncated = (0..<n).map { _ in numbers.truncatedNormal() }
    #expect(truncated.allSatisfy { abs($0) <= 2 })
    // The variance of a normal distribution truncated at two deviations is 0.774.
    #expect(abs(truncated.reduce(0) { $0 + $1 * $1 } / Double(n) - 0.7737) < 0.01)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[numbers.below(7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
    #expect(numbers.permutation(50).sorted() == Array(0..<50))
  }
}
