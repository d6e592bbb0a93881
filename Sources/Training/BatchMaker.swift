import Datasets
import Kernels
import Layers

/// Makes the batch of a step as a network and a loss want it: masked, shared, with pairwise negatives.
struct BatchMaker {
  private let set: SequenceSet
  private let network: any Network
  private let loss: Loss
  private let padsCount: Bool
  private let seed: UInt64
  private let masks: RandomStream

  init(_ set: SequenceSet, _ network: any Network, loss: Loss, padsCount: Bool, seed: UInt64) {
    self.set = set
    self.network = network
    self.loss = loss
    self.padsCount = padsCount
    self.seed = seed
    masks = RandomStream(seed: seed, "masking")
  }

  func callAsFunction(_ indices: [Int], step: Int) -> Batch {
    var batch = Batch(
      set, indices[...], objective: network.objective, padsCount: padsCount,
      masking: { masked(indices, $0, step: step) })
    if let sharing = network.sharing {
      batch.share(sharing, users: set.userNames.count, items: set.items.count, seed: seed, step: UInt64(step))
    }
    if case .pairwise = loss { batch.drawNegatives(items: set.rankedItems.count, seed: seed, step: UInt64(step)) }
    return batch
  }

  /// Masks of dropout at a step.
  func dropout(_ step: Int) -> any DropoutMasks { StreamMasks(seed: seed, step: UInt64(step)) }

  /// A fifth of a sequence's places after its first item, at least one and at most fifty, for objectives that mask. Pads
  /// are no places: a short history keeps something to be seen.
  private func masked(_ indices: [Int], _ place: Int, step: Int) -> Set<Int> {
    guard network.objective != .nextItem else { return [] }
    let sequence = set.sequence(indices[place])
    let first = sequence.firstIndex { $0 != 0 } ?? sequence.endIndex
    let candidates = (0..<set.length).filter { sequence.startIndex + $0 > first && sequence[sequence.startIndex + $0] != 0 }
    let count = min(candidates.count, max(1, min(50, Int((Double(candidates.count) * 0.2).rounded()))))
    var numbers = masks.numbers(at: UInt64(step) << 20 | UInt64(place))
    return Set(numbers.permutation(candidates.count).prefix(count).map { candidates[$0] })
  }
}
