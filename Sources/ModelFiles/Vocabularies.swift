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

extension Model {
  /// The same model for sequences whose items, users or target items have the model's names in another order: the rows of its
  /// tables are moved. nil where the names are others, or are in the same order already.
  public func reordered(_ known: Vocabularies, for set: SequenceSet) -> (model: Model, known: Vocabularies)? {
    let own = (ranked: known.targets ?? known.items, other: set.rankedItems)
    guard (known.targets == nil) == (set.targetItems == nil), let items = Self.order(known.items, set.items),
      let ranked = Self.order(own.ranked, own.other)
    else { return nil }
    var users: [Int]?
    if network.embedsUsers {
      guard let names = known.users, let order = Self.order(names, set.userNames, pad: false) else { return nil }
      users = order
    }
    if known.items == set.items, own.ranked == own.other, !network.embedsUsers || known.users == set.userNames { return nil }
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

  /// By number of `new`, the number of `old` that has the same name; nil where they are not the same names.
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
