/// A pseudorandom permutation of 0..<n that computes the image of every index alone, without a table. It is a Feistel
/// network over the bits of the index (Luby and Rackoff, "How to Construct Pseudorandom Permutations from Pseudorandom
/// Functions", SIAM J. Comput. 1988), applied again until the result is below n.
public struct KeyedPermutation: Sendable {
  public let count: Int
  private let halfBits: UInt64
  private let key: UInt64
  private static let rounds: UInt64 = 6

  /// - Parameters:
  ///   - count: the n above, at most 2^62.
  ///   - key: selects the permutation.
  public init(_ count: Int, key: UInt64) {
    self.count = count
    self.key = key
    let bits = count <= 1 ? 1 : Int.bitWidth - (count - 1).leadingZeroBitCount
    halfBits = UInt64((bits + 1) / 2)
  }

  /// The image of `index`.
  public subscript(index: Int) -> Int {
    var x = UInt64(index)
    let mask = (1 << halfBits) - 1 as UInt64
    repeat {
      var (left, right) = (x >> halfBits, x & mask)
      for round in 0..<Self.rounds {
        var f = right ^ key ^ (round &* 0x9e37_79b9_7f4a_7c15)
        f = (f ^ (f >> 30)) &* 0xbf58_476d_1ce4_e5b9
        f = (f ^ (f >> 27)) &* 0x94d0_49bb_1331_11eb
        (left, right) = (right, left ^ ((f ^ (f >> 31)) & mask))
      }
      x = left << halfBits | right
    } while x >= UInt64(count)
    return Int(x)
  }
}
