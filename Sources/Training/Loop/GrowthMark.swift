import Growth

/// A growth during a run.
public struct GrowthMark: Sendable {
  public let step: Int
  public let epoch: Double
  public let seconds: Double
  public let from: Int
  public let to: Int
  public let by: GrowthOperator
  public let carry: String
}
