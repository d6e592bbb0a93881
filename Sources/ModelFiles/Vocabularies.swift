import Datasets
import Layers

/// The names behind a model's numbers: what it was built with and can be evaluated on.
public struct Vocabularies: Sendable, Equatable {
  public let items: Vocabulary
  /// Of models that embed users.
  public let users: Vocabulary?
  /// Of fine-tuned models: the items they rank.
  public let targets: Vocabulary?

  public init(items: Vocabulary, users: Vocabulary?, targets: Vocabulary?) {
    self.items = items
    self.users = users
    self.targets = targets
  }

  public init(_ set: SequenceSet) {
    self.init(items: set.items, users: set.hasUsers ? set.userNames : nil, targets: set.targetItems)
  }

  /// Why a model that knows these cannot read a set of sequences; nil if it can.
  public func mismatch(with set: SequenceSet, _ network: any Network) -> VocabularyMismatch? {
    if let longest = network.maximumLength, longest < set.length { return .length(model: longest, data: set.length) }
    guard items == set.items else { return .items(model: items.count - 1, data: set.items.count - 1) }
    if targets != set.targetItems {
      return targets == nil ? .targetsUnknown : .targetsOfAnother
    }
    return network.embedsUsers && users != set.userNames ? .users : nil
  }
}

/// Why a model cannot read some sequences. Lengths and counts are of items, the pad left out.
public enum VocabularyMismatch: Error, Sendable, Equatable {
  /// The sequences are longer than the model reads.
  case length(model: Int, data: Int)
  /// The items are others.
  case items(model: Int, data: Int)
  /// The sequences ask for items of a target vocabulary that the model does not know.
  case targetsUnknown
  /// The model ranks a target vocabulary that is not that of the sequences.
  case targetsOfAnother
  /// The model embeds other users.
  case users
}
