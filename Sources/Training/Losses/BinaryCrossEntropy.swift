import Datasets

/// Binary cross-entropy of the target against k negatives (Kang and McAuley, ICDM 2018, with k = 1):
///
///     -(ln sigma(s+) + sum_j ln(1 - sigma(s_j))) / (k + 1)
public struct BinaryCrossEntropy: Loss, Equatable {
  public static let kind = "bce"
  public static let summary =
    "Binary cross-entropy of the target and of k negatives, each judged alone; with one negative, the loss of Kang and McAuley (2018)."
  public static let example = "let loss = bce(negatives: 1)"
  public static let samples = [
    BinaryCrossEntropy(),
    BinaryCrossEntropy { ($0.negatives, $0.scope, $0.distribution, $0.alpha) = (3, .batch, .popularity, 0.5) },
    BinaryCrossEntropy { ($0.negatives, $0.scope, $0.inBatch) = (4, .sequence, 0.5) },
  ]
  public static let fields: [Field<BinaryCrossEntropy>] = [
    Field("negatives", \.negatives, NegativeForms.count),
    Field("per", \.scope, NegativeForms.scope),
    Field(
      "distribution", \.distribution,
      .word(of: NegativeDistribution.self, "how negatives are drawn: uniformly, log-uniform by rank, or in proportion to count^alpha")),
    Field("alpha", \.alpha, NegativeForms.alpha), Field("in_batch", \.inBatch, NegativeForms.inBatch),
  ]

  public var negatives = 1
  public var scope = NegativeScope.position
  public var distribution = NegativeDistribution.uniform
  public var alpha = 1.0
  public var inBatch = 0.0

  public init() {}

  init(_ change: (inout BinaryCrossEntropy) -> Void) { change(&self) }

  public var name: String { text }
  public var conflict: String? { NegativeForms.conflict(inBatch, scope) }

  public func reach(rows: Int) -> OutputReach { .reach(min(negatives, rows - 1), scope) }

  public func ownNegatives(rows: Int) -> OwnNegatives? {
    scope == .batch
      ? nil
      : OwnNegatives(count: min(negatives, rows - 1), per: scope, distribution: distribution, alpha: alpha, inBatch: inBatch)
  }

  public var scatters: Bool { true }

  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? {
    guard scope == .batch else { return nil }
    return NegativeSampler(count: negatives, distribution: distribution, alpha: alpha, popularity: train.uses(), seed: seed)
  }

  public func head(_ step: LossStep) -> any LossHead {
    let count = min(negatives, step.output.rows - 1)
    return NegativesHead(BinaryScore(beta: 1), step, count: count, removesHits: false)
  }
}
