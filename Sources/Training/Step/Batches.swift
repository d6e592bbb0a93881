import Datasets
import Kernels

/// The assignment of sequences to batches. Each epoch shuffles the sequences in its own order, drawn from the seed and the
/// epoch.
///
/// Up to about a million sequences (2^20) are shuffled as a whole. More are shuffled in two levels: blocks of 4,096
/// consecutive sequences are put in a random order, then the sequences of every 64 blocks are shuffled. This needs no table
/// of all sequences, and a mapped file is read in large pieces.
struct Batches {
  private static let block = 4096
  private static let mixed = 64
  private static let shuffledWhole = 1 << 20

  private let count: Int
  private let size: Int
  private let accumulate: Int
  private let shuffle: Recipe.Shuffle
  private let lastBatch: Recipe.LastBatch
  private let stream: RandomStream
  private let cache = OrderCache()

  private final class OrderCache {
    var epoch = -1
    var order: [Int] = []
  }

  init(
    _ set: SequenceSet, size: Int, accumulate: Int = 1, seed: UInt64, phase: Int, shuffle: Recipe.Shuffle = .everyEpoch,
    lastBatch: Recipe.LastBatch = .keep
  ) {
    self.accumulate = accumulate
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

  /// Steps of an epoch. Its last step may have fewer batches than the others.
  static func stepsPerEpoch(_ count: Int, _ recipe: Recipe) -> Int {
    (perEpoch(count, recipe.batch, recipe.lastBatch) + recipe.accumulate - 1) / recipe.accumulate
  }

  /// The sequences of the batches at a step of the phase, from 0. The last batch of an epoch may be smaller.
  func indices(step: Int) -> [Int] {
    let perEpoch = Self.perEpoch(count, size, lastBatch)
    let steps = (perEpoch + accumulate - 1) / accumulate
    let epoch = shuffle == .once ? 0 : step / steps
    let first = step % steps * accumulate
    let batch = (first * size)..<min(count, min(perEpoch, first + accumulate) * size)
    if count > Self.shuffledWhole {
      var numbers = stream.numbers(at: UInt64(epoch))
      let key = numbers.next()
      let blocks = KeyedPermutation(count / Self.block, key: key)
      return batch.map { sequence(at: $0, blocks, key) }
    }
    if cache.epoch != epoch {
      var numbers = stream.numbers(at: UInt64(epoch))
      cache.order = numbers.permutation(count)
      cache.epoch = epoch
    }
    return Array(cache.order[batch])
  }

  /// The sequence at a position of an epoch. The sequences after the last whole block belong to the last group.
  private func sequence(at position: Int, _ blocks: KeyedPermutation, _ key: UInt64) -> Int {
    let group = position / (Self.block * Self.mixed)
    let start = group * Self.mixed
    let wholeBlocks = min(Self.mixed, blocks.count - start)
    let rows = min(Self.block * Self.mixed, count - start * Self.block)
    let inner = KeyedPermutation(rows, key: key &+ UInt64(group) &+ 1)[position - start * Self.block]
    let block = inner / Self.block
    guard block < wholeBlocks else { return blocks.count * Self.block + inner - wholeBlocks * Self.block }
    return blocks[start + block] * Self.block + inner % Self.block
  }
}
