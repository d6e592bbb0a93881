import Datasets
import Evaluation
import Kernels
import Layers

/// Computes the steps of a training. `TiledStep` uses the processors of this machine; another backend could use several
/// machines or an accelerator. A step calls `gradients`, `exchange` and `update`, in this order. Calls are per batch, so
/// dynamic dispatch costs nothing.
protocol StepBackend: AnyObject {
  /// Computes the gradients of a batch and returns its loss. The backend stores the gradients.
  ///
  /// - Parameters:
  ///   - negatives: the negatives that all positions share; nil if the loss has none.
  ///   - dropout: the dropout masks; nil: no dropout.
  ///   - lowestBlock: the lowest block that needs a gradient. If it is above 0, the embeddings need none either.
  func gradients(_ batch: Batch, negatives: Negatives?, dropout: (any DropoutMasks)?, lowestBlock: Int) -> Double
  /// Sums the gradients of the batch over all lanes, and over all processes if there are several.
  func exchange()
  /// Updates the parameters with the gradients.
  ///
  /// - Parameters:
  ///   - rate: the learning rate after the schedule.
  ///   - frozen: the parameters that are not updated; nil: all are.
  func update(_ optimizer: any Optimizer, rate: Double, frozen: FrozenPart?)
  /// Moves an average of the parameters towards the current ones: `average = decay average + (1 - decay) parameters`.
  func updateAverage(_ average: FloatBuffer, decay: Double)
  /// The ranks of the targets of `set`: see `Ranking.ranks`.
  ///
  /// - Parameter average: the parameters to rank with; nil: the current ones.
  func ranks(on set: SequenceSet, with average: FloatBuffer?, by rule: RankingRule, limit: Int?) -> [Rank]
  /// The parameters and the optimizer's state after the last update.
  var state: (parameters: FloatBuffer, optimizer: OptimizerState) { get }
}
