import Datasets
import Growth
import Kernels
import Layers

/// The training loop: one for every model, one phase or many, from the beginning or from where one stopped.
public struct Trainer {
  let options: TrainingOptions
  let data: Split
  let pool: WorkerPool
  let observer: any TrainingObserver
  private let keeper: (any CheckpointKeeper)?

  /// - Parameters:
  ///   - options: how it is trained.
  ///   - data: what it is trained and validated on.
  ///   - pool: the threads to work on.
  ///   - observer: told of what happens; may end the training.
  ///   - keeper: takes the states the training could go on from; nil: nobody does.
  public init(
    _ options: TrainingOptions, data: Split, pool: WorkerPool, observer: any TrainingObserver,
    keeper: (any CheckpointKeeper)? = nil
  ) {
    self.options = options
    self.data = data
    self.pool = pool
    self.observer = observer
    self.keeper = keeper
  }

  /// Trains `model` through the phases. The model given is not changed; the run's model has the best parameters of
  /// the last phase by `options.watch` on the validation part; interrupted or diverged soon after a growth, the better
  /// ones from before it.
  ///
  /// - Parameters:
  ///   - model: where it begins.
  ///   - phases: one after the other; each but the first may grow the model.
  ///   - checkpoint: where an earlier training of the same model, data, options and phases had got to. What comes out has
  ///     the bits that it would have had without the interruption, times excepted.
  /// - Throws: `TrainingError` or `GrowthError`, before anything is trained, for what cannot be.
  public func run(_ model: Model, _ phases: [Phase], from checkpoint: TrainingCheckpoint? = nil) throws -> TrainingRun {
    try check(model, phases)
    var state = checkpoint?.state.copy() ?? TrainingState(model: model.copy())
    var pending: TrainingState?
    var stop = StopReason.finished
    if !state.phase.isUnderway { _ = try begin(&state, phases) }
    while true {
      stop = try runPhase(&state, phases, pending: &pending)
      state.model.values.assign(state.bestValues)
      guard stop != .interrupted, !stop.isDivergence, state.phase.index + 1 < phases.count else { break }
      state.phase = .init(index: state.phase.index + 1)
      if observer.shouldStop {
        stop = .interrupted
        pending = state.copy()
        break
      }
      try begin(&state, phases)
    }
    // A growth that had no time to pay is not what was learnt.
    if stop == .interrupted || stop.isDivergence, let fallback = state.fallback,
      value(state.history[fallback.best]) > value(state.bestPoint)
    {
      state.model = fallback.model
      state.best = fallback.best
    }
    let run = TrainingRun(
      name: options.name, model: state.model, data: data, options: options, history: state.history,
      growths: state.growths, stop: stop, best: state.bestPoint ?? state.history[state.history.count - 1],
      evaluationSeconds: state.evaluationSeconds,
      pending: pending.map { TrainingRun.Pending(start: model, phases: phases, checkpoint: TrainingCheckpoint(state: $0)) })
    if let keeper {
      if let pending { keeper.save(.underway(TrainingCheckpoint(state: pending))) } else { keeper.save(.finished(run)) }
    }
    return run
  }

  /// Goes on with an interrupted run: a run that can (`TrainingRun.canResume`) of the same data and options.
  public func resume(_ run: TrainingRun) throws -> TrainingRun {
    guard let pending = run.pending else { return run }
    return try self.run(pending.start, pending.phases, from: pending.checkpoint)
  }

  /// The watched metric, below everything where there is none.
  private func value(_ point: HistoryPoint?) -> Double { point?.metrics[options.watch] ?? -1 }

  // MARK: A growth and the beginning of a phase

  private func begin(_ state: inout TrainingState, _ phases: [Phase]) throws {
    try grow(&state, phases[state.phase.index])
    state.phase = .init(index: state.phase.index, isUnderway: true, startSeconds: state.seconds)
    // The start of the phase is a candidate too: a preserving growth may only be followed by worse.
    evaluate(&state, phases, loss: nil)
    state.best = state.history.count - 1
    state.bestValues = state.model.values.copy()
    state.bestMoments = keepsMoments(phases) ? state.adam.copy() : nil
    if !state.newBlocks.isEmpty { keeper?.grew(TrainingCheckpoint(state: state)) }
  }

