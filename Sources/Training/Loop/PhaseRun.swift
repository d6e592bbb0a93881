import Datasets
import Evaluation
import Kernels
import Layers

/// Runs one phase of a training from its current state to its end.
struct PhaseRun {
  private let trainer: Trainer
  private let phase: Phase
  private let train: SequenceSet
  /// The number of items of a sequence that are used.
  private let length: Int
  private let batches: Batches
  private let makeBatch: BatchMaker
  private let negatives: NegativeSampler?
  private let backend: any StepBackend
  /// The parameters that are not updated while `phase.freezeOld` lasts.
  private let frozen: FrozenPart
  /// The rule that ends this phase and begins the next one; nil if there is none.
  private let next: Phase.Rule?
  /// The number of steps between evaluations.
  private let evaluateEvery: Int
  private let planned: Int?
  private let stepSize: Int

  /// Why the phase ended; if it was interrupted, with the state to resume from.
  typealias End = (stop: StopReason, pending: TrainingState?)

  init(_ trainer: Trainer, _ state: TrainingState) {
    self.trainer = trainer
    let recipe = trainer.recipe
    let index = state.phase.index
    phase = recipe.phases[index]
    length = phase.length ?? trainer.data.train.length
    train = trainer.data.train.fraction(phase.dataShare)
    stepSize = min(recipe.stepSize, train.count)
    batches = Batches(
      train, size: recipe.batch, accumulate: recipe.accumulate, seed: recipe.seed, phase: index, shuffle: recipe.shuffle,
      lastBatch: recipe.lastBatch)
    makeBatch = BatchMaker(
      train, state.model.network, loss: recipe.loss, batchSize: recipe.accumulate > 1 ? min(recipe.batch, train.count) : nil,
      length: length, padsCount: recipe.padsInLoss, seed: recipe.seed)
    negatives = recipe.loss.sampler(train, seed: recipe.seed)
    backend = trainer.backend(state, length: length, batch: stepSize)
    frozen = FrozenPart(state.model.network, new: state.newBlocks)
    next = index + 1 < recipe.phases.count ? recipe.phases[index + 1].when : nil
    evaluateEvery = max(1, trainer.steps(recipe.evaluateEvery, train) ?? 1)
    planned = trainer.plannedSteps()
  }

  /// Begins the phase, after its growth, with an evaluation. This evaluation can be the best one of the phase, because
  /// training after a growth may only make the model worse.
  ///
  /// - Returns: false if it was interrupted. The phase can then begin again from the state.
  func begin(_ state: inout TrainingState) -> Bool {
    state.phase = .init(index: state.phase.index, isUnderway: true, startSeconds: state.seconds)
    state.average = trainer.recipe.averageDecay.map { _ in state.model.values.copy() }
    // Safe on several threads: only `shouldStop` is read there.
    nonisolated(unsafe) let observer = trainer.observer
    let rate = rate(at: trainer.position(state, planned: planned), state)
    let point = try? addPoint(&state, loss: nil, rate: rate) { try ranks($0, nil) { observer.shouldStop } }
    state.bestValues = state.model.values.copy()
    guard point != nil else {
      state.best = nil
      // Without a single evaluation there is nothing to keep, and the training begins from the start when it is resumed.
      if state.history.isEmpty { state.phase.isUnderway = false } else { state.phase.isBeginDue = true }
      return false
    }
    state.best = state.history.count - 1
    state.bestOptimizer = trainer.recipe.carriesOptimizer ? state.optimizer.copy() : nil
    if !state.newBlocks.isEmpty { trainer.keeper?.grew(TrainingCheckpoint(state: state)) }
    return true
  }

  /// Runs the phase to its end, or for at most `limit` steps or `seconds`, after which it evaluates.
  func run(_ state: inout TrainingState, steps limit: Int = .max, seconds: Double = .infinity) throws -> End {
    let start = state.seconds
    func isLimit(_ state: TrainingState) -> Bool { state.phase.step >= limit || state.seconds - start >= seconds }
    var schedule = CheckpointSchedule(trainer.keeper?.every, steps: { trainer.steps($0, train) })
    if let end = evaluateIfDue(&state) { return end }
    while !isEnd(state), !isLimit(state) {
      if trainer.observer.shouldStop { return interrupted(&state) }
      let rate = rate(at: trainer.position(state, planned: planned), state)
      do {
        if let divergence = try step(&state, rate: rate) { return (divergence, nil) }
      } catch is Cancelled {
        return interrupted(&state)
      }
      trainer.observer.stepped(progress(state, rate: rate))
      if state.phase.step % evaluateEvery == 0 || isLimit(state) || isEnd(state) { state.phase.isEvaluationDue = true }
      if let end = evaluateIfDue(&state) { return end }
      if schedule.isDue(at: state.phase.step) { trainer.keeper?.save(.underway(TrainingCheckpoint(state: state))) }
    }
    return (.finished, nil)
  }

