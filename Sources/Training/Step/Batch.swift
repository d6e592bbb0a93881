import Datasets
import Kernels
import Layers

/// The tokens of one batch as the network reads them: tile after tile, time-major inside a tile.
struct Batch {
  let cut: BatchCut
  let positions: Int
  var items: [Int32]
  var originals: [Int32]
  var targets: [Int32]
  /// 1 over the number of counted targets, or 0 where a row is not counted.
  private(set) var weights: [Float]
  /// Targets that count. A batch that several processes share is weighted by those of all of them.
  private(set) var counted = 0
  var users: [Int32]
  /// The items that a row's target is set against, one row's after the other's; empty where the loss has no such.
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
    positions = objective.positions(length: length)
    let rows = positions * indices.count
    items = [Int32](repeating: 0, count: rows)
    originals = items
    targets = items
    weights = [Float](repeating: 0, count: rows)
    users = indices.map { set.user($0) }
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
          // Where the last item is of another vocabulary, it alone is predicted.
          let predicted = objective.target(at: t, masked: masked, lastOnly: set.targetItems != nil, positions: positions)
          let target = predicted.map { sequence[start + $0] }
          guard let target, padsCount || target != 0 || set.targetItems != nil else { continue }
          targets[row] = target
          weights[row] = 1
          counted += 1
        }
      }
    }
    weigh(by: counted)
  }

  /// Makes every counted row weigh 1 over `total` targets.
  mutating func weigh(by total: Int) {
    guard total > 0 else { return }
    let weight = 1 / Float(total)
    for row in weights.indices where weights[row] != 0 { weights[row] = weight }
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

  /// Uniform negatives for every counted row, its target excepted.
  ///
  /// - Parameters:
  ///   - count: how many for each row.
  ///   - items: how many there are, the pad included.
  mutating func drawNegatives(_ count: Int, items: Int, seed: UInt64, step: UInt64) {
    let stream = RandomStream(seed: seed, "pairwise_negatives")
    negatives = [Int32](repeating: 0, count: targets.count * count)
    for row in targets.indices where weights[row] != 0 {
      var numbers = stream.numbers(at: step << 32 | UInt64(row))
      for place in 0..<count {
        negatives[row * count + place] = Int32(Sampling.other(than: Int(targets[row]), items: items, &numbers))
      }
    }
  }
}
