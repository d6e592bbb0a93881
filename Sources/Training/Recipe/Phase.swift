import Evaluation
import Glibc
import Growth

/// A phase of a training. It may begin with a growth.
public struct Phase: Sendable, Equatable {
  /// The length of the phase; nil: until patience ends it or the next phase begins by its `when`.
  public var run: Extent?
  /// The number of blocks to grow to; nil: the default of the growth operator.
  public var to: Int?
  public var by: GrowthOperator?
  public var carry: Carry
  /// What becomes of the optimizer's state at the growth; nil: it is copied if `carry` names it, and reset otherwise.
  public var optimizer: StateRule?
  /// The share of the training sequences that is used, from 0 to 1. A larger share contains every smaller one.
  public var dataShare: Double
  /// What ends the previous phase and begins this one; nil: the previous phase ends by its own length.
  public var when: Rule?
  /// For this long, only the new blocks and the output layer are trained (MSLT, Yang et al., arXiv 2011.13635).
  public var freezeOld: Extent?
  /// The factor of the learning rate in this phase.
  public var rate: Double
  /// The number of items of a sequence that are used, the latest ones; nil: all.
  public var length: Int?
  /// How the growth is chosen by trying; nil: `by`, `carry` and `optimizer` say how.
  public var trial: GrowthTrial?

  /// The state of the optimizer (for Adam, its moments and step counts) after a growth.
  public enum StateRule: String, Codable, Sendable, CaseIterable {
    /// All parameters begin anew.
    case reset
    /// Every copied parameter has the state of its source.
    case copy
    /// Parameters outside of new blocks go on; those of new blocks begin anew.
    case kept
  }

  /// What becomes of the optimizer's state.
  var stateRule: StateRule { optimizer ?? (carry.optimizer ? .copy : .reset) }

  /// A condition on the evaluations of a phase, which ends it.
  public struct Rule: Sendable, Equatable, Codable {
    public enum Condition: Sendable, Equatable {
      /// The metric has not improved for this number of evaluations.
      case plateau(Int)
      /// The metric rises by less than this share of its best value per doubling of the phase's steps.
      case slope(Double)
      /// This share of the whole training is over.
      case budget(Double)
    }

    public let condition: Condition
    /// The metric on the validation part; nil for a budget.
    public let metric: Metric?

    public init(plateau evaluations: Int, on metric: Metric) {
      condition = .plateau(evaluations)
      self.metric = metric
    }

    public init(slope share: Double, on metric: Metric) {
      condition = .slope(share)
      self.metric = metric
    }

    public init(budget share: Double) {
      condition = .budget(share)
      metric = nil
    }

    /// Whether version 0.1 had it.
    var isPlateau: Bool { if case .plateau = condition { true } else { false } }
    /// The share of the training after which the phase begins; nil for other conditions.
    var budget: Double? { if case .budget(let share) = condition { share } else { nil } }

    /// The fewest evaluations that a slope is computed from.
    static let fewest = 4

    /// The slope of a learning curve over the logarithm of its compute: a straight line is fitted by least squares to the values,
    /// divided by the best one, over log2 of the steps, from half of the last steps on. In a phase the compute of a step is always the same.
    ///
    /// - Returns: nil for fewer than `fewest` evaluations in this part, or if no value is above 0.
    static func slope(_ points: [(step: Int, value: Double)]) -> Double? {
      guard let last = points.last, let best = points.map(\.value).max(), best > 0 else { return nil }
      let part = points.filter { $0.step > 0 && 2 * $0.step >= last.step }
      guard part.count >= fewest else { return nil }
      let x = part.map { log2(Double($0.step)) }, y = part.map { $0.value / best }
      let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
      let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
      return zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / spread
    }

    private enum CodingKeys: String, CodingKey { case plateau, slope, budget, on }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      if let share = try container.decodeIfPresent(Double.self, forKey: .budget) {
        self.init(budget: share)
        return
      }
      let metric = try container.decode(Metric.self, forKey: .on)
      if let share = try container.decodeIfPresent(Double.self, forKey: .slope) {
        self.init(slope: share, on: metric)
      } else {
        self.init(plateau: try container.decode(Int.self, forKey: .plateau), on: metric)
      }
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encodeIfPresent(metric, forKey: .on)
      switch condition {
      case .plateau(let evaluations): try container.encode(evaluations, forKey: .plateau)
      case .slope(let share): try container.encode(share, forKey: .slope)
      case .budget(let share): try container.encode(share, forKey: .budget)
      }
    }
  }

  public init(
    run: Extent? = nil, to: Int? = nil, by: GrowthOperator? = nil, carry: Carry = .all, dataShare: Double = 1,
    when: Rule? = nil, freezeOld: Extent? = nil, optimizer: StateRule? = nil, rate: Double = 1, length: Int? = nil,
    trial: GrowthTrial? = nil
  ) {
    self.rate = rate
    self.length = length
    self.trial = trial
    self.optimizer = optimizer
    self.when = when
    self.freezeOld = freezeOld
    self.run = run
    self.to = to
    self.by = by
    self.carry = carry
    self.dataShare = dataShare
  }

  public var grows: Bool { to != nil || by != nil || trial != nil }
  /// The growth operator of a phase with a growth.
  var growth: GrowthOperator { by ?? .adjacent }
}

extension Phase: Described {
  public init() { self.init(run: nil) }

  public static let fields: [Field<Phase>] = [
    Field("run", \.run), Field("to", \.to), Field("by", \.by), Field("carry", \.carry), Field("data", \.dataShare),
    Field("optimizer", \.optimizer), Field("when", \.when), Field("freeze_for", \.freezeOld),
    Field("rate", \.rate), Field("length", \.length), Field("trial", \.trial),
  ]
}
