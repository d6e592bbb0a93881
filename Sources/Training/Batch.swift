import Datasets
import Kernels
import Layers

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

/// The tokens of one batch as the network reads them: tile after tile, time-major inside a tile.
struct Batch {
  let cut: BatchCut
  let positions: Int
  var items: [Int32]
  var originals: [Int32]
  var targets: [Int32]
  /// 1 over the number of counted targets, or 0 where a row is not counted.
  var weights: [Float]
  var users: [Int32]

  /// - Parameters:
  ///   - padsCount: count rows whose target is the pad, as the reference does.
  ///   - masking: numbers that choose the masked items, for the objectives that mask.
  init(
    _ set: SequenceSet, _ indices: ArraySlice<Int>, objective: Objective, padsCount: Bool,
    masking: (Int) -> Set<Int> = { _ in [] }
  ) {
    cut = BatchCut(indices.count)
    let length = set.length
    positions = objective == .nextItem ? length - 1 : length
    let rows = positions * indices.count
    items = [Int32](repeating: 0, count: rows)
    originals = items
    targets = items
    weights = [Float](repeating: 0, count: rows)
    users = indices.map { set.users[$0] }
    var counted = 0
    for tile in cut.tiles {
      for (b, place) in tile.enumerated() {
        let sequence = set.sequence(indices[indices.startIndex + place])
        let start = sequence.startIndex
        let masked = masking(place)
        for t in 0..<positions {
          let row = tile.lowerBound * positions + t * tile.count + b
          let item = sequence[start + t]
          originals[row] = item
          items[row] = masked.contains(t) ? 0 : item
          var target: Int32?
          switch objective {
          case .nextItem: target = sequence[start + t + 1]
          case .gapFilling: if masked.contains(t) { target = item }
          case .gapFillingShifted: if masked.contains(t + 1) { target = sequence[start + t + 1] }
          }
          guard let target, padsCount || target != 0 else { continue }
          targets[row] = target
          weights[row] = 1
          counted += 1
        }
      }
    }
    if counted > 0 {
      let weight = 1 / Float(counted)
      for row in 0..<rows where weights[row] != 0 { weights[row] = weight }
    }
  }
}
