import Datasets

/// Sampled softmax (Bengio and Senécal, 2008): the cross-entropy over the target and some negatives.
///
/// The negatives are those of a batch, of a sequence, or of a position: see `NegativeScope`. With `logq`, the log expected
/// counts of the items are subtracted from their logits; for uniform negatives this changes nothing but a constant.
public struct SampledSoftmax: Loss {
  public static let kind = "sampled_softmax"
  public static let summary =
    "Softmax over the target and some negatives: a share of the items or a number, drawn for each batch, each sequence or each position. Logits are corrected by the log expected counts."
  public static let example = "let loss = sampled_softmax(20%)"
  public static let samples = [
    SampledSoftmax(share: 0.3), SampledSoftmax(share: 0.3, distribution: .uniform),
    SampledSoftmax(share: 0.2, distribution: .popularity) { ($0.alpha, $0.hits) = (0.5, .keep) },
    SampledSoftmax { ($0.negatives, $0.scope, $0.distribution, $0.inBatch) = (4, .position, .uniform, 0.5) },
    SampledSoftmax { ($0.negatives, $0.scope, $0.logq) = (3, .sequence, false) },
    SampledSoftmax(share: 0.3) { $0.order = .appearance },
  ]
  public static let fields: [Field<SampledSoftmax>] = [
    Field(
      "share", \.share,
      FieldForm(.share, "share of the items that are negatives", isPositional: true) {
        $0 > 0 ? nil : "must be above 0%: a share of 0% leaves no negatives"
      }),
    Field("negatives", \.negatives, NegativeForms.count),
    Field("per", \.scope, NegativeForms.scope),
    Field("distribution", \.distribution, NegativeForms.distribution),
    Field(
      "order", \.order,
      .word(
        of: ItemOrder.self,
        "for log_uniform: ranks by popularity, or by first appearance in the data with the pad first and among the negatives; default: popularity, in protocol stackrec appearance"
      )),
    Field("alpha", \.alpha, NegativeForms.alpha),
    Field("in_batch", \.inBatch, NegativeForms.inBatch),
    Field("hits", \.hits, .word(of: Hits.self, "a negative that equals the target of a position: left out there, or kept")),
    Field("logq", \.logq, FieldForm(.flag, "subtract the log expected counts from the logits")),
  ]

  /// What happens to a negative that equals the target.
  public enum Hits: String, Codable, Sendable, CaseIterable { case remove, keep }

  /// The share of the items, without the pad, that are negatives: above 0 and at most 1. 0: `negatives` says how many.
  public var share = 0.0
  public var negatives = 0
  public var scope = NegativeScope.batch
  public var distribution = NegativeDistribution.logUniform
  /// nil: by popularity, where no protocol says otherwise.
  public var order: ItemOrder?
  public var alpha = 1.0
  public var inBatch = 0.0
  public var hits = Hits.remove
  public var logq = true

  public init() {}

  public init(share: Double = 0, distribution: NegativeDistribution = .logUniform, _ change: (inout SampledSoftmax) -> Void = { _ in }) {
    self.share = share
    self.distribution = distribution
    change(&self)
  }

  public var name: String {
    negatives == 0 && self == SampledSoftmax(share: share, distribution: distribution)
      ? "sampled_softmax(\(NumberText.short(share * 100))%, \(distribution.rawValue))" : text
  }

  public var conflict: String? {
    if (share > 0) == (negatives > 0) { return "give one of a share of the items, as in sampled_softmax(20%), and negatives: 128" }
    if order == .appearance, distribution != .logUniform || scope != .batch {
      return "order: appearance needs distribution: log_uniform and per: batch"
    }
    return NegativeForms.conflict(inBatch, scope)
  }

  public var asInReference: any Loss {
    var loss = self
    if order == nil, distribution == .logUniform, scope == .batch { loss.order = .appearance }
    return loss
  }

  private func count(rows: Int) -> Int {
    if order == .appearance { return negatives > 0 ? min(negatives, rows) : max(1, Int(share * Double(rows))) }
    return negatives > 0 ? min(negatives, rows - 1) : NegativeSampler.count(share: share, rows: rows)
  }

  public func reach(rows: Int) -> OutputReach { .reach(count(rows: rows), scope) }

  public func ownNegatives(rows: Int) -> OwnNegatives? {
    scope == .batch
      ? nil : OwnNegatives(count: count(rows: rows), per: scope, distribution: distribution, alpha: alpha, inBatch: inBatch)
  }

  public var scatters: Bool { true }

  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? {
    guard scope == .batch else { return nil }
    if order == .appearance {
      return NegativeSampler(count: count(rows: train.items.count), ranked: train.itemsByAppearance, seed: seed)
    }
    return NegativeSampler(
      count: count(rows: train.items.count), distribution: distribution, alpha: alpha, popularity: train.uses(), seed: seed)
  }

  public func head(_ step: LossStep) -> any LossHead {
    if scope == .batch && hits == .remove && logq { return SoftmaxHead(step) }
    // Per position or sequence, all items have as many tries, so the expected counts are the probabilities times a constant.
    return NegativesHead(
      SampledSoftmaxScore(), step, count: count(rows: step.output.rows), removesHits: hits == .remove,
      correction: scope == .batch || !logq ? nil : step.logProbabilities, isCorrected: logq)
  }
}

extension SampledSoftmax: Equatable {}

extension SampledSoftmax: LegacyNamed {
  var legacyName: String { name }
}

enum NumberText {
  /// The shortest text of a number, without ".0" for a whole one.
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
