import Datasets
import Foundation
import Growth
import Kernels
import Layers

/// A checkpoint in a file: the file of a model (`ModelFile`) that has its best parameters so far, with the rest of the
/// training beside them. Any program that reads such models reads it.
///
/// Metadata: `format` is `stackrec-checkpoint`; `training` (JSON) has the numbers and the history; `fingerprint` names
/// what was trained. Tensors of a training that is not finished, a parameter's name after each:
///
/// - `training/current/`: the parameters at the step
/// - `training/first/`, `training/second/`: Adam's moments
/// - `training/best_first/`, `training/best_second/`: the moments that belong to the best parameters, where a growth
///   will take them along
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
    let record: Record
  }

  /// The numbers of a training, as JSON.
  struct Record: Codable {
    var isFinished: Bool
    var phase: TrainingState.PhaseState
    var adamSteps: Int
    var births: [Int]
    var bestBirths: [Int]?
    var step: Int
    var epoch: Double
    var seconds: Double
    var cpuSeconds: Double
    var evaluationSeconds: Double
    var history: [Point]
    var growths: [Growth]
    var best: Int
    var newBlocks: [Int]
    var fallback: Fallback?
    var stop: Stop

    struct Point: Codable {
      let step: Int
      let epoch, seconds, cpuSeconds: Double
      let loss: Double?
      let metrics: [String: Double]
      let phase, blocks: Int
    }

    struct Growth: Codable {
      let step: Int
      let epoch, seconds: Double
      let from, to: Int
      let by, carry: String
    }

    struct Fallback: Codable {
      let kind, configuration: String
      let best: Int
    }

    struct Stop: Codable {
      let reason: String
      var count: Int?
      var name: String?
    }
  }

  // MARK: Writing

  /// The bytes of a file.
  public static func data(_ record: TrainingRecord, _ known: Vocabularies, fingerprint: String) throws -> Data {
    var file: SafeTensors
    let numbers: Record
    switch record {
    case .finished(let run):
      file = try ModelFile.contents(run.model, known)
      numbers = Record(run)
    case .underway(let checkpoint):
      let state = checkpoint.state
      let layout = state.model.network.layout
      file = try ModelFile.contents(Model(state.model.network, values: state.bestValues, seed: state.model.seed), known)
      func add(_ group: String, _ layout: ParameterLayout, _ values: FloatBuffer) {
        file.tensors += ModelFile.tensors(layout, values).map { ("training/\(group)/\($0.name)", $0.tensor) }
      }
      add("current", layout, state.model.values)
      add("first", layout, state.adam.first)
      add("second", layout, state.adam.second)
      if let moments = state.bestMoments {
        add("best_first", layout, moments.first)
        add("best_second", layout, moments.second)
      }
      if let fallback = state.fallback { add("fallback", fallback.model.network.layout, fallback.model.values) }
      numbers = try Record(state)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    file.metadata["format"] = ModelFile.checkpointFormat
    file.metadata["fingerprint"] = fingerprint
    file.metadata["training"] = String(decoding: try encoder.encode(numbers), as: UTF8.self)
    return try ModelFile.sealed(file).data()
  }

  // MARK: Reading

  /// Reads a checkpoint back.
  ///
  /// - Throws: `ModelFile.Failure` for anything that is not a whole checkpoint of this very training.
  public static func read(
    _ path: String, fingerprint: Fingerprint, describe: (any Error) -> String,
    make: (_ kind: String, _ configuration: Data) throws -> any Network
  ) throws -> Contents {
    let (file, model, _) = try ModelFile.readWhole(path, describe: describe, make: make)
    guard file.metadata["format"] == ModelFile.checkpointFormat, let text = file.metadata["training"] else {
      throw ModelFile.Failure("\(path) is the file of a model, not of a training that could go on")
    }
    guard file.metadata["fingerprint"] == fingerprint.text else {
      throw ModelFile.Failure("\(path) is of another training: its model, data, options or phases differ")
    }
    let record: Record
    do {
      record = try JSONDecoder().decode(Record.self, from: Data(text.utf8))
    } catch {
      throw ModelFile.Failure("\(path) lacks what a training needs to go on")
    }
    guard record.isConsistent(depth: model.network.depth, parameters: model.network.layout.parameters.count) else {
      throw ModelFile.Failure("\(path) contradicts itself: the numbers of the training do not fit its model")
    }
    if record.isFinished { return .finished(Finished(model: model, record: record)) }

    func values(_ group: String, _ layout: ParameterLayout) throws -> FloatBuffer {
      try ModelFile.values(layout, file, path, prefix: "training/\(group)/")
    }
    let layout = model.network.layout
    var state = TrainingState(model: Model(model.network, values: try values("current", layout), seed: model.seed))
    state.bestValues = model.values
    state.adam = AdamState(layout)
    state.adam.first.assign(try values("first", layout))
    state.adam.second.assign(try values("second", layout))
    state.adam.restoreBirths(record.births)
    if let births = record.bestBirths {
      let moments = AdamState(layout)
      moments.first.assign(try values("best_first", layout))
      moments.second.assign(try values("best_second", layout))
      moments.restoreBirths(births)
      state.bestMoments = moments
    }
    if let fallback = record.fallback {
      let network = try ModelFile.network(fallback.kind, fallback.configuration, path, describe: describe, make: make)
      let old = Model(network, values: try values("fallback", network.layout), seed: model.seed)
      state.fallback = .init(model: old, best: fallback.best)
    }
    record.restore(&state)
    return .underway(TrainingCheckpoint(state: state))
  }
}

extension TrainingFile.Finished {
  /// The run as it ended, on the data it was trained on.
  public func run(_ options: TrainingOptions, _ data: Split) -> TrainingRun {
    let history = record.history.map(\.point)
    return TrainingRun(
      name: options.name, model: model, data: data, options: options, history: history,
      growths: record.growths.compactMap(\.mark), stop: record.stop.value, best: history[record.best],
      evaluationSeconds: record.evaluationSeconds)
  }
}
