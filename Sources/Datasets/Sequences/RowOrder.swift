import Kernels

/// Selects rows of a set of windows, in an order.
enum RowOrder: Sendable {
  case all
  case listed([Int32])
  /// A random part of every block of rows. It needs no table of rows, and rows that are near each other in the file stay near
  /// each other.
  case sampled(BlockSample)
  /// The first rows of another order.
  indirect case first(Int, RowOrder)

  /// The row at an index of the order.
  func row(_ index: Int) -> Int {
    switch self {
    case .all: index
    case .listed(let rows): Int(rows[index])
    case .sampled(let sample): sample.row(index)
    case .first(_, let order): order.row(index)
    }
  }

  /// The number of selected rows, of `rows`.
  func count(of rows: Int) -> Int {
    switch self {
    case .all: rows
    case .listed(let rows): rows.count
    case .sampled(let sample): sample.count
    case .first(let count, _): count
    }
  }

  /// Adds the order to a hash. The hash is part of fingerprints, so this must not change.
  func adding(to hash: inout WordHash) {
    switch self {
    case .all: hash.add(1)
    case .listed(let rows):
      hash.add(2)
      rows.withUnsafeBytes { hash.add($0) }
    case .sampled(let sample):
      hash.add(3)
      hash.add(sample.key)
      for number in [sample.rows, sample.whole.lowerBound, sample.whole.upperBound, sample.tail.lowerBound, sample.tail.upperBound] {
        hash.add(UInt64(number))
      }
    case .first(let count, let order):
      hash.add(4)
      hash.add(UInt64(count))
      order.adding(to: &hash)
    }
  }
}

/// A random sample of many rows: the same share of each block of 10,000 consecutive rows.
struct BlockSample: Sendable {
  static let block = 10_000
  /// Data with at most this many rows is shuffled as a whole instead.
  static let minimumRows = 1 << 20

  /// The number of rows of the data.
  let rows: Int
  let key: UInt64
  /// The number of rows of the sample.
  let count: Int
  /// The part of every shuffled whole block that belongs to the sample.
  let whole: Range<Int>
  /// The part of the shuffled rest after the last whole block.
  let tail: Range<Int>

  /// Disjoint samples that end at the given cuts, which are ascending shares from 0 to 1. Each sample has at least one row of
  /// every whole block.
  static func parts(rows: Int, key: UInt64, cuts: [Double]) -> [BlockSample] {
    func bounds(_ size: Int, least: Int) -> [Int] {
      var bounds = [0]
      for (number, cut) in cuts.enumerated() {
        let last = size - (cuts.count - 1 - number) * least
        bounds.append(max(bounds[number] + least, min(last, Int((Double(size) * cut).rounded()))))
      }
      return bounds
    }
    let (whole, tail) = (bounds(block, least: 1), bounds(rows % block, least: 0))
    return cuts.indices.map {
      BlockSample(rows: rows, key: key, whole: whole[$0]..<whole[$0 + 1], tail: tail[$0]..<tail[$0 + 1])
    }
  }

  private init(rows: Int, key: UInt64, whole: Range<Int>, tail: Range<Int>) {
    self.rows = rows
    self.key = key
    self.whole = whole
    self.tail = tail
    count = rows / Self.block * whole.count + tail.count
  }

  /// The row at an index of the sample.
  func row(_ index: Int) -> Int {
    let blocks = rows / Self.block
    if index < blocks * whole.count {
      let block = index / whole.count
      return block * Self.block + KeyedPermutation(Self.block, key: key &+ UInt64(block))[whole.lowerBound + index % whole.count]
    }
    let rest = index - blocks * whole.count
    return blocks * Self.block + KeyedPermutation(rows % Self.block, key: key &+ UInt64(blocks))[tail.lowerBound + rest]
  }
}
