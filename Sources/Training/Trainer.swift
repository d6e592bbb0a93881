import Datasets
import Growth
import Kernels
import Layers

/// The training loop: one for every model, one phase or many.
public struct Trainer {
  private let options: TrainingOptions
  private let data: Split
  private let pool: WorkerPool
  private let observer: any TrainingObserver
  /// Metrics that a phase waits for.
  private var watchedByPhases: [Metric] = []
  /// Does a growth carry the optimizer?
  private var keepsMoments = false

  public init(_ options: TrainingOptions, data: Split, pool: WorkerPool, observer: any TrainingObserver) {
    self.options = options
    self.data = data
    self.pool = pool
    self.observer = observer
  }

  /// Trains `model` through the phases. The model given is not changed; the run's model has the best parameters of
  /// the last phase by `options.watch` on the validation part; interrupted or diverged soon after a growth, the better
  /// ones from before it.
  ///
  /// - Throws: `TrainingError` or `GrowthError`, before anything is trained, for what cannot be.
  public func run(_ model: Model, _ phases: [Phase]) throws -> TrainingRun {
    var trainer = self
    trainer.keepsMoments = phases.contains { $0.grows && $0.carry.optimizer }
    trainer.watchedByPhases = phases.compactMap { $0.when?.metric }
    return try trainer.runPhases(model, phases)
  }

  private func runPhases(_ model: Model, _ phases: [Phase]) throws -> TrainingRun {
    try check(model, phases)
    var state = State(model: model.copy())
    for (index, phase) in phases.enumerated() {
      if index > 0 && observer.shouldStop {
        state.stop = .interrupted
        break
      }
      let before = (model: state.model, best: state.bestPoint)
      try grow(&state, phase, index)
      let stop = try runPhase(&state, phase, index, of: phases)
      state.model.values.assign(state.bestValues)
      guard stop == .interrupted || stop.isDivergence else { continue }
      // A growth that had no time to pay is not what was learnt.
      if let best = before.best, value(best) > value(state.bestPoint) {
        state.model = before.model
        state.bestPoint = best
      }
      break
    }
    return TrainingRun(
      name: options.name, model: state.model, data: data, options: options, history: state.history,
      growths: state.growths, stop: state.stop, best: state.bestPoint ?? state.history[state.history.count - 1],
      evaluationSeconds: state.evaluationSeconds)
  }

  /// What changes while a run goes on.
  private struct State {
    var model: Model
    var adam: AdamState
    /// Steps of the optimizer since its moments were last reset.
    var adamSteps = 0
    var step = 0
    var epoch = 0.0
    var seconds = 0.0
    var cpuSeconds = 0.0
    var evaluationSeconds = 0.0
    var history: [HistoryPoint] = []
    var growths: [GrowthMark] = []
    var bestValues: FloatBuffer
    /// Moments that belong to the best values, where a later growth takes them along.
    var bestMoments: AdamState?
    var bestPoint: HistoryPoint?
    var stop = StopReason.finished
    /// Blocks that the growth of this phase added.
    var newBlocks: Set<Int> = []

    init(model: Model) {
      self.model = model
      adam = AdamState(model.network.layout)
      bestValues = model.values.copy()
    }
  }

  /// The watched metric, below everything where there is none.
  private func value(_ point: HistoryPoint?) -> Double { point?.metrics[options.watch] ?? -1 }

  // MARK: Before

