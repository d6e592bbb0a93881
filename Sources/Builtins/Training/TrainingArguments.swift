import Datasets
import Evaluation
import Foundation
import Interpreter
import Layers
import Syntax
import Training

/// The arguments that every training takes, declared once.
struct TrainingArguments: Sendable {
  private let batch: Builtin.Argument<Int>
  private let optimizer: Builtin.Argument<OptimizerSetting?>
  private let shuffle: Builtin.Argument<Recipe.Shuffle?>
  private let lastBatch: Builtin.Argument<Recipe.LastBatch?>
  private let ofEquals: Builtin.Argument<Recipe.OfEquals?>
  private let loss: Builtin.Argument<LossSetting>?
  private let schedule: Builtin.Argument<ScheduleSetting>
  private let pads: Builtin.Argument<Bool?>?
  private let every: Builtin.Argument<Extent>
  private let stop: Builtin.Argument<Patience?>
  private let metrics: Builtin.Argument<[Metric]>
  private let seed: Builtin.Argument<Int?>
  private let name: Builtin.Argument<String?>
  private let checkpoint: Builtin.Argument<Extent?>
  private let reuse: Builtin.Argument<Bool>
  private let spikes: Builtin.Argument<Double?>
  private let watch: Builtin.Argument<Bool>

  /// - Parameter transfer: for fine-tuning, whose loss is its own.
  init(_ d: inout Builtin.Declaration, transfer: Bool = false) {
    let size = transfer ? 512 : 256
    batch = d.named("batch", .whole(from: 1, to: 1_000_000), default: size, "\(size)", "sequences a step")
    optimizer = d.optional(
      "optimizer", Kind<OptimizerSetting>.setting,
      "how parameters are updated; left out: adam(), in protocol stackrec that of the authors' code", text: "adam()")
    schedule = d.named(
      "schedule", Kind<ScheduleSetting>.setting.orWords(ScheduleSetting.word, ScheduleSetting.words),
      default: ScheduleSetting(ConstantRate()), ConstantRate.kind, "how the learning rate changes from step to step")
    loss =
      transfer
      ? nil
      : d.named(
        "loss",
        Kind<LossSetting>.setting.orWords(LossSetting.word, LossSetting.words),
        default: LossSetting(Softmax()), Softmax.kind, "what is minimised")
    pads =
      transfer
      ? nil
      : d.optional(
        "pads_in_loss", .bool, "count positions whose target is padding; left out: only in protocol stackrec")
    every = d.named("eval_every", .countedExtent, default: .steps(100), "100steps", "how often the validation part is ranked")
    stop = d.optional(
      "stop", Kind<Patience>.setting, "when to stop early, and by which metric the best is chosen")
    metrics = d.named(
      "metrics", Kind<Metric>.metric.list.checked { $0.isEmpty ? "must name a metric" : nil },
      default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "what an evaluation computes")
    seed = d.optional("seed", .whole(from: 0), "seed of shuffling and negatives; left out: that of the session (--seed)")
    name = d.optional("name", .text, "what the run is called in progress and tables")
    checkpoint = d.optional(
      "checkpoint", .extent,
      "how often the state is kept in the folder runs, besides every growth and the end; left out: every 10min of a long training")
    reuse = d.named(
      "reuse", .bool, default: false, "false",
      "take a finished run of the same model, data and settings from the folder runs, if there is one, instead of training again; keep this one there"
    )
    shuffle = d.optional(
      "shuffle", Kind<Recipe.Shuffle>.word, "when the training sequences get a new order; left out: every_epoch, in protocol stackrec once")
    lastBatch = d.optional(
      "last_batch", Kind<Recipe.LastBatch>.word,
      "an epoch's last batch where it is smaller; left out: keep, in protocol stackrec drop")
    ofEquals = d.optional(
      "of_equals", Kind<Recipe.OfEquals>.word,
      "which of two evaluations of the same value is the best; left out: later, in protocol stackrec earlier")
    spikes = d.optional(
      "skip_spikes", Kind<Double>.number.checked { $0 > 1 && $0 < 1e6 ? nil : "must be above 1" },
      "do not take a step whose loss is more than so many times the running mean of its phase")
    watch = d.named(
      "watch", .bool, default: false, "false",
      "show the learning curve while it goes on: in a window where there is a display, else on the terminal")
  }

  /// The curve of a training that is to be watched.
  func curve(_ call: Builtin.Call, _ recipe: Recipe) throws -> LiveCurve? {
    try call[watch] ? LiveCurve(call.interpreter.host, recipe.watch) : nil
  }

  /// What the run is called.
  func name(_ call: Builtin.Call, fallback: String) throws -> String { try call[name] ?? fallback }

  /// Where the training is kept, and may be found.
  func folder(_ call: Builtin.Call, _ name: String, _ data: Split, _ identity: TrainingIdentity) throws -> (
    keeper: RunFolder, looks: Bool
  ) {
    let (every, reuses) = (try call[checkpoint], try call[reuse] || call.interpreter.host.keepsRuns)
    let keeper = try RunFolder(call, name, data, identity, every: every, isAsked: every != nil || reuses)
    return (keeper, reuses || call.interpreter.host.resumes)
  }

  /// All but the phases. What is left out is as the protocol of the data has it.
  func recipe(_ call: Builtin.Call, _ split: Split, _ network: any Network) throws -> Recipe {
    var recipe = Recipe()
    recipe.batch = try call[batch]
    recipe.schedule = try call[schedule].schedule
    let isReference = split.evaluation == .stackrec
    if isReference { recipe.followReference(network) }
    if let given = try call[optimizer] { recipe.optimizer = given.optimizer }
    recipe.shuffle = try call[shuffle] ?? recipe.shuffle
    recipe.lastBatch = try call[lastBatch] ?? recipe.lastBatch
    recipe.ofEquals = try call[ofEquals] ?? recipe.ofEquals
    if let loss { recipe.loss = try call[loss].loss }
    if let pads { recipe.padsInLoss = try call[pads] ?? recipe.padsInLoss }
    recipe.evaluateEvery = try call[every]
    if let stop = try call[stop] {
      recipe.patience = stop.evaluations
      recipe.watch = stop.metric
    }
    recipe.metrics = try call[metrics]
    recipe.seed = UInt64(try call[seed] ?? call.interpreter.host.seed)
    recipe.spikeGuard = try call[spikes]
    return recipe
  }
}
