import Datasets

/// Lengths of phases and of the training, and the remaining time.
extension Trainer {
  /// The number of steps of a length on a share of `train`; nil for a length in seconds.
  func steps(_ extent: Extent, _ train: SequenceSet, share: Double = 1) -> Int? {
    switch extent {
    case .steps(let count): count
    case .epochs(let count):
      Int(min(1e15, (count * Double(Batches.stepsPerEpoch(train.fractionCount(share), recipe))).rounded(.up)))
    case .seconds: nil
    }
  }

  /// Whether a length ends after `step` steps and `seconds` seconds. nil never ends.
  func isOver(_ extent: Extent?, _ train: SequenceSet, _ step: Int, _ seconds: Double) -> Bool {
    switch extent {
    case nil: false
    case .seconds(let limit): seconds >= limit
    case .some(let extent): step >= (steps(extent, train) ?? 0)
    }
  }

  /// The number of steps of a phase; nil if it is not known in advance.
  func plannedSteps(of phase: Phase) -> Int? {
    phase.run.flatMap { steps($0, data.train, share: phase.dataShare) }
  }

  /// Whether the whole training is over, or a share of it. false if its length is not given.
  func isOver(_ state: TrainingState, share: Double = 1) -> Bool {
    guard let length = recipe.length else { return false }
    return isOver(share == 1 ? length : length.scaled(by: share), data.train, state.step, state.seconds)
  }

  /// The number of steps of all phases; nil if it is not known in advance.
  func plannedSteps() -> Int? {
    if let length = recipe.length { return steps(length, data.train) }
    var total = 0
    for phase in recipe.phases {
      guard let count = plannedSteps(of: phase) else { return nil }
      total = min(1_000_000_000_000_000, total + min(count, 1_000_000_000_000_000))
    }
    return total
  }

  /// An estimate of the remaining training time in seconds; nil if it cannot be estimated.
  private func secondsLeft(_ state: TrainingState, planned: Int?) -> Double? {
    let phases = recipe.phases
    let present = state.phase
    let spent = state.seconds - present.startSeconds
    if case .seconds(let limit) = phases[present.index].run, phases.count == 1 { return max(0, limit - spent) }
    if case .seconds(let limit)? = recipe.length { return max(0, limit - state.seconds) }
    guard let planned, present.step > 0 else { return nil }
    // The time of a step is about proportional to the number of blocks.
    let perBlock = spent / Double(present.step) / Double(max(1, state.model.network.depth))
    if recipe.length != nil { return Double(max(0, planned - state.step)) * spent / Double(present.step) }
    var left = 0.0
    var depth = state.model.network.depth
    for (i, phase) in phases.enumerated().dropFirst(present.index) {
      guard let count = plannedSteps(of: phase) else { return nil }
      if i > present.index, phase.grows { depth = phase.to ?? 2 * depth }
      left += Double(i == present.index ? max(0, count - present.step) : count) * perBlock * Double(depth)
    }
    return left
  }

  /// The position of the next step, for the schedule.
  func position(_ state: TrainingState, planned: Int?) -> StepPosition {
    StepPosition(
      step: state.step, planned: planned, phaseStep: state.phase.step,
      phasePlanned: plannedSteps(of: recipe.phases[state.phase.index]),
      sinceGrowth: state.growths.last.map { state.step - $0.step })
  }

  /// The learning rate of the step at a position.
  func rate(at position: StepPosition) -> Double { recipe.optimizer.rate * recipe.schedule.factor(position) }

  func progress(_ state: TrainingState, planned: Int?, batch: Int, rate: Double) -> TrainingProgress {
    let speed = state.seconds > 0 ? Double(state.step) / state.seconds : 0
    return TrainingProgress(
      name: name, phase: state.phase.index + 1, phases: recipe.phases.count, blocks: state.model.network.depth,
      step: state.step, plannedSteps: planned, stepsPerSecond: speed, sequencesPerSecond: speed * Double(batch),
      loss: state.phase.lastLoss, rate: rate, watched: recipe.watch, value: state.history.last?.metrics[recipe.watch],
      best: state.bestPoint?.metrics[recipe.watch], secondsLeft: secondsLeft(state, planned: planned))
  }
}
