/// BPR-max (Hidasi and Karatzoglou, CIKM 2018). With w the softmax of the negatives' scores and a_j = sigma(s+ - s_j):
///
///     -ln sum_j w_j a_j + reg sum_j w_j s_j^2
public struct BPRMax: NegativesLoss {
  public static let kind = "bpr_max"
  public static let summary =
    "BPR-max (Hidasi and Karatzoglou, CIKM 2018): the target should score higher than the highest of many negatives."
  public static let example = "let loss = bpr_max(negatives: 512)"
  public static let samples = [
    BPRMax { $0.negatives = 6 },
    BPRMax { ($0.negatives, $0.reg, $0.elu, $0.scope, $0.distribution) = (4, 0.5, 1, .position, .uniform) },
    BPRMax { ($0.negatives, $0.alpha, $0.scope, $0.inBatch) = (4, 1, .sequence, 0.5) },
  ]
  public static let fields: [Field<BPRMax>] =
    drawing
    + [
      Field("reg", \.reg, FieldForm(.number, "weight of the penalty of the negatives' scores", problem: NumberRule.coefficient)),
      Field("elu", \.elu, FieldForm(.number, "parameter of the ELU that scores pass first; 0: none", problem: NumberRule.coefficient)),
    ]

  public var negatives = 2048
  public var reg = 1.0
  public var elu = 0.0
  public var scope = NegativeScope.batch
  public var distribution = NegativeDistribution.popularity
  public var alpha = 0.5
  public var inBatch = 0.0

  public init() {}

  func score(count: Int, items: Int) -> BPRMaxScore { BPRMaxScore(lambda: reg, elu: elu) }
}
