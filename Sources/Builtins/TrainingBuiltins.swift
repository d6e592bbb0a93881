import Datasets
import Growth
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// A value of the language that is a setting of the engine.
final class SettingValue<Setting>: ObjectValue {
  static var type: ObjectType { SettingTypes.type(of: Setting.self) }
  let setting: Setting
  let summary: String

  init(_ setting: Setting, _ summary: String) {
    self.setting = setting
    self.summary = summary
  }
}

/// The object types of settings: one each, so that the checker can tell them apart.
enum SettingTypes {
  static let optimizer = ObjectType("an optimizer such as adam(lr: 1e-3)")
  static let loss = ObjectType("a loss such as sampled_softmax(20%)")
  static let stop = ObjectType("a stopping rule such as patience(8, on: mrr@5)")
  static let phase = ObjectType("a phase such as phase(run: 500steps)")
  static let plateau = ObjectType("a rule such as plateau(2, on: mrr@5)")
  static let ranking = ObjectType("candidates such as sampled(99)")
  private static let other = ObjectType("a setting")

  static func type<Setting>(of setting: Setting.Type) -> ObjectType {
    switch setting {
    case is AdamOptions.Type: optimizer
    case is Loss.Type: loss
    case is Patience.Type: stop
    case is Phase.Type: phase
    case is Phase.Plateau.Type: plateau
    case is RankingCandidates.Type: ranking
    default: other
    }
  }
}

/// When to stop early.
struct Patience: Sendable {
  let evaluations: Int
  let metric: Metric
}

extension Kind {
  static func setting<Setting>(_: Setting.Type) -> Kind<Setting> where T == SettingValue<Setting> {
    Kind<Setting>(.object(SettingTypes.type(of: Setting.self))) { value throws(ConversionError) in
      guard case .object(let object) = value, let found = object as? SettingValue<Setting> else { throw .type }
      return found.setting
    }
  }
}

extension Builtin {
  static let training: [Builtin] = [train, stackrec, finetune, resume, phase, plateau, adam, sampledSoftmax, patience]

