import Datasets
import Evaluation
import Growth
import Kernels
import Layers

/// The training loop: one for every model, one phase or many, from the beginning or from where one stopped.
public struct Trainer {
  let recipe: Recipe
  let name: String
  let data: Split
  let pool: WorkerPool
  let observer: any TrainingObserver
  let keeper: (any CheckpointKeeper)?

  /// - Parameters:
  ///   - recipe: how it is trained.
  ///   - name: what the run is called.
  ///   - data: what it is trained and validated on.
  ///   - pool: the threads to work on.
  ///   - observer: sees what happens; may end the training.
  ///   - keeper: takes the states the training could go on from; nil: nobody does.
  public init(
    _ recipe: Recipe, name: String = "run", data: Split, pool: WorkerPool, observer: any TrainingObserver,
    keeper: (any CheckpointKeeper)? = nil
  ) {
    self.recipe = recipe
    self.name = name
    self.data = data
    self.pool = pool
    self.observer = observer
    self.keeper = keeper
  }

  /// Trains `model` through the phases of the recipe, one after the other; each but the first may grow it. The model given
  /// is not changed; the run's model has the best parameters of the last phase by the watched metric on the validation part;
  /// interrupted or diverged soon after a growth, the better ones from before it.
  ///
  /// - Parameters:
  ///   - model: where it begins.
  ///   - checkpoint: where an earlier training of the same model, data and recipe had got to. What comes out has the bits
  ///     that it would have had without the interruption, times excepted.
  /// - Throws: `TrainingError`, `GrowthError` or `MemoryBudget.Exceeded`, before anything is trained, for what cannot be.
  public func run(_ model: Model, from checkpoint: TrainingCheckpoint? = nil) throws -> TrainingRun {
    try check(model)
    var state = checkpoint?.state.copy() ?? TrainingState(model: model.copy(), recipe)
    var pending: TrainingState?
    var stop = StopReason.finished
    while true {
      if !state.phase.isUnderway { try grow(&state, recipe.phases[state.phase.index]) }
      let phase = PhaseRun(self, state)
      if !state.phase.isUnderway || state.phase.isBeginDue == true, !phase.begin(&state) {
        (stop, pending) = (.interrupted, state.copy())
        break
      }
      let end = try phase.run(&state)
      (stop, pending) = (end.stop, end.pending)
      if stop == .finished, state.phase.index + 1 == recipe.phases.count { return finished(state) }
      state.model.values.assign(state.bestValues)
      guard stop != .interrupted, !stop.isDivergence, state.phase.index + 1 < recipe.phases.count else { break }
      state.phase = .init(index: state.phase.index + 1)
      if observer.shouldStop {
        stop = .interrupted
        pending = state.copy()
        break
      }
    }
    // A growth that had no time to pay is not what was learnt.
    if stop == .interrupted || stop.isDivergence, let fallback = state.fallback,
      value(state.history[fallback.best]) > value(state.bestPoint)
    {
      state.model = fallback.model
      state.best = fallback.best
    }
    let run = run(
      state, model: state.model, stop: stop,
      pending: pending.map { TrainingRun.Pending(start: model, checkpoint: TrainingCheckpoint(state: $0)) })
    if let pending {
      if !pending.history.isEmpty { keeper?.save(.underway(TrainingCheckpoint(state: pending))) }
    } else {
      keeper?.save(.finished(run, end: nil))
    }
    return run
  }

  /// The end of the last phase. Its state stays as it is, for a longer training that goes on from here.
  private func finished(_ state: TrainingState) -> TrainingRun {
    let best = Model(state.model.network, values: state.bestValues, seed: state.model.seed)
    let run = run(state, model: best, stop: .finished, pending: nil)
    keeper?.save(.finished(run, end: TrainingCheckpoint(state: state)))
    return run
  }

  private func run(_ state: TrainingState, model: Model, stop: StopReason, pending: TrainingRun.Pending?) -> TrainingRun {
    TrainingRun(
      name: name, model: model, data: data, recipe: recipe, history: state.history, growths: state.growths, stop: stop,
      best: state.bestPoint ?? state.history.last ?? .unknown, evaluationSeconds: state.evaluationSeconds,
      pending: pending)
  }

  /// Goes on with an interrupted run: a run that can (`TrainingRun.canResume`) of the same data and recipe.
  public func resume(_ run: TrainingRun) throws -> TrainingRun {
    guard let pending = run.pending else { return run }
    return try self.run(pending.start, from: pending.checkpoint)
  }

  /// The watched metric, below everything where there is none.
  func value(_ point: HistoryPoint?) -> Double { point?.metrics[recipe.watch] ?? -1 }

  /// Who computes the steps of a phase.
  ///
  /// - Parameters:
  ///   - state: whose model and optimizer state are changed in place.
  ///   - length: items of a sequence.
  ///   - batch: sequences of the largest batch.
  func backend(_ state: TrainingState, length: Int, batch: Int) -> any StepBackend {
    TiledStep(state.model, state.optimizer, loss: recipe.loss, length: length, batch: batch, pool: pool)
  }

  // MARK: Growth

  private func grow(_ state: inout TrainingState, _ phase: Phase) throws {
    state.newBlocks = []
    state.fallback = nil
    guard phase.grows else { return }
    let start = ProcessClock.wall()
    let cpu = ProcessClock.cpu()
    let from = state.model.network.depth
    let (model, plan) = try state.model.grown(by: phase.growth, to: phase.to, carry: phase.carry)
    let optimizer = OptimizerState(recipe.optimizer, model.network.layout)
    if phase.carry.optimizer, let old = state.bestOptimizer {
      for (source, target) in zip(old.tensors, optimizer.tensors) { plan.transfer(from: source, to: target) }
      optimizer.restore(steps: state.optimizer.steps, starts: [])
      // What is fresh has taken no step yet, whatever the others have.
      for step in plan.steps { optimizer.setStart(of: step.target, step.source.map { old.start(of: $0) } ?? optimizer.steps) }
    }
    if let best = state.best { state.fallback = .init(model: state.model, best: best) }
    state.bestOptimizer = nil
    state.optimizer = optimizer
    state.model = model
    state.newBlocks = plan.newBlocks
    state.seconds += ProcessClock.wall() - start
    state.cpuSeconds += ProcessClock.cpu() - cpu
    let mark = GrowthMark(
      step: state.step, epoch: state.epoch, seconds: state.seconds, from: from, to: model.network.depth,
      by: phase.growth, carry: phase.carry.name)
    state.growths.append(mark)
    observer.grew(mark, name: name)
  }

  // MARK: Evaluation

  /// Adds a point to the history.
  ///
  /// - Parameters:
  ///   - loss: mean since the point before.
  ///   - rate: the learning rate there.
  ///   - ranks: of the validation part, those of so many and more all given as beyond.
  @discardableResult
  func evaluate(
    _ state: inout TrainingState, loss: Double?, rate: Double, ranks: (_ limit: Int?) throws -> [Rank]
  ) rethrows -> HistoryPoint {
    let start = ProcessClock.wall()
    let wanted = recipe.allMetrics
    let ranks = try ranks(wanted.map(\.k).max())
    var metrics: [Metric: Double] = [:]
    for metric in wanted { metrics[metric] = metric.mean(ranks) }
    let point = HistoryPoint(
      step: state.step, epoch: state.epoch, seconds: state.seconds, cpuSeconds: state.cpuSeconds, loss: loss, rate: rate,
      metrics: metrics, phase: state.phase.index, blocks: state.model.network.depth)
    state.history.append(point)
    state.evaluationSeconds += ProcessClock.wall() - start
    return point
  }
}
