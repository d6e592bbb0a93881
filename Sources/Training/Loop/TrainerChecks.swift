import Growth
import Kernels
import Layers

/// What is refused before the first step, so that a mistake in the last phase costs no night of training.
extension Trainer {
  func check(_ model: Model) throws {
    let phases = recipe.phases
    guard !phases.isEmpty else { throw TrainingError.noPhases }
    guard recipe.batch >= 1 else { throw TrainingError.emptyBatch }
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
    for (index, phase) in phases.enumerated() {
      if phase.when != nil && index == 0 { throw TrainingError.firstPhaseWaits }
      if phase.freezeOld != nil && !phase.grows { throw TrainingError.freezesWithoutGrowth(phase: index + 1) }
    }
    if let longest = model.network.maximumLength, longest < data.train.length {
      throw TrainingError.tooLong(model: longest, data: data.train.length)
    }
    var network = model.network
    var needed = try checkMemory(network)
    for (index, phase) in phases.enumerated() where phase.grows {
      do {
        network = try network.grown(by: phase.growth, to: phase.to, carry: phase.carry).network
      } catch let error as GrowthError {
        throw GrowthError.inPhase(index + 1, error)
      }
      needed = max(needed, try checkMemory(network))
    }
    observer.planned(name: name, blocks: network.depth, parameters: network.layout.count, bytes: needed)
  }

  /// The largest batch of the training.
  var batchSize: Int { min(recipe.batch, data.train.count) }

  private func checkMemory(_ network: any Network) throws -> Double {
    let needed = TiledStep.bytes(network, recipe, length: data.train.length, batch: batchSize, threads: pool.threads)
    try MemoryBudget.check(needed, "training \(network.depth) blocks on sequences of \(data.train.length)")
    return needed
  }
}
