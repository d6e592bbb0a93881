import Growth
import Kernels
import Layers

/// Everything that changes while a training goes on. Between two steps it is all that is needed to go on as if nothing
/// had happened: random numbers belong to steps, not to a generator (`RandomStream`), and batches to steps of a phase.
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
  var bestValues: FloatBuffer
  /// The optimizer's state that belongs to the best values, where a later growth takes it along.
  var bestOptimizer: OptimizerState?
  /// Place of the best evaluation in `history`.
  var best: Int?
  /// Blocks that the growth of this phase added.
  var newBlocks: Set<Int> = []
  /// What was learnt before the growth of this phase, in case that gets no time to pay.
  var fallback: Fallback?
  var phase = PhaseState()

  struct Fallback {
    let model: Model
    let best: Int
  }

  /// Where the present phase stands.
  struct PhaseState: Codable, Equatable {
    var index = 0
    /// Has it begun, with its growth and its first evaluation?
    var isUnderway = false
    var step = 0
    /// Training time when it began.
    var startSeconds = 0.0
    /// Losses since the last evaluation.
    var lossSum = 0.0
    var lossCount = 0
    var lastLoss: Double?
    /// Running mean of the losses, for the spike guard.
    var meanLoss: Double?
    /// Evaluations since the best one.
    var waiting = 0
    /// Of the metric that the next phase's growth waits for.
    var plateauBest = -1.0
    var plateauWaiting = 0
    /// Was the training interrupted inside of the phase's first evaluation, which is to be made again? nil: no.
    var isBeginDue: Bool?
    /// Was the training interrupted inside of an evaluation, which is to be made again? nil: no.
    var isEvaluationDue: Bool?
  }

  init(model: Model, _ recipe: Recipe) {
    self.model = model
    optimizer = OptimizerState(recipe.optimizer, model.network.layout)
    bestValues = model.values.copy()
  }

  var bestPoint: HistoryPoint? { best.map { history[$0] } }

  /// A state that training does not change any more.
  func copy() -> TrainingState {
    var twin = self
    twin.model = model.copy()
    twin.optimizer = optimizer.copy()
    twin.bestValues = bestValues.copy()
    twin.bestOptimizer = bestOptimizer?.copy()
    return twin
  }
}
