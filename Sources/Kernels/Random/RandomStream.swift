import CKernels

/// A named, counter-based stream of random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy
/// as 1, 2, 3", SC 2011).
///
/// Seed and name determine the key, so a stream that is added later does not change the numbers of another. Every number
/// can be computed without the ones before it. So a resumed run, or a run with another number of threads, gets the same
/// numbers.
public struct RandomStream: Sendable {
  private let key: SIMD2<UInt32>

  public init(seed: UInt64, _ name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a over the name, then mixed with the seed
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let mixed = Self.mix(hash ^ Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15))
    key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
  }

  init(key: SIMD2<UInt32>) { self.key = key }

  /// SplitMix64's finaliser.
  private static func mix(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// The four 32-bit words at `counter`.
  @inline(__always)
  func words(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(c.x) &* 0xD251_1F53
      let b = UInt64(c.z) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  /// Fills a dropout mask from one substream: each value is 0 with probability `rate`, else `1 / (1 - rate)`.
  ///
  /// The mask uses the words of the substream in another order than `numbers`, so that sixteen can be computed at once:
  /// value `64 g + 16 w + l` comes from word w at counter `16 g + l`.
  public func fillMask(_ mask: UnsafeMutablePointer<Float>, count: Int, substream: UInt64, rate: Double) {
    srs_dropout_mask(
      mask, count, key.x, key.y, substream, UInt32(min(rate * 4_294_967_296, 4_294_967_295)), Float(1 / (1 - rate)))
  }

  /// The numbers of a substream from its first on. The caller numbers the substreams, e.g. by step, epoch or sequence.
  public func numbers(at substream: UInt64 = 0) -> RandomNumbers { RandomNumbers(stream: self, substream: substream) }
}

/// A cursor over the numbers of one substream of a `RandomStream`.
public struct RandomNumbers: Sendable, RandomNumberGenerator {
  private let stream: RandomStream
  private let substream: UInt64
  private var index: UInt64 = 0
  private var words = SIMD4<UInt32>()
  private var left = 0

  init(stream: RandomStream, substream: UInt64) {
    self.stream = stream
    self.substream = substream
  }

  public mutating func word() -> UInt32 {
    if left == 0 {
      words = stream.words(
        SIMD4(
          UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
          UInt32(truncatingIfNeeded: substream), UInt32(truncatingIfNeeded: substream >> 32)))
      index += 1
      left = 4
    }
    left -= 1
    return words[3 - left]
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(word())
    return UInt64(word()) << 32 | low
  }

  /// A uniform number in [0, 1), a multiple of 2^-53.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A uniform whole number in 0..<n, without bias (Lemire, 2019).
  public mutating func below(_ n: Int) -> Int {
    precondition(n > 0)
    let bound = UInt64(n)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A uniform permutation of 0..<n (Fisher-Yates).
  public mutating func permutation(_ n: Int) -> [Int] {
    var order = Array(0..<n)
    var i = n - 1
    while i > 0 {
      order.swapAt(i, below(i + 1))
      i -= 1
    }
    return order
  }
}
