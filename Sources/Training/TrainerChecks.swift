import Growth
import Layers

/// What is refused before the first step, so that a mistake in the last phase costs no night of training.
extension Trainer {
  func check(_ model: Model, _ phases: [Phase]) throws {
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
    var network = model.network
    var needed = try checkMemory(network)
    for (index, phase) in phases.enumerated() where phase.grows {
      do {
        network = try network.grown(by: phase.by ?? .adjacent, to: phase.to, carry: phase.carry).network
      } catch let error as GrowthError {
        throw error.inPhase(index + 1)
      }
      needed = max(needed, try checkMemory(network))
    }
    observer.planned(name: options.name, blocks: network.depth, parameters: network.layout.count, bytes: needed)
  }

  private func checkMemory(_ network: any Network) throws -> Double {
    let needed = StepEngine.bytes(
      network, loss: options.loss, length: data.train.length, batch: min(options.batch, data.train.count),
      threads: pool.threads)
    try MemoryLimit.check(needed, "training \(network.depth) blocks on sequences of \(data.train.length)")
    return needed
  }
}
