import Datasets
import Kernels
import Layers

/// Bare training steps, one after the other, without evaluation or early stopping: for benchmarks. `Trainer` takes the
/// same steps.
public final class Stepper {
  private let model: Model
  private let set: SequenceSet
  private let batches: Batches
  private let makeBatch: BatchMaker
  private let engine: StepEngine
  private let negatives: NegativeSampler?
  private let adam: AdamState
  private let options = AdamOptions()

  public init(_ model: Model, on set: SequenceSet, loss: Loss, batch: Int, seed: UInt64 = 1, pool: WorkerPool) {
    self.model = model
    self.set = set
    batches = Batches(set, size: batch, seed: seed, phase: 0)
    negatives = NegativeSampler(for: loss, set, seed: seed)
    makeBatch = BatchMaker(set, model.network, loss: loss, padsCount: false, seed: seed)
    engine = StepEngine(
      model.network, loss: loss, length: set.length, batch: min(batch, set.count), negatives: negatives?.count, pool: pool)
    adam = AdamState(model.network.layout)
  }

  /// Takes step `step`, from 0; returns the loss before it.
  public func step(_ step: Int) -> Double {
    let batch = makeBatch(batches.indices(step: step), step: step)
    let loss = engine.gradients(
      batch, parameters: model.values, negatives: negatives?.draw(step: UInt64(step)), dropout: makeBatch.dropout(step))
    let update = AdamStep(options, state: adam, parameters: model.values, step: step + 1)
    engine.reduce(batch, lazy: options.lazy) { offset, count, g in update.apply(offset, count, g) }
    return loss
  }
}