  private func keepsMoments(_ phases: [Phase]) -> Bool { phases.contains { $0.grows && $0.carry.optimizer } }

  private func grow(_ state: inout TrainingState, _ phase: Phase) throws {
    state.newBlocks = []
    state.fallback = nil
    guard phase.grows else { return }
    let start = Clock.wall()
    let cpu = Clock.cpu()
    let from = state.model.network.depth
    let operation = phase.by ?? .adjacent
    let (model, plan) = try state.model.grown(by: operation, to: phase.to, carry: phase.carry)
    let adam = AdamState(model.network.layout)
    if phase.carry.optimizer, let moments = state.bestMoments {
      plan.transfer(from: moments.first, to: adam.first)
      plan.transfer(from: moments.second, to: adam.second)
      // What is fresh has not been stepped yet, whatever the others have.
      for step in plan.steps { adam.setBirth(of: step.target, step.source.map { moments.birth(of: $0) } ?? state.adamSteps) }
    } else {
      state.adamSteps = 0
    }
    if let best = state.best { state.fallback = .init(model: state.model, best: best) }
    state.bestMoments = nil
    state.adam = adam
    state.model = model
    state.newBlocks = plan.newBlocks
    state.seconds += Clock.wall() - start
    state.cpuSeconds += Clock.cpu() - cpu
    let mark = GrowthMark(
      step: state.step, epoch: state.epoch, seconds: state.seconds, from: from, to: model.network.depth,
      by: operation, carry: phase.carry.name)
    state.growths.append(mark)
    observer.grew(mark, name: options.name)
  }

  // MARK: A phase

