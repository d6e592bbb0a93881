import Datasets
import Evaluation
import Foundation
import Interpreter
import Layers
import Syntax
import Training

/// The arguments that all training functions share.
struct TrainingArguments: Sendable {
  private let batch: Builtin.Argument<Int>
  private let accumulate: Builtin.Argument<Int>
  private let average: Builtin.Argument<Double?>
  private let optimizer: Builtin.Argument<OptimizerSetting?>
  private let shuffle: Builtin.Argument<Recipe.Shuffle?>
  private let lastBatch: Builtin.Argument<Recipe.LastBatch?>
  private let ofEquals: Builtin.Argument<Recipe.OfEquals?>
  private let loss: Builtin.Argument<LossSetting>?
  private let schedule: Builtin.Argument<ScheduleSetting>
  private let pads: Builtin.Argument<Bool?>?
  private let every: Builtin.Argument<Extent>
  private let hide: Builtin.Argument<HiddenItems>?
  private let tieRule: Builtin.TieArguments
  private let stop: Builtin.Argument<Patience?>
  private let metrics: Builtin.Argument<[Metric]>
  private let seed: Builtin.Argument<Int?>
  private let name: Builtin.Argument<String?>
  private let checkpoint: Builtin.Argument<Extent?>
  private let reuse: Builtin.Argument<Bool>
  private let spikes: Builtin.Argument<Double?>
  private let watch: Builtin.Argument<Bool>

  /// - Parameter transfer: declare the arguments of `finetune`, which has no `loss` and no `pads_in_loss`.
  init(_ d: inout Builtin.Declaration, transfer: Bool = false) {
    let size = transfer ? 512 : 256
    batch = d.named("batch", .whole(from: 1, to: 1_000_000), default: size, "\(size)", "number of sequences per step")
    accumulate = d.named(
      "accumulate", .whole(from: 1, to: 100_000), default: 1, "1",
      "number of batches per step: its gradient is the mean of theirs; negatives for a batch, or from it, are those of all")
    average = d.optional(
      "ema", Kind<Double>.number.checked { $0 > 0 && $0 < 1 ? nil : "must be above 0 and below 1, such as 0.999" },
      "decay of a moving average of the parameters, from those at the beginning of each phase, which is evaluated and kept instead of them")
    optimizer = d.optional(
      "optimizer", Kind<OptimizerSetting>.setting, "the optimizer; in protocol stackrec by default that of the authors' code",
      text: "adam()")
    schedule = d.named(
      "schedule", Kind<ScheduleSetting>.setting.orWords(ScheduleSetting.word, ScheduleSetting.words),
      default: ScheduleSetting(ConstantRate()), ConstantRate.kind, "the learning-rate schedule")
    loss =
      transfer
      ? nil
      : d.named(
        "loss",
        Kind<LossSetting>.setting.orWords(LossSetting.word, LossSetting.words),
        default: LossSetting(Softmax()), Softmax.kind, "the loss")
    pads =
      transfer
      ? nil
      : d.optional(
        "pads_in_loss", .bool, "include positions whose target is padding in the loss; default: true in protocol stackrec, else false")
    every = d.named("eval_every", .countedExtent, default: .steps(100), "100steps", "interval between evaluations on the validation part")
    hide =
      transfer
      ? nil
      : d.named(
        "hide", Kind<HiddenItems>.word, default: .none, "none",
        "items to leave out when validation targets are ranked: none, those of the sequence (window), or those of the user's whole history (seen)"
      )
    tieRule = Builtin.TieArguments(&d)
    stop = d.optional(
      "stop", Kind<Patience>.setting, "when to stop early, and which metric chooses the best parameters")
    metrics = d.named(
      "metrics", Kind<Metric>.metric.list.checked { $0.isEmpty ? "must name a metric" : nil },
      default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "metrics of each evaluation")
    seed = d.optional("seed", .whole(from: 0), "seed of shuffling, negatives and dropout; default: the seed of the session (--seed)")
    name = d.optional("name", .text, "name of the run in progress messages and tables")
    checkpoint = d.optional(
      "checkpoint", .extent,
      "interval between checkpoints in the folder runs; if given, one is also written at every growth and at the end; default: 10min, so a short training writes none"
    )
    reuse = d.named(
      "reuse", .bool, default: false, "false",
      "reuse a finished run with the same model, data and settings from the folder runs, if there is one; else train and store the run there"
    )
    shuffle = d.optional(
      "shuffle", Kind<Recipe.Shuffle>.word, "when the training sequences are shuffled; default: every_epoch, in protocol stackrec once")
    lastBatch = d.optional(
      "last_batch", Kind<Recipe.LastBatch>.word,
      "whether to use the last batch of an epoch if it is smaller; default: keep, in protocol stackrec drop")
    ofEquals = d.optional(
      "of_equals", Kind<Recipe.OfEquals>.word,
      "which of two evaluations with the same value counts as the best; default: later, in protocol stackrec earlier")
    spikes = d.optional(
      "skip_spikes", Kind<Double>.number.checked { $0 > 1 && $0 < 1e6 ? nil : "must be above 1" },
      "skip steps whose loss is more than this many times the running mean of the phase")
    watch = d.named(
      "watch", .bool, default: false, "false",
      "draw the learning curve during training: in a window if there is a display, else in the terminal")
  }

  /// The live learning curve, for `watch: true`.
  func curve(_ call: Builtin.Call, _ recipe: Recipe) throws -> LiveCurve? {
    try call[watch] ? LiveCurve(call.interpreter.host, recipe.watch) : nil
  }

  /// The name of the run.
  func name(_ call: Builtin.Call, fallback: String) throws -> String { try call[name] ?? fallback }

  /// The checkpoint folder of the training, and whether a checkpoint found there is to be used.
  func folder(_ call: Builtin.Call, _ name: String, _ data: Split, _ identity: TrainingIdentity) throws -> (
    keeper: RunFolder, mayResume: Bool
  ) {
    let (every, reuses) = (try call[checkpoint], try call[reuse] || call.interpreter.host.keepsRuns)
    let keeper = try RunFolder(call, name, data, identity, every: every, isRequested: every != nil || reuses)
    return (keeper, reuses || call.interpreter.host.resumes)
  }

  /// The recipe of the training without its phases. Options that the script leaves out follow the protocol of the data.
  func recipe(_ call: Builtin.Call, _ split: Split, _ network: any Network) throws -> Recipe {
    var recipe = Recipe()
    recipe.batch = try call[batch]
    recipe.accumulate = try call[accumulate]
    recipe.averageDecay = try call[average]
    recipe.schedule = try call[schedule].schedule
    if let loss { recipe.loss = try call[loss].loss }
    if split.evaluation == .stackrec { recipe.followReference(network) }
    if let given = try call[optimizer] { recipe.optimizer = given.optimizer }
    recipe.shuffle = try call[shuffle] ?? recipe.shuffle
    recipe.lastBatch = try call[lastBatch] ?? recipe.lastBatch
    recipe.ofEquals = try call[ofEquals] ?? recipe.ofEquals
    if let pads { recipe.padsInLoss = try call[pads] ?? recipe.padsInLoss }
    recipe.evaluateEvery = try call[every]
    if let hide {
      recipe.ranking.hide = try call[hide]
      try Builtin.RankingArguments.check(call, recipe.ranking.hide, split.valid)
    }
    try tieRule.apply(call, to: &recipe.ranking)
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