  private func check(_ model: Model, _ phases: [Phase]) throws {
    guard !phases.isEmpty else { throw TrainingError("there is no phase to run", argument: "phases") }
    guard options.batch >= 1 else { throw TrainingError("batch must be at least 1", argument: "batch") }
    guard model.network.output.rows == data.train.rankedItems.count else {
      throw TrainingError(
        "the model was built for \(model.network.output.rows - 1) items, this data has \(data.train.rankedItems.count - 1)",
        argument: "data", help: "build the model with the same data it is trained on")
    }
    for table in model.network.rowTables {
      let rows = table.perPosition ? data.train.items.count : data.train.userNames.count
      let what = table.perPosition ? "items" : "users"
      guard table.rows == rows else {
        throw TrainingError(
          "the model embeds \(table.rows) \(what), this data has \(rows)", argument: "data",
          help: "build the model with the same data it is trained on")
      }
    }
    for (index, phase) in phases.enumerated() {
      if phase.when != nil && index == 0 {
        throw TrainingError(
          "`when` says when the phase before ends, and there is none before the first", argument: "phases",
          help: "leave it out of the first phase")
      }
      if phase.freezeOld != nil && !phase.grows {
        throw TrainingError(
          "phase \(index + 1) freezes old blocks, but no growth makes any new", argument: "phases", help: "give it `to:` or `by:` too")
      }
    }
    if let longest = model.network.maximumLength, longest < data.train.length {
      throw TrainingError(
        "the model reads sequences of \(longest) items, this data has \(data.train.length)", argument: "data")
    }
    // Every growth is tried before the first step, so that a bad last phase costs no night of training.
    var network = model.network
    try checkMemory(network)
    for (index, phase) in phases.enumerated() where phase.grows {
      do {
        network = try network.grown(by: phase.by ?? .adjacent, to: phase.to, carry: phase.carry).network
      } catch let error as GrowthError {
        throw error.inPhase(index + 1)
      }
      try checkMemory(network)
    }
  }

  private func checkMemory(_ network: any Network) throws {
    let needed = StepEngine.bytes(
      network, loss: options.loss, length: data.train.length, batch: min(options.batch, data.train.count),
      threads: pool.threads)
    try MemoryLimit.check(needed, "training \(network.depth) blocks on sequences of \(data.train.length)")
  }

