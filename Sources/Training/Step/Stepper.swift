import Datasets
import Kernels
import Layers

/// Runs training steps without evaluation or early stopping, for benchmarks. `Trainer` runs the same steps.
public final class Stepper {
  private let batches: Batches
  private let makeBatch: BatchMaker
  private let backend: any StepBackend
  private let negatives: NegativeSampler?
  private let optimizer = Adam()

  public init(_ model: Model, on set: SequenceSet, loss: any Loss, batch: Int, seed: UInt64 = 1, pool: WorkerPool) {
    batches = Batches(set, size: batch, seed: seed, phase: 0)
    negatives = loss.sampler(set, seed: seed)
    makeBatch = BatchMaker(set, model.network, loss: loss, padsCount: false, seed: seed)
    backend = TiledStep(
      model, OptimizerState(optimizer, model.network.layout), loss: loss, length: set.length, batch: min(batch, set.count),
      pool: pool)
  }

  /// Runs step `step`, from 0. Returns the loss of its batch before the update.
  public func step(_ step: Int) -> Double {
    let batch = makeBatch(batches.indices(step: step), step: step)
    let loss = backend.gradients(
      batch, negatives: negatives?.draw(step: UInt64(step)), dropout: makeBatch.dropout(step), lowestBlock: 0)
    backend.exchange()
    backend.update(optimizer, rate: optimizer.rate, frozen: nil)
    return loss
  }
}
