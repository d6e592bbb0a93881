import Datasets

/// The best ranking there can be on synthetic data: by the true probabilities, given the whole history.
public struct Oracle: Scorer {
  public let title = "oracle (the process itself)"
  private let process: SyntheticProcess
  /// Number of each of the set's items in the process; nil for the pad.
  private let numbers: [Int]

  /// nil for data that is not synthetic.
  public init?(_ set: SequenceSet) {
    guard let process = set.process, set.hasTimes else { return nil }
    self.process = process
    numbers = set.items.names.map { Int($0.dropFirst()) ?? -1 }
  }

  public func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>) {
    let user = Int(set.userNames.name(set.user(index)).dropFirst()) ?? 0
    let p = process.probabilities(user: user, time: Int(set.time(index) ?? 0))
    for (item, number) in numbers.enumerated() { scores[item] = number >= 0 ? Float(p[number]) : 0 }
  }
}