  private func grow(_ state: inout State, _ phase: Phase, _ index: Int) throws {
    state.newBlocks = []
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

  private func runPhase(_ state: inout State, _ phase: Phase, _ index: Int, of phases: [Phase]) throws -> StopReason {
    // How the phase before ended is its own.
    state.stop = .finished
    let train = data.train.fraction(phase.dataShare)
    let negatives = NegativeSampler(for: options.loss, train, seed: options.seed)
    let makeBatch = BatchMaker(
      train, state.model.network, loss: options.loss, padsCount: options.padsInLoss, seed: options.seed)
    let engine = StepEngine(
      state.model.network, loss: options.loss, length: train.length, batch: min(options.batch, train.count),
      negatives: negatives?.count, pool: pool)
    let batches = Batches(train, size: options.batch, seed: options.seed, phase: index)
    let planned = plannedSteps(phases)
    let evaluateEvery = max(1, steps(options.evaluateEvery, train) ?? 1)
    var phaseStep = 0
    var lossSum = 0.0
    var lossCount = 0
    var lastLoss: Double?
    var waiting = 0
    let phaseSeconds = state.seconds
    let frozen = FrozenPart(state.model.network, new: state.newBlocks)
    let due = index + 1 < phases.count ? phases[index + 1].when : nil
    var plateau = (best: -1.0, waiting: 0)

    // The start of the phase is a candidate too: a preserving growth may only be followed by worse.
    state.bestPoint = evaluate(&state, index, loss: nil)
    state.bestValues = state.model.values.copy()
    if keepsMoments { state.bestMoments = state.adam.copy() }

    func progress(_ state: State) -> TrainingProgress {
      let rate = state.seconds > 0 ? Double(state.step) / state.seconds : 0
      return TrainingProgress(
        name: options.name, phase: index + 1, phases: phases.count, blocks: state.model.network.depth,
        step: state.step, plannedSteps: planned, stepsPerSecond: rate,
        sequencesPerSecond: rate * Double(min(options.batch, train.count)), loss: lastLoss,
        watched: options.watch, value: state.history.last?.metrics[options.watch],
        best: state.bestPoint?.metrics[options.watch],
        secondsLeft: secondsLeft(
          state, phases, index, phaseStep: phaseStep, planned: planned, phaseSeconds: phaseSeconds))
    }

    while !isOver(phase.run, train, phaseStep, state.seconds - phaseSeconds) {
      if observer.shouldStop {
        state.stop = .interrupted
        break
      }
      let start = Clock.wall()
      let cpu = Clock.cpu()
      let indices = batches.indices(step: phaseStep)
      let isFrozen = phase.freezeOld.map { !isOver($0, train, phaseStep, state.seconds - phaseSeconds) } ?? false
      let batch = makeBatch(indices, step: state.step)
      let loss = engine.gradients(
        batch, parameters: state.model.values, negatives: negatives?.draw(step: UInt64(state.step)),
        dropout: makeBatch.dropout(state.step), lowestBlock: isFrozen ? frozen.lowestBlock : 0)
      if !loss.isFinite {
        state.stop = .diverged(step: state.step + 1)
        break
      }
      state.adamSteps += 1
      if isFrozen { state.adam.hold(frozen.still) }
      let update = AdamStep(
        options.optimizer, state: state.adam, parameters: state.model.values, step: state.adamSteps,
        learning: isFrozen ? frozen.learning : nil)
      engine.reduce(batch, lazy: options.optimizer.lazy, embeddings: !isFrozen) { offset, count, g in update.apply(offset, count, g) }
      state.step += 1
      phaseStep += 1
      state.epoch += Double(indices.count) / Double(train.count)
      state.seconds += Clock.wall() - start
      state.cpuSeconds += Clock.cpu() - cpu
      lossSum += loss
      lossCount += 1
      lastLoss = loss
      observer.stepped(progress(state))

      let over = isOver(phase.run, train, phaseStep, state.seconds - phaseSeconds)
      guard phaseStep % evaluateEvery == 0 || over else { continue }
      let point = evaluate(&state, index, loss: lossSum / Double(lossCount))
      (lossSum, lossCount) = (0, 0)
      waiting = value(point) > value(state.bestPoint) ? 0 : waiting + 1
      keepIfBest(&state, point)
      observer.evaluated(progress(state), point)
      if let patience = options.patience, waiting >= patience {
        state.stop = .patience(patience, options.watch)
        break
      }
      if let due, let now = point.metrics[due.metric] {
        plateau = now > plateau.best ? (now, 0) : (plateau.best, plateau.waiting + 1)
        if plateau.waiting >= due.evaluations { break }
      }
    }
    // An interrupted run keeps what it learnt since its last evaluation, if that is better.
    if state.stop == .interrupted, lossCount > 0 {
      let point = evaluate(&state, index, loss: lossSum / Double(lossCount))
      keepIfBest(&state, point)
    }
    return state.stop
  }

  /// Of equals the later one: it has learnt more.
  private func keepIfBest(_ state: inout State, _ point: HistoryPoint) {
    guard value(point) >= value(state.bestPoint) else { return }
    state.bestPoint = point
    state.bestValues.assign(state.model.values)
    if keepsMoments { state.bestMoments = state.adam.copy() }
  }

  private func evaluate(_ state: inout State, _ phase: Int, loss: Double?) -> HistoryPoint {
    let start = Clock.wall()
    let ranks = Ranking.ranks(state.model, on: data.valid, among: options.candidates, pool: pool)
    var metrics: [Metric: Double] = [:]
    for metric in Set(options.metrics + [options.watch] + watchedByPhases) { metrics[metric] = metric.mean(ranks: ranks) }
    let point = HistoryPoint(
      step: state.step, epoch: state.epoch, seconds: state.seconds, cpuSeconds: state.cpuSeconds, loss: loss,
      metrics: metrics, phase: phase, blocks: state.model.network.depth)
    state.history.append(point)
    state.evaluationSeconds += Clock.wall() - start
    return point
  }

  // MARK: Lengths

  private func steps(_ extent: Extent, _ train: SequenceSet, share: Double = 1) -> Int? {
    switch extent {
    case .steps(let count): count
    case .epochs(let count): Int(min(1e15, (count * Double(Batches.perEpoch(train.fractionCount(share), options.batch))).rounded(.up)))
    case .seconds: nil
    }
  }

  private func isOver(_ extent: Extent?, _ train: SequenceSet, _ step: Int, _ seconds: Double) -> Bool {
    switch extent {
    case nil: false
    case .seconds(let limit): seconds >= limit
    case .some(let extent): step >= (steps(extent, train) ?? 0)
    }
  }

  private func plannedSteps(_ phases: [Phase]) -> Int? {
    var total = 0
    for phase in phases {
      guard let run = phase.run, let count = steps(run, data.train, share: phase.dataShare) else { return nil }
      total = min(1_000_000_000_000_000, total + min(count, 1_000_000_000_000_000))
    }
    return total
  }

  private func secondsLeft(
    _ state: State, _ phases: [Phase], _ index: Int, phaseStep: Int, planned: Int?, phaseSeconds: Double
  ) -> Double? {
    if case .seconds(let limit) = phases[index].run, phases.count == 1 { return max(0, limit - (state.seconds - phaseSeconds)) }
    guard let planned, phaseStep > 0 else { return nil }
    // Steps of a deeper phase take longer, about in proportion to its blocks.
    let perStep = (state.seconds - phaseSeconds) / Double(phaseStep)
    let perBlock = perStep / Double(max(1, state.model.network.depth))
    var left = 0.0
    var depth = state.model.network.depth
    var before = 0
    for (i, phase) in phases.enumerated() {
      guard let run = phase.run, let count = steps(run, data.train, share: phase.dataShare) else { return nil }
      if i > index, phase.grows { depth = phase.to ?? 2 * depth }
      if i >= index { left += Double(i == index ? max(0, count - phaseStep) : count) * perBlock * Double(depth) }
      before += count
    }
    return before == planned ? left : nil
  }
}

/// What stands still while only the blocks that a growth added are trained.
struct FrozenPart {
  /// Offsets of what learns: the new blocks and the output layer.
  let learning: [Range<Int>]
  /// What does not.
  let still: [Parameter]
  /// Gradients are not needed below it.
  let lowestBlock: Int

