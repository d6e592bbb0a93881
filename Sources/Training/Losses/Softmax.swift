/// The cross-entropy of the target over all items: `-log softmax(h W^T + b)[target]`.
///
/// With label smoothing e (Szegedy et al., 2016), the target distribution is `1 - e` at the target plus e spread evenly over
/// all columns, the pad's included, as in PyTorch's `cross_entropy`.
public struct Softmax: Loss {
  public static let kind = "softmax"
  public static let summary = "Cross-entropy of the target against all items."
  public static let example = "let smooth = softmax(label_smoothing: 0.1)"
  public static let samples = [Softmax(), Softmax(smoothing: 0.1)]
  public static let fields: [Field<Softmax>] = [
    Field(
      "label_smoothing", \.smoothing,
      FieldForm(.number, "part of the target distribution that is spread evenly over all items", problem: NumberRule.fraction))
  ]

  public var smoothing = 0.0

  public init() {}
  public init(smoothing: Double) { self.smoothing = smoothing }

  public var name: String { text }
  public func reach(rows: Int) -> OutputReach { .table }
  public func head(_ step: LossStep) -> any LossHead { SoftmaxHead(step, smoothing: smoothing) }
}

extension Softmax: LegacyNamed {
  var legacyName: String { name }
}
