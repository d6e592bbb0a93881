/// The steps of a sequence that are there: all of them, or every `stride`-th one, the last included. Where only the last
/// output of dilated convolutions is asked for, the others are not needed.
public struct Steps: Sendable, Equatable {
  /// Of the whole sequence.
  public let total: Int
  public let stride: Int

  public init(total: Int, stride: Int = 1) {
    precondition(total >= 1 && stride >= 1)
    self.total = total
    self.stride = stride
  }

  /// How many there are.
  public var count: Int { (total - 1) / stride + 1 }
  /// Number of the first one in the whole sequence.
  public var first: Int { (total - 1) % stride }

  /// How many of them come before step `step` of the whole sequence.
  func count(before step: Int) -> Int { max(0, (step - first + stride - 1) / stride) }
}
