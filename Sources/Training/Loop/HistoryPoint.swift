import Evaluation

/// One evaluation on the validation part in the course of a run.
public struct HistoryPoint: Sendable {
  /// The number of steps before the evaluation, over all phases.
  public let step: Int
  /// The number of epochs before the evaluation, over all phases.
  public let epoch: Double
  /// The training time so far in wall-clock seconds, without evaluation.
  public let seconds: Double
  /// The training time so far in processor seconds, summed over all threads.
  public let cpuSeconds: Double
  /// The mean training loss since the previous point; nil at the beginning of a phase.
  public let loss: Double?
  /// The learning rate of the last step, or of the next one at the beginning of a phase. nil in runs of version 0.1, which
  /// had a constant rate.
  public let rate: Double?
  /// The metrics on the validation part.
  public let metrics: [Metric: Double]
  /// The index of the phase, from 0.
  public let phase: Int
  public let blocks: Int
}

extension HistoryPoint {
  /// The same point after further steps and time.
  func later(steps: Int, epochs: Double, seconds: Double, cpu: Double) -> HistoryPoint {
    HistoryPoint(
      step: step + steps, epoch: epoch + epochs, seconds: self.seconds + seconds, cpuSeconds: cpuSeconds + cpu, loss: loss, rate: rate,
      metrics: metrics,
      phase: phase, blocks: blocks)
  }

  /// The point of a training that was interrupted before its first evaluation.
  static let unknown = HistoryPoint(
    step: 0, epoch: 0, seconds: 0, cpuSeconds: 0, loss: nil, rate: nil, metrics: [:], phase: 0, blocks: 0)
}
