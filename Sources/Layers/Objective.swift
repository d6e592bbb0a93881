import Kernels

/// What a model is trained to predict, and what that asks of batches, of ranking and of benchmarks.
public enum Objective: Sendable, CaseIterable {
  /// The item at position i + 1 from the items up to i, at every position.
  case nextItem
  /// Masked items, from the output at their own position.
  case maskedItem
  /// Masked items, from the output one position before them; all items of the sequence are read.
  case maskedItemAhead
  /// The item at position i + 1 from the items up to i, where it is masked; the last item is never read, and at test nothing
  /// is masked: next-item prediction at some positions over a masked input.
  case maskedNextItem

  /// Are items of the input replaced by the mask, which is the pad?
  public var masks: Bool { self != .nextItem }

  /// Positions that the network reads of sequences of `length` items.
  public func positions(length: Int) -> Int {
    switch self {
    case .nextItem, .maskedNextItem: length - 1
    case .maskedItem, .maskedItemAhead: length
    }
  }

  /// Items of a sequence of `length` that the network may see when the last one is asked for. Nobody may see that one,
  /// decoders included.
  public func visibleItems(length: Int) -> Int { length - 1 }

  /// The position whose output predicts the last item, of `positions`.
  public func lastPredicting(_ positions: Int) -> Int { self == .maskedItemAhead ? positions - 2 : positions - 1 }

  /// The place in its sequence of what position `t` must predict while training; nil: nothing.
  ///
  /// - Parameters:
  ///   - t: the position, from 0.
  ///   - masked: the positions whose items are masked.
  ///   - lastOnly: the last item is of another vocabulary and is all that is predicted.
  ///   - positions: how many there are.
  public func target(at t: Int, masked: Set<Int>, lastOnly: Bool, positions: Int) -> Int? {
    switch self {
    case .nextItem: !lastOnly || t == positions - 1 ? t + 1 : nil
    case .maskedItem: masked.contains(t) ? t : nil
    case .maskedItemAhead, .maskedNextItem: masked.contains(t + 1) ? t + 1 : nil
    }
  }

  /// The positions that a training step masks: a fifth of the items after the first, at least one and at most fifty.
  ///
  /// - Parameter pads: pads may be masked too, as the reference does; else they are no items, so a short history keeps
  ///   something to be seen.
  public func masked(_ sequence: ArraySlice<Int32>, pads: Bool, _ numbers: @autoclosure () -> RandomNumbers) -> Set<Int> {
    guard masks else { return [] }
    let start = sequence.startIndex
    let first = pads ? start : sequence.firstIndex { $0 != 0 } ?? sequence.endIndex
    let candidates = sequence.indices.filter { $0 > first && (pads || sequence[$0] != 0) }.map { $0 - start }
    let count = min(candidates.count, max(1, min(50, Int((Double(candidates.count) * 0.2).rounded()))))
    var numbers = numbers()
    return Set(numbers.permutation(candidates.count).prefix(count).map { candidates[$0] })
  }

  /// About how many positions of a full sequence are predicted in a training step.
  public func predictedPositions(_ positions: Int) -> Double { masks ? Double(positions) / 5 : Double(positions) }
}
