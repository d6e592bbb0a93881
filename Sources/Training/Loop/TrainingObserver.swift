import Evaluation

/// The progress of a training.
public struct TrainingProgress: Sendable {
  public let name: String
  /// The number of the phase, from 1.
  public let phase: Int
  public let phases: Int
  public let blocks: Int
  /// The number of steps so far, over all phases.
  public let step: Int
  /// The number of steps of all phases; nil if it is not known in advance.
  public let plannedSteps: Int?
  public let stepsPerSecond: Double
  public let sequencesPerSecond: Double
  public let loss: Double?
  /// The learning rate of the last step.
  public let rate: Double
  /// The watched metric.
  public let watched: Metric
  /// Its value at the last evaluation.
  public let value: Double?
  /// Its best value in this phase.
  public let best: Double?
  /// An estimate of the remaining training time in seconds; nil if it cannot be estimated.
  public let secondsLeft: Double?
}

/// Observes a training. It can show the progress and stop the training between two steps.
public protocol TrainingObserver {
  /// Called before the first step, with the size of the largest model of the training and about how much memory in bytes the
  /// training takes.
  func planned(name: String, blocks: Int, parameters: Int, bytes: Double)
  /// Called after every step.
  func stepped(_ progress: TrainingProgress)
  /// Called during an evaluation, with the share of the sequences that were begun.
  func evaluating(_ share: Double, name: String)
  /// Called after every evaluation.
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint)
  /// Called after every growth.
  func grew(_ mark: GrowthMark, name: String)
  /// Whether the training should stop before the next step.
  var shouldStop: Bool { get }
}

/// Observes the trials of a growth: their steps are shown, but they are not part of the run until one is chosen.
struct TrialObserver: TrainingObserver {
  let observer: any TrainingObserver

  var shouldStop: Bool { observer.shouldStop }
  func stepped(_ progress: TrainingProgress) { observer.stepped(progress) }
  func evaluating(_ share: Double, name: String) { observer.evaluating(share, name: name) }
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) {}
  func grew(_ mark: GrowthMark, name: String) {}
}

extension TrainingObserver {
  public func planned(name: String, blocks: Int, parameters: Int, bytes: Double) {}
  public func evaluating(_ share: Double, name: String) {}
}
