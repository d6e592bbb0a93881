import Datasets
import Kernels

/// A simple recommender that a sequential model should outperform.
public struct Baseline: Scorer {
  public enum Kind: String, Sendable, CaseIterable {
    /// Most popular: the score of an item is its number of occurrences in the training sequences.
    case popular
    /// First-order Markov chain: the score of an item is how often it followed the last item in the training sequences.
    /// Popularity breaks ties, and ranks items if the last item has no followers.
    case markov
    /// Item-based nearest neighbours (Sarwar et al., WWW 2001). The similarity of two items is the cosine of the training
    /// sequences that contain them. The score of an item is the sum of its similarities to the distinct items of the
    /// sequence, over pairs where it is one of the other item's nearest neighbours.
    case itemKNN = "item_knn"
  }

  /// The default number of neighbours per item for item kNN.
  public static let defaultNeighbours = 100

  public let kind: Kind
  /// The number of neighbours per item, for item kNN.
  public let neighbours: Int
  /// The items that are scored.
  public let items: Vocabulary
  private let popularity: [Float]
  /// The followers or neighbours of item i are `followers[starts[i]..<starts[i + 1]]`.
  private let starts: [Int]
  private let followers: [Int32]
  /// The counts of the followers, or the similarities of the neighbours.
  private let counts: [Float]

  public var title: String {
    switch kind {
    case .popular: "most popular"
    case .markov: "first-order Markov"
    case .itemKNN: "item kNN, \(neighbours) neighbours"
    }
  }

  /// - Parameters:
  ///   - kind: the kind of baseline.
  ///   - train: the training sequences.
  ///   - neighbours: the number of neighbours of each item, for `itemKNN`.
  ///   - isCancelled: called for every item; once it returns true, the counts are incomplete and must not be used.
  public init(
    _ kind: Kind, train: SequenceSet, neighbours: Int = defaultNeighbours, isCancelled: () -> Bool = { false }
  ) {
    self.kind = kind
    self.neighbours = neighbours
    items = train.rankedItems
    var uses: [Float]
    if train.targetItems == nil {
      uses = train.uses().map { Float($0) }
    } else {
      uses = [Float](repeating: 0, count: items.count)
      for index in 0..<train.count { uses[Int(train.target(index))] += 1 }
    }
    popularity = uses
    switch kind {
    case .popular: (starts, followers, counts) = ([], [], [])
    case .markov: (starts, followers, counts) = Self.transitions(train)
    case .itemKNN: (starts, followers, counts) = Self.similarities(train, neighbours, isCancelled)
    }
  }

  /// The same baseline for data that has the same items in another order; nil if the items differ.
  public func reordered(_ others: Vocabulary) -> Baseline? {
    guard others.count == items.count, popularity.count == items.count else { return nil }
    let known = items.numbers()
    // By new number: the number here. Number 0 is the pad, whatever its name is.
    var old = [0]
    for name in others.names.dropFirst() {
      guard let number = known[name], number != 0 else { return nil }
      old.append(Int(number))
    }
    var new = [Int32](repeating: 0, count: old.count)
    for (index, number) in old.enumerated() { new[number] = Int32(index) }
    var (starts, followers, counts): ([Int], [Int32], [Float]) = (self.starts.isEmpty ? [] : [0], [], [])
    if !self.starts.isEmpty {
      for number in old {
        let range = self.starts[number]..<self.starts[number + 1]
        followers += self.followers[range].map { new[Int($0)] }
        counts += self.counts[range]
        starts.append(followers.count)
      }
    }
    return Baseline(
      kind: kind, neighbours: neighbours, items: others, popularity: old.map { popularity[$0] }, starts: starts, followers: followers,
      counts: counts)
  }

  private init(
    kind: Kind, neighbours: Int, items: Vocabulary, popularity: [Float], starts: [Int], followers: [Int32], counts: [Float]
  ) {
    self.kind = kind
    self.neighbours = neighbours
    self.items = items
    self.popularity = popularity
    self.starts = starts
    self.followers = followers
    self.counts = counts
  }

  private typealias Table = (starts: [Int], items: [Int32], values: [Float])

  private static func transitions(_ train: SequenceSet) -> Table {
    var pairs: [UInt64] = []
    for index in 0..<train.count {
      // In the transfer task only the target belongs to the scored vocabulary, so only its transition counts.
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
    return (starts, followers, counts)
  }

  /// Cosines c(a, b) / sqrt(c(a) c(b)), where c counts the training sequences that contain all of its arguments. In the
  /// transfer task, the target of a sequence counts as a neighbour of the source items before it.
  private static func similarities(_ train: SequenceSet, _ neighbours: Int, _ isCancelled: () -> Bool) -> Table {
    let (sources, ranked) = (train.items.count, train.rankedItems.count)
    let isTransfer = train.targetItems != nil
    var sequences: [[Int32]] = []
    var (inSource, inRanked) = ([Float](repeating: 0, count: sources), [Float](repeating: 0, count: ranked))
    // The sequences of every source item. With them, one item's row is counted at a time, without a table of all pairs.
    var sequencesOf = [[Int32]](repeating: [], count: sources)
    for index in 0..<train.count {
      let whole = train.sequence(index)
      let context = Set(isTransfer ? whole.dropLast() : whole).subtracting([0])
      let answers = isTransfer ? [train.target(index)] : Array(context)
      for item in context {
        inSource[Int(item)] += 1
        sequencesOf[Int(item)].append(Int32(index))
      }
      for item in answers { inRanked[Int(item)] += 1 }
      sequences.append(answers.sorted())
    }
    var table: Table = ([0], [], [])
    var together = [Float](repeating: 0, count: ranked)
    for item in 0..<sources where !isCancelled() {
      var met: [Int32] = []
      for index in sequencesOf[item] {
        for other in sequences[Int(index)] where isTransfer || Int(other) != item {
          if together[Int(other)] == 0 { met.append(other) }
          together[Int(other)] += 1
        }
      }
      let found = met.map { (item: $0, value: together[Int($0)] / (inSource[item] * inRanked[Int($0)]).squareRoot()) }
      for other in met { together[Int(other)] = 0 }
      for near in found.sorted(by: { ($1.value, $0.item) < ($0.value, $1.item) }).prefix(neighbours) {
        table.items.append(near.item)
        table.values.append(near.value)
      }
      table.starts.append(table.items.count)
    }
    return table
  }

  public func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>) {
    let items = popularity.count
    let sequence = set.sequence(index).dropLast()
    switch kind {
    case .popular: scores.update(from: popularity, count: items)
    case .markov:
      // Popularity, scaled to below 1, breaks ties between counts. It is the whole score if the last item has no followers.
      initialise(scores, below: 1)
      let last = Int(sequence[sequence.endIndex - 1])
      guard last != 0 else { return }
      for entry in starts[last]..<starts[last + 1] { scores[Int(followers[entry])] += counts[entry] }
    case .itemKNN:
      initialise(scores, below: 1e-6)
      for item in Set(sequence) where item != 0 {
        for entry in starts[Int(item)]..<starts[Int(item) + 1] { scores[Int(followers[entry])] += counts[entry] }
      }
    }
  }

  /// Sets the scores to the popularity, scaled to below `bound`.
  private func initialise(_ scores: UnsafeMutablePointer<Float>, below bound: Float) {
    let top = (popularity.max() ?? 0) + 1
    for item in 0..<popularity.count { scores[item] = bound * popularity[item] / top }
  }
}
