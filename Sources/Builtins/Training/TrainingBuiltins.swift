import Datasets
import Interpreter
import ModelFiles
import Syntax
import Training

extension Builtin {
  static let training: [Builtin] =
    [
      train.known(as: "fit", "learn", "epochs", "gpu", "cross entropy"), stackrec.known(as: "grow", "progressive", "deep"),
      finetune.known(as: "transfer", "transfer learning"), resume.known(as: "continue", "checkpoint"), phase, auto, plateau, slope, budget,
      patience.known(as: "early stopping"),
    ] + optimizers + losses + schedules

  static let train = Builtin(
    "train",
    "Trains a model on a data set and returns the run. The run's model has the parameters that were best on the validation part; the given model does not change. Ctrl-C ends the training after the current step; the run keeps what was learnt.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> train(data, run: 4steps, eval_every: 2steps, batch: 32)
      print(run.steps)  #> 4
      """
  ) { d in
    let model = d.positional("model", .model, "the model to start from, or a run")
    let data = d.positional("data", Kind<SplitValue>.object, "the data set")
    let run = d.optional("run", .extent, "how long: steps, epochs or a time; default: until `stop` ends it")
    let arguments = TrainingArguments(&d)
    return { call in
      let split = (try call[data]).split
      var recipe = try arguments.recipe(call, split, try call[model].model.network)
      let length = try call[run]
      if length == nil && recipe.patience == nil {
        throw call.error(
          .missingArgument, "this training has no end", help: "give run: 1000steps, or stop: patience(8, on: mrr@5)")
      }
      recipe.phases = [Phase(run: length)]
      return try start(call, "train", arguments, try call[model], split, recipe)
    }
  }

  static let stackrec = Builtin(
    "stackrec",
    "StackRec (Wang et al., SIGIR 2021): trains in phases. A phase with `to` or `by` begins with a growth, which stacks copies of blocks into a deeper model. The run has one history over all phases, including the times of the growths.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1)
        |> stackrec(data, batch: 32, phases: [phase(run: 2steps), phase(to: 2, by: adjacent, run: 2steps)])
      print(run.model.depth)  #> 2
      """
  ) { d in
    let model = d.positional("model", .model, "the shallow model")
    let data = d.positional("data", Kind<SplitValue>.object, "the data set")
    let phases = d.optional(
      "phases", Kind<Phase>.setting.list, "the phases, in order; needed unless `grow` is given")
    let growing = d.optional(
      "grow", Kind<GrowthChoice>.automatic, "all growths by themselves: auto(to: 32); instead of `phases`, and with `run`")
    let run = d.optional(
      "run", .extent,
      "length of the whole training, over all phases: steps, epochs or a time; phases without a `run` of their own go on until it ends; default: the sum of the phases"
    )
    let arguments = TrainingArguments(&d)
    return { call in
      let split = (try call[data]).split
      var recipe = try arguments.recipe(call, split, try call[model].model.network)
      recipe.length = try call[run]
      let plan = try plan(call, try call[phases], try call[growing], recipe, from: try call[model].model.network.depth)
      recipe.phases = plan
      if recipe.length != nil { return try start(call, "stackrec", arguments, try call[model], split, recipe) }
      let endless = plan.indices.first { index in
        plan[index].run == nil && (index + 1 == plan.count || plan[index + 1].when == nil)
      }
      if recipe.patience == nil, let index = endless {
        throw call.error(
          .missingArgument, "phase \(index + 1) has no end", argument: "phases",
          help: "give the phase run: 1000steps, or stackrec stop: patience(8, on: mrr@5)")
      }
      return try start(call, "stackrec", arguments, try call[model], split, recipe)
    }
  }

  /// The phases of a training: those that are given, or those of `grow: auto`.
  private static func plan(_ call: Call, _ phases: [Phase]?, _ growing: GrowthChoice?, _ recipe: Recipe, from blocks: Int) throws -> [Phase]
  {
    switch (phases, growing) {
    case (let phases?, nil): return phases
    case (nil, nil):
      throw call.error(
        .missingArgument, "`stackrec` needs phases",
        help: "phases: [phase(run: 500steps), phase(to: 8, run: 1000steps)], or grow: auto(to: 8)")
    case (_?, _?):
      throw call.error(.badValue, "`grow` makes the phases itself", argument: "phases", help: "remove `phases` or `grow`")
    case (nil, let growing?):
      guard let depth = growing.to, let trial = growing.trial else {
        throw call.error(.missingArgument, "`grow` needs the number of blocks at the end", argument: "grow", help: "grow: auto(to: 32)")
      }
      guard depth > blocks else {
        throw call.error(
          .badValue, "the model has \(blocks) blocks already", argument: "grow",
          help: "give a larger number: auto(to: \(2 * max(1, blocks)))")
      }
      guard let length = recipe.length else {
        throw call.error(.missingArgument, "`grow: auto` needs the length of the training", argument: "grow", help: "give run: 60epochs")
      }
      return Phase.doubling(from: blocks, to: depth, run: length, trial: trial, on: recipe.watch)
    }
  }

