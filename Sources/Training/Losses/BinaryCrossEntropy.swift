/// Binary cross-entropy of the target against k negatives (Kang and McAuley, ICDM 2018, with k = 1):
///
///     -(ln sigma(s+) + sum_j ln(1 - sigma(s_j))) / (k + 1)
public struct BinaryCrossEntropy: NegativesLoss {
  public static let kind = "bce"
  public static let summary =
    "Binary cross-entropy of the target and of k negatives, as separate decisions; with one negative, as in Kang and McAuley (2018)."
  public static let example = "let loss = bce(negatives: 1)"
  public static let samples = [
    BinaryCrossEntropy(),
    BinaryCrossEntropy { ($0.negatives, $0.scope, $0.distribution, $0.alpha) = (3, .batch, .popularity, 0.5) },
    BinaryCrossEntropy { ($0.negatives, $0.scope, $0.inBatch) = (4, .sequence, 0.5) },
  ]
  public static let fields: [Field<BinaryCrossEntropy>] = drawing

  public var negatives = 1
  public var scope = NegativeScope.position
  public var distribution = NegativeDistribution.uniform
  public var alpha = 1.0
  public var inBatch = 0.0

  public init() {}

  func score(count: Int, items: Int) -> BinaryScore { BinaryScore(beta: 1) }
}
