import Datasets
import Kernels

/// Which sequences are in which batch: every epoch in an order of its own, drawn from the seed and the epoch.
struct Batches {
  private let count: Int
  private let size: Int
  private let stream: RandomStream
  private let cache = OrderCache()

  private final class OrderCache {
    var epoch = -1
    var order: [Int] = []
  }

  init(_ set: SequenceSet, size: Int, seed: UInt64, phase: Int) {
    count = set.count
    self.size = min(size, set.count)
    stream = RandomStream(seed: seed, "shuffle/\(phase)")
  }

  static func perEpoch(_ count: Int, _ size: Int) -> Int { max(1, (count + size - 1) / size) }

  /// The sequences of a phase's step, counted from 0. An epoch's last batch may be smaller.
  func indices(step: Int) -> [Int] {
    let perEpoch = Self.perEpoch(count, size)
    let epoch = step / perEpoch
    if cache.epoch != epoch {
      var numbers = stream.numbers(at: UInt64(epoch))
      cache.order = numbers.permutation(count)
      cache.epoch = epoch
    }
    let start = step % perEpoch * size
    return Array(cache.order[start..<min(count, start + size)])
  }
}
