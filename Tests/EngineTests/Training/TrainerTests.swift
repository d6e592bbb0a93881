import Datasets
import Foundation
import Growth
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Counts the events of a run and stops it after a number of steps.
final class TestObserver: TrainingObserver {
  var stopAfter = Int.max
  private(set) var steps = 0
  private(set) var marks: [GrowthMark] = []
  private(set) var evaluations = 0
  var shouldStop: Bool { steps >= stopAfter }
  func stepped(_ progress: TrainingProgress) { steps += 1 }
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) { evaluations += 1 }
  func grew(_ mark: GrowthMark, name: String) { marks.append(mark) }
}

@Suite struct TrainerTests {
  // swift-format-ignore: NeverUseForceTry
  static let data: Split = {
    let histories = try! SyntheticProcess.histories(users: 300, items: 120, seed: 2)
    return try! histories.filtered(minUser: 5, minItem: 5).windows(length: 12)
      .split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)
  }()

  /// Samples of all models for this data.
  static let samples = Registry.samples(
    .init(items: data.train.items.count, length: 12, users: data.train.userNames.count, width: 16))

  static func model(blocks: Int = 2, data: Split = data) throws -> Model {
    Model(try NextItNet(.init(items: data.train.items.count, dim: 16, blocks: blocks)), seed: 4)
  }

  static func run(
    _ phases: [Phase], threads: Int = 2, observer: TestObserver = TestObserver(), model: Model? = nil,
    _ change: (inout Recipe) -> Void = { _ in }
  ) throws -> TrainingRun {
    var recipe = Recipe(phases: phases)
    recipe.batch = 64
    recipe.evaluateEvery = .steps(5)
    recipe.seed = 3
    change(&recipe)
    return try Trainer(recipe, data: data, pool: WorkerPool(threads: threads), observer: observer).run(try model ?? Self.model())
  }

  /// Every model, including dropout and shared embeddings.
  @Test(arguments: samples)
  func sameBitsForAnyNumberOfThreadsByModel(sample: ModelSample) throws {
    let network = try sample.network(blocks: 2)
    let preserves = network.stacks.allSatisfy { $0.blocks.allSatisfy(\.canBeSilent) }
    let phases = [
      Phase(run: .steps(4)), Phase(run: .steps(4), to: 4, by: .cross, carry: preserves ? .preserving : .all, freezeOld: .steps(2)),
    ]
    let model = Model(network, seed: 5)
    let first = try Self.run(phases, threads: 1, model: model)
    for threads in [2, 3] {
      #expect(try Self.run(phases, threads: threads, model: model).model.values.array == first.model.values.array)
    }
    let ends = first.history.compactMap(\.loss)
    #expect(ends.allSatisfy(\.isFinite) && !ends.isEmpty)
  }

  private var data: Split { Self.data }

  /// A network with 128 convolutions can be grown, trained and evaluated.
  @Test func paperDepth() throws {
    let phases = [8, 16, 32, 64].map { depth in
      depth == 8
        ? Phase(run: .steps(2)) : Phase(run: .steps(2), to: depth, by: .dilationAware, carry: .preserving)
    }
    let run = try Self.run(phases, model: Self.model(blocks: 8)) { $0.evaluateEvery = .steps(2) }
    #expect(run.model.network.depth == 64 && run.growths.map(\.to) == [16, 32, 64])
    #expect(run.history.allSatisfy { $0.metrics.values.allSatisfy(\.isFinite) })
  }

  /// Freezing updates the new blocks and the output layer only, and computes no gradient below them.
  @Test func frozenBlocksAreNotUpdated() throws {
    let before = try Self.run([Phase(run: .steps(5))])
    let run = try Self.run(
      [Phase(run: .steps(4), to: 4, by: .cross, carry: .all, freezeOld: .steps(4))], model: before.model)
    let moved = run.model.network.layout.parameters.filter { parameter in
      let old = parameter.block.map { "\($0.stack).\($0.index % 2).\($0.local)" } ?? parameter.name
      return run.model.parameter(parameter.name) != before.model.parameter(old)
    }
    #expect(!moved.isEmpty)
    #expect(moved.allSatisfy { ($0.block?.index ?? 3) >= 2 && ($0.block != nil || $0.part == .output) })
  }

  /// A phase ends when the metric that the next phase's plateau names stops improving.
  @Test func growthAtAPlateau() throws {
    let waiting = try Self.run([
      Phase(run: .steps(500)), Phase(run: .steps(5), to: 4, by: .cross, carry: .all, when: .init(plateau: 2, on: Metric(.hr, 5))),
    ]) { $0.optimizer = Adam(rate: 1e-9) }
    // At this learning rate nothing changes: the first evaluation is the best, and two more do not improve on it.
    #expect(waiting.growths.map(\.step) == [15])
    #expect(waiting.history.allSatisfy { $0.metrics[Metric(.hr, 5)] != nil })
  }

  /// A phase ends when the learning curve has become flat: at the fourth evaluation, since all are in the last half of the steps
  /// only from then on.
  @Test func growthAtASlope() throws {
    let flat = try Self.run([
      Phase(run: .steps(500)), Phase(run: .steps(5), to: 4, by: .cross, carry: .all, when: .init(slope: 0.05, on: Metric(.hr, 5))),
    ]) { $0.optimizer = Adam(rate: 1e-9) }
    // Evaluations every 5 steps; of those from 15 to 30 four are in the last half.
    #expect(flat.growths.map(\.step) == [30])
    let never = try Self.run([
      Phase(run: .steps(60)), Phase(run: .steps(5), to: 4, by: .cross, carry: .all, when: .init(slope: -100, on: Metric(.hr, 5))),
    ]) { $0.optimizer = Adam(rate: 1e-9) }
    #expect(never.growths.map(\.step) == [60], "the phase ends by its own length")
  }

  /// The three rules for the optimizer's state at a growth.
  @Test func theOptimizerAtAGrowth() throws {
    func run(_ rule: Phase.StateRule?, carry: Carry = .preserving) throws -> [Float] {
      try Self.run([Phase(run: .steps(10)), Phase(run: .steps(5), to: 4, by: .cross, carry: carry, optimizer: rule)]).model.values.array
    }
    let reset = try run(.reset)
    #expect(try run(nil) == reset)
    let (copy, kept) = (try run(.copy), try run(.kept))
    #expect(Set([reset, copy, kept]).count == 3)
    let everything = Carry.parts(Set(ParameterPart.allCases), optimizer: true)
    #expect(try run(nil, carry: everything) == run(.copy, carry: everything))
    #expect(try run(.reset, carry: everything) == run(.reset, carry: .all))
    // Only parameters of new blocks lose their sources.
    let plan = try Self.model().network.grown(by: .cross, to: 4, carry: .preserving).plan
    let left = plan.leavingOut(plan.newBlocks)
    for (step, old) in zip(left.steps, plan.steps) {
      let isNew = step.target.block.map { plan.newBlocks.contains($0.index) } ?? false
      #expect(isNew ? step.source == nil : step.source?.name == old.source?.name)
    }
    #expect(plan.newBlocks == [2, 3])
  }

  /// Slopes by hand.
  @Test func slopesOfLearningCurves() {
    func slope(_ points: [(Int, Double)]) -> Double? { Phase.Rule.slope(points.map { (step: $0.0, value: $0.1) }) }
    #expect(slope([(0, 0.1), (16, 0.2), (32, 0.4)]) == nil, "too few in the last half")
    #expect(slope([(4, 0), (5, 0), (6, 0), (8, 0)]) == nil, "nothing above 0")
    // Along a line of log2: from 8 to 16 steps the value rises from .4 to .5 in equal parts of log2.
    let line = [8, 10, 13, 16].map { ($0, 0.4 + 0.1 * (log2(Double($0)) - 3)) }
    #expect(abs((slope([(1, 0.9 * 0.5), (2, 0.1)] + line) ?? 0) - 0.2) < 1e-12, "a tenth per doubling, of a best value of a half")
    #expect((slope([8, 10, 13, 16].map { ($0, 0.5) }) ?? 1) == 0)
  }

  @Test(arguments: LossSample.all)
  func sameBitsForAnyNumberOfThreads(sample: LossSample) throws {
    let loss = sample.loss
    let phases = [Phase(run: .steps(7)), Phase(run: .steps(6), to: 4, by: .adjacent, carry: .all)]
    let first = try Self.run(phases, threads: 1) { $0.loss = loss }
    for threads in [2, 3, 8] {
      let other = try Self.run(phases, threads: threads) { $0.loss = loss }
      #expect(other.model.values.array == first.model.values.array)
      #expect(other.history.map(\.metrics) == first.history.map(\.metrics))
      #expect(other.history.map(\.loss) == first.history.map(\.loss))
    }
    let otherSeed = try Self.run(phases) {
      $0.loss = loss; $0.seed = 8
    }
    #expect(otherSeed.model.values.array != first.model.values.array)
  }

  @Test func learns() throws {
    let run = try Self.run([Phase(run: .epochs(20))]) { $0.optimizer = Adam(rate: 3e-3) }
    let losses = run.history.compactMap(\.loss)
    #expect(losses[losses.count - 1] < 0.85 * losses[0])
    let metric = Metric(.mrr, 5)
    let popular = metric.mean(
      Ranking.ranks(Baseline(.popular, train: Self.data.train), on: Self.data.valid, pool: NextItNetTests.pool))
    #expect((run.best.metrics[metric] ?? 0) > 2 * popular)
  }

  @Test func modelHasTheBestParameters() throws {
    let run = try Self.run([Phase(run: .steps(60))]) { $0.optimizer = Adam(rate: 0.02) }
    let metric = run.recipe.watch
    let own = metric.mean(Ranking.ranks(run.model, on: Self.data.valid, pool: NextItNetTests.pool))
    #expect(own == run.best.metrics[metric])
    #expect(own == run.history.compactMap { $0.metrics[metric] }.max())
  }

  @Test func historyRunsOverAllPhases() throws {
    let observer = TestObserver()
    let run = try Self.run(
      [
        Phase(run: .steps(10)), Phase(run: .steps(5), to: 4, by: .cross, carry: .preserving, dataShare: 0.5),
        Phase(run: .steps(5), by: .adjacent),
      ], observer: observer)
    #expect(run.steps == 20)
    #expect(run.growths.map(\.step) == [10, 15])
    #expect(run.growths.map(\.from) == [2, 4] && run.growths.map(\.to) == [4, 8])
    #expect(run.history.map(\.step) == [0, 5, 10, 10, 15, 15, 20])
    #expect(run.history.map(\.blocks) == [2, 2, 2, 4, 4, 8, 8])
    #expect(zip(run.history, run.history.dropFirst()).allSatisfy { $0.seconds <= $1.seconds })
    #expect(observer.evaluations == 4 && observer.marks.count == 2)
    // After a function-preserving growth, the first evaluation equals the best of the previous phase.
    let metric = run.recipe.watch
    let before = run.history.prefix(3).compactMap { $0.metrics[metric] }.max()
    #expect(run.history[3].metrics[metric] == before)
  }

  @Test func interruptedRunsKeepTheBestParameters() throws {
    let observer = TestObserver()
    observer.stopAfter = 7
    let start = try Self.model()
    let run = try Self.run([Phase(run: .steps(1000)), Phase(run: .steps(10), to: 4)], observer: observer, model: start)
    #expect(run.stop == .interrupted)
    #expect(run.steps == 7 && run.growths.isEmpty)
    #expect(run.history.last?.step == 7)
    #expect(run.model.values.array != start.values.array)
  }

  /// After a phase that ended by patience, the next phase runs; the stop reason is that of the last phase.
  @Test func patienceOfOnePhaseIsNotTheEndOfTheRun() throws {
    let observer = TestObserver()
    let run = try Self.run([Phase(run: .steps(500)), Phase(run: .steps(5), to: 4)], observer: observer) {
      $0.optimizer = Adam(rate: 1e-30)
      $0.patience = 2
    }
    #expect(run.growths.map(\.step) == [10] && run.steps == 15 && run.stop == .finished)
  }

  /// If a run is interrupted before a growth improves the metric, the result is the model before the growth.
  @Test func interruptedRightAfterAGrowthGivesTheModelBefore() throws {
    let observer = TestObserver()
    observer.stopAfter = 61
    let run = try Self.run([Phase(run: .steps(60)), Phase(run: .steps(60), to: 4, carry: .reference)], observer: observer) {
      $0.optimizer = Adam(rate: 3e-3)
    }
    #expect(run.stop == .interrupted && run.growths.count == 1)
    let metric = run.recipe.watch
    #expect(run.best.metrics[metric] == run.history.compactMap { $0.metrics[metric] }.max())
    #expect(run.model.network.depth == run.best.blocks)
  }

  @Test func patienceEndsAPhase() throws {
    // With a learning rate of 0, the metric never improves.
    let run = try Self.run([Phase(run: nil)]) {
      $0.optimizer = Adam(rate: 1e-30)
      $0.patience = 3
    }
    #expect(run.stop == .patience(3, Metric(.mrr, 5)))
    #expect(run.steps == 15)
  }

  @Test func aLossOfNaNKeepsTheBestParameters() throws {
    let run = try Self.run([Phase(run: .steps(50))]) { $0.optimizer = Adam(rate: 1e30) }
    guard case .diverged = run.stop else {
      Issue.record("expected divergence, not: \(run.stop.text)")
      return
    }
    let finite = run.model.values.array.allSatisfy { $0.isFinite }
    #expect(finite)
  }

  @Test func invalidRecipesAreErrorsBeforeTheFirstStep() throws {
    let observer = TestObserver()
    #expect(throws: GrowthError.self) {
      try Self.run([Phase(run: .steps(5)), Phase(run: .steps(5), to: 2, by: .adjacent)], observer: observer)
    }
    #expect(throws: TrainingError.self) { try Self.run([], observer: observer) }
    let other = Model(try NextItNet(.init(items: 7, dim: 4, blocks: 1)), seed: 1)
    #expect(throws: TrainingError.self) { try Self.run([Phase(run: .steps(1))], observer: observer, model: other) }
    #expect(observer.steps == 0)
  }

  @Test func everyEpochHasEverySequenceOnceInADifferentOrder() {
    let batches = Batches(Self.data.train, size: 50, seed: 1, phase: 0)
    let perEpoch = Batches.perEpoch(Self.data.train.count, 50)
    let first = (0..<perEpoch).flatMap { batches.indices(step: $0) }
    let second = (perEpoch..<(2 * perEpoch)).flatMap { batches.indices(step: $0) }
    #expect(first.sorted() == Array(0..<Self.data.train.count))
    #expect(second.sorted() == first.sorted() && second != first)
  }

  /// The reference code: one order for all epochs, whole batches only.
  @Test func oneOrderAndWholeBatches() {
    let batches = Batches(Self.data.train, size: 50, seed: 1, phase: 0, shuffle: .once, lastBatch: .drop)
    let perEpoch = Self.data.train.count / 50
    #expect(Self.data.train.count % 50 != 0)
    let first = (0..<perEpoch).map { batches.indices(step: $0) }
    #expect(first.allSatisfy { $0.count == 50 } && Set(first.joined()).count == perEpoch * 50)
    #expect((perEpoch..<(2 * perEpoch)).map { batches.indices(step: $0) } == first)
  }

  /// A trial of one candidate is the growth itself; of several, the best at the end of the trials goes on.
  @Test func theBestTrialGoesOn() throws {
    let candidates: [GrowthTrial.Candidate] = [
      .init(by: .cross, carry: .preserving), .init(by: .adjacent, carry: .all, optimizer: .reset, rate: 0.25),
    ]
    func run(_ phase: Phase) throws -> TrainingRun {
      try Self.run([Phase(run: .steps(10)), phase]) { ($0.optimizer, $0.evaluateEvery) = (Adam(rate: 1e-2), .steps(5)) }
    }
    let plain = try candidates.map { candidate in
      try run(Phase(run: .steps(20), by: candidate.by, carry: candidate.carry, optimizer: candidate.optimizer, rate: candidate.rate))
    }
    for (candidate, expected) in zip(candidates, plain) {
      let one = try run(Phase(run: .steps(20), trial: GrowthTrial(run: .steps(5), candidates: [candidate])))
      #expect(one.model.values.array == expected.model.values.array && one.history.map(\.metrics) == expected.history.map(\.metrics))
    }
    let both = try run(Phase(run: .steps(20), trial: GrowthTrial(run: .steps(5), candidates: candidates)))
    let mark = try #require(both.growths.first)
    let values = try plain.map { run in try #require(run.history.first { $0.step == 15 }?.metrics[Metric(.mrr, 5)]) }
    #expect(mark.trials.map(\.steps) == [5, 5] && mark.step == 15 && both.steps == 35)
    #expect(mark.trials.map(\.value) == values)
    let best = values[1] > values[0] ? 1 : 0
    #expect(mark.by == candidates[best].by && both.model.values.array == plain[best].model.values.array)
    // The time of both trials counts, before that of what follows.
    #expect(both.seconds >= mark.trials.reduce(0) { $0 + $1.seconds } && mark.seconds >= mark.trials[1 - best].seconds)
    #expect(zip(both.history, both.history.dropFirst()).allSatisfy { $0.seconds <= $1.seconds })
  }

  /// A candidate that diverges never wins, whatever its place; trials of many candidates fit into half of their phase.
  @Test func divergedTrialsLose() throws {
    let diverging = GrowthTrial.Candidate(by: .cross, carry: .preserving, rate: 1e30)
    let sound = GrowthTrial.Candidate(by: .adjacent, carry: .all, rate: 1e-9)
    for candidates in [[diverging, sound], [sound, diverging]] {
      let run = try Self.run([Phase(run: .steps(5)), Phase(run: .steps(40), trial: GrowthTrial(run: .steps(30), candidates: candidates))]) {
        ($0.optimizer, $0.loss) = (Adam(rate: 1e-3, epsilon: 1e-30), Softmax())
      }
      let trials = try #require(run.growths.first).trials
      #expect(run.growths.first?.by == .adjacent && run.stop == .finished && trials.allSatisfy { $0.steps <= 10 })
      #expect(trials.first { $0.name.hasPrefix("cross") }?.value == nil)
    }
  }

  /// A length of the whole training ends it, in whichever phase; a budget begins a phase at a share of it.
  @Test func lengthOfTheWholeTraining() throws {
    let phases = [Phase(run: .steps(8)), Phase(to: 4, when: .init(budget: 0.7))]
    let run = try Self.run(phases) { $0.length = .steps(20) }
    #expect(run.steps == 20 && run.growths.map(\.step) == [8])
    let budget = try Self.run([Phase(), phases[1]]) { $0.length = .steps(20) }
    #expect(budget.steps == 20 && budget.growths.map(\.step) == [14] && budget.stop == .finished)
    let short = try Self.run([Phase(), Phase(to: 4, when: .init(plateau: 1000, on: Metric(.mrr, 5)))]) { $0.length = .steps(6) }
    #expect(short.steps == 6 && short.growths.isEmpty && short.stop == .finished)
    #expect(throws: TrainingError.endsBeforePhase(phase: 2, steps: 6)) {
      try Self.run([Phase(run: .steps(8)), Phase(to: 4)]) { $0.length = .steps(6) }
    }
    #expect(throws: TrainingError.otherLength(phases: 12, training: 20)) {
      try Self.run([Phase(run: .steps(8)), Phase(run: .steps(4), to: 4)]) { $0.length = .steps(20) }
    }
    // The schedule is that of the whole training, although the phases have no lengths.
    let rates = try Self.run([Phase(), phases[1]]) {
      ($0.length, $0.evaluateEvery, $0.schedule) = (.steps(20), .steps(1), WarmUpStableDecay { $0.decay = .steps(4) })
    }.history.compactMap(\.rate)
    #expect(rates.dropLast(4).allSatisfy { abs($0 - 1e-3) < 1e-12 } && rates.last ?? 1 < 3e-4)
    #expect(throws: TrainingError.budgetWithoutLength(phase: 2)) { try Self.run([Phase(run: .steps(2)), phases[1]]) }
    #expect(throws: TrainingError.phaseLength(phase: 1, longest: 12)) { try Self.run([Phase(run: .steps(1), length: 13)]) }
  }

  /// The doublings of `grow: auto`.
  @Test func doublings() {
    let phases = Phase.doubling(from: 0, to: 6, run: .epochs(40), trial: GrowthTrial(), on: Metric(.hr, 5))
    #expect(phases.map(\.to) == [nil, 1, 2, 4, 6] && phases.map(\.by) == [nil, .random, nil, nil, nil])
    #expect(phases.map { $0.trial != nil } == [false, false, true, true, true])
    #expect(phases.map(\.run) == [.epochs(5), .epochs(5), .epochs(5), .epochs(5), nil])
  }

  /// A phase with a length trains on the latest items of every sequence.
  @Test func aPhaseOfShortSequences() throws {
    let histories = try SyntheticProcess.histories(users: 60, items: 50, seed: 4)
    let long = try histories.windows(WindowOptions(length: 9, minimum: 2))
    let model = Model(try SASRec(.init(items: long.items.count, length: 9, dim: 8, blocks: 2)), seed: 1)
    let make = BatchMaker(long, model.network, loss: Softmax(), length: 4, padsCount: false, seed: 1)
    let short = SequenceSet.fixed(
      length: 4, tokens: (0..<30).flatMap { i in Array(long.sequence(i).suffix(4)) }, items: long.items.count)
    let a = TiledStep(model, on: long).lossAndGradients(make(Array(0..<30), step: 0))
    let b = TiledStep(model, on: short).lossAndGradients(
      BatchMaker(short, model.network, loss: Softmax(), padsCount: false, seed: 1)(Array(0..<30), step: 0))
    #expect(abs(a.0 - b.0) < 1e-6 && worstDifference(a.1.array, b.1.array) < 1e-6)
  }

  /// A step of several batches has every sequence of an epoch once; its last step may have fewer batches.
  @Test func stepsOfSeveralBatches() {
    let whole = Batches(Self.data.train, size: 20, seed: 1, phase: 0),
      steps = Batches(Self.data.train, size: 20, accumulate: 4, seed: 1, phase: 0)
    var recipe = Recipe()
    (recipe.batch, recipe.accumulate) = (20, 4)
    let (batches, count) = (Batches.perEpoch(Self.data.train.count, 20), Batches.stepsPerEpoch(Self.data.train.count, recipe))
    #expect(count == (batches + 3) / 4 && batches % 4 != 0)
    for epoch in 0..<2 {
      let a = (0..<batches).flatMap { whole.indices(step: epoch * batches + $0) }
      let b = (0..<count).flatMap { steps.indices(step: epoch * count + $0) }
      #expect(a == b)
    }
  }

  /// The gradient of a step is the mean of those of its batches, although their sequences are sorted by length together.
  @Test func theGradientOfAStepIsTheMeanOfItsBatches() throws {
    let histories = try SyntheticProcess.histories(users: 60, items: 50, seed: 4)
    let set = try histories.windows(WindowOptions(length: 9, minimum: 2))
    let model = Model(try SASRec(.init(items: set.items.count, length: 9, dim: 8, blocks: 2)), seed: 1)
    let engine = TiledStep(model, on: set)
    func gradients(_ indices: Range<Int>, size: Int?) -> (Double, [Float]) {
      let make = BatchMaker(set, model.network, loss: Softmax(), batchSize: size, padsCount: false, seed: 1)
      let (loss, gradients) = engine.lossAndGradients(make(Array(indices), step: 0))
      return (loss, gradients.array)
    }
    let parts = [0..<20, 20..<40, 40..<50].map { gradients($0, size: nil) }
    let (loss, all) = gradients(0..<50, size: 20)
    #expect(abs(loss - parts.reduce(0) { $0 + $1.0 } / 3) < 1e-5)
    let mean = all.indices.map { i in parts.reduce(0) { $0 + $1.1[i] } / 3 }
    #expect(worstDifference(all, mean) < 1e-6)
    // One batch of all of them weighs the sequences of the smaller last batch less.
    #expect(worstDifference(all, gradients(0..<50, size: nil).1) > 1e-5)
  }

  /// What is evaluated and kept is the average: it equals that of the parameters after each step.
  @Test func theAverageIsEvaluatedAndKept() throws {
    func last(_ steps: Int, _ decay: Double?) throws -> [Float] {
      let observer = TestObserver()
      observer.stopAfter = steps
      let run = try Self.run([Phase(run: .steps(100))], observer: observer) {
        $0.averageDecay = decay
        $0.evaluateEvery = .steps(1)
      }
      let state = try #require(run.pending?.checkpoint.state)
      return try (decay == nil ? state.model.values : #require(state.average)).array
    }
    let average = FloatBuffer(try Self.model().values.array)
    for step in 1...4 { Elementwise.moveAverage(average.base, try last(step, nil), decay: 0.6, average.count) }
    #expect(try last(4, 0.6) == average.array)
    let run = try Self.run([Phase(run: .steps(4))]) {
      ($0.averageDecay, $0.evaluateEvery, $0.optimizer) = (0.6, .steps(4), Adam(rate: 1e-2))
    }
    let plain = try Self.run([Phase(run: .steps(4))]) { ($0.evaluateEvery, $0.optimizer) = (.steps(4), Adam(rate: 1e-2)) }
    #expect(run.best.step == 4 && run.history.last?.metrics != plain.history.last?.metrics)
  }

  @Test func aStepHasALimit() {
    #expect(throws: TrainingError.stepTooLarge(batch: 600, accumulate: 5000)) {
      try Self.run([Phase(run: .steps(1))]) { ($0.batch, $0.accumulate) = (600, 5000) }
    }
  }

  @Test(arguments: [Recipe.OfEquals.later, .earlier])
  func tiesKeepTheRequestedModel(which: Recipe.OfEquals) throws {
    let run = try Self.run([Phase(run: .steps(15))]) {
      $0.optimizer = Adam(rate: 1e-30)
      $0.ofEquals = which
    }
    #expect(run.best.step == (which == .later ? 15 : 0))
  }

  @Test(arguments: NegativeDistribution.allCases)
  func negativesAreDistinctWithTheRightExpectedCounts(distribution: NegativeDistribution) {
    let popularity = [0] + (1...50).map { 1000 - $0 }
    let sampler = NegativeSampler(share: 0.2, distribution: distribution, popularity: popularity, seed: 1)
    var counts = [Double](repeating: 0, count: 51)
    var expected = [Double](repeating: 0, count: 51)
    for step in 0..<4000 {
      let negatives = sampler.draw(step: UInt64(step))
      #expect(Set(negatives.items).count == 10 && !negatives.items.contains(0))
      for item in negatives.items { counts[Int(item)] += 1 }
      for item in 1...50 { expected[item] += Double(exp(negatives.logExpected(of: Int32(item)))) }
    }
    for item in 1...50 { #expect(abs(counts[item] - expected[item]) < 6 * expected[item].squareRoot() + 0.03 * expected[item]) }
  }

  @Test func speedupByHand() throws {
    func point(_ step: Int, _ value: Double) -> HistoryPoint {
      HistoryPoint(
        step: step, epoch: 0, seconds: Double(step) / 10, cpuSeconds: Double(step) / 5, loss: nil, rate: nil,
        metrics: [Metric(.mrr, 5): value], phase: 0, blocks: 1)
    }
    let reached = Speedup.reach(0.3, [point(0, 0), point(10, 0.2), point(20, 0.4)], Metric(.mrr, 5))
    #expect(reached?.steps == 15 && reached?.seconds == 1.5)
    #expect(Speedup.reach(0.5, [point(0, 0), point(10, 0.2)], Metric(.mrr, 5)) == nil)
  }

  @Test func safetensorsRoundTripAndRefusal() throws {
    let file = SafeTensors(
      tensors: [("a", .init(shape: [2, 2], [1, 2, 3, 4])), ("b", .init(shape: [1], integers: [-7]))],
      metadata: ["kind": "test"])
    let data = try file.data()
    let back = try SafeTensors(data)
    #expect(back["a"] == file["a"] && back["b"]?.integers == [-7] && back.metadata == ["kind": "test"])
    for cut in [0, 7, 20, data.count - 1] { #expect(throws: TensorHeader.FormatError.self) { try SafeTensors(data.prefix(cut)) } }
    var huge = data
    huge.replaceSubrange(0..<8, with: [255, 255, 255, 255, 255, 255, 255, 127])
    #expect(throws: TensorHeader.FormatError.self) { try SafeTensors(huge) }
  }
}

@Suite struct AdamTests {
  /// The bias correction of a parameter counts the steps of this parameter: fewer for one that was added later or frozen.
  @Test func biasCorrectionCountsAParametersOwnSteps() throws {
    let model = try GrowthTests.trained("nextitnet", blocks: 2)
    let layout = model.network.layout
    let late = try #require(layout["blocks.1.conv1.weight"]), early = try #require(layout["blocks.0.conv1.weight"])
    let state = OptimizerState(Adam(), layout)
    let before = model.values.copy()
    let gradient = FloatBuffer(count: layout.count)
    for i in 0..<gradient.count { gradient[i] = 0.5 }
    for step in 1...10 {
      if step < 10 { state.skip([late]) }
      let update = OptimizerStep(
        Adam(rate: 0.01), state, parameters: model.values, learning: step < 10 ? [early.range] : nil)
      update.apply(0, layout.denseCount, gradient.base)
    }
    // The size of Adam's first step is the learning rate, for any gradient.
    #expect(abs(before[late.offset] - model.values[late.offset] - 0.01) < 1e-5)
    #expect(abs(before[early.offset] - model.values[early.offset] - 0.1) < 1e-4)
    #expect(state.start(of: late) == 9)
    let twin = state.copy()
    #expect(twin.start(of: late) == 9 && twin.steps == 10 && twin.tensors[0].array == state.tensors[0].array)
  }
}
