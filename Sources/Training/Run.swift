import Datasets
import Growth
import Layers

/// A length of training.
public enum Extent: Sendable, Equatable {
  case steps(Int)
  case epochs(Double)
  case seconds(Double)
}

/// One evaluation during training.
public struct HistoryPoint: Sendable {
  /// Steps, epochs and time from the very beginning of the run, all phases counted.
  public let step: Int
  public let epoch: Double
  /// Training time: wall-clock seconds, evaluation and growth's own evaluation left out.
  public let seconds: Double
  /// Processor seconds of training, all threads.
  public let cpuSeconds: Double
  /// Mean training loss since the point before; nil right after the start or a growth.
  public let loss: Double?
  /// Validation metrics by name.
  public let metrics: [Metric: Double]
  public let phase: Int
  public let blocks: Int
}

/// A growth during a run.
public struct GrowthMark: Sendable {
  public let step: Int
  public let epoch: Double
  public let seconds: Double
  public let from: Int
  public let to: Int
  public let by: GrowthOperator
  public let carry: String
}

/// Why a run ended.
public enum StopReason: Sendable, Equatable {
  case finished
  case patience(Int, Metric)
  case interrupted
  /// The loss was not a number at this step; the model has the best parameters evaluated before. The parameter is the
  /// first that holds no number, where one does: else the values overflowed on their way.
  case diverged(step: Int, parameter: String?)

  public var text: String {
    switch self {
    case .finished: "ran to its end"
    case .patience(let count, let metric): "no better \(metric.title) in \(count) evaluations"
    case .interrupted: "interrupted"
    case .diverged(let step, let parameter):
      "the loss was not a finite number at step \(step)" + (parameter.map { ", nor was \($0)" } ?? "")
    }
  }

  var isDivergence: Bool {
    if case .diverged = self { return true }
    return false
  }
}

/// A finished (or interrupted) training: the best model, how it got there, and what it cost.
public final class TrainingRun: Sendable {
  public let name: String
  public let model: Model
  public let data: Split
  public let options: TrainingOptions
  public let history: [HistoryPoint]
  public let growths: [GrowthMark]
  public let stop: StopReason
  /// The evaluation whose parameters the model has.
  public let best: HistoryPoint
  public let evaluationSeconds: Double
  /// Of an interrupted run: what it goes on from.
  let pending: Pending?

  /// The rest of an interrupted run.
  ///
  /// `@unchecked Sendable`: nothing changes it after the run; who goes on works on a copy.
  struct Pending: @unchecked Sendable {
    let start: Model
    let phases: [Phase]
    let checkpoint: TrainingCheckpoint
  }

  init(
    name: String, model: Model, data: Split, options: TrainingOptions, history: [HistoryPoint],
    growths: [GrowthMark], stop: StopReason, best: HistoryPoint, evaluationSeconds: Double, pending: Pending? = nil
  ) {
    self.pending = pending
    self.name = name
    self.model = model
    self.data = data
    self.options = options
    self.history = history
    self.growths = growths
    self.stop = stop
    self.best = best
    self.evaluationSeconds = evaluationSeconds
  }

  /// Can it go on from where it was interrupted?
  public var canResume: Bool { pending != nil }

  /// How many sampled items the validation targets were ranked among; nil where it was all of them.
  public var sampledCandidates: Int? {
    guard case .sampled(let count, _) = options.candidates, count < data.valid.rankedItems.count - 2 else { return nil }
    return count
  }

  /// Were two runs judged on the same sequences, against the same candidates?
  public func isJudged(like other: TrainingRun) -> Bool {
    data.valid.hasSameSequences(as: other.data.valid) && sampledCandidates == other.sampledCandidates
  }

  public var steps: Int { history.last?.step ?? 0 }
  public var seconds: Double { history.last?.seconds ?? 0 }
}

/// How a model is trained.
public struct TrainingOptions: Sendable {
  public var batch = 256
  public var loss = Loss.softmax
  public var optimizer = AdamOptions()
  /// Count positions whose target is the pad.
  public var padsInLoss = false
  public var evaluateEvery = Extent.steps(100)
  /// What chooses the best parameters and what patience waits for.
  public var watch = Metric(.mrr, 5)
  /// Evaluations without a better value before a phase ends; nil: never.
  public var patience: Int?
  public var metrics = [Metric(.mrr, 5), Metric(.hr, 5), Metric(.ndcg, 5)]
  public var seed: UInt64 = 0
  /// What validation targets are ranked among.
  public var candidates = RankingCandidates.all
  /// A step whose loss is so many times the running mean of its phase's losses is not taken; nil: all are.
  public var spikeGuard: Double?
  public var name = "run"

  public init() {}
}

/// A stretch of training, perhaps with a growth before it.
public struct Phase: Sendable {
  public var run: Extent?
  public var to: Int?
  public var by: GrowthOperator?
  public var carry: Carry
  /// Share of the training sequences; shares are nested.
  public var dataShare: Double
  /// Ends the phase before as soon as its metric has not got better in so many evaluations: growth when it is due.
  public var when: Plateau?
  /// Trains only what the growth added, blocks and output layer, for so long (MSLT, Yang et al., arXiv 2011.13635).
  public var freezeOld: Extent?

  public struct Plateau: Sendable, Equatable {
    public let evaluations: Int
    public let metric: Metric

    public init(_ evaluations: Int, on metric: Metric) {
      self.evaluations = evaluations
      self.metric = metric
    }
  }

  public init(
    run: Extent? = nil, to: Int? = nil, by: GrowthOperator? = nil, carry: Carry = .all, dataShare: Double = 1,
    when: Plateau? = nil, freezeOld: Extent? = nil
  ) {
    self.when = when
    self.freezeOld = freezeOld
    self.run = run
    self.to = to
    self.by = by
    self.carry = carry
    self.dataShare = dataShare
  }

  public var grows: Bool { to != nil || by != nil }
}

/// Why a training cannot start.
public struct TrainingError: Error, Equatable {
  public let argument: String?
  public let message: String
  public let help: String?

  public init(_ message: String, argument: String? = nil, help: String? = nil) {
    self.message = message
    self.argument = argument
    self.help = help
  }
}

/// What a training tells while it runs.
public struct TrainingProgress: Sendable {
  public let name: String
  public let phase: Int
  public let phases: Int
  public let blocks: Int
  public let step: Int
  /// Steps of all phases together, where they are known.
  public let plannedSteps: Int?
  public let stepsPerSecond: Double
  public let sequencesPerSecond: Double
  public let loss: Double?
  public let watched: Metric
  public let value: Double?
  public let best: Double?
  public let secondsLeft: Double?
}

/// Who looks on: shows progress, and can stop a run between steps.
public protocol TrainingObserver {
  /// Before the first step: the largest model of the training, and about how much memory its steps take.
  func planned(name: String, blocks: Int, parameters: Int, bytes: Double)
  func stepped(_ progress: TrainingProgress)
  /// After every evaluation.
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint)
  func grew(_ mark: GrowthMark, name: String)
  var shouldStop: Bool { get }
}

extension TrainingObserver {
  public func planned(name: String, blocks: Int, parameters: Int, bytes: Double) {}
}
