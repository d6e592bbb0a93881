/// The cross-entropy over all items with label smoothing e (Szegedy et al., 2016): the target distribution is `1 - e` at the
/// target plus e spread evenly over all columns, the pad's included, as in PyTorch's `cross_entropy`.
public struct LabelSmoothing: Loss {
  public static let kind = "label_smoothing"
  public static let summary = "Cross-entropy against all items, with a part of the target distribution spread evenly over them."
  public static let example = "let loss = label_smoothing(10%)"
  public static let samples = [LabelSmoothing(share: 0.1)]
  public static let fields: [Field<LabelSmoothing>] = [
    Field(
      "share", \.share,
      FieldForm(.share, "part of the target distribution that is spread evenly over all items", isRequired: true) {
        $0 > 0 && $0 < 1 ? nil : "must be above 0% and below 100%"
      })
  ]

  public var share = 0.0

  public init() {}
  public init(share: Double) { self.share = share }

  public var name: String { text }
  public func reach(rows: Int) -> OutputReach { .table }
  public func head(_ step: LossStep) -> any LossHead { SoftmaxHead(step, smoothing: share) }
}