  /// Trains a model. If resuming is allowed, uses the checkpoint that an earlier process wrote for the same training:
  /// a finished run is returned, an interrupted one is continued.
  static func start(
    _ call: Call, _ kind: String, _ arguments: TrainingArguments, _ model: ModelValue, _ split: Split, _ recipe: Recipe
  ) throws -> Value {
    let model = model.fitted(to: split.train)
    if let mismatch = model.known.mismatch(with: split.train, model.model.network) {
      throw call.error(
        .training, mismatch.message, argument: "data", help: "build the model with the data that it is trained on")
    }
    let name = try arguments.name(call, fallback: kind)
    return try call.engine {
      let identity = try TrainingIdentity(model.model, split, recipe)
      let (keeper, mayResume) = try arguments.folder(call, name, split, identity)
      return try start(call, kind, name, model, split, recipe, identity, keeper, mayResume, curve: arguments.curve(call, recipe))
    }
  }

  /// Trains a model that its checkpoint folder keeps, or returns the run that is there.
  static func start(_ call: Call, _ kind: String, _ name: String, _ model: ModelValue, _ split: Split, _ recipe: Recipe) throws -> Value {
    try call.engine {
      let identity = try TrainingIdentity(model.model, split, recipe)
      let keeper = try RunFolder(call, name, split, identity, every: nil, isRequested: true)
      return try start(call, kind, name, model, split, recipe, identity, keeper, true, curve: nil)
    }
  }

  private static func start(
    _ call: Call, _ kind: String, _ name: String, _ model: ModelValue, _ split: Split, _ recipe: Recipe, _ identity: TrainingIdentity,
    _ keeper: RunFolder, _ mayResume: Bool, curve: LiveCurve?
  ) throws -> Value {
    try call.engine {
      var checkpoint: TrainingCheckpoint?
      switch mayResume ? try keeper.found(recipe) : nil {
      case .finished(let finished)?: return .object(RunValue(finished.run(recipe, name: name, split)))
      case .underway(let found)?: checkpoint = found
      case nil: break
      }
      let recorder = RunRecorder(call, kind, name, recipe, split, model.model, keeper)
      return try run(call, name, recipe, split, keeper, recorder, curve) {
        try $0.run(model.model, from: checkpoint)
      }
    }
  }

  private static func run(
    _ call: Call, _ name: String, _ recipe: Recipe, _ split: Split, _ keeper: RunFolder?, _ recorder: RunRecorder?,
    _ curve: LiveCurve? = nil, _ body: (Trainer) throws -> TrainingRun
  ) throws -> Value {
    let observer = ProgressReporter(call.interpreter.host, recorder, curve)
    defer { observer.finish() }
    do {
      let trainer = Trainer(recipe, name: name, data: split, pool: Engine.pool(call), observer: observer, keeper: keeper)
      let run = try body(trainer)
      recorder?.finished(run)
      observer.finished(run)
      return .object(RunValue(run))
    } catch {
      recorder?.failed(error)
      throw error
    }
  }

  static let resume = Builtin(
    "resume",
    "Continues a run that Ctrl-C interrupted, from the step at which it stopped. The result is the same as without the interruption. For a script that was killed, `srs run FILE --resume` does the same from its checkpoints.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      fn finished(run) = if run.stop == "interrupted" { resume(run) } else { run }
      """
  ) { d in
    let run = d.positional("run", Kind<RunValue>.object, "an interrupted run")
    return { call in
      let before = (try call[run]).run
      guard before.canResume else {
        throw call.error(.training, "this run was not interrupted: it \(before.stop.text)", argument: "run")
      }
      return try call.engine {
        let recorder = RunRecorder(call, "resume", before.name, before.recipe, before.data, before.model, nil)
        return try Builtin.run(call, before.name, before.recipe, before.data, nil, recorder) { try $0.resume(before) }
      }
    }
  }
}
