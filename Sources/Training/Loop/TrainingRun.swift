import Datasets
import Evaluation
import Layers

/// The result of a finished or interrupted training: the best model, the history of evaluations and the training time.
public final class TrainingRun: Sendable {
  public let name: String
  public let model: Model
  public let data: Split
  public let recipe: Recipe
  public let history: [HistoryPoint]
  public let growths: [GrowthMark]
  public let stop: StopReason
  /// The evaluation of the run's model.
  public let best: HistoryPoint
  /// The time of all evaluations in wall-clock seconds.
  public let evaluationSeconds: Double
  /// What an interrupted run resumes from; nil for others.
  let pending: Pending?

  /// The initial model and the state of an interrupted run.
  ///
  /// `@unchecked Sendable`: nothing changes it after the run; resuming copies the state.
  struct Pending: @unchecked Sendable {
    let start: Model
    let checkpoint: TrainingCheckpoint
  }

  init(
    name: String, model: Model, data: Split, recipe: Recipe, history: [HistoryPoint],
    growths: [GrowthMark], stop: StopReason, best: HistoryPoint, evaluationSeconds: Double, pending: Pending? = nil
  ) {
    self.pending = pending
    self.name = name
    self.model = model
    self.data = data
    self.recipe = recipe
    self.history = history
    self.growths = growths
    self.stop = stop
    self.best = best
    self.evaluationSeconds = evaluationSeconds
  }

  /// Whether the run was interrupted, so that `Trainer.resume` can continue it.
  public var canResume: Bool { pending != nil }

  /// The number of sampled candidates per validation target; nil for a full ranking.
  public var sampledCandidates: Int? {
    guard case .sampled(let count, _) = recipe.ranking.candidates, count < data.valid.rankedItems.count - 2 else { return nil }
    return count
  }

  /// Whether two runs were validated on the same sequences with the same number of candidates.
  public func isValidated(like other: TrainingRun) -> Bool {
    data.valid.hasSameSequences(as: other.data.valid) && sampledCandidates == other.sampledCandidates
  }

  /// The number of steps, over all phases.
  public var steps: Int { history.last?.step ?? 0 }
  /// The training time in wall-clock seconds, without evaluation.
  public var seconds: Double { history.last?.seconds ?? 0 }
}