  /// Evaluates if an evaluation is due, and returns how the phase ends, if it ends here. An interrupted evaluation is
  /// discarded and repeated when the training is resumed.
  private func evaluateIfDue(_ state: inout TrainingState) -> End? {
    guard state.phase.isEvaluationDue == true else { return nil }
    let rate = rate(at: trainer.position(state, planned: planned).before, state)
    guard let point = evaluate(&state, rate: rate) else { return (.interrupted, state) }
    state.phase.isEvaluationDue = nil
    if let patience = trainer.recipe.patience, state.phase.waiting >= patience {
      return (.patience(patience, trainer.recipe.watch), nil)
    }
    return isGrowthDue(point, &state) ? (.finished, nil) : nil
  }

  private func isOver(_ extent: Extent?, _ state: TrainingState) -> Bool {
    trainer.isOver(extent, train, state.phase.step, state.seconds - state.phase.startSeconds)
  }

  /// Whether the phase ends here without a further evaluation: by its length, that of the training, or the budget of the next phase.
  private func isEnd(_ state: TrainingState) -> Bool {
    isOver(phase.run, state) || trainer.isOver(state) || next?.budget.map { trainer.isOver(state, share: $0) } ?? false
  }

  /// The learning rate of the step at a position.
  private func rate(at position: StepPosition, _ state: TrainingState) -> Double {
    trainer.rate(at: position) * phase.rate * (state.phase.rate ?? 1)
  }

  private func progress(_ state: TrainingState, rate: Double) -> TrainingProgress {
    trainer.progress(state, planned: planned, batch: stepSize, rate: rate)
  }

  /// Takes one step. Returns the reason if the training diverged.
  ///
  /// - Throws: `Cancelled` if it was interrupted, and the state is the one before it.
  private func step(_ state: inout TrainingState, rate: Double) throws -> StopReason? {
    let start = ProcessClock.wall()
    let cpu = ProcessClock.cpu()
    let indices = batches.indices(step: state.phase.step)
    let isFrozen = phase.freezeOld.map { !isOver($0, state) } ?? false
    let batch = makeBatch(indices, step: state.step)
    if let fault = train.fault { throw fault }
    // Safe on several threads: only `shouldStop` is read there.
    nonisolated(unsafe) let observer = trainer.observer
    let loss = try trainer.pool.cancellable({ observer.shouldStop }) {
      backend.gradients(
        batch, negatives: negatives?.draw(step: UInt64(state.step)), dropout: makeBatch.dropout(state.step),
        lowestBlock: isFrozen ? frozen.lowestBlock : 0)
    }
    if !loss.isFinite { return .diverged(step: state.step + 1, parameter: state.model.firstNotFinite) }
    if !isSpike(loss, &state.phase) {
      backend.exchange()
      backend.update(trainer.recipe.optimizer, rate: rate, frozen: isFrozen ? frozen : nil)
      if let decay = trainer.recipe.averageDecay, let average = state.average { backend.updateAverage(average, decay: decay) }
    }
    state.step += 1
    state.phase.step += 1
    state.epoch += Double(indices.count) / Double(train.count)
    state.seconds += ProcessClock.wall() - start
    state.cpuSeconds += ProcessClock.cpu() - cpu
    state.phase.lossSum += loss
    state.phase.lossCount += 1
    state.phase.lastLoss = loss
    return nil
  }

  /// Whether the loss exceeds `spikeGuard` times the running mean, so that the update is skipped. The mean averages about
  /// twenty steps and leaves spikes out.
  private func isSpike(_ loss: Double, _ phase: inout TrainingState.PhaseState) -> Bool {
    guard let limit = trainer.recipe.spikeGuard else { return false }
    if let mean = phase.meanLoss, loss > limit * mean { return true }
    phase.meanLoss = (phase.meanLoss ?? loss) * 0.95 + loss * 0.05
    return false
  }

