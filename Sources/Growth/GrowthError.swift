/// The reason why a growth is not possible.
public indirect enum GrowthError: Error, Equatable, Sendable {
  /// A model without blocks has none to copy.
  case noBlocks
  /// The new depth is not above the old one.
  case notDeeper(from: Int, to: Int)
  /// The operator copies whole patterns of dilations, and a depth is not a multiple of the pattern.
  case notWholePatterns(period: Int, from: Int, to: Int)
  /// A trimmed seam removes the same number of blocks, at least one, from both copies.
  case noSeam(from: Int, to: Int)
  /// The operator adds at most as many blocks as there are.
  case moreThanTwice(by: GrowthOperator, from: Int, to: Int)
  /// No block of the new model can take the place of an old one, so the scores cannot be preserved.
  case cannotPreserve(block: Int, signature: String)
  /// The model's blocks cannot be the identity, so the scores cannot be preserved.
  case neverSilent(signature: String)
  /// An error of one of several phases, counted from 1.
  case inPhase(Int, GrowthError)
}
