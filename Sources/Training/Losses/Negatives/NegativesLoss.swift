import Datasets

/// A loss of the score of a target and the scores of a number of negatives. How they are drawn, the gradients' reach and the
/// computation are the same for all of them.
protocol NegativesLoss: Loss, Equatable {
  associatedtype Score: ScoreLoss
  /// The number of negatives.
  var negatives: Int { get set }
  var scope: NegativeScope { get set }
  var distribution: NegativeDistribution { get set }
  /// The exponent of the counts, for `popularity`.
  var alpha: Double { get set }
  /// The share of negatives that are drawn from the targets of the batch.
  var inBatch: Double { get set }
  /// The loss of one position.
  ///
  /// - Parameters:
  ///   - count: the number of negatives.
  ///   - items: the number of items, without the pad.
  func score(count: Int, items: Int) -> Score
}

extension NegativesLoss {
  /// The fields of how negatives are drawn.
  static var drawing: [Field<Self>] {
    [
      Field("negatives", \.negatives, NegativeForms.count), Field("per", \.scope, NegativeForms.scope),
      Field("distribution", \.distribution, NegativeForms.distribution), Field("alpha", \.alpha, NegativeForms.alpha),
      Field("in_batch", \.inBatch, NegativeForms.inBatch),
    ]
  }

  init(_ change: (inout Self) -> Void) {
    self.init()
    change(&self)
  }

  public var name: String { text }
  public var conflict: String? { NegativeForms.conflict(inBatch, scope) }
  public var scatters: Bool { true }

  private func count(_ rows: Int) -> Int { min(negatives, rows - 1) }

  public func reach(rows: Int) -> OutputReach { .reach(count(rows), scope) }

  public func ownNegatives(rows: Int) -> OwnNegatives? {
    scope == .batch
      ? nil : OwnNegatives(count: count(rows), per: scope, distribution: distribution, alpha: alpha, inBatch: inBatch)
  }

  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? {
    guard scope == .batch else { return nil }
    return NegativeSampler(count: negatives, distribution: distribution, alpha: alpha, popularity: train.uses(), seed: seed)
  }

  public func head(_ step: LossStep) -> any LossHead {
    let rows = step.output.rows
    return NegativesHead(score(count: count(rows), items: rows - 1), step, count: count(rows), removesHits: false)
  }
}