  private func interrupted(_ state: inout TrainingState) -> End {
    // Nothing trains this state any more, and a resumed training copies it, so it can share its memory with `state`.
    let pending = state
    // Evaluate once more if that takes little time, so that an improvement since the last evaluation is not lost.
    if state.phase.lossCount > 0 {
      let deadline = ProcessClock.wall() + Self.patienceOfInterruption
      let rate = rate(at: trainer.position(state, planned: planned).before, state)
      let (loss, average) = (state.phase.lossSum / Double(state.phase.lossCount), state.average)
      if (try? addPoint(&state, loss: loss, rate: rate, ranks: { try ranks($0, average) { ProcessClock.wall() > deadline } })) != nil {
        keepIfBest(&state, inPlace: false)
      }
    }
    return (.interrupted, pending)
  }

  /// The number of seconds that one more evaluation may take after an interruption.
  private static let patienceOfInterruption = 0.4

  @discardableResult
  private func addPoint(
    _ state: inout TrainingState, loss: Double?, rate: Double, ranks: (_ limit: Int?) throws -> [Rank]
  ) rethrows -> HistoryPoint {
    try trainer.evaluate(&state, loss: loss, rate: rate, ranks: ranks)
  }

  /// The ranks of the validation part. Throws `Cancelled` once `isCancelled` returns true.
  private func ranks(_ limit: Int?, _ average: FloatBuffer?, _ isCancelled: @escaping @Sendable () -> Bool) throws -> [Rank] {
    // Safe: progress is reported by the thread that calls.
    nonisolated(unsafe) let observer = trainer.observer
    let name = trainer.name
    return try trainer.pool.cancellable(isCancelled, progress: { observer.evaluating($0, name: name) }) {
      backend.ranks(on: trainer.data.valid, with: average, by: trainer.recipe.ranking, limit: limit)
    }
  }

  /// Evaluates and records the point. Returns nil if the evaluation was interrupted.
  private func evaluate(_ state: inout TrainingState, rate: Double) -> HistoryPoint? {
    let best = trainer.value(state.bestPoint)
    // Safe on several threads: only `shouldStop` is read there.
    nonisolated(unsafe) let observer = trainer.observer
    let (loss, average) = (state.phase.lossSum / Double(state.phase.lossCount), state.average)
    guard
      let point = try? addPoint(&state, loss: loss, rate: rate, ranks: { try ranks($0, average) { observer.shouldStop } })
    else { return nil }
    (state.phase.lossSum, state.phase.lossCount) = (0, 0)
    state.phase.waiting = trainer.value(point) > best ? 0 : state.phase.waiting + 1
    keepIfBest(&state)
    trainer.observer.evaluated(progress(state, rate: rate), point)
    return point
  }

  /// - Parameter inPlace: whether the memory of the best parameters so far may be overwritten.
  private func keepIfBest(_ state: inout TrainingState, inPlace: Bool = true) {
    guard let point = state.history.last else { return }
    let (value, best) = (trainer.value(point), trainer.value(state.bestPoint))
    guard value > best || (value == best && trainer.recipe.ofEquals == .later) else { return }
    state.best = state.history.count - 1
    let values = state.average ?? state.model.values
    if inPlace { state.bestValues.assign(values) } else { state.bestValues = values.copy() }
    if trainer.recipe.carriesOptimizer { state.bestOptimizer = state.optimizer.copy() }
  }

  /// Whether the next phase's rule ends this one.
  private func isGrowthDue(_ point: HistoryPoint, _ state: inout TrainingState) -> Bool {
    guard let next, let metric = next.metric, let now = point.metrics[metric] else { return false }
    switch next.condition {
    case .budget: return false
    case .plateau(let evaluations):
      state.phase.plateauWaiting = now > state.phase.plateauBest ? 0 : state.phase.plateauWaiting + 1
      state.phase.plateauBest = max(now, state.phase.plateauBest)
      return state.phase.plateauWaiting >= evaluations
    case .slope(let share):
      let own = state.history.filter { $0.phase == point.phase }
      let start = own.first?.step ?? 0
      let slope = Phase.Rule.slope(own.compactMap { point in point.metrics[metric].map { (point.step - start, $0) } })
      return slope.map { $0 < share } ?? false
    }
  }
}
