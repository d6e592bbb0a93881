import Datasets
import Evaluation
import Growth
import Kernels
import Layers

/// The training loop for all models. It runs one phase or several, from the beginning or from a checkpoint.
public struct Trainer {
  let recipe: Recipe
  let name: String
  let data: Split
  let pool: WorkerPool
  let observer: any TrainingObserver
  let keeper: (any CheckpointKeeper)?

  /// - Parameters:
  ///   - recipe: the hyperparameters of the training.
  ///   - name: the name of the run.
  ///   - data: the data to train and validate on.
  ///   - pool: the threads to run on.
  ///   - observer: gets the progress and can stop the training.
  ///   - keeper: saves checkpoints; nil: none are saved.
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

  /// Trains a copy of `model` through all phases of the recipe. A phase may begin with a growth.
  ///
  /// The run's model has the best parameters of the last phase by the watched metric on the validation part. If the training
  /// was interrupted or diverged, and the best parameters before the last growth are better, it has those.
  ///
  /// - Parameters:
  ///   - model: the initial model. It is not changed.
  ///   - checkpoint: the state of an interrupted training with the same model, data and recipe. The result has the same bits
  ///     as without the interruption, except for times.
  /// - Throws: `TrainingError`, `GrowthError` or `MemoryBudget.Exceeded` before the first step; `DataError` if the data turns
  ///   out to be damaged.
  public func run(_ model: Model, from checkpoint: TrainingCheckpoint? = nil) throws -> TrainingRun {
    try check(model)
    var state = checkpoint?.state.copy() ?? TrainingState(model: model.copy(), recipe)
    var pending: TrainingState?
    var stop = StopReason.finished
    while true {
      if !state.phase.isUnderway {
        let phase = recipe.phases[state.phase.index]
        if let trial = phase.trial {
          guard let best = try tried(state, phase, trial) else {
            (stop, pending) = (.interrupted, state.copy())
            break
          }
          state = best
        } else {
          try grow(&state, phase)
        }
      }
      let phase = PhaseRun(self, state)
      if !state.phase.isUnderway || state.phase.isBeginDue == true, !phase.begin(&state) {
        (stop, pending) = (.interrupted, state.copy())
        break
      }
      let end = try phase.run(&state)
      (stop, pending) = (end.stop, end.pending)
      if stop == .finished, state.phase.index + 1 == recipe.phases.count || isOver(state) { return finished(state) }
      if pending == nil {
        state.model.values.assign(state.bestValues)
      } else {
        // The state to resume from shares the memory of the model.
        state.model = Model(state.model.network, values: state.bestValues, seed: state.model.seed)
      }
      guard stop != .interrupted, !stop.isDivergence, state.phase.index + 1 < recipe.phases.count else { break }
      state.phase = .init(index: state.phase.index + 1)
      if observer.shouldStop {
        stop = .interrupted
        pending = state.copy()
        break
      }
    }
    // Soon after a growth the model may still be worse than before it: then return the model from before.
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

  /// Ends the training after its last phase. The saved state is unchanged, so that a longer training can continue from it.
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

  /// Resumes an interrupted run with the same data and recipe. Returns the run itself if it was not interrupted
  /// (`TrainingRun.canResume`).
  public func resume(_ run: TrainingRun) throws -> TrainingRun {
    guard let pending = run.pending else { return run }
    return try self.run(pending.start, from: pending.checkpoint)
  }

  /// The watched metric of an evaluation; -1, below all values, if there is none.
  func value(_ point: HistoryPoint?) -> Double { point?.metrics[recipe.watch] ?? -1 }

  /// The backend that computes the steps of a phase.
  ///
  /// - Parameters:
  ///   - state: the state whose model and optimizer state are changed in place.
  ///   - length: the number of items of a sequence.
  ///   - batch: the number of sequences of the largest step.
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
    if phase.stateRule != .reset, let old = state.bestOptimizer {
      // Without new blocks, their parameters begin anew.
      let newBlocks = phase.stateRule == .kept ? plan.newBlocks : []
      let plan = plan.leavingOut(newBlocks)
      for (source, target) in zip(old.tensors, optimizer.tensors) { plan.transfer(from: source, to: target) }
      optimizer.restore(steps: state.optimizer.steps, starts: [])
      // Copied parameters keep the step count of their source; new ones begin to count now.
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

  /// Grows the same state by every candidate, trains each for a while, and returns the state of the best one at the end of its trial.
  /// The steps and the time of all trials count. nil: it was interrupted, and must be repeated.
  private func tried(_ before: TrainingState, _ phase: Phase, _ trial: GrowthTrial) throws -> TrainingState? {
    let limit = trialLimit(before, phase, trial)
    var trials: [GrowthMark.Trial] = []
    var best: (state: TrainingState, value: Double)?
    var others = (steps: 0, epochs: 0.0, seconds: 0.0, cpuSeconds: 0.0, evaluation: 0.0)
    var fault: GrowthError?
    for candidate in trial.candidates {
      var recipe = recipe
      recipe.phases[before.phase.index] = phase.growing(candidate)
      // Without a keeper: a checkpoint must not contain a candidate that may be discarded.
      let trainer = Trainer(
        recipe, name: "\(name), \(candidate.name)", data: data, pool: pool, observer: TrialObserver(observer: observer))
      var state = before.copy()
      do {
        try trainer.grow(&state, recipe.phases[before.phase.index])
      } catch let error as GrowthError {
        // This candidate is not possible for the model or the depth.
        fault = error
        continue
      }
      let run = PhaseRun(trainer, state)
      guard run.begin(&state) else { return nil }
      let end = try run.run(&state, steps: limit.steps, seconds: limit.seconds)
      guard end.stop != .interrupted else { return nil }
      let value = end.stop.isDivergence ? nil : state.history.last?.metrics[self.recipe.watch]
      trials.append(
        .init(name: candidate.name, value: value, steps: state.step - before.step, seconds: state.seconds - before.seconds))
      state.phase.rate = candidate.rate
      let rank = value ?? -.infinity
      var loser = state
      if best.map({ rank > $0.value }) ?? true {
        let last = best?.state
        best = (state, rank)
        guard let last else { continue }
        loser = last
      }
      others.steps += loser.step - before.step
      others.epochs += loser.epoch - before.epoch
      others.seconds += loser.seconds - before.seconds
      others.cpuSeconds += loser.cpuSeconds - before.cpuSeconds
      others.evaluation += loser.evaluationSeconds - before.evaluationSeconds
    }
    guard var (state, _) = best else { throw GrowthError.inPhase(before.phase.index + 1, fault ?? .noBlocks) }
    // The other trials come before the best one.
    for index in before.history.count..<state.history.count {
      state.history[index] = state.history[index].later(
        steps: others.steps, epochs: others.epochs, seconds: others.seconds, cpu: others.cpuSeconds)
    }
    state.step += others.steps
    state.epoch += others.epochs
    state.seconds += others.seconds
    state.cpuSeconds += others.cpuSeconds
    state.evaluationSeconds += others.evaluation
    if let grown = state.growths.popLast() {
      let mark = GrowthMark(
        step: grown.step + others.steps, epoch: grown.epoch + others.epochs, seconds: grown.seconds + others.seconds, from: grown.from,
        to: grown.to, by: grown.by, carry: grown.carry, trials: trials)
      state.growths.append(mark)
      observer.grew(mark, name: name)
    }
    keeper?.grew(TrainingCheckpoint(state: state))
    return state
  }

  /// The most steps and seconds of one trial: all candidates together get at most half of what the phase has.
  private func trialLimit(_ state: TrainingState, _ phase: Phase, _ trial: GrowthTrial) -> (steps: Int, seconds: Double) {
    let count = max(1, trial.candidates.count)
    var limit = (steps: max(1, steps(trial.run, data.train, share: phase.dataShare) ?? 1), seconds: Double.infinity)
    for (length, spentSteps, spentSeconds) in [(phase.run, 0, 0.0), (recipe.length, state.step, state.seconds)] {
      guard let length else { continue }
      if case .seconds(let all) = length {
        limit.seconds = min(limit.seconds, max(0, all - spentSeconds) / 2 / Double(count))
      } else if let all = steps(length, data.train, share: phase.dataShare) {
        limit.steps = min(limit.steps, max(1, (all - spentSteps) / 2 / count))
      }
    }
    return limit
  }

  // MARK: Evaluation

  /// Evaluates the model on the validation part and adds a point to the history.
  ///
  /// - Parameters:
  ///   - loss: the mean training loss since the previous point.
  ///   - rate: the learning rate.
  ///   - ranks: computes the ranks of the validation targets. Ranks from `limit` on may be `Rank.beyond`.
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
