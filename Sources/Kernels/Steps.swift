/// The time steps of a sequence that are computed: all of them, or every `stride`-th one, counted back from the last. The
/// last output of dilated convolutions depends on such a subset only.
public struct Steps: Sendable, Equatable {
  /// The number of steps of the whole sequence.
  public let total: Int
  public let stride: Int

  public init(total: Int, stride: Int = 1) {
    precondition(total >= 1 && stride >= 1)
    self.total = total
    self.stride = stride
  }

  /// How many steps are computed.
  public var count: Int { (total - 1) / stride + 1 }
  /// The index, in the whole sequence, of the first step that is computed.
  public var first: Int { (total - 1) % stride }

  /// How many of the computed steps come before step `step` of the whole sequence.
  func count(before step: Int) -> Int { max(0, (step - first + stride - 1) / stride) }
}