  init(_ network: any Network, new: Set<Int>) {
    func learns(_ parameter: Parameter) -> Bool {
      parameter.block.map { new.contains($0.index) } ?? (parameter.part == .output)
    }
    learning = network.layout.parameters.filter(learns).map(\.range)
    still = network.layout.parameters.filter { !learns($0) }
    // Where an encoder stands under the decoder, its new blocks need the gradient of everything above.
    lowestBlock = network.stacks.count == 1 ? new.min() ?? 0 : 0
  }
}

extension StopReason {
  var isDivergence: Bool {
    if case .diverged = self { return true }
    return false
  }
}

/// Which sequences are in which batch: every epoch in an order of its own, drawn from the seed and the epoch.
struct Batches {
  private let count: Int
  private let size: Int
  private let stream: RandomStream
  private let cache = OrderCache()

  private final class OrderCache {
    var epoch = -1
    var order: [Int] = []
  }

  init(_ set: SequenceSet, size: Int, seed: UInt64, phase: Int) {
    count = set.count
    self.size = min(size, set.count)
    stream = RandomStream(seed: seed, "shuffle/\(phase)")
  }

  static func perEpoch(_ count: Int, _ size: Int) -> Int { max(1, (count + size - 1) / size) }

  /// The sequences of a phase's step, counted from 0. An epoch's last batch may be smaller.
  func indices(step: Int) -> [Int] {
    let perEpoch = Self.perEpoch(count, size)
    let epoch = step / perEpoch
    if cache.epoch != epoch {
      var numbers = stream.numbers(at: UInt64(epoch))
      cache.order = numbers.permutation(count)
      cache.epoch = epoch
    }
    let start = step % perEpoch * size
    return Array(cache.order[start..<min(count, start + size)])
  }
}
