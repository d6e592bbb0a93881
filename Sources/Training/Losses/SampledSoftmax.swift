import Datasets

/// Cross-entropy of the target against itself and a share of the items as negatives, which are drawn once a batch and
/// shared by its positions (Bengio and Senécal, 2008). Logits are corrected by the log expected counts of the items;
/// negatives that are a position's own target are removed there.
public struct SampledSoftmax: Loss {
  public static let kind = "sampled_softmax"
  public static let summary =
    "Softmax over the target and a share of the items as negatives, drawn anew for each batch, logits corrected by the log expected counts."
  public static let example = "let loss = sampled_softmax(20%)"
  public static let samples = [SampledSoftmax(share: 0.3), SampledSoftmax(share: 0.3, distribution: .uniform)]
  public static let fields: [Field<SampledSoftmax>] = [
    Field(
      "share", \.share,
      FieldForm(.share, "share of the items that are negatives", isRequired: true) {
        $0 > 0 ? nil : "must be above 0%: a share of 0% leaves no negatives"
      }),
    Field(
      "distribution", \.distribution,
      .word(of: NegativeDistribution.self, "how they are drawn: uniformly, or by popularity rank as log-uniform")),
  ]

  /// Of the items, the pad left out; above 0 to 1.
  public var share = 0.0
  public var distribution = NegativeDistribution.logUniform

  public init() {}

  public init(share: Double, distribution: NegativeDistribution = .logUniform) {
    self.share = share
    self.distribution = distribution
  }

  public var name: String { "sampled_softmax(\(NumberText.short(share * 100))%, \(distribution.rawValue))" }

  public func reach(rows: Int) -> OutputReach { .candidates(NegativeSampler.count(share: share, rows: rows)) }

  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? {
    NegativeSampler(share: share, distribution: distribution, popularity: train.uses(), seed: seed)
  }

  public func head(_ step: LossStep) -> any LossHead { SoftmaxHead(step) }
}

extension SampledSoftmax: LegacyNamed {
  var legacyName: String { name }
}

/// How negatives are drawn, without replacement.
public enum NegativeDistribution: String, Codable, Sendable, CaseIterable {
  case uniform
  /// P(rank k) = log((k + 2) / (k + 1)) / log(n + 1), rank 0 the most popular item in the training data.
  case logUniform = "log_uniform"
}

enum NumberText {
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
