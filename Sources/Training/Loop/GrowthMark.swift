import Growth

/// A growth in the course of a run.
public struct GrowthMark: Sendable {
  /// The number of steps before the growth, over all phases.
  public let step: Int
  public let epoch: Double
  /// The training time in seconds, the growth included.
  public let seconds: Double
  /// The number of blocks before the growth.
  public let from: Int
  /// The number of blocks after it.
  public let to: Int
  public let by: GrowthOperator
  public let carry: String
  /// What was tried, if the growth was chosen by trying; the best one is the growth.
  public var trials: [Trial] = []

  /// One candidate of a growth.
  public struct Trial: Sendable, Codable, Equatable {
    public let name: String
    /// The watched metric at the end of the trial; nil if it diverged.
    public let value: Double?
    public let steps: Int
    /// Training time in seconds.
    public let seconds: Double
  }
}
