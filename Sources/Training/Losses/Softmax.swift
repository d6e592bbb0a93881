/// The cross-entropy of the target over all items: `-log softmax(h W^T + b)[target]`.
public struct Softmax: Loss {
  public static let kind = "softmax"
  public static let summary = "Cross-entropy of the target against all items."
  public static let example = "loss: softmax"
  public static let fields: [Field<Softmax>] = []
  public init() {}

  public var name: String { Self.kind }
  public func reach(rows: Int) -> OutputReach { .table }
  public func head(_ step: LossStep) -> any LossHead { SoftmaxHead(step) }
}

extension Softmax: LegacyNamed {
  var legacyName: String { name }
}
