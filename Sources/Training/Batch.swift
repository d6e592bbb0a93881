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
  /// One item a row that its target is set against, for the pairwise loss; empty elsewhere.
  var negatives: [Int32] = []

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
    users = indices.map { set.user($0) }
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
          case .nextItem:
            // Where the last item is of another vocabulary, it alone is predicted.
            if set.targetItems == nil || t == positions - 1 { target = sequence[start + t + 1] }
          case .gapFilling: if masked.contains(t) { target = item }
          case .gapFillingShifted: if masked.contains(t + 1) { target = sequence[start + t + 1] }
          }
          guard let target, padsCount || target != 0 || set.targetItems != nil else { continue }
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

  /// Stochastic shared embeddings: replaces users and input items, pads excepted, now and then by others. Targets stay.
  mutating func share(_ sharing: SharedEmbeddings, users count: Int, items: Int, seed: UInt64, step: UInt64) {
    let userStream = RandomStream(seed: seed, "shared_users")
    let itemStream = RandomStream(seed: seed, "shared_items")
    for tile in cut.tiles {
      for (b, place) in tile.enumerated() {
        if sharing.user > 0 {
          var numbers = userStream.numbers(at: step << 24 | UInt64(place))
          if numbers.uniform() < sharing.user { users[place] = Int32(numbers.below(count)) }
        }
        guard sharing.item > 0, items > 1 else { continue }
        var numbers = itemStream.numbers(at: step << 24 | UInt64(place))
        for t in 0..<positions {
          let row = tile.lowerBound * positions + t * tile.count + b
          guard numbers.uniform() < sharing.item else { continue }
          let other = Int32(1 + numbers.below(items - 1))
          if self.items[row] != 0 { self.items[row] = other }
        }
      }
    }
  }

  /// One uniform negative for every counted row, its target excepted. `items` is how many there are, the first included.
  mutating func drawNegatives(items: Int, seed: UInt64, step: UInt64) {
    let stream = RandomStream(seed: seed, "pairwise_negatives")
    negatives = [Int32](repeating: 0, count: targets.count)
    for row in targets.indices where weights[row] != 0 {
      var numbers = stream.numbers(at: step << 32 | UInt64(row))
      negatives[row] = Int32(Sampling.other(than: Int(targets[row]), items: items, &numbers))
    }
  }
}

/// Uniform draws of items.
enum Sampling {
  /// An item that is neither the pad, 0, nor `target`.
  static func other(than target: Int, items: Int, _ numbers: inout RandomNumbers) -> Int {
    let drawn = 1 + numbers.below(items - 2)
    return drawn < target ? drawn : drawn + 1
  }
}
