/// Where a target stands among the ranked items: how many are scored higher, and how many others are scored the same.
///
/// Items of equal score have no order. A metric is its expectation over all orders of the tied items, each as likely as
/// any other, so a scorer that gives every item the same score gets the metric of a random ranking.
public struct Rank: Sendable, Hashable {
  /// Items scored higher than the target.
  public let above: Int
  /// Other items scored the same as the target.
  public let tied: Int

  public init(above: Int, tied: Int = 0) {
    self.above = above
    self.tied = tied
  }

  /// Behind all that a metric looks at.
  public static let beyond = Rank(above: .max)

  /// The mean of a function of the position, from 0, over all orders of the tied items; positions from `k` on count
  /// nothing.
  func mean(below k: Int, _ value: (_ position: Int) -> Double) -> Double {
    guard above < k else { return 0 }
    if tied == 0 { return value(above) }
    let last = tied < k - above ? above + tied : k - 1
    return (above...last).reduce(0) { $0 + value($1) } / (Double(tied) + 1)
  }
}
