/// How a batch is cut. The cut depends on the batch alone, never on the number of threads: tiles are dealt to a fixed
/// number of lanes, every lane adds up its tiles' gradients in their order, and the lanes are added in theirs. So the
/// result has the same bits for any number of threads.
struct BatchCut: Sendable {
  /// Lanes that can run at the same time. More would cost a gradient buffer each.
  static let lanes = 8
  /// Sequences a tile: their activations should stay in the cache of one core.
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
