import Datasets
import Foundation
import Interpreter
import RunStore
import Syntax
import Training

extension Builtin {
  static let loadRun = Builtin(
    "load_run",
    "Reads a recorded training again, as `train` returned it: its history, growths and metrics, and the model with its best parameters. It needs the data that it was trained on, and its checkpoint: trainings with `reuse: true` or `checkpoint:`, and all that take more than 10 minutes, have one.",
    topic: "Evaluation", returns: .object(RunValue.type), effects: .reads,
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1) |> train(data, run: 4steps, batch: 32, name: "first", reuse: true)
      print(load_run("first", data).steps)  #> 4
      """
  ) { d in
    let which = d.positional(
      "run", Kind<RunReference>.reference, "the id of the run in `runs()`, or its name; of several with the name, the newest")
    let data = d.positional("data", Kind<SplitValue>.object, "the data set that it was trained on")
    return { call in
      let (split, recorded) = ((try call[data]).split, try recorded(call, try call[which]))
      return .object(RunValue(try finished(call, recorded, split)))
    }
  }

  static let rerun = Builtin(
    "rerun",
    "Trains a recorded training again, from a new model of the same kind, with the same settings and another seed for both. With the seeds of the run and `reuse: true` nothing would be trained: `load_run` reads it.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> train(data, run: 4steps, batch: 32, name: "first", reuse: true)
      print(rerun("first", data, seed: 2).best != run.best)  #> true
      """
  ) { d in
    let which = d.positional(
      "run", Kind<RunReference>.reference, "the id of the run in `runs()`, or its name; of several with the name, the newest")
    let data = d.positional("data", Kind<SplitValue>.object, "the data set that it was trained on")
    let seed = d.named("seed", .whole(from: 0), "seed of the initial parameters, and of shuffling, negatives and dropout")
    let name = d.optional("name", .text, "name of the new run; default: that of the old one")
    return { call in
      let (split, recorded) = ((try call[data]).split, try recorded(call, try call[which]))
      var recipe = try recipe(call, recorded)
      recipe.seed = UInt64(try call[seed])
      guard let identity = TrainingFile.identity(recorded.checkpoint),
        let model = try call.engine({ try identity.newModel(seed: recipe.seed) })
      else {
        throw call.error(
          .training, "run \(recorded.id ?? 0) did not begin with a new model, so it cannot begin again with another seed", argument: "run",
          help: "call its training function again with the model that it began with")
      }
      try check(call, recorded, split)
      let title = try call[name] ?? recorded.name
      let value = ModelValue(model, knowing: .init(split.train), length: split.train.length)
      return try start(call, recorded.kind == "stackrec" ? "stackrec" : "train", title, value, split, recipe)
    }
  }

  /// How a script names a recorded training.
  enum RunReference: Sendable {
    case id(Int64)
    case name(String)
  }

  private static func recorded(_ call: Call, _ which: RunReference) throws -> RunRow {
    guard let path = call.interpreter.host.runDatabase, FileManager.default.fileExists(atPath: path) else {
      throw call.error(.missingKey, "no training is recorded here", argument: "run", help: "trainings are recorded in the folder runs")
    }
    if let problem = call.interpreter.databaseRefusal(path) { throw call.error(.file, problem) }
    let rows: [RunRow]
    do throws(RunDatabase.Failure) { rows = try call.interpreter.database(path).read().rows } catch {
      throw call.error(.file, error.message)
    }
    let row: RunRow?
    let text: String
    switch which {
    case .id(let id): (row, text) = (rows.first { $0.id == id }, "with the id \(id)")
    case .name(let name):
      let named = rows.filter { $0.name == name }
      (row, text) = (named.last { !$0.checkpoint.isEmpty } ?? named.last, "called \"\(name)\"")
    }
    guard var row else { throw call.error(.missingKey, "there is no run \(text)", argument: "run", help: "print(runs()) shows them") }
    // The path is from the folder in which the training was started; the folder of the database has it too.
    let parts = row.checkpoint.split(separator: "/")
    let beside = ([FilePath.folder(of: path)] + parts.suffix(2).map(String.init)).joined(separator: "/")
    if !row.checkpoint.isEmpty, FileManager.default.fileExists(atPath: beside) { row.checkpoint = beside }
    guard !row.checkpoint.isEmpty, FileManager.default.fileExists(atPath: row.checkpoint) else {
      throw call.error(
        .training, "run \(row.id ?? 0), \(row.name), has no checkpoint, so its model was not kept", argument: "run",
        help: "train with reuse: true, which keeps it")
    }
    if let problem = call.interpreter.readingRefusal(row.checkpoint) { throw call.error(.file, problem, argument: "run") }
    return row
  }

  private static func recipe(_ call: Call, _ row: RunRow) throws -> Recipe {
    // Rows of version 0.1 have a flat list of settings instead of the recipe.
    guard case .object(let values)? = try? Tree(parsing: row.parameters), let tree = values["recipe"],
      let recipe = try? Recipe(canonical: tree.canonical)
    else {
      throw call.error(.training, "the settings of run \(row.id ?? 0) cannot be read: it was recorded by another version", argument: "run")
    }
    return recipe
  }

  private static func check(_ call: Call, _ row: RunRow, _ split: Split) throws {
    guard row.dataFingerprint == TrainingIdentity.hash(split) else {
      throw call.error(
        .training, "run \(row.id ?? 0) was trained on other data than this: \(row.data)", argument: "data",
        help: "load, filter, window and split as in \(row.script.isEmpty ? "its script" : row.script)")
    }
  }

  private static func finished(_ call: Call, _ row: RunRow, _ split: Split) throws -> TrainingRun {
    try check(call, row, split)
    let recipe = try recipe(call, row)
    let contents = try call.engine { try TrainingFile.read(row.checkpoint, fingerprint: row.fingerprint, recipe) }
    guard case .finished(let finished) = contents else {
      throw call.error(
        .training, "run \(row.id ?? 0), \(row.name), is not finished: \(row.state.rawValue) at step \(row.steps)", argument: "run",
        help: "srs run --resume continues its script")
    }
    return finished.run(recipe, name: row.name, split)
  }
}

extension Kind where T == Builtin.RunReference {
  /// The id of a run, or its name.
  static var reference: Kind<Builtin.RunReference> {
    Kind(.oneOf([.number, .text])) { value throws(ConversionError) in
      switch value {
      case .number(let number):
        guard let id = Int64(exactly: number), id > 0 else { throw .value("is the id of a run, a whole number from 1") }
        return .id(id)
      case .text(let name): return .name(name)
      default: throw .type
      }
    }
  }
}
