import Datasets
import Kernels

/// The simple methods a sequential model must beat.
public struct Baseline: Scorer {
  public enum Kind: String, Sendable, CaseIterable {
    /// Items by how often they occur in the training sequences.
    case popular
    /// First-order Markov: how often an item followed the last one in the training sequences; among equals and
    /// where nothing is known, the more popular one.
    case markov
  }

  public let kind: Kind
  /// The items it was counted on.
  public let items: Vocabulary
  private let popularity: [Float]
  /// Followers of item i: `followers[starts[i]..<starts[i + 1]]`, with their counts.
  private let starts: [Int]
  private let followers: [Int32]
  private let counts: [Float]

  public var title: String {
    switch kind {
    case .popular: "most popular"
    case .markov: "first-order Markov"
    }
  }

  public init(_ kind: Kind, train: SequenceSet) {
    self.kind = kind
    items = train.rankedItems
    var uses = [Float](repeating: 0, count: items.count)
    if train.targetItems == nil {
      for token in train.tokens where token != 0 { uses[Int(token)] += 1 }
    } else {
      for index in 0..<train.count { uses[Int(train.target(index))] += 1 }
    }
    popularity = uses
    guard kind == .markov else {
      starts = []
      followers = []
      counts = []
      return
    }
    var pairs: [UInt64] = []
    for index in 0..<train.count {
      // Where targets are of another vocabulary, only they follow something.
      let sequence = train.targetItems == nil ? train.sequence(index) : train.sequence(index).suffix(2)
      for (a, b) in zip(sequence, sequence.dropFirst()) where a != 0 && b != 0 {
        pairs.append(UInt64(a) << 32 | UInt64(b))
      }
    }
    pairs.sort()
    let sources = train.items.count
    var starts = [Int](repeating: 0, count: sources + 1)
    var followers: [Int32] = []
    var counts: [Float] = []
    var previous: UInt64?
    for pair in pairs {
      if pair == previous {
        counts[counts.count - 1] += 1
      } else {
        followers.append(Int32(truncatingIfNeeded: pair & 0xffff_ffff))
        counts.append(1)
        starts[Int(pair >> 32) + 1] += 1
        previous = pair
      }
    }
    for item in 0..<sources { starts[item + 1] += starts[item] }
    self.starts = starts
    self.followers = followers
    self.counts = counts
  }

  public func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>) {
    let items = popularity.count
    guard kind == .markov else {
      scores.update(from: popularity, count: items)
      return
    }
    // Popularity below 1 breaks ties between counts and is all there is where nothing follows.
    let top = (popularity.max() ?? 0) + 1
    for item in 0..<items { scores[item] = popularity[item] / top }
    let sequence = set.sequence(index)
    let last = Int(sequence[sequence.endIndex - 2])
    guard last != 0 else { return }
    for place in starts[last]..<starts[last + 1] { scores[Int(followers[place])] += counts[place] }
  }
}

/// The best ranking there can be on synthetic data: by the true probabilities, given the whole history.
public struct Oracle: Scorer {
  public let title = "oracle (the process itself)"
  private let process: SyntheticProcess
  /// Number of each of the set's items in the process; nil for the pad.
  private let numbers: [Int]

  /// nil for data that is not synthetic.
  public init?(_ set: SequenceSet) {
    guard let process = set.process, set.times != nil else { return nil }
    self.process = process
    numbers = set.items.names.map { Int($0.dropFirst()) ?? -1 }
  }

  public func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>) {
    let user = Int(set.userNames.name(set.users[index]).dropFirst()) ?? 0
    let p = process.probabilities(user: user, time: Int(set.times?[index] ?? 0))
    for (item, number) in numbers.enumerated() { scores[item] = number >= 0 ? Float(p[number]) : 0 }
  }
}
