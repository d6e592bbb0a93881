import Evaluation
import Growth

/// A stretch of training, perhaps with a growth before it.
public struct Phase: Sendable, Equatable {
  /// How long; nil: until patience ends it, or the next phase begins by its `when`.
  public var run: Extent?
  /// Depth to grow to.
  public var to: Int?
  public var by: GrowthOperator?
  public var carry: Carry
  /// Share of the training sequences; shares are nested.
  public var dataShare: Double
  /// Ends the phase before as soon as its metric has not got better in so many evaluations.
  public var when: Plateau?
  /// Trains only what the growth added, blocks and output layer, for so long (MSLT, Yang et al., arXiv 2011.13635).
  public var freezeOld: Extent?

  public struct Plateau: Sendable, Equatable, Codable {
    public let evaluations: Int
    public let metric: Metric

    public init(_ evaluations: Int, on metric: Metric) {
      self.evaluations = evaluations
      self.metric = metric
    }

    private enum CodingKeys: String, CodingKey {
      case evaluations = "plateau"
      case metric = "on"
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
  /// The operator of a phase that grows.
  var growth: GrowthOperator { by ?? .adjacent }
}

extension Phase: Described {
  public init() { self.init(run: nil) }

  public static let fields: [Field<Phase>] = [
    Field("run", \.run), Field("to", \.to), Field("by", \.by), Field("carry", \.carry), Field("data", \.dataShare),
    Field("when", \.when), Field("freeze_for", \.freezeOld),
  ]
}
