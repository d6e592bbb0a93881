import Kernels

/// What a model is trained to predict. It determines targets and masks of batches and which hidden state is ranked.
public enum Objective: Sendable, CaseIterable {
  /// At every position i, predicts the item at position i + 1 from the items up to i.
  case nextItem
  /// Predicts each masked item from the hidden state at its own position.
  case maskedItem
  /// Predicts each masked item from the output one position before it. The network reads all items of the sequence.
  case maskedItemAhead
  /// Like `nextItem` on masked input, but only masked items are predicted. The network never reads the last item. In
  /// evaluation, no item is masked.
  case maskedNextItem

  /// Whether input items are masked: see `Network.maskItem`.
  public var masks: Bool { self != .nextItem }

  /// The number of positions that the network reads of a sequence of `length` items.
  public func positions(length: Int) -> Int {
    switch self {
    case .nextItem, .maskedNextItem: length - 1
    case .maskedItem, .maskedItemAhead: length
    }
  }

  /// The number of items that the network reads when it predicts the last item of a sequence: all others.
  public func visibleItems(length: Int) -> Int { length - 1 }

  /// The position, of `positions`, whose hidden state predicts the last item.
  public func lastPredicting(_ positions: Int) -> Int { self == .maskedItemAhead ? positions - 2 : positions - 1 }

  /// The index, in the sequence, of the item that position `t` predicts in training; nil if `t` predicts nothing.
  ///
  /// - Parameters:
  ///   - t: the position, from 0.
  ///   - masked: the positions whose items are masked.
  ///   - lastOnly: true if only the last item is predicted, because it belongs to another vocabulary.
  ///   - positions: the number of positions.
  public func target(at t: Int, masked: Set<Int>, lastOnly: Bool, positions: Int) -> Int? {
    switch self {
    case .nextItem: !lastOnly || t == positions - 1 ? t + 1 : nil
    case .maskedItem: masked.contains(t) ? t : nil
    case .maskedItemAhead, .maskedNextItem: masked.contains(t + 1) ? t + 1 : nil
    }
  }

  /// The positions that a training step masks: a random fifth of the items after the first one, at least one and at most
  /// fifty.
  ///
  /// - Parameters:
  ///   - sequence: the items of a sequence.
  ///   - pads: true if pads may be masked too, as in the reference; otherwise pads do not count as items, and the first item
  ///     is never masked, so a short history keeps one visible item.
  ///   - numbers: the random numbers of the sequence and the step.
  public func masked(_ sequence: ArraySlice<Int32>, pads: Bool, _ numbers: @autoclosure () -> RandomNumbers) -> Set<Int> {
    guard masks else { return [] }
    let start = sequence.startIndex
    let first = pads ? start : sequence.firstIndex { $0 != 0 } ?? sequence.endIndex
    let candidates = sequence.indices.filter { $0 > first && (pads || sequence[$0] != 0) }.map { $0 - start }
    let count = min(candidates.count, max(1, min(50, Int((Double(candidates.count) * 0.2).rounded()))))
    var numbers = numbers()
    return Set(numbers.permutation(candidates.count).prefix(count).map { candidates[$0] })
  }

  /// The approximate number of positions of a full sequence that a training step predicts.
  public func predictedPositions(_ positions: Int) -> Double { masks ? Double(positions) / 5 : Double(positions) }
}
