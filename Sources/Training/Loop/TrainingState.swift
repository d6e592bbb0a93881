import Growth
import Kernels
import Layers

/// Everything that changes in the course of a training. Between two steps, a copy of it is enough to resume the training with
/// the same bits: the step number determines all random numbers (`RandomStream`) and batches.
struct TrainingState {
  var model: Model
  var optimizer: OptimizerState
  var step = 0
  var epoch = 0.0
  var seconds = 0.0
  var cpuSeconds = 0.0
  var evaluationSeconds = 0.0
  var history: [HistoryPoint] = []
  var growths: [GrowthMark] = []
  /// The moving average of the parameters in this phase (`Recipe.averageDecay`), which begins with those at the phase's start.
  var average: FloatBuffer?
  var bestValues: FloatBuffer
  /// The optimizer's state at the best values; nil unless a later growth carries it over.
  var bestOptimizer: OptimizerState?
  /// The index of the best evaluation of this phase in `history`.
  var best: Int?
  /// The indices of the blocks that the growth of this phase added.
  var newBlocks: Set<Int> = []
  /// The best model before the growth of this phase. It is the result if the training ends before the larger model is better.
  var fallback: Fallback?
  var phase = PhaseState()

  struct Fallback {
    let model: Model
    /// The index of its evaluation in `history`.
    let best: Int
  }

  /// The state of the current phase.
  struct PhaseState: Codable, Equatable {
    var index = 0
    /// Whether the growth and the first evaluation of the phase are done.
    var isUnderway = false
    /// The number of steps of the phase so far.
    var step = 0
    /// The training time at the beginning of the phase, in seconds.
    var startSeconds = 0.0
    /// The sum of the losses since the last evaluation.
    var lossSum = 0.0
    /// The number of the losses since the last evaluation.
    var lossCount = 0
    var lastLoss: Double?
    /// The running mean of the losses, for the spike guard.
    var meanLoss: Double?
    /// The number of evaluations since the best one, for patience.
    var waiting = 0
    /// The best value of the metric of the next phase's plateau.
    var plateauBest = -1.0
    /// The number of evaluations since that value.
    var plateauWaiting = 0
    /// The factor of the learning rate that the trial of the growth chose; nil: 1.
    var rate: Double?
    /// Whether the training was interrupted during the first evaluation of the phase, which must be repeated. nil: no.
    var isBeginDue: Bool?
    /// Whether the training was interrupted during a later evaluation, which must be repeated. nil: no.
    var isEvaluationDue: Bool?
  }

  init(model: Model, _ recipe: Recipe) {
    self.model = model
    optimizer = OptimizerState(recipe.optimizer, model.network.layout)
    bestValues = model.values.copy()
  }

  var bestPoint: HistoryPoint? { best.map { history[$0] } }

  /// A deep copy, which further training does not change.
  func copy() -> TrainingState {
    var twin = self
    twin.model = model.copy()
    twin.optimizer = optimizer.copy()
    twin.average = average?.copy()
    twin.bestValues = bestValues.copy()
    twin.bestOptimizer = bestOptimizer?.copy()
    return twin
  }
}
