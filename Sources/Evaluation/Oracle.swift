import Datasets

/// Scores items of synthetic data by their true probabilities given the whole history. No ranking can be better in
/// expectation.
public struct Oracle: Scorer {
  public let title = "oracle (the process itself)"
  private let process: SyntheticProcess
  /// For each item of the set, its number in the process; -1 for the pad.
  private let numbers: [Int]

  /// nil if the data is not synthetic or has no times.
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
