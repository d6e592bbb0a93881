import Evaluation

/// One evaluation during training.
public struct HistoryPoint: Sendable {
  /// Steps, epochs and time from the very beginning of the run, all phases counted.
  public let step: Int
  public let epoch: Double
  /// Training time: wall-clock seconds, evaluation and growth's own evaluation left out.
  public let seconds: Double
  /// Processor seconds of training, all threads.
  public let cpuSeconds: Double
  /// Mean training loss since the point before; nil right after the start or a growth.
  public let loss: Double?
  /// Learning rate of the step before, or of the first; nil in runs of version 0.1, which had one rate.
  public let rate: Double?
  /// Validation metrics by name.
  public let metrics: [Metric: Double]
  public let phase: Int
  public let blocks: Int
}

extension HistoryPoint {
  /// Of a training that was interrupted before its first evaluation.
  static let unknown = HistoryPoint(
    step: 0, epoch: 0, seconds: 0, cpuSeconds: 0, loss: nil, rate: nil, metrics: [:], phase: 0, blocks: 0)
}
