/// The rank of a target: how many items have a higher score, and how many others have the same score.
///
/// Items with the same score have no order. The metrics take the expectation over all orders of the tied items, each equally
/// likely. So a scorer that gives every item the same score gets the metrics of a random ranking.
public struct Rank: Sendable, Hashable {
  /// The number of items with a higher score than the target.
  public let above: Int
  /// The number of other items with the same score as the target.
  public let tied: Int

  public init(above: Int, tied: Int = 0) {
    self.above = above
    self.tied = tied
  }

  /// A rank below the cut-off of every metric.
  public static let beyond = Rank(above: .max)

  /// The mean of `value(position)` over all orders of the tied items. Positions count from 0; from `k` on the value is 0.
  func mean(below k: Int, _ value: (_ position: Int) -> Double) -> Double {
    guard above < k else { return 0 }
    if tied == 0 { return value(above) }
    let last = tied < k - above ? above + tied : k - 1
    return (above...last).reduce(0) { $0 + value($1) } / (Double(tied) + 1)
  }
}
