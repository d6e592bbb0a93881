import Kernels

/// Which rows of a set of windows are taken, in which order.
enum RowOrder: Sendable {
  case all
  case listed([Int32])
  /// A share of every block of rows, mixed inside of the block: nothing to be kept in memory, and rows that lie together
  /// in the file stay near each other.
  case dealt(Deal)
  /// The first so many of another order.
  indirect case first(Int, RowOrder)

  func row(_ place: Int) -> Int {
    switch self {
    case .all: place
    case .listed(let rows): Int(rows[place])
    case .dealt(let deal): deal.row(place)
    case .first(_, let order): order.row(place)
    }
  }

  /// How many of `rows` it takes.
  func count(of rows: Int) -> Int {
    switch self {
    case .all: rows
    case .listed(let rows): rows.count
    case .dealt(let deal): deal.count
    case .first(let count, _): count
    }
  }

  func adding(to hash: inout WordHash) {
    switch self {
    case .all: hash.add(1)
    case .listed(let rows):
      hash.add(2)
      rows.withUnsafeBytes { hash.add($0) }
    case .dealt(let deal):
      hash.add(3)
      hash.add(deal.key)
      for number in [deal.rows, deal.whole.lowerBound, deal.whole.upperBound, deal.tail.lowerBound, deal.tail.upperBound] {
        hash.add(UInt64(number))
      }
    case .first(let count, let order):
      hash.add(4)
      hash.add(UInt64(count))
      order.adding(to: &hash)
    }
  }
}

/// A part of many rows: of each block of 10,000 the same share, drawn at random.
struct Deal: Sendable {
  static let block = 10_000
  /// Fewer rows are shuffled as a whole.
  static let least = 1 << 20

  let rows: Int
  let key: UInt64
  let count: Int
  /// What the part has of a whole block, and of what is left behind the last one.
  let whole: Range<Int>
  let tail: Range<Int>

  /// The parts between cuts, given as shares from 0 to 1, ascending. Of every whole block each part has one row at least,
  /// and no row is in two.
  static func parts(rows: Int, key: UInt64, cuts: [Double]) -> [Deal] {
    func places(_ size: Int, least: Int) -> [Int] {
      var places = [0]
      for (number, cut) in cuts.enumerated() {
        let last = size - (cuts.count - 1 - number) * least
        places.append(max(places[number] + least, min(last, Int((Double(size) * cut).rounded()))))
      }
      return places
    }
    let (whole, tail) = (places(block, least: 1), places(rows % block, least: 0))
    return cuts.indices.map {
      Deal(rows: rows, key: key, whole: whole[$0]..<whole[$0 + 1], tail: tail[$0]..<tail[$0 + 1])
    }
  }

  private init(rows: Int, key: UInt64, whole: Range<Int>, tail: Range<Int>) {
    self.rows = rows
    self.key = key
    self.whole = whole
    self.tail = tail
    count = rows / Self.block * whole.count + tail.count
  }

  func row(_ place: Int) -> Int {
    let blocks = rows / Self.block
    if place < blocks * whole.count {
      let block = place / whole.count
      return block * Self.block + KeyedPermutation(Self.block, key: key &+ UInt64(block))[whole.lowerBound + place % whole.count]
    }
    let rest = place - blocks * whole.count
    return blocks * Self.block + KeyedPermutation(rows % Self.block, key: key &+ UInt64(blocks))[tail.lowerBound + rest]
  }
}
