import Datasets
import Evaluation
import Layers

/// What a training is: with the model and the data it starts from, all that decides what comes out.
///
/// Its canonical text is what the fingerprint, the row in the database, comparisons of runs, checkpoints and `--resume`
/// read. Values that are as they are by default are left out of it, so an option that is added later changes no older text.
public struct Recipe: Sendable {
  public var phases: [Phase] = []
  /// Sequences a step.
  public var batch = 256
  public var loss: any Loss = Softmax()
  public var optimizer: any Optimizer = Adam()
  public var schedule: any Schedule = ConstantRate()
  /// Count positions whose target is the pad.
  public var padsInLoss = false
  public var evaluateEvery = Extent.steps(100)
  /// What chooses the best parameters and what patience waits for.
  public var watch = Metric(.mrr, 5)
  /// Evaluations without a better value before a phase ends; nil: never.
  public var patience: Int?
  public var metrics = [Metric(.mrr, 5), Metric(.hr, 5), Metric(.ndcg, 5)]
  public var seed: UInt64 = 0
  /// When the training sequences are put in a new order.
  public var shuffle = Shuffle.everyEpoch
  /// What becomes of an epoch's last batch where it is smaller than the others.
  public var lastBatch = LastBatch.keep
  /// Which of two evaluations with the same value of the watched metric is the best.
  public var ofEquals = OfEquals.later
  /// What validation targets are ranked among.
  public var candidates = RankingCandidates.all
  /// A step whose loss is so many times the running mean of its phase's losses is not taken; nil: all are.
  public var spikeGuard: Double?

  public init(phases: [Phase]) { self.phases = phases }

  /// Every metric that an evaluation computes: those asked for, the watched one, and those that phases wait for.
  var allMetrics: Set<Metric> { Set(metrics + [watch] + phases.compactMap { $0.when?.metric }) }
  /// Does a growth take the optimizer's state along?
  var carriesOptimizer: Bool { phases.contains { $0.grows && $0.carry.optimizer } }
}

extension Recipe {
  public enum Shuffle: String, Codable, Sendable, CaseIterable {
    case everyEpoch = "every_epoch"
    /// Once, before the first epoch of a phase, as the reference code does.
    case once
  }

  public enum LastBatch: String, Codable, Sendable, CaseIterable {
    case keep
    /// Its sequences take no part in the epoch, as in the reference code; a set smaller than a batch is one batch.
    case drop
  }

  public enum OfEquals: String, Codable, Sendable, CaseIterable {
    /// It has learnt more.
    case later
    /// As the reference code does.
    case earlier
  }
}

extension Recipe: Described {
  public init() {}

  public static let fields: [Field<Recipe>] = [
    Field("phases", list: \.phases), Field("batch", \.batch),
    Field("loss", among: Losses.kinds, get: { $0.loss }, set: { $0.loss = $1 }),
    Field("optimizer", among: Optimizers.kinds, get: { $0.optimizer }, set: { $0.optimizer = $1 }),
    Field("schedule", among: Schedules.kinds, get: { $0.schedule }, set: { $0.schedule = $1 }),
    Field("pads_in_loss", \.padsInLoss), Field("eval_every", \.evaluateEvery), Field("watch", \.watch),
    Field("patience", \.patience), Field("metrics", \.metrics), Field("seed", \.seed), Field("shuffle", \.shuffle),
    Field("last_batch", \.lastBatch), Field("of_equals", \.ofEquals), Field("candidates", \.candidates),
    Field("skip_spikes", \.spikeGuard),
  ]

  /// Of the way a recipe is written. Another way of writing the same gets another number.
  static let version = 1

  public func tree() throws -> Tree {
    .object(try described().merging(["version": .whole(Int64(Self.version))]) { first, _ in first })
  }

  /// One text for equal recipes.
  public func canonical() throws -> String { try tree().canonical }

  /// - Throws: `Tree.Failure` for what is no recipe, or one of a newer version.
  public init(canonical text: String) throws {
    guard case .object(var values) = try Tree(parsing: text), values.removeValue(forKey: "version") == .whole(Int64(Self.version))
    else { throw Tree.Failure(message: "not a recipe of version \(Self.version)") }
    try self.init(described: .object(values))
  }
}

extension Recipe {
  /// Takes on what the authors' code does in every training, where it differs from the defaults: `protocol: stackrec`.
  public mutating func followReference(_ network: any Network) {
    optimizer = Adam(rate: 1e-3, form: network.isTensorFlowInReference ? .tensorflow : .pytorch, lazy: false)
    padsInLoss = true
    shuffle = .once
    lastBatch = .drop
    ofEquals = .earlier
    patience = 10
    watch = Metric(.mrr, 5)
  }
}
