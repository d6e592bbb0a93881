import Datasets
import Kernels
import Layers

/// Creates the batch, or batches, of a step for a network and a loss: with masks, shared embeddings and negatives per row, if they need
/// these.
struct BatchMaker {
  private let set: SequenceSet
  private let network: any Network
  private let loss: any Loss
  private let batchSize: Int?
  private let length: Int
  private let padsCount: Bool
  private let seed: UInt64
  private let masks: RandomStream
  private let negatives: OwnNegativeSampler?

  /// - Parameters:
  ///   - batchSize: the number of sequences of a batch, if a step has several; nil: it has one.
  ///   - length: the number of items of a sequence that are used, the latest ones; nil: all.
  init(
    _ set: SequenceSet, _ network: any Network, loss: any Loss, batchSize: Int? = nil, length: Int? = nil, padsCount: Bool,
    seed: UInt64
  ) {
    self.length = length ?? set.length
    self.batchSize = batchSize
    self.set = set
    self.network = network
    self.loss = loss
    self.padsCount = padsCount
    self.seed = seed
    masks = RandomStream(seed: seed, "masking")
    negatives = loss.ownNegatives(rows: set.rankedItems.count).map { rule in
      // The transfer task draws from the target's items, uniformly.
      let popularity = set.targetItems.map { [Int](repeating: 1, count: $0.count) }
      return OwnNegativeSampler(rule, popularity: popularity ?? set.uses(), seed: seed)
    }
  }

  func callAsFunction(_ indices: [Int], step: Int) -> Batch {
    var batch = Batch(
      set, indices[...], size: batchSize, length: length, objective: network.objective, pads: network.pads, padsCount: padsCount,
      mask: network.maskItem,
      readsTimes: network.timeReference != nil,
      masking: { index, sequence in
        network.objective.masked(
          sequence, pads: padsCount, masks.numbers(at: UInt64(step) << 20 | UInt64(index)))
      })
    if let sharing = network.sharing {
      batch.share(sharing, users: set.userNames.count, items: set.items.count, seed: seed, step: UInt64(step))
    }
    negatives?.draw(into: &batch, step: UInt64(step))
    return batch
  }

  /// The dropout masks of a step.
  func dropout(_ step: Int) -> any DropoutMasks { StreamMasks(seed: seed, step: UInt64(step)) }
}
