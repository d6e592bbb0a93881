import Growth
import Kernels
import Layers

/// Checks before the first step. They cover all phases, so that an error in the last phase does not appear after hours of
/// training.
extension Trainer {
  /// Checks that the recipe is valid for the model and the data, and that all phases fit into memory.
  ///
  /// - Throws: `TrainingError`, `GrowthError` or `MemoryBudget.Exceeded`.
  func check(_ model: Model) throws {
    let phases = recipe.phases
    guard !phases.isEmpty, phases.allSatisfy({ !$0.alternatives.isEmpty }) else { throw TrainingError.noPhases }
    guard recipe.batch >= 1 else { throw TrainingError.emptyBatch }
    guard recipe.accumulate >= 1, recipe.stepSize <= Recipe.largestStep else {
      throw TrainingError.stepTooLarge(batch: recipe.batch, accumulate: recipe.accumulate)
    }
    if recipe.schedule.needsLength, plannedSteps() == nil, let phase = phases.firstIndex(where: { plannedSteps(of: $0) == nil }) {
      throw TrainingError.scheduleNeedsLength(schedule: recipe.schedule.kind, phase: phase + 1)
    }
    if recipe.padsInLoss && model.network.pads == .none { throw TrainingError.padsInLoss }
    let items = data.train.rankedItems.count
    guard model.network.output.rows == items else {
      throw TrainingError.otherItems(model: model.network.output.rows - 1, data: items - 1)
    }
    for table in model.network.rowTables {
      let rows = table.rowsAre == .items ? data.train.items.count : data.train.userNames.count
      guard table.rows == rows else {
        throw TrainingError.otherRows(what: table.rowsAre.rawValue, model: table.rows, data: rows)
      }
    }
    if model.network.timeReference != nil, !data.train.hasTimes || !data.valid.hasTimes { throw TrainingError.noTimes }
    if let length = recipe.length, let all = steps(length, data.train) {
      let known = phases.map { $0.run == nil ? nil : plannedSteps(of: $0) }
      var sum = 0
      for index in phases.indices {
        if index > 0, sum >= all { throw TrainingError.endsBeforePhase(phase: index + 1, steps: all) }
        sum += min(known[index] ?? 0, 1_000_000_000_000)
      }
      if !known.contains(nil), sum != all { throw TrainingError.otherLength(phases: sum, training: all) }
    }
    for (index, phase) in phases.enumerated() {
      if phase.when != nil && index == 0 { throw TrainingError.firstPhaseWaits }
      if phase.when?.budget != nil && recipe.length == nil { throw TrainingError.budgetWithoutLength(phase: index + 1) }
      if let length = phase.length, !(2...max(2, data.train.length)).contains(length) {
        throw TrainingError.phaseLength(phase: index + 1, longest: data.train.length)
      }
      if phase.freezeOld != nil && !phase.grows { throw TrainingError.freezesWithoutGrowth(phase: index + 1) }
    }
    if let longest = model.network.maximumLength, longest < data.train.length {
      throw TrainingError.tooLong(model: longest, data: data.train.length)
    }
    var network = model.network
    var needed = try checkMemory(network)
    for (index, phase) in phases.enumerated() where phase.grows {
      var (grown, fault): ((any Network)?, GrowthError?)
      for alternative in phase.alternatives where grown == nil {
        do {
          grown = try network.grown(by: alternative.growth, to: alternative.to, carry: alternative.carry).network
        } catch let error as GrowthError {
          fault = error
        }
      }
      guard let grown else { throw GrowthError.inPhase(index + 1, fault ?? .noBlocks) }
      network = grown
      needed = max(needed, try checkMemory(network))
    }
    observer.planned(name: name, blocks: network.depth, parameters: network.layout.count, bytes: needed)
  }

  /// The size of the largest step of the training, in sequences.
  private var stepSize: Int { min(recipe.stepSize, data.train.count) }

  /// Checks that a network can be trained in memory; returns the bytes that it needs.
  private func checkMemory(_ network: any Network) throws -> Double {
    let needed = TiledStep.bytes(network, recipe, length: data.train.length, batch: stepSize, threads: pool.threads)
    try MemoryBudget.check(needed, "training \(network.depth) blocks on sequences of \(data.train.length)")
    return needed
  }
}
