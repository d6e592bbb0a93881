import Datasets
import Foundation
import Growth
import Kernels
import Layers
import ModelFiles

/// A checkpoint in a file: the file of a model (`ModelFile`) that has its best parameters so far, with the rest of the
/// training beside them. Any program that reads such models reads it.
///
/// Metadata: `format` is `stackrec-checkpoint`; `training` (JSON) has the numbers and the history; `identity` (JSON) what the
/// training started from, and `fingerprint` names that. Tensors of a training that is not finished, a parameter's name after
/// each:
///
/// - `training/current/`: the parameters at the step
/// - `training/NAME/`: the optimizer's state, for Adam `first` and `second`
/// - `training/best_NAME/`: the state that belongs to the best parameters, where a growth will take it along
/// - `training/fallback/`: the best parameters before the last growth
public enum TrainingFile {
  /// What a file held.
  public enum Contents {
    case underway(TrainingCheckpoint)
    case finished(Finished)
  }

  /// A finished training without its data, which the caller has.
  public struct Finished {
    let model: Model
    let record: CheckpointRecord
    /// Its evaluations took the mean rank of tied items, as version 0.1 did.
    public var hasMeanRanks: Bool { record.ties == nil }
  }

  // MARK: Writing

  /// What the file of a training holds.
  public static func contents(_ training: TrainingRecord, _ known: Vocabularies, _ identity: TrainingIdentity) throws
    -> StoredTensors
  {
    var file: StoredTensors
    let numbers: CheckpointRecord
    switch training {
    case .finished(let run, nil):
      file = try ModelFile.contents(run.model, known)
      numbers = CheckpointRecord(run)
    case .underway(let checkpoint), .finished(_, .some(let checkpoint)):
      let state = checkpoint.state
      let layout = state.model.network.layout
      file = try ModelFile.contents(Model(state.model.network, values: state.bestValues, seed: state.model.seed), known)
      file.add(layout, state.model.values, prefix: "training/current/")
      func add(_ optimizer: OptimizerState, _ prefix: String) {
        for (name, tensor) in zip(optimizer.names, optimizer.tensors) {
          file.add(layout, tensor, prefix: "training/\(prefix)\(name)/")
        }
      }
      add(state.optimizer, "")
      if let best = state.bestOptimizer { add(best, "best_") }
      if let fallback = state.fallback {
        file.add(fallback.model.network.layout, fallback.model.values, prefix: "training/fallback/")
      }
      var record = try CheckpointRecord(state)
      if case .finished(let run, _) = training { record.finish(run.stop) }
      numbers = record
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    file.metadata["format"] = ModelFile.checkpointFormat
    file.metadata["fingerprint"] = identity.fingerprint
    file.metadata["identity"] = identity.text
    file.metadata["training"] = String(decoding: try encoder.encode(numbers), as: UTF8.self)
    return file
  }

  // MARK: Reading

  /// Reads a checkpoint back.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - identity: of the training that wants to go on.
  ///   - recipe: of it.
  ///   - shorter: of a training that is the same but for a shorter last phase, whose checkpoint it is: what comes out goes on
  ///     from where that one had got to, its end included.
  /// - Throws: `ModelFile.Failure` for anything that is not a whole checkpoint of this very training.
  public static func read(
    _ path: String, _ identity: TrainingIdentity, _ recipe: Recipe, shorter: TrainingIdentity? = nil
  ) throws -> Contents {
    if let shorter { return try read(path, fingerprints: [shorter.fingerprint], recipe, goesOn: true) }
    return try read(path, fingerprints: [identity.fingerprint] + [identity.legacyFingerprint].compactMap { $0 }, recipe)
  }

  /// The same for a file that has one of some fingerprints.
  static func read(_ path: String, fingerprints: [String], _ recipe: Recipe, goesOn: Bool = false) throws -> Contents {
    let file = try ModelReader(path)
    func bad(_ message: String) -> ModelFile.Failure { ModelFile.Failure(path, .contents(message)) }
    let model = file.model
    guard file.metadata["format"] == ModelFile.checkpointFormat, let text = file.metadata["training"] else {
      throw bad("is the file of a model, not of a training that could go on")
    }
    guard let fingerprint = file.metadata["fingerprint"], fingerprints.contains(fingerprint) else {
      throw bad("is of another training: its model, data or recipe differ")
    }
    guard let record = try? JSONDecoder().decode(CheckpointRecord.self, from: Data(text.utf8)) else {
      throw bad("lacks what a training needs to go on")
    }
    guard
      record.isConsistent(
        depth: model.network.depth, parameters: model.network.layout.parameters.count, phases: recipe.phases.count)
    else { throw bad("contradicts itself: the numbers of the training do not fit its model or its recipe") }
    let layout = model.network.layout
    let hasState = layout.parameters.first.map { file.has("training/current/" + $0.name) } ?? false
    if record.isFinished, !goesOn || !hasState { return .finished(Finished(model: model, record: record)) }

    func optimizer(_ prefix: String, steps: Int, starts: [Int]) throws -> OptimizerState {
      let state = OptimizerState(recipe.optimizer, layout)
      for (name, tensor) in zip(state.names, state.tensors) {
        tensor.assign(try file.values(layout, prefix: "training/\(prefix)\(name)/"))
      }
      state.restore(steps: steps, starts: starts)
      return state
    }
    let current = Model(model.network, values: try file.values(layout, prefix: "training/current/"), seed: model.seed)
    var state = TrainingState(model: current, recipe)
    state.bestValues = model.values
    state.optimizer = try optimizer("", steps: record.adamSteps, starts: record.births)
    if let starts = record.bestBirths { state.bestOptimizer = try optimizer("best_", steps: record.adamSteps, starts: starts) }
    if let fallback = record.fallback {
      let network = try ModelReader.network(fallback.kind, fallback.configuration, path)
      let old = Model(network, values: try file.values(network.layout, prefix: "training/fallback/"), seed: model.seed)
      state.fallback = .init(model: old, best: fallback.best)
    }
    record.restore(&state)
    return .underway(TrainingCheckpoint(state: state, hasMeanRanks: record.ties == nil))
  }

  /// What the training of a checkpoint started from; nil for a file of version 0.1, or of something else.
  public static func identity(_ path: String) -> TrainingIdentity? {
    ModelFile.metadata(path)?["identity"].flatMap { try? TrainingIdentity(text: $0) }
  }
}

extension TrainingFile.Finished {
  /// The run as it ended, on the data it was trained on.
  public func run(_ recipe: Recipe, name: String, _ data: Split) -> TrainingRun {
    let history = record.history.map(\.point)
    return TrainingRun(
      name: name, model: model, data: data, recipe: recipe, history: history, growths: record.growths.compactMap(\.mark),
      stop: record.stop.value, best: history[record.best], evaluationSeconds: record.evaluationSeconds)
  }
}
