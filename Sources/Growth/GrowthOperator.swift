/// The source of a block of the grown model.
public enum BlockSource: Sendable, Equatable {
  case copy(of: Int)
  case fresh
}

/// A source table: the old block that each block of a deeper model is copied from. It depends only on the depths, not
/// on the model.
///
/// Sources: StackRec (Wang et al., SIGIR 2021) for the first six.
public enum GrowthOperator: String, Codable, Sendable, CaseIterable {
  /// stackA: every block is followed by its copies: 0 0 1 1 2 2 ...
  case adjacent
  /// stackC: a copy of the whole stack on top: 0 1 2 0 1 2 ...
  case cross
  /// stackR: the old blocks, with newly initialised ones on top.
  case random
  /// stackE: embeddings only; every block is newly initialised.
  case embedding
  /// The top k = to - L blocks, each next to its copy.
  case topAdjacent = "top_adjacent"
  /// A copy of the top k = to - L blocks on top.
  case topCross = "top_cross"
  /// Adjacent copying of whole dilation patterns: 0 1 0 1 2 3 2 3 for the pattern of two.
  case dilationAware = "dilation_aware"
  /// The middle blocks are repeated (MIDAS, 2024).
  case middle
  /// Two copies of the stack with the seam cut out: the first without its last blocks, the second without its first
  /// ones (SOLAR, arXiv 2312.15166).
  case trimmedSeam = "trimmed_seam"

  /// The default depth: twice the old one, minus one block on each side of a trimmed seam.
  public func defaultDepth(from old: Int) -> Int { self == .trimmedSeam ? 2 * old - 2 : 2 * old }

  /// The sources of a model of `new` blocks grown from one of `old`; `period` is the length of the pattern of
  /// dilations (1 if all blocks are alike).
  public func sources(from old: Int, to new: Int, period: Int = 1) throws(GrowthError) -> [BlockSource] {
    // Without old blocks there is nothing to copy.
    guard old >= 1 || (self == .random || self == .embedding) && new >= 1 else { throw .noBlocks }
    guard new > old || (self == .trimmedSeam && old < 3) else { throw .notDeeper(from: old, to: new) }
    let extra = new - old
    switch self {
    case .adjacent:
      // Spread evenly, also if `new` is not a multiple of `old`.
      return (0..<new).map { .copy(of: $0 * old / new) }
    case .cross:
      return (0..<new).map { .copy(of: $0 % old) }
    case .random:
      return (0..<new).map { $0 < old ? .copy(of: $0) : .fresh }
    case .embedding:
      return Array(repeating: .fresh, count: new)
    case .topAdjacent:
      try atMostOld(extra, old, new)
      let base = old - extra
      return (0..<new).map { .copy(of: $0 < base ? $0 : base + ($0 - base) / 2) }
    case .topCross:
      try atMostOld(extra, old, new)
      return (0..<new).map { .copy(of: $0 < old ? $0 : $0 - extra) }
    case .dilationAware:
      guard old % period == 0, new % period == 0 else { throw .notWholePatterns(period: period, from: old, to: new) }
      let groups = old / period
      return (0..<new).map { .copy(of: ($0 / period) * groups / (new / period) * period + $0 % period) }
    case .middle:
      try atMostOld(extra, old, new)
      let first = (old - extra) / 2
      return (0..<new).map { .copy(of: $0 < first + extra ? $0 : $0 - extra) }
    case .trimmedSeam:
      guard new < 2 * old, (2 * old - new) % 2 == 0 else { throw .noSeam(from: old, to: new) }
      let kept = new / 2
      return (0..<new).map { .copy(of: $0 < kept ? $0 : $0 - kept + (old - kept)) }
    }
  }

  private func atMostOld(_ extra: Int, _ old: Int, _ new: Int) throws(GrowthError) {
    if extra > old { throw .moreThanTwice(by: self, from: old, to: new) }
  }
}
