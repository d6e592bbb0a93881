import Datasets

/// The items that are left out of a ranking, because the user already had them. The target is always ranked.
public enum HiddenItems: String, Codable, Sendable, CaseIterable {
  /// No item is left out.
  case none
  /// The items of the sequence before the target.
  case window
  /// The items of the user's whole history before the target.
  case seen

  /// Whether a set knows the items to leave out.
  public func isKnown(for set: SequenceSet) -> Bool { self != .seen || set.knowsEarlier }

  /// The items to leave out for a sequence, without duplicates, in ascending order.
  public func items(_ set: SequenceSet, _ index: Int) -> [Int32] {
    guard self != .none else { return [] }
    var items = Set(set.events(index).dropLast())
    if self == .seen { items.formUnion(set.earlier(index)) }
    items.remove(0)
    // In the transfer task the target belongs to another vocabulary, and no item of the sequence is ranked.
    if set.targetItems != nil { return [] }
    items.remove(set.target(index))
    return items.sorted()
  }

  /// The rule as captions write it; nil if no item is left out.
  public var caption: String? {
    switch self {
    case .none: nil
    case .window: "items of the sequence left out"
    case .seen: "items of the user's history left out"
    }
  }
}
