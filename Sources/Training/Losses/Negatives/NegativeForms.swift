/// The distribution of negatives. Those of a batch or a sequence are drawn without replacement.
public enum NegativeDistribution: String, Codable, Sendable, CaseIterable {
  case uniform
  /// P(rank k) = log((k + 2) / (k + 1)) / log(n + 1) for n items. Rank 0 is the most popular item in the training data.
  case logUniform = "log_uniform"
  /// In proportion to count^alpha, with the counts of the training data.
  case popularity
}

/// The order of items for log-uniform draws.
public enum ItemOrder: String, Codable, Sendable, CaseIterable {
  /// The most popular item first, without the pad.
  case popularity
  /// By first appearance in the data, the pad before all items and drawn like one, as in the authors' code.
  case appearance
}

/// The options of losses with negatives.
enum NegativeForms {
  static let count = FieldForm(.whole, "number of negatives") { $0 >= 1 && $0 < 1e6 ? nil : "must be from 1 to a million" }
  static let scope = FieldForm.word(
    of: NegativeScope.self, "what shares them: the positions of a batch, those of a sequence, or every position has its own")
  static let distribution = FieldForm.word(
    of: NegativeDistribution.self,
    "how they are drawn: uniformly, by popularity rank as log-uniform, or in proportion to count^alpha")
  static let alpha = FieldForm(.number, "for popularity: exponent of the counts") {
    $0 >= 0 && $0 <= 10 ? nil : "must be from 0 to 10"
  }
  static let inBatch = FieldForm(
    .share, "share of the negatives that are drawn from the distinct targets of the batch; for negatives per sequence or position")

  static func conflict(_ inBatch: Double, _ scope: NegativeScope) -> String? {
    inBatch > 0 && scope == .batch ? "in_batch needs negatives per: sequence or per: position" : nil
  }
}

extension OutputReach {
  /// The reach of a loss with this many negatives.
  static func reach(_ count: Int, _ scope: NegativeScope) -> OutputReach {
    switch scope {
    case .batch: .candidates(count)
    case .sequence: .sequences(negatives: count)
    case .position: .rows(negatives: count)
    }
  }
}