  static let train = Builtin(
    "train",
    "Trains a model on a data set. The run's model has the parameters that were best on the validation part; the model given stays as it is. Ctrl-C stops after the step and keeps what was learnt.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> train(data, run: 4steps, eval_every: 2steps, batch: 32)
      print(run.steps)  #> 4
      """
  ) { d in
    let model = d.positional("model", .model, "the model to start from, or a run")
    let data = d.positional("data", Kind<SplitValue>.object, "the data set")
    let run = d.optional("run", .extent, "how long: steps, epochs or a time; left out: until `stop` ends it")
    let arguments = TrainingArguments(&d)
    return { call in
      let split = (try call[data]).split
      let options = try arguments.options(call, fallback: "train", split)
      let length = try call[run]
      if length == nil && options.patience == nil {
        throw call.error(
          .missingArgument, "nothing ends this training", help: "give run: 1000steps, or stop: patience(8, on: mrr@5)")
      }
      return try start(call, "train", arguments, try call[model], split, options, [Phase(run: length)])
    }
  }

  static let stackrec = Builtin(
    "stackrec",
    "StackRec (Wang et al., SIGIR 2021): trains in phases, and stacks the model deeper at the beginning of those that say `to` or `by`. One history over all phases, growth times in it.",
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
    let phases = d.named(
      "phases", Kind<SettingValue<Phase>>.setting(Phase.self).list, "what is done, one after the other")
    let arguments = TrainingArguments(&d)
    return { call in
      let split = (try call[data]).split
      let options = try arguments.options(call, fallback: "stackrec", split)
      let plan = try call[phases]
      let endless = plan.indices.first { index in
        plan[index].run == nil && (index + 1 == plan.count || plan[index + 1].when == nil)
      }
      if options.patience == nil, let index = endless {
        throw call.error(
          .missingArgument, "nothing ends phase \(index + 1)", argument: "phases",
          help: "give it run: 1000steps, or the whole stop: patience(8, on: mrr@5)")
      }
      return try start(call, "stackrec", arguments, try call[model], split, options, plan)
    }
  }

  static func start(
    _ call: Call, _ kind: String, _ arguments: TrainingArguments, _ model: ModelValue, _ split: Split, _ options: TrainingOptions,
    _ phases: [Phase]
  ) throws -> Value {
    if options.padsInLoss, split.evaluation != .stackrec, model.model.network.objective != .nextItem {
      throw call.error(
        .badValue, "\(model.model.network.kind) is trained on masked items, and pads are never masked", argument: "pads_in_loss",
        help: "leave it out")
    }
    if let objection = model.known.objection(to: split.train, model.model.network) {
      throw call.error(.training, objection, argument: "data", help: "build the model with the data it is trained on")
    }
    return try call.engine {
      let fingerprint = try Fingerprint(model.model, split, options, phases)
      let (keeper, looks) = try arguments.folder(call, options, split, fingerprint)
      var checkpoint: TrainingCheckpoint?
      switch looks ? try keeper.found() : nil {
      case .finished(let finished)?: return .object(RunValue(finished.run(options, split)))
      case .underway(let found)?: checkpoint = found
      case nil: break
      }
      let recorder = RunRecorder(call, kind, options, split, model.model, phases, keeper)
      return try run(call, options, split, keeper, recorder, arguments.curve(call, options)) {
        try $0.run(model.model, phases, from: checkpoint)
      }
    }
  }

  private static func run(
    _ call: Call, _ options: TrainingOptions, _ split: Split, _ keeper: RunFolder?, _ recorder: RunRecorder?,
    _ curve: LiveCurve? = nil, _ body: (Trainer) throws -> TrainingRun
  ) throws -> Value {
    let observer = ProgressReporter(call.interpreter.host, recorder, curve)
    defer { observer.finish() }
    do {
      let run = try body(Trainer(options, data: split, pool: Engine.pool(call), observer: observer, keeper: keeper))
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
    "Goes on with a run that Ctrl-C interrupted, from the step it was stopped at: the result is what it would have been without the interruption. Of a script that was killed, `srs run FILE --resume` does the same from its checkpoints.",
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
        let recorder = RunRecorder(call, "resume", before.options, before.data, before.model, [], nil)
        return try Builtin.run(call, before.options, before.data, nil, recorder) { try $0.resume(before) }
      }
    }
  }

  static let phase = Builtin(
    "phase", "A stretch of a `stackrec` training: first a growth, if `to` or `by` is given, then `run`.",
    topic: "Training", returns: .object(SettingTypes.phase), example: "let deeper = phase(to: 8, by: adjacent, run: 500steps)"
  ) { d in
    let run = d.optional("run", .extent, "how long; left out: until `stop` of the training ends it")
    let to = d.optional("to", .whole(from: 1, to: 4096), "depth to grow to; left out with `by`: twice as deep")
    let by = d.optional("by", Kind<GrowthOperator>.word, "where new blocks come from; left out with `to`: adjacent")
    let carry = d.named("carry", .carry, default: .all, "all", "what is carried over at the growth")
    let share = d.named("data", .share, default: 1, "100%", "share of the training sequences; shares are nested")
    let when = d.optional(
      "when", Kind<SettingValue<Phase.Plateau>>.setting(Phase.Plateau.self),
      "grow as soon as the metric stands still: ends the phase before, if its own `run` has not")
    let freeze = d.optional("freeze", Kind<Frozen>.word, "old: at first train only what the growth added (needs `for`)")
    let frozenFor = d.optional("for", .countedExtent, "how long `freeze` lasts")
    return { call in
      let phase = Phase(
        run: try call[run], to: try call[to], by: try call[by], carry: try call[carry], dataShare: try call[share],
        when: try call[when], freezeOld: try call[frozenFor])
      guard call.given(freeze) == call.given(frozenFor) else {
        throw call.error(
          .missingArgument, "`freeze` and `for` belong together", argument: call.given(freeze) ? "freeze" : "for",
          help: "write freeze: old, for: 200steps")
      }
      if call.given(freeze) && !phase.grows {
        throw call.error(
          .missingArgument, "without a growth there is nothing old to freeze", argument: "freeze",
          help: "give `to:` or `by:` too")
      }
      guard phase.dataShare > 0 else {
        throw call.error(.badValue, "a share of 0% leaves nothing to train on", argument: "data")
      }
      if call.given(carry) && !phase.grows {
        throw call.error(.missingArgument, "`carry` says nothing without a growth", argument: "carry", help: "give `to:` or `by:` too")
      }
      var text = "phase"
      if let to = phase.to { text += " to \(to) blocks" }
      return .object(SettingValue(phase, text))
    }
  }

  /// What can be frozen.
  enum Frozen: String, Sendable, CaseIterable { case old }

  static let plateau = Builtin(
    "plateau",
    "When a metric on the validation part has not got better in so many evaluations: the sign that a stacked model should grow.",
    topic: "Training", returns: .object(SettingTypes.plateau),
    example: "let deeper = phase(to: 16, when: plateau(2, on: mrr@5), run: 500steps)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "evaluations without a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Phase.Plateau(try call[count], on: try call[metric])
      return .object(SettingValue(rule, "plateau(\(rule.evaluations), on: \(rule.metric.name))"))
    }
  }

  static let adam = Builtin(
    "adam",
    "Adam (Kingma and Ba, 2015) with bias correction. Lazy: rows of embedding and output tables that a batch does not touch stay as they are; otherwise they move on by their decaying moments.",
    topic: "Training", returns: .object(SettingTypes.optimizer), example: "let slow = adam(lr: 1e-4)"
  ) { d in
    let defaults = AdamOptions()
    let rate = d.named(
      "lr", Kind<Double>.number.checked { $0 > 0 && $0.isFinite ? nil : "must be above 0" }, default: defaults.rate,
      "1e-3", "learning rate")
    let unit = Kind<Double>.number.checked { $0 >= 0 && $0 < 1 ? nil : "must be from 0 to below 1" }
    let beta1 = d.named("beta1", unit, default: defaults.beta1, "0.9", "decay of the first moment")
    let beta2 = d.named("beta2", unit, default: defaults.beta2, "0.999", "decay of the second moment")
    let epsilon = d.named(
      "epsilon", Kind<Double>.number.checked { $0 > 0 && $0 < 1 ? nil : "must be above 0 and below 1" }, default: defaults.epsilon, "1e-8",
      "added to the root of the second moment")
    let lazy = d.named("lazy", .bool, default: defaults.lazy, "true", "leave untouched rows alone")
    let l2 = d.named(
      "l2", Kind<Double>.number.checked { $0 >= 0 && $0 < 1e6 ? nil : "must not be negative, nor above 1e6" }, default: 0, "0",
      "coefficient of an L2 penalty; with `lazy`, rows feel it when they are touched")
    let clip = d.optional(
      "clip", Kind<Double>.number.checked { $0 > 0 && $0.isFinite ? nil : "must be above 0" },
      "largest norm of a step's gradients, all parameters together; larger ones are scaled down to it")
    return { call in
      let options = AdamOptions(
        rate: try call[rate], beta1: try call[beta1], beta2: try call[beta2], epsilon: try call[epsilon],
        lazy: try call[lazy], l2: try call[l2], clip: try call[clip])
      return .object(SettingValue(options, "adam(lr: \(NumberFormat.text(options.rate)))"))
    }
  }

  static let sampledSoftmax = Builtin(
    "sampled_softmax",
    "Softmax over the target and a share of the items as negatives, drawn anew for each batch, logits corrected by the log expected counts.",
    topic: "Training", returns: .object(SettingTypes.loss), example: "let loss = sampled_softmax(20%)"
  ) { d in
    let share = d.positional("share", .share, "share of the items that are negatives")
    let distribution = d.named(
      "distribution", Kind<NegativeDistribution>.word, default: .logUniform, "log_uniform",
      "how they are drawn: uniformly, or by popularity rank as log-uniform")
    return { call in
      let part = try call[share]
      guard part > 0 else { throw call.error(.badValue, "a share of 0% leaves no negatives", argument: "share") }
      let loss = Loss.sampledSoftmax(share: part, distribution: try call[distribution])
      return .object(SettingValue(loss, loss.name))
    }
  }

  static let patience = Builtin(
    "patience", "Stops when a metric has not got better in so many evaluations.", topic: "Training",
    returns: .object(SettingTypes.stop), example: "let stop = patience(8, on: mrr@5)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "how many evaluations to wait for a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Patience(evaluations: try call[count], metric: try call[metric])
      return .object(SettingValue(rule, "patience(\(rule.evaluations), on: \(rule.metric.name))"))
    }
  }
}

/// Tells a training's progress to the host: a live line on a terminal, plain lines elsewhere.
final class ProgressReporter: TrainingObserver {
  private let host: any InterpreterHost
  private var lastShown = 0.0

  private let recorder: RunRecorder?
  private let curve: LiveCurve?

  init(_ host: any InterpreterHost, _ recorder: RunRecorder?, _ curve: LiveCurve? = nil) {
    self.host = host
    self.recorder = recorder
    self.curve = curve
  }

  var shouldStop: Bool { host.isInterrupted }

  func planned(name: String, blocks: Int, parameters: Int, bytes: Double) {
    host.milestone(
      "\(name): \(blocks) blocks, \(NumberFormat.grouped(parameters)) parameters, about \(NumberFormat.grouped(Int((bytes / 1e6).rounded(.up)))) MB to train"
    )
  }

  func stepped(_ progress: TrainingProgress) {
    let now = Clock.wall()
    guard now - lastShown > 0.1 else { return }
    lastShown = now
    host.progress(line(progress))
  }

  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) {
    recorder?.evaluated(point)
    curve?.add(point)
    // A terminal has the live line; a log wants each evaluation.
    if !host.showsLiveProgress { host.milestone(line(progress)) }
  }

  func grew(_ mark: GrowthMark, name: String) {
    curve?.grew(at: mark.step)
    host.milestone("\(name): step \(mark.step), stacked \(mark.from) -> \(mark.to) blocks (\(mark.by.rawValue), carry \(mark.carry))")
  }

  func finish() { host.progress(nil) }

  func finished(_ run: TrainingRun) {
    host.progress(nil)
    curve?.add(nil, isLast: true)
    host.milestone(
      "\(run.name): \(run.stop.text) after \(run.steps) steps, \(NumberFormat.duration(run.seconds)) training; best \(run.options.watch.title) \(NumberFormat.fixed(run.best.metrics[run.options.watch] ?? 0, digits: 4)) at step \(run.best.step)"
    )
  }

  private func line(_ p: TrainingProgress) -> String {
    var parts = [p.name]
    if p.phases > 1 { parts.append("phase \(p.phase)/\(p.phases)") }
    parts.append("\(p.blocks) blocks")
    parts.append("step \(p.step)" + (p.plannedSteps.map { "/\($0)" } ?? ""))
    parts.append(
      "\(NumberFormat.fixed(p.stepsPerSecond, digits: 1)) steps/s, \(NumberFormat.grouped(Int(min(p.sequencesPerSecond, 1e12)))) seq/s")
    if let loss = p.loss { parts.append("loss \(NumberFormat.fixed(loss, digits: 4))") }
    if let value = p.value {
      let trend = value >= (p.best ?? value) ? "↑" : "↓"
      parts.append("\(p.watched.title) \(NumberFormat.fixed(value, digits: 4)) \(trend)")
    }
    if let left = p.secondsLeft { parts.append("\(NumberFormat.duration(left)) left") }
    return parts.joined(separator: " · ")
  }
}
