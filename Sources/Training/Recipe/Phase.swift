import Evaluation
import Growth

/// A phase of a training. It may begin with a growth.
public struct Phase: Sendable, Equatable {
  /// The length of the phase; nil: until patience ends it or the next phase begins by its `when`.
  public var run: Extent?
  /// The number of blocks to grow to; nil: the default of the growth operator.
  public var to: Int?
  public var by: GrowthOperator?
  public var carry: Carry
  /// The share of the training sequences that is used, from 0 to 1. A larger share contains every smaller one.
  public var dataShare: Double
  /// The plateau that ends the previous phase and begins this one; nil: the previous phase ends by its own length.
  public var when: Plateau?
  /// For this long, only the new blocks and the output layer are trained (MSLT, Yang et al., arXiv 2011.13635).
  public var freezeOld: Extent?

  /// A metric that has not improved for a number of evaluations.
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
  /// The growth operator of a phase with a growth.
  var growth: GrowthOperator { by ?? .adjacent }
}

extension Phase: Described {
  public init() { self.init(run: nil) }

  public static let fields: [Field<Phase>] = [
    Field("run", \.run), Field("to", \.to), Field("by", \.by), Field("carry", \.carry), Field("data", \.dataShare),
    Field("when", \.when), Field("freeze_for", \.freezeOld),
  ]
}
