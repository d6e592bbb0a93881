import Datasets
import Layers

/// The vocabularies of a model: the names of the items and users that its embedding rows stand for.
public struct Vocabularies: Sendable, Equatable {
  public let items: Vocabulary
  /// The users; nil for models without user embeddings.
  public let users: Vocabulary?
  /// The items that a fine-tuned model ranks; nil for other models.
  public let targets: Vocabulary?

  public init(items: Vocabulary, users: Vocabulary?, targets: Vocabulary?) {
    self.items = items
    self.users = users
    self.targets = targets
  }

  /// The vocabularies of a set of sequences.
  public init(_ set: SequenceSet) {
    self.init(items: set.items, users: set.hasUsers ? set.userNames : nil, targets: set.targetItems)
  }

  /// Why a model with these vocabularies cannot read a set of sequences; nil if it can.
  public func mismatch(with set: SequenceSet, _ network: any Network) -> VocabularyMismatch? {
    if let longest = network.maximumLength, longest < set.length { return .length(model: longest, data: set.length) }
    guard items == set.items else { return .items(model: items.count - 1, data: set.items.count - 1) }
    if targets != set.targetItems {
      return targets == nil ? .targetsUnknown : .targetsOfAnother
    }
    if network.timeReference != nil, !set.hasTimes { return .times }
    return network.embedsUsers && users != set.userNames ? .users : nil
  }
}

/// Why a model cannot read a set of sequences. Lengths and counts are numbers of items, without the pad.
public enum VocabularyMismatch: Error, Sendable, Equatable {
  /// The sequences are longer than the model can read.
  case length(model: Int, data: Int)
  /// The model has other items.
  case items(model: Int, data: Int)
  /// The sequences have a target vocabulary, the model has none.
  case targetsUnknown
  /// The model ranks another target vocabulary.
  case targetsOfAnother
  /// The model has embeddings of other users.
  case users
  /// The model reads the times of events, and the sequences have none.
  case times
}

extension Model {
  /// The same model with the rows of its tables in the order of the set's vocabularies. nil if the names differ, or if they
  /// are in the same order already.
  public func reordered(_ known: Vocabularies, for set: SequenceSet) -> (model: Model, known: Vocabularies)? {
    let (modelRanked, setRanked) = (known.targets ?? known.items, set.rankedItems)
    guard (known.targets == nil) == (set.targetItems == nil), let items = Self.order(known.items, set.items),
      let ranked = Self.order(modelRanked, setRanked)
    else { return nil }
    var users: [Int]?
    if network.embedsUsers {
      guard let names = known.users, let order = Self.order(names, set.userNames, pad: false) else { return nil }
      users = order
    }
    if known.items == set.items, modelRanked == setRanked, !network.embedsUsers || known.users == set.userNames { return nil }
    let twin = copy()
    func move(_ slot: Slot, width: Int, _ order: [Int]) {
      for (row, old) in order.enumerated() where row != old {
        (twin.values.base + slot.offset + row * width).update(from: values.base + slot.offset + old * width, count: width)
      }
    }
    for table in network.rowTables { move(table.slot, width: table.width, table.rowsAre == .items ? items : users ?? []) }
    move(network.output.weight, width: network.output.width, ranked)
    if let bias = network.output.bias { move(bias, width: 1, ranked) }
    return (twin, Vocabularies(set))
  }

  /// For every number of `new`, the number of the same name in `old`; nil if the two do not have the same names.
  private static func order(_ old: Vocabulary, _ new: Vocabulary, pad: Bool = true) -> [Int]? {
    if old == new { return Array(0..<old.count) }
    let first = pad ? 1 : 0
    guard old.count == new.count else { return nil }
    let numbers = Dictionary(
      old.names.enumerated().dropFirst(first).map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var order = Array(0..<first)
    for name in new.names.dropFirst(first) {
      guard let number = numbers[name] else { return nil }
      order.append(number)
    }
    return Set(order).count == order.count ? order : nil
  }
}
