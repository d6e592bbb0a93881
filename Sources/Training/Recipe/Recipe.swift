import Datasets
import Evaluation
import Layers

/// All hyperparameters of a training. Together with the initial model and the data, the recipe determines the result.
///
/// The fingerprint, the row in the database, comparisons of runs, checkpoints and `--resume` use its canonical text. The text
/// leaves out values that equal their defaults, so an option that is added later does not change older texts.
public struct Recipe: Sendable {
  public var phases: [Phase] = []
  /// The length of the whole training, over all phases; nil: the sum of those of the phases.
  public var length: Extent?
  /// The number of sequences of a batch.
  public var batch = 256
  /// The number of batches of a step. Its gradient is the mean of theirs.
  public var accumulate = 1
  public var loss: any Loss = Softmax()
  public var optimizer: any Optimizer = Adam()
  public var schedule: any Schedule = ConstantRate()
  /// The decay of the moving average of the parameters that is evaluated and kept; nil: the parameters themselves are.
  public var averageDecay: Double?
  /// Whether positions whose target is padding count in the loss.
  public var padsInLoss = false
  /// The interval between evaluations.
  public var evaluateEvery = Extent.steps(100)
  /// The metric on the validation part that selects the best parameters and that patience refers to.
  public var watch = Metric(.mrr, 5)
  /// The number of evaluations without an improvement after which a phase ends; nil: no early stopping.
  public var patience: Int?
  public var metrics = [Metric(.mrr, 5), Metric(.hr, 5), Metric(.ndcg, 5)]
  public var seed: UInt64 = 0
  /// When the training sequences are shuffled.
  public var shuffle = Shuffle.everyEpoch
  /// What happens to the last batch of an epoch if it is smaller than the others.
  public var lastBatch = LastBatch.keep
  /// Which of two evaluations with the same value of the watched metric is the best one.
  public var ofEquals = OfEquals.later
  /// How validation targets are ranked.
  public var ranking = RankingRule()
  /// A step is skipped if its loss is above this multiple of the running mean of its phase's losses; nil: no step is skipped.
  public var spikeGuard: Double?

  public init(phases: [Phase]) { self.phases = phases }

  /// All metrics that an evaluation computes: `metrics`, the watched one, and those of plateaus.
  var allMetrics: Set<Metric> { Set(metrics + [watch] + phases.compactMap { $0.when?.metric }) }
  /// The largest number of sequences of a step. Random numbers of a sequence are found by its index in the step.
  public static let largestStep = 1_000_000
  /// The number of sequences of a step.
  var stepSize: Int { batch * accumulate }
  /// Whether a growth carries the optimizer's state over.
  var carriesOptimizer: Bool { phases.contains { $0.grows && $0.alternatives.contains { $0.stateRule != .reset } } }
}

extension Recipe {
  public enum Shuffle: String, Codable, Sendable, CaseIterable {
    case everyEpoch = "every_epoch"
    /// Once, before the first epoch of a phase, as the reference code does.
    case once
  }

  public enum LastBatch: String, Codable, Sendable, CaseIterable {
    case keep
    /// Its sequences are not used in the epoch, as in the reference code. A set smaller than a batch is one batch.
    case drop
  }

  public enum OfEquals: String, Codable, Sendable, CaseIterable {
    /// The later one: its model has been trained for longer.
    case later
    /// The earlier one, as in the reference code.
    case earlier
  }
}

extension Recipe: Described {
  public init() {}

  public static let fields: [Field<Recipe>] = [
    Field("phases", list: \.phases), Field("run", \.length), Field("batch", \.batch),
    Field("loss", among: Losses.kinds, get: { $0.loss }, set: { $0.loss = $1 }),
    Field("optimizer", among: Optimizers.kinds, get: { $0.optimizer }, set: { $0.optimizer = $1 }),
    Field("schedule", among: Schedules.kinds, get: { $0.schedule }, set: { $0.schedule = $1 }),
    Field("pads_in_loss", \.padsInLoss), Field("eval_every", \.evaluateEvery), Field("watch", \.watch),
    Field("patience", \.patience), Field("metrics", \.metrics), Field("seed", \.seed), Field("shuffle", \.shuffle),
    Field("last_batch", \.lastBatch), Field("of_equals", \.ofEquals), Field("candidates", \.ranking.candidates),
    Field("hide", \.ranking.hide), Field("ties", \.ranking.ties), Field("rank_pad", \.ranking.ranksPad),
    Field("skip_spikes", \.spikeGuard), Field("accumulate", \.accumulate), Field("ema", \.averageDecay),
  ]

  /// The version of the canonical text. A change to how recipes are written gets a new number.
  static let version = 1

  public func tree() throws -> Tree {
    .object(try described().merging(["version": .whole(Int64(Self.version))]) { first, _ in first })
  }

  /// The canonical text. Equal recipes have equal texts.
  public func canonical() throws -> String { try tree().canonical }

  /// - Throws: `Tree.Failure` if the text is not a recipe of this version.
  public init(canonical text: String) throws {
    guard case .object(var values) = try Tree(parsing: text), values.removeValue(forKey: "version") == .whole(Int64(Self.version))
    else { throw Tree.Failure(message: "not a recipe of version \(Self.version)") }
    try self.init(described: .object(values))
  }
}

extension Recipe {
  /// Sets everything that the authors' code does differently from the defaults: `protocol: stackrec`.
  public mutating func followReference(_ network: any Network) {
    optimizer = Adam(rate: 1e-3, form: network.isTensorFlowInReference ? .tensorflow : .pytorch, lazy: false)
    padsInLoss = network.pads == .item
    shuffle = .once
    lastBatch = .drop
    ofEquals = .earlier
    loss = loss.asInReference
    (ranking.ties, ranking.ranksPad) = (.number, network.pads == .item)
    patience = 10
    watch = Metric(.mrr, 5)
  }

  /// The settings of `followReference` that tables do not show otherwise, as a script would write them.
  public var rules: String {
    "optimizer: \(optimizer.text), shuffle: \(shuffle.rawValue), last_batch: \(lastBatch.rawValue), "
      + "of_equals: \(ofEquals.rawValue), pads_in_loss: \(padsInLoss), ties: \(ranking.ties.rawValue), rank_pad: \(ranking.ranksPad)"
  }
}
