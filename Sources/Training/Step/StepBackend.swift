import Datasets
import Evaluation
import Kernels
import Layers

/// Who computes the steps of a training: on this machine's processors, on several machines, on an accelerator. A step is
/// `gradients`, `exchange`, `update`, in this order. Nothing below a whole batch is dispatched through here.
protocol StepBackend: AnyObject {
  /// Loss of a batch; its gradients stay here.
  ///
  /// - Parameters:
  ///   - negatives: that all positions share, where the loss has such.
  ///   - dropout: its masks; nil: none.
  ///   - lowestBlock: no block below it, nor the embeddings, needs a gradient.
  func gradients(_ batch: Batch, negatives: Negatives?, dropout: (any DropoutMasks)?, lowestBlock: Int) -> Double
  /// Adds up the gradients of the batch: those of all lanes, and of all processes.
  func exchange()
  /// Moves the parameters by the gradients.
  ///
  /// - Parameters:
  ///   - rate: the learning rate, schedule included.
  ///   - frozen: what stands still; nil: nothing.
  func update(_ optimizer: any Optimizer, rate: Double, frozen: FrozenPart?)
  /// The ranks of a set's targets by the parameters as they are: see `Ranking.ranks`.
  func ranks(on set: SequenceSet, among candidates: RankingCandidates, limit: Int?) -> [Rank]
  /// Parameters and optimizer state, as they are after the last update.
  var state: (parameters: FloatBuffer, optimizer: OptimizerState) { get }
}
