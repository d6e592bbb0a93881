import Datasets

/// How long things last.
extension Trainer {
  func steps(_ extent: Extent, _ train: SequenceSet, share: Double = 1) -> Int? {
    switch extent {
    case .steps(let count): count
    case .epochs(let count):
      Int(min(1e15, (count * Double(Batches.perEpoch(train.fractionCount(share), options.batch))).rounded(.up)))
    case .seconds: nil
    }
  }

  func isOver(_ extent: Extent?, _ train: SequenceSet, _ step: Int, _ seconds: Double) -> Bool {
    switch extent {
    case nil: false
    case .seconds(let limit): seconds >= limit
    case .some(let extent): step >= (steps(extent, train) ?? 0)
    }
  }

  func plannedSteps(_ phases: [Phase]) -> Int? {
    var total = 0
    for phase in phases {
      guard let run = phase.run, let count = steps(run, data.train, share: phase.dataShare) else { return nil }
      total = min(1_000_000_000_000_000, total + min(count, 1_000_000_000_000_000))
    }
    return total
  }

  private func secondsLeft(_ state: TrainingState, _ phases: [Phase], planned: Int?) -> Double? {
    let present = state.phase
    let spent = state.seconds - present.startSeconds
    if case .seconds(let limit) = phases[present.index].run, phases.count == 1 { return max(0, limit - spent) }
    guard planned != nil, present.step > 0 else { return nil }
    // Steps of a deeper phase take longer, about in proportion to its blocks.
    let perBlock = spent / Double(present.step) / Double(max(1, state.model.network.depth))
    var left = 0.0
    var depth = state.model.network.depth
    for (i, phase) in phases.enumerated().dropFirst(present.index) {
      guard let run = phase.run, let count = steps(run, data.train, share: phase.dataShare) else { return nil }
      if i > present.index, phase.grows { depth = phase.to ?? 2 * depth }
      left += Double(i == present.index ? max(0, count - present.step) : count) * perBlock * Double(depth)
    }
    return left
  }

  func progress(_ state: TrainingState, _ phases: [Phase], planned: Int?, batch: Int) -> TrainingProgress {
    let rate = state.seconds > 0 ? Double(state.step) / state.seconds : 0
    return TrainingProgress(
      name: options.name, phase: state.phase.index + 1, phases: phases.count, blocks: state.model.network.depth,
      step: state.step, plannedSteps: planned, stepsPerSecond: rate, sequencesPerSecond: rate * Double(batch),
      loss: state.phase.lastLoss, watched: options.watch, value: state.history.last?.metrics[options.watch],
      best: state.bestPoint?.metrics[options.watch], secondsLeft: secondsLeft(state, phases, planned: planned))
  }
}
