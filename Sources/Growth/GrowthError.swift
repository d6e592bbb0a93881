/// Why a growth cannot be.
public indirect enum GrowthError: Error, Equatable, Sendable {
  /// A model without blocks cannot be stacked.
  case noBlocks
  /// The new depth is not above the old one.
  case notDeeper(from: Int, to: Int)
  /// The operator copies whole patterns of dilations, and a depth is not whole patterns.
  case notWholePatterns(period: Int, from: Int, to: Int)
  /// A trimmed seam leaves out as many blocks of both copies, at least one of each.
  case noSeam(from: Int, to: Int)
  /// The operator adds at most as many blocks as there are.
  case moreThanTwice(by: GrowthOperator, from: Int, to: Int)
  /// No block of the new model does the work of an old one in its place, so the scores cannot stay.
  case cannotPreserve(block: Int, signature: String)
  /// The same of one phase of several, counted from 1.
  case inPhase(Int, GrowthError)
}
