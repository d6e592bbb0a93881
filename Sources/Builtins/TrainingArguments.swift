import Datasets
import Foundation
import Interpreter
import Syntax
import Training

/// The arguments that every training takes, declared once.
struct TrainingArguments: Sendable {
  private let batch: Builtin.Argument<Int>
  private let optimizer: Builtin.Argument<AdamOptions>
  private let loss: Builtin.Argument<Loss>?
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
    optimizer = d.named(
      "optimizer", Kind<SettingValue<AdamOptions>>.setting(AdamOptions.self), default: AdamOptions(), "adam()",
      "how parameters are updated")
    loss =
      transfer
      ? nil
      : d.named(
        "loss",
        Kind<SettingValue<Loss>>.setting(Loss.self).orWords({ $0 == "softmax" ? Loss.softmax : nil }, ["softmax"]),
        default: .softmax, "softmax", "what is minimised")
    pads =
      transfer
      ? nil
      : d.optional(
        "pads_in_loss", .bool, "count positions whose target is padding; left out: only in protocol stackrec")
    every = d.named("eval_every", .countedExtent, default: .steps(100), "100steps", "how often the validation part is ranked")
    stop = d.optional(
      "stop", Kind<SettingValue<Patience>>.setting(Patience.self), "when to stop early, and by which metric the best is chosen")
    metrics = d.named(
      "metrics", Kind<Metric>.metric.list.checked { $0.isEmpty ? "must name a metric" : nil },
      default: TrainingOptions().metrics, "[mrr@5, hr@5, ndcg@5]", "what an evaluation computes")
    seed = d.optional("seed", .whole(from: 0), "seed of shuffling and negatives; left out: that of the session (--seed)")
    name = d.optional("name", .text, "what the run is called in progress and tables")
    checkpoint = d.optional(
      "checkpoint", .extent,
      "how often the state is kept in the folder runs, besides every growth and the end; left out: every 10min of a long training")
    reuse = d.named(
      "reuse", .bool, default: false, "false",
      "take a finished run of the same model, data and settings from the folder runs, if there is one, instead of training again; keep this one there"
    )
    spikes = d.optional(
      "skip_spikes", Kind<Double>.number.checked { $0 > 1 && $0 < 1e6 ? nil : "must be above 1" },
      "do not take a step whose loss is more than so many times the running mean of its phase")
    watch = d.named(
      "watch", .bool, default: false, "false",
      "show the learning curve while it goes on: in a window where there is a display, else on the terminal")
  }

  /// The curve of a training that is to be watched.
  func curve(_ call: Builtin.Call, _ options: TrainingOptions) throws -> LiveCurve? {
    try call[watch] ? LiveCurve(call.interpreter.host, options.watch) : nil
  }

  /// Where the training is kept, and may be found.
  func folder(_ call: Builtin.Call, _ options: TrainingOptions, _ data: Split, _ fingerprint: Fingerprint) throws -> (
    keeper: RunFolder, looks: Bool
  ) {
    let (every, reuses) = (try call[checkpoint], try call[reuse] || call.interpreter.host.keepsRuns)
    let keeper = try RunFolder(call, options, data, fingerprint, every: every, isAsked: every != nil || reuses)
    return (keeper, reuses || call.interpreter.host.resumes)
  }

  func options(_ call: Builtin.Call, fallback: String, _ split: Split) throws -> TrainingOptions {
    var options = TrainingOptions()
    options.batch = try call[batch]
    options.optimizer = try call[optimizer]
    let isReference = split.evaluation == .stackrec
    if let loss { options.loss = try call[loss] }
    if let pads { options.padsInLoss = try call[pads] ?? isReference }
    options.evaluateEvery = try call[every]
    if isReference {
      options.patience = 10
      options.watch = Metric(.mrr, 5)
    }
    if let stop = try call[stop] {
      options.patience = stop.evaluations
      options.watch = stop.metric
    }
    options.metrics = try call[metrics]
    options.seed = UInt64(try call[seed] ?? call.interpreter.host.seed)
    options.name = try call[name] ?? fallback
    options.spikeGuard = try call[spikes]
    return options
  }
}
