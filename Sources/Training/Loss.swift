/// What the training minimises over the output layer.
public enum Loss: Sendable, Equatable {
  /// Cross-entropy over all items.
  case softmax
  /// Cross-entropy of the target against itself and a share of the items as negatives, drawn once a batch; logits are
  /// corrected by the log expected counts, negatives that are a position's own target are removed there.
  case sampledSoftmax(share: Double, distribution: NegativeDistribution)

  public var name: String {
    switch self {
    case .softmax: "softmax"
    case .sampledSoftmax(let share, let distribution):
      "sampled_softmax(\(NumberText.short(share * 100))%, \(distribution.rawValue))"
    }
  }
}

/// How negatives are drawn, without replacement.
public enum NegativeDistribution: String, Sendable, CaseIterable {
  case uniform
  /// P(rank k) = log((k + 2) / (k + 1)) / log(n + 1), rank 0 the most popular item in the training data.
  case logUniform = "log_uniform"
}

enum NumberText {
  static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