  /// Goes on with the present phase to its end.
  ///
  /// - Parameter pending: of an interrupted phase, the state to go on from.
  private func runPhase(_ state: inout TrainingState, _ phases: [Phase], pending: inout TrainingState?) throws -> StopReason {
    let phase = phases[state.phase.index]
    let train = data.train.fraction(phase.dataShare)
    let batchSize = min(options.batch, train.count)
    let negatives = NegativeSampler(for: options.loss, train, seed: options.seed)
    let makeBatch = BatchMaker(
      train, state.model.network, loss: options.loss, padsCount: options.padsInLoss, seed: options.seed)
    let engine = StepEngine(
      state.model.network, loss: options.loss, length: train.length, batch: batchSize, negatives: negatives?.count,
      pool: pool)
    let batches = Batches(train, size: options.batch, seed: options.seed, phase: state.phase.index)
    let planned = plannedSteps(phases)
    let evaluateEvery = max(1, steps(options.evaluateEvery, train) ?? 1)
    let frozen = FrozenPart(state.model.network, new: state.newBlocks)
    let due = state.phase.index + 1 < phases.count ? phases[state.phase.index + 1].when : nil
    var schedule = CheckpointSchedule(keeper?.every, steps: { steps($0, train) })
    func isOver(_ extent: Extent?) -> Bool {
      self.isOver(extent, train, state.phase.step, state.seconds - state.phase.startSeconds)
    }

    while !isOver(phase.run) {
      if observer.shouldStop {
        pending = state.copy()
        // An interrupted run keeps what it learnt since its last evaluation, if that is better.
        if state.phase.lossCount > 0 {
          evaluate(&state, phases, loss: state.phase.lossSum / Double(state.phase.lossCount))
          keepIfBest(&state, phases)
        }
        return .interrupted
      }
      let start = Clock.wall()
      let cpu = Clock.cpu()
      let indices = batches.indices(step: state.phase.step)
      let isFrozen = phase.freezeOld.map { !isOver($0) } ?? false
      let batch = makeBatch(indices, step: state.step)
      if let fault = train.fault { throw fault }
      let loss = engine.gradients(
        batch, parameters: state.model.values, negatives: negatives?.draw(step: UInt64(state.step)),
        dropout: makeBatch.dropout(state.step), lowestBlock: isFrozen ? frozen.lowestBlock : 0)
      if !loss.isFinite { return .diverged(step: state.step + 1, parameter: state.model.firstNotFinite) }
      if !isSpike(loss, &state.phase) {
        state.adamSteps += 1
        if isFrozen { state.adam.hold(frozen.still) }
        let update = AdamStep(
          options.optimizer, state: state.adam, parameters: state.model.values, step: state.adamSteps,
          learning: isFrozen ? frozen.learning : nil)
        engine.update(batch, options.optimizer, embeddings: !isFrozen, update)
      }
      state.step += 1
      state.phase.step += 1
      state.epoch += Double(indices.count) / Double(train.count)
      state.seconds += Clock.wall() - start
      state.cpuSeconds += Clock.cpu() - cpu
      state.phase.lossSum += loss
      state.phase.lossCount += 1
      state.phase.lastLoss = loss
      observer.stepped(progress(state, phases, planned: planned, batch: batchSize))

      if state.phase.step % evaluateEvery == 0 || isOver(phase.run) {
        let best = value(state.bestPoint)
        let point = evaluate(&state, phases, loss: state.phase.lossSum / Double(state.phase.lossCount))
        (state.phase.lossSum, state.phase.lossCount) = (0, 0)
        state.phase.waiting = value(point) > best ? 0 : state.phase.waiting + 1
        keepIfBest(&state, phases)
        observer.evaluated(progress(state, phases, planned: planned, batch: batchSize), point)
        if let patience = options.patience, state.phase.waiting >= patience { return .patience(patience, options.watch) }
        if let due, let now = point.metrics[due.metric] {
          state.phase.plateauWaiting = now > state.phase.plateauBest ? 0 : state.phase.plateauWaiting + 1
          state.phase.plateauBest = max(now, state.phase.plateauBest)
          if state.phase.plateauWaiting >= due.evaluations { break }
        }
      }
      if schedule.isDue(at: state.phase.step), let keeper { keeper.save(.underway(TrainingCheckpoint(state: state))) }
    }
    return .finished
  }

  /// Is a loss so far above the running mean that its step had better not be taken? The mean, over about twenty steps,
  /// takes no part of a spike.
  private func isSpike(_ loss: Double, _ phase: inout TrainingState.PhaseState) -> Bool {
    guard let limit = options.spikeGuard else { return false }
    if let mean = phase.meanLoss, loss > limit * mean { return true }
    phase.meanLoss = (phase.meanLoss ?? loss) * 0.95 + loss * 0.05
    return false
  }

  /// Of equals the later one: it has learnt more.
  private func keepIfBest(_ state: inout TrainingState, _ phases: [Phase]) {
    guard let point = state.history.last, value(point) >= value(state.bestPoint) else { return }
    state.best = state.history.count - 1
    state.bestValues.assign(state.model.values)
    if keepsMoments(phases) { state.bestMoments = state.adam.copy() }
  }

  @discardableResult
  private func evaluate(_ state: inout TrainingState, _ phases: [Phase], loss: Double?) -> HistoryPoint {
    let start = Clock.wall()
    let wanted = Set(options.metrics + [options.watch] + phases.compactMap { $0.when?.metric })
    let ranks = Ranking.ranks(
      state.model, on: data.valid, among: options.candidates, limit: wanted.map(\.k).max(), pool: pool)
    var metrics: [Metric: Double] = [:]
    for metric in wanted { metrics[metric] = metric.mean(ranks: ranks) }
    let point = HistoryPoint(
      step: state.step, epoch: state.epoch, seconds: state.seconds, cpuSeconds: state.cpuSeconds, loss: loss,
      metrics: metrics, phase: state.phase.index, blocks: state.model.network.depth)
    state.history.append(point)
    state.evaluationSeconds += Clock.wall() - start
    return point
  }
}
