/// The division of a batch into tiles and lanes. It depends on the size of the batch only, not on the number of threads.
///
/// The tiles are assigned to a fixed number of lanes. Each lane sums the gradients of its tiles in order, and the lanes are
/// summed in order. So the result has the same bits for any number of threads.
struct BatchCut: Sendable {
  /// The largest number of lanes, which limits how many threads can work on a batch. Each lane costs a gradient buffer.
  static let lanes = 8
  /// The largest number of sequences of a tile, chosen so that the activations of a tile stay in the cache of one core.
  static let largestTile = 16

  let tiles: [Range<Int>]

  init(_ batch: Int) {
    let size = min(Self.largestTile, max(1, (batch + Self.lanes - 1) / Self.lanes))
    tiles = stride(from: 0, to: batch, by: size).map { $0..<min(batch, $0 + size) }
  }

  var lanesUsed: Int { min(Self.lanes, tiles.count) }
  /// The tiles of a lane, in order.
  func tiles(of lane: Int) -> [Range<Int>] { stride(from: lane, to: tiles.count, by: Self.lanes).map { tiles[$0] } }
}
