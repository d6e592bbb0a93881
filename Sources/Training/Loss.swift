/// What the training minimises over the output layer.
public enum Loss: Sendable, Equatable {
  /// Cross-entropy over all items.
  case softmax
  /// Cross-entropy of the target against itself and a share of the items as negatives, drawn once a batch; logits are
  /// corrected by the log expected counts, negatives that are a position's own target are removed there.
  case sampledSoftmax(share: Double, distribution: NegativeDistribution)
  /// The transfer task's pairwise logistic loss, for one uniform negative n that is not the target p:
  /// `-log s(h e_p) - log(1 - s(h e_n)) + l2 / 2 (|e_p|^2 + |e_n|^2)`, s being the logistic function.
  case pairwise(l2: Double)

  public var name: String {
    switch self {
    case .softmax: "softmax"
    case .pairwise(let l2): "pairwise(l2: \(NumberText.short(l2)))"
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
