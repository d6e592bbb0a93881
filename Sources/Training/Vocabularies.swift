import Datasets
import Layers

/// The names behind a model's numbers: what it was built with, and must be judged on.
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
  public func objection(to set: SequenceSet, _ network: any Network) -> String? {
    if let longest = network.maximumLength, longest < set.length {
      return "the model reads sequences of at most \(longest) items, these have \(set.length)"
    }
    guard items == set.items else {
      return "the model was built on \(items.count - 1) other items than the \(set.items.count - 1) of these sequences"
    }
    if targets != set.targetItems {
      return targets == nil
        ? "these sequences ask for items of a target vocabulary, which this model does not know"
        : "this model was fine-tuned on a target data set, and these sequences are of another vocabulary"
    }
    if network.rowTables.contains(where: { !$0.perPosition }), users != set.userNames {
      return "the model embeds other users than those of these sequences"
    }
    return nil
  }
}
