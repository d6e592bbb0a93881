import Datasets
import Kernels

/// Which sequences are in which batch: every epoch in an order of its own, drawn from the seed and the epoch.
///
/// Up to a million sequences are shuffled as a whole. More are shuffled by blocks: the blocks of 4,096 that follow each
/// other are put in a random order, and of every 64 of them the sequences are mixed. So no table of all of them is needed,
/// and a file is read piece by piece.
struct Batches {
  private static let block = 4096
  private static let mixed = 64
  private static let shuffledWhole = 1 << 20

  private let count: Int
  private let size: Int
  private let shuffle: Recipe.Shuffle
  private let lastBatch: Recipe.LastBatch
  private let stream: RandomStream
  private let cache = OrderCache()

  private final class OrderCache {
    var epoch = -1
    var order: [Int] = []
  }

  init(
    _ set: SequenceSet, size: Int, seed: UInt64, phase: Int, shuffle: Recipe.Shuffle = .everyEpoch,
    lastBatch: Recipe.LastBatch = .keep
  ) {
    self.shuffle = shuffle
    self.lastBatch = lastBatch
    count = set.count
    self.size = min(size, set.count)
    stream = RandomStream(seed: seed, "shuffle/\(phase)")
  }

  /// Batches of an epoch.
  static func perEpoch(_ count: Int, _ size: Int, _ lastBatch: Recipe.LastBatch = .keep) -> Int {
    max(1, lastBatch == .keep ? (count + size - 1) / size : count / size)
  }

  /// The sequences of a phase's step, counted from 0. An epoch's last batch may be smaller.
  func indices(step: Int) -> [Int] {
    let perEpoch = Self.perEpoch(count, size, lastBatch)
    let epoch = shuffle == .once ? 0 : step / perEpoch
    let start = step % perEpoch * size
    let batch = start..<min(count, start + size)
    if count > Self.shuffledWhole {
      var numbers = stream.numbers(at: UInt64(epoch))
      let key = numbers.next()
      let blocks = Scramble(count / Self.block, key: key)
      return batch.map { place(of: $0, blocks, key) }
    }
    if cache.epoch != epoch {
      var numbers = stream.numbers(at: UInt64(epoch))
      cache.order = numbers.permutation(count)
      cache.epoch = epoch
    }
    return Array(cache.order[batch])
  }

  /// The sequence at a place of an epoch. What is left over behind the last whole block comes last.
  private func place(of place: Int, _ blocks: Scramble, _ key: UInt64) -> Int {
    let group = place / (Self.block * Self.mixed)
    let start = group * Self.mixed
    let wholeBlocks = min(Self.mixed, blocks.count - start)
    let rows = min(Self.block * Self.mixed, count - start * Self.block)
    let inner = Scramble(rows, key: key &+ UInt64(group) &+ 1)[place - start * Self.block]
    let block = inner / Self.block
    guard block < wholeBlocks else { return blocks.count * Self.block + inner - wholeBlocks * Self.block }
    return blocks[start + block] * Self.block + inner % Self.block
  }
}
