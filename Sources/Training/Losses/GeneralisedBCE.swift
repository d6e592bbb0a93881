/// Generalised binary cross-entropy (Petrov and Macdonald, RecSys 2023), which makes up for the overconfidence that sampling
/// causes. With k of I items as negatives, alpha = k / (I - 1) and beta = 1 - t (1 - alpha):
///
///     -(beta ln sigma(s+) + sum_j ln(1 - sigma(s_j))) / (k + 1)
public struct GeneralisedBCE: NegativesLoss {
  public static let kind = "gbce"
  public static let summary =
    "Generalised binary cross-entropy of gSASRec: BCE whose positive term is weighted so that scores become calibrated (t: 0 is plain BCE, t: 1 fully calibrated)."
  public static let example = "let loss = gbce(negatives: 256, t: 0.75)"
  public static let samples = [
    GeneralisedBCE { $0.negatives = 4 },
    GeneralisedBCE { ($0.negatives, $0.t, $0.scope, $0.distribution, $0.alpha) = (3, 0.5, .batch, .popularity, 0.5) },
    GeneralisedBCE { ($0.negatives, $0.scope, $0.inBatch) = (4, .sequence, 0.5) },
  ]
  public static let fields: [Field<GeneralisedBCE>] =
    drawing
    + [
      Field(
        "t", \.t,
        FieldForm(.number, "calibration: from 0, plain BCE, to 1") { $0 >= 0 && $0 <= 1 ? nil : "must be from 0 to 1" })
    ]

  public var negatives = 256
  public var t = 0.75
  public var scope = NegativeScope.position
  public var distribution = NegativeDistribution.uniform
  public var alpha = 1.0
  public var inBatch = 0.0

  public init() {}

  func score(count: Int, items: Int) -> BinaryScore {
    let alpha = items > 1 ? Double(count) / Double(items - 1) : 1
    return BinaryScore(beta: 1 - t * (1 - alpha))
  }
}
