import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import Training

/// Requirements on every registered loss, optimizer and schedule, checked on the samples that each declares.
@Suite struct ComponentTests {
  static let kinds: [any Component.Type] = Losses.kinds + Optimizers.kinds + Schedules.kinds

  /// Every stored property is a field, so it is part of the fingerprint, and some sample changes it.
  @Test func everyValueIsAField() throws {
    #expect(Set(Self.kinds.map { $0.kind }).count == Self.kinds.count)
    for kind in Self.kinds {
      func check<C: Component>(_ kind: C.Type) throws {
        #expect(!kind.samples.isEmpty && !kind.summary.isEmpty, "\(kind.kind)")
        #expect(Mirror(reflecting: kind.init()).children.count == kind.fields.count, "\(kind.kind) has a property without a field")
        var moved: Set<String> = []
        for sample in kind.samples {
          let tree = try sample.component()
          guard case .object(var values) = tree else {
            Issue.record("\(kind.kind) is not an object")
            return
          }
          #expect(values.removeValue(forKey: "kind") == .text(kind.kind))
          moved.formUnion(values.keys)
          #expect(try kind.init(component: values).component() == tree, "\(kind.kind)")
        }
        #expect(moved == Set(kind.fields.map(\.key)), "\(kind.kind): \(moved)")
      }
      try check(kind)
    }
  }

  /// A training with each sample gives the same bits for any number of threads, and from every checkpoint.
  @Test(arguments: Optimizers.kinds.flatMap { kind in kind.samples.map { OptimizerSample(optimizer: $0) } })
  func everyOptimizer(sample: OptimizerSample) throws {
    try Self.check { $0.optimizer = sample.optimizer }
  }

  @Test(arguments: Schedules.kinds.flatMap { kind in kind.samples.map { ScheduleSample(schedule: $0) } })
  func everySchedule(sample: ScheduleSample) throws {
    try Self.check { $0.schedule = sample.schedule }
  }

  @Test(arguments: LossSample.all)
  func everyLoss(sample: LossSample) throws {
    try Self.check { $0.loss = sample.loss }
  }

  /// Several batches per step, and a moving average of the parameters.
  @Test func accumulationAndAverage() throws {
    try Self.check { ($0.batch, $0.accumulate, $0.averageDecay) = (24, 3, 0.8) }
  }

  private static func check(_ change: (inout Recipe) -> Void) throws {
    let phases = [Phase(run: .steps(6)), Phase(run: .steps(6), to: 4, by: .cross)]
    let first = try TrainerTests.run(phases, threads: 1, nil, change)
    let losses = first.history.compactMap(\.loss).filter(\.isFinite)
    #expect(losses.count == first.history.compactMap(\.loss).count && !losses.isEmpty)
    for threads in [2, 3] {
      #expect(try TrainerTests.run(phases, threads: threads, nil, change).model.values.array == first.model.values.array)
    }
    var recipe = first.recipe
    recipe.phases = phases
    for stop in [2, 6, 9] {
      let observer = TestObserver()
      observer.stopAfter = stop
      let pool = WorkerPool(threads: 2)
      let part = try Trainer(recipe, data: TrainerTests.data, pool: pool, observer: observer).run(try TrainerTests.model())
      let rest = try Trainer(recipe, data: TrainerTests.data, pool: pool, observer: TestObserver()).resume(part)
      #expect(rest.model.values.array == first.model.values.array, "stopped after \(stop)")
    }
  }

  struct OptimizerSample: Sendable, CustomStringConvertible {
    let optimizer: any Optimizer
    var description: String { optimizer.text }
  }

  struct ScheduleSample: Sendable, CustomStringConvertible {
    let schedule: any Schedule
    var description: String { schedule.text }
  }
}

extension TrainerTests {
  static func run(_ phases: [Phase], threads: Int, _ model: Model?, _ change: (inout Recipe) -> Void) throws -> TrainingRun {
    try run(phases, threads: threads, observer: TestObserver(), model: model, change)
  }
}
