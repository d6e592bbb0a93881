import Evaluation

/// How far a training is.
public struct TrainingProgress: Sendable {
  public let name: String
  public let phase: Int
  public let phases: Int
  public let blocks: Int
  public let step: Int
  /// Steps of all phases together, where they are known.
  public let plannedSteps: Int?
  public let stepsPerSecond: Double
  public let sequencesPerSecond: Double
  public let loss: Double?
  /// Learning rate of the step.
  public let rate: Double
  public let watched: Metric
  public let value: Double?
  public let best: Double?
  public let secondsLeft: Double?
}

/// Who looks on: shows progress, and can stop a run between steps.
public protocol TrainingObserver {
  /// Before the first step: the largest model of the training, and about how much memory its steps take.
  func planned(name: String, blocks: Int, parameters: Int, bytes: Double)
  func stepped(_ progress: TrainingProgress)
  /// After every evaluation.
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint)
  func grew(_ mark: GrowthMark, name: String)
  var shouldStop: Bool { get }
}

extension TrainingObserver {
  public func planned(name: String, blocks: Int, parameters: Int, bytes: Double) {}
}
