import Datasets

/// Generalised binary cross-entropy (Petrov and Macdonald, RecSys 2023), which makes up for the overconfidence that sampling
/// causes. With k of I items as negatives, alpha = k / (I - 1) and beta = 1 - t (1 - alpha):
///
///     -(beta ln sigma(s+) + sum_j ln(1 - sigma(s_j))) / (k + 1)
public struct GeneralisedBCE: Loss, Equatable {
  public static let kind = "gbce"
  public static let summary =
    "Generalised binary cross-entropy of gSASRec: BCE whose positive term is weighted so that scores become calibrated (t: 0 is plain BCE, t: 1 fully calibrated)."
  public static let example = "let loss = gbce(negatives: 256, t: 0.75)"
  public static let samples = [
    GeneralisedBCE { $0.negatives = 4 },
    GeneralisedBCE { ($0.negatives, $0.t, $0.scope, $0.distribution, $0.alpha) = (3, 0.5, .batch, .popularity, 0.5) },
    GeneralisedBCE { ($0.negatives, $0.scope, $0.inBatch) = (4, .sequence, 0.5) },
  ]
  public static let fields: [Field<GeneralisedBCE>] = [
    Field("negatives", \.negatives, NegativeForms.count),
    Field(
      "t", \.t,
      FieldForm(.number, "calibration: from 0, plain BCE, to 1") { $0 >= 0 && $0 <= 1 ? nil : "must be from 0 to 1" }),
    Field("per", \.scope, NegativeForms.scope),
    Field(
      "distribution", \.distribution,
      .word(of: NegativeDistribution.self, "how negatives are drawn: uniformly, log-uniform by rank, or in proportion to count^alpha")),
    Field("alpha", \.alpha, NegativeForms.alpha), Field("in_batch", \.inBatch, NegativeForms.inBatch),
  ]

  public var negatives = 256
  public var t = 0.75
  public var scope = NegativeScope.position
  public var distribution = NegativeDistribution.uniform
  public var alpha = 1.0
  public var inBatch = 0.0

  public init() {}

  init(_ change: (inout GeneralisedBCE) -> Void) { change(&self) }

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
    let items = Double(step.output.rows - 1)
    let alpha = items > 1 ? Double(count) / (items - 1) : 1
    return NegativesHead(BinaryScore(beta: 1 - t * (1 - alpha)), step, count: count, removesHits: false)
  }
}
