import Datasets

/// Sampled softmax (Bengio and Senécal, 2008): the cross-entropy over the target and a share of the items as negatives. All
/// positions of a batch share the negatives. The log expected counts of the items are subtracted from their logits. A negative
/// that is the target of a position is left out at that position.
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

  /// The share of the items, without the pad, that are negatives: above 0 and at most 1.
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

/// The distribution of negatives. They are drawn without replacement.
public enum NegativeDistribution: String, Codable, Sendable, CaseIterable {
  case uniform
  /// P(rank k) = log((k + 2) / (k + 1)) / log(n + 1) for n items. Rank 0 is the most popular item in the training data.
  case logUniform = "log_uniform"
}

enum NumberText {
  /// The shortest text of a number, without ".0" for a whole one.
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
