import Datasets
import Evaluation
import Layers

/// A finished (or interrupted) training: the best model, how it got there, and what it cost.
public final class TrainingRun: Sendable {
  public let name: String
  public let model: Model
  public let data: Split
  public let recipe: Recipe
  public let history: [HistoryPoint]
  public let growths: [GrowthMark]
  public let stop: StopReason
  /// The evaluation whose parameters the model has.
  public let best: HistoryPoint
  public let evaluationSeconds: Double
  /// Of an interrupted run: what it goes on from.
  let pending: Pending?

  /// The rest of an interrupted run.
  ///
  /// `@unchecked Sendable`: nothing changes it after the run; who goes on works on a copy.
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

  /// Can it go on from where it was interrupted?
  public var canResume: Bool { pending != nil }

  /// How many sampled items the validation targets were ranked among; nil where it was all of them.
  public var sampledCandidates: Int? {
    guard case .sampled(let count, _) = recipe.candidates, count < data.valid.rankedItems.count - 2 else { return nil }
    return count
  }

  /// Were two runs validated on the same sequences, against the same candidates?
  public func isValidated(like other: TrainingRun) -> Bool {
    data.valid.hasSameSequences(as: other.data.valid) && sampledCandidates == other.sampledCandidates
  }

  public var steps: Int { history.last?.step ?? 0 }
  public var seconds: Double { history.last?.seconds ?? 0 }
}
