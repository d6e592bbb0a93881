import Datasets
import Foundation
import Growth
import Kernels
import Layers
import ModelFiles

/// The file format of checkpoints: a model's file (`ModelFile`) with the best parameters so far, and the rest of the training
/// state. Any program that reads such models can read it.
///
/// Metadata: `format` is `stackrec-checkpoint`; `training` (JSON) has the numbers and the history of the training; `identity`
/// (JSON) describes what it started from; `fingerprint` is a hash of that. If the training is not finished, these tensors
/// follow, each with the name of a parameter as its suffix:
///
/// - `training/current/`: the current parameters
/// - `training/average/`: the moving average of the parameters, if the recipe has one
/// - `training/NAME/`: the optimizer's state; for Adam, NAME is `first` and `second`
/// - `training/best_NAME/`: the optimizer's state at the best parameters, if a growth will carry it over
/// - `training/fallback/`: the best parameters before the last growth
public enum TrainingFile {
  /// The contents of a checkpoint.
  public enum Contents {
    case underway(TrainingCheckpoint)
    case finished(Finished)
  }

  /// A finished training without its data.
  public struct Finished {
    let model: Model
    let record: CheckpointRecord
    /// Its evaluations took the mean rank of tied items, as version 0.1 did.
    public var hasMeanRanks: Bool { record.ties == nil }
  }

  // MARK: Writing

  /// The contents of a checkpoint's file.
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
      if let average = state.average { file.add(layout, average, prefix: "training/average/") }
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

  /// Reads a checkpoint.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - identity: the identity of the training that resumes.
  ///   - recipe: the recipe of that training.
  ///   - shorter: if the checkpoint belongs to a training that differs only in a shorter last phase, the identity of that
  ///     training. The training then continues from the last state of the shorter one, even if that one is finished.
  /// - Throws: `ModelFile.Failure` unless the file is a complete checkpoint of the expected training.
  public static func read(
    _ path: String, _ identity: TrainingIdentity, _ recipe: Recipe, shorter: TrainingIdentity? = nil
  ) throws -> Contents {
    if let shorter { return try read(path, fingerprints: [shorter.fingerprint], recipe, continues: true) }
    return try read(path, fingerprints: [identity.fingerprint] + [identity.legacyFingerprint].compactMap { $0 }, recipe)
  }

  /// Reads a checkpoint with a fingerprint.
  ///
  /// - Throws: `ModelFile.Failure` unless the file is a complete checkpoint of that training.
  public static func read(_ path: String, fingerprint: String, _ recipe: Recipe) throws -> Contents {
    try read(path, fingerprints: [fingerprint], recipe)
  }

  /// Reads a checkpoint that has one of the given fingerprints. If `continues`, a finished training yields its last state.
  static func read(_ path: String, fingerprints: [String], _ recipe: Recipe, continues: Bool = false) throws -> Contents {
    let file = try ModelReader(path)
    func bad(_ message: String) -> ModelFile.Failure { ModelFile.Failure(path, .contents(message)) }
    let model = file.model
    guard file.metadata["format"] == ModelFile.checkpointFormat, let text = file.metadata["training"] else {
      throw bad("is the file of a model, not a checkpoint of a training")
    }
    guard let fingerprint = file.metadata["fingerprint"], fingerprints.contains(fingerprint) else {
      throw bad("belongs to another training: its model, data or recipe differ")
    }
    guard let record = try? JSONDecoder().decode(CheckpointRecord.self, from: Data(text.utf8)) else {
      throw bad("lacks values that are needed to continue the training")
    }
    guard
      record.isConsistent(
        depth: model.network.depth, parameters: model.network.layout.parameters.count, phases: recipe.phases.count)
    else { throw bad("is inconsistent: the values of the training do not match its model or its recipe") }
    let layout = model.network.layout
    let hasState = layout.parameters.first.map { file.has("training/current/" + $0.name) } ?? false
    if record.isFinished, !continues || !hasState { return .finished(Finished(model: model, record: record)) }

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
    if recipe.averageDecay != nil, let first = layout.parameters.first, file.has("training/average/" + first.name) {
      state.average = try file.values(layout, prefix: "training/average/")
    }
    state.optimizer = try optimizer("", steps: record.optimizerSteps, starts: record.startSteps)
    if let starts = record.bestStartSteps {
      state.bestOptimizer = try optimizer("best_", steps: record.optimizerSteps, starts: starts)
    }
    if let fallback = record.fallback {
      let network = try ModelReader.network(fallback.kind, fallback.configuration, path)
      let old = Model(network, values: try file.values(network.layout, prefix: "training/fallback/"), seed: model.seed)
      state.fallback = .init(model: old, best: fallback.best)
    }
    record.restore(&state)
    return .underway(TrainingCheckpoint(state: state, hasMeanRanks: record.ties == nil))
  }

  /// The identity of a checkpoint's training; nil for checkpoints of version 0.1 and for other files.
  public static func identity(_ path: String) -> TrainingIdentity? {
    ModelFile.metadata(path)?["identity"].flatMap { try? TrainingIdentity(text: $0) }
  }
}

extension TrainingFile.Finished {
  /// The finished run. `data` is the data that it was trained on.
  public func run(_ recipe: Recipe, name: String, _ data: Split) -> TrainingRun {
    let history = record.history.map(\.point)
    return TrainingRun(
      name: name, model: model, data: data, recipe: recipe, history: history, growths: record.growths.compactMap(\.mark),
      stop: record.stop.value, best: history[record.best], evaluationSeconds: record.evaluationSeconds)
  }
}
