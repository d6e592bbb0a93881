import Datasets
import Kernels
import Layers

/// The sequences of one step, one batch or several, in the layout that the network reads: tile after tile, each tile time-major, `(T, B)`.
struct Batch {
  let cut: BatchCut
  /// The input items after masking; -1 in rows before the first item of a sequence.
  var items: [Int32]
  /// The input items before masking.
  var originals: [Int32]
  var targets: [Int32]
  /// 1 / the number of targets of the batch that count, divided by the number of batches of the step; 0 for a row that does not
  /// count.
  var weights: [Float]
  /// For each row, the time of its event and that of the event it predicts, in seconds; empty if the network reads no times.
  var times: [Double] = []
  var predictedTimes: [Double] = []
  /// One user per sequence, in the order of the tiles.
  var users: [Int32]
  /// The number of targets of each sequence that count, in the order of the tiles.
  var counts: [Int]
  /// `(rows, negatives)`: the negatives of each row; empty if the loss has none per row.
  var negatives: [Int32] = []
  /// `(sequences, negatives)`: the negatives of each sequence, in the order of the tiles; empty if the loss has none per
  /// sequence.
  var sequenceNegatives: [Int32] = []
  /// By item, the log of the probability that one of these negatives is this item; nil if all items have the same.
  var logProbabilities: [Float]?

  /// - Parameters:
  ///   - set: the data.
  ///   - indices: the sequences of the step.
  ///   - size: the number of sequences of each of its batches but the last; nil: it has one batch.
  ///   - length: the number of items of a sequence that are used, the latest ones; nil: all.
  ///   - objective: determines inputs and targets.
  ///   - pads: whether sequences are padded in front to the length of the longest one.
  ///   - padsCount: whether rows whose target is the pad count, as in the authors' reference code.
  ///   - mask: the item that replaces a masked one.
  ///   - readsTimes: whether the network reads the times of events.
  ///   - masking: for a sequence of the batch and its items, the items to mask.
  init(
    _ set: SequenceSet, _ indices: ArraySlice<Int>, size: Int? = nil, length: Int? = nil, objective: Objective, pads: Pads, padsCount: Bool,
    mask: Int32 = 0,
    readsTimes: Bool = false,
    masking: (_ index: Int, _ sequence: ArraySlice<Int32>) -> Set<Int> = { _, _ in [] }
  ) {
    let limit = length ?? set.length
    let sequences = indices.map { (pads == .item ? set.sequence($0) : set.events($0)).suffix(limit) }
    cut = BatchCut(sequences.map(\.count), limit: limit, objective: objective)
    items = [Int32](repeating: -1, count: cut.rows)
    originals = items
    targets = [Int32](repeating: 0, count: cut.rows)
    weights = [Float](repeating: 0, count: cut.rows)
    counts = [Int](repeating: 0, count: cut.order.count)
    if readsTimes {
      times = [Double](repeating: 0, count: cut.rows)
      predictedTimes = times
    }
    users = cut.order.map { set.user(indices[indices.startIndex + $0]) }
    for part in cut.parts {
      for (b, slot) in part.sequences.enumerated() {
        let index = cut.order[slot]
        let sequence = sequences[index]
        let masked = masking(index, sequence)
        let first = part.tile.start(b)
        let positions = part.tile.positions - first
        let seconds = readsTimes ? set.eventSeconds(indices[indices.startIndex + index]).suffix(limit).map(\.self) : []
        for t in 0..<positions {
          let row = part.firstRow + (first + t) * part.tile.sequences + b
          let item = sequence[sequence.startIndex + t]
          originals[row] = item
          if seconds.count > t + 1 { (times[row], predictedTimes[row]) = (seconds[t], seconds[t + 1]) }
          items[row] = masked.contains(t) ? mask : item
          // In the transfer task the last item belongs to another vocabulary, and only this item is predicted.
          let predicted = objective.target(at: t, masked: masked, lastOnly: set.targetItems != nil, positions: positions)
          let target = predicted.map { sequence[sequence.startIndex + $0] }
          guard let target, padsCount || target != 0 || set.targetItems != nil else { continue }
          targets[row] = target
          weights[row] = 1
          counts[slot] += 1
        }
      }
    }
    weigh(size: size ?? max(1, indices.count))
  }

  /// Sets the weights of the rows that count, so that the loss is the mean over the batches of the mean over their targets.
  private mutating func weigh(size: Int) {
    var counted = [Int](repeating: 0, count: (counts.count + size - 1) / size)
    for (slot, index) in cut.order.enumerated() { counted[index / size] += counts[slot] }
    let batches = counted.count { $0 > 0 }
    for part in cut.parts {
      for (b, slot) in part.sequences.enumerated() where counts[slot] > 0 {
        let weight = 1 / Float(counted[cut.order[slot] / size] * batches)
        for t in part.tile.start(b)..<part.tile.positions {
          let row = part.firstRow + t * part.tile.sequences + b
          if weights[row] != 0 { weights[row] = weight }
        }
      }
    }
  }

  /// Applies stochastic shared embeddings: replaces random users and input items by random others. Pads and targets are not
  /// replaced.
  mutating func share(_ sharing: SharedEmbeddings, users count: Int, items: Int, seed: UInt64, step: UInt64) {
    let userStream = RandomStream(seed: seed, "shared_users")
    let itemStream = RandomStream(seed: seed, "shared_items")
    for part in cut.parts {
      for (b, slot) in part.sequences.enumerated() {
        if sharing.user > 0 {
          var numbers = userStream.numbers(at: step << 24 | UInt64(slot))
          if numbers.uniform() < sharing.user { users[slot] = Int32(numbers.below(count)) }
        }
        guard sharing.item > 0, items > 1 else { continue }
        var numbers = itemStream.numbers(at: step << 24 | UInt64(slot))
        for t in part.tile.start(b)..<part.tile.positions {
          let row = part.firstRow + t * part.tile.sequences + b
          guard numbers.uniform() < sharing.item else { continue }
          let other = Int32(1 + numbers.below(items - 1))
          if self.items[row] != 0 { self.items[row] = other }
        }
      }
    }
  }
}
