/// Sequences of exactly `length` items, oldest first, shorter ones padded in front with item 0.
public final class SequenceSet: Sendable {
  public let length: Int
  /// `count` rows of `length` item numbers.
  public let tokens: [Int32]
  /// One user number a sequence.
  public let users: [Int32]
  /// Time of each sequence's last event, where the data has any.
  public let times: [Int64]?
  public let items: Vocabulary
  /// Where the last item of every sequence belongs to another vocabulary, the transfer task's; nil elsewhere.
  public let targetItems: Vocabulary?
  public let userNames: Vocabulary
  public let hasUsers: Bool
  public let source: String
  public let process: SyntheticProcess?
  /// Do sequences of one user share events? Then `split` keeps a user in one part.
  public let overlaps: Bool

  public init(
    length: Int, tokens: [Int32], users: [Int32], times: [Int64]?, items: Vocabulary, userNames: Vocabulary,
    hasUsers: Bool, source: String, process: SyntheticProcess?, overlaps: Bool = false,
    targetItems: Vocabulary? = nil
  ) {
    self.length = length
    self.tokens = tokens
    self.users = users
    self.times = times
    self.items = items
    self.userNames = userNames
    self.hasUsers = hasUsers
    self.source = source
    self.process = process
    self.overlaps = overlaps
    self.targetItems = targetItems
  }

  /// The items that are ranked.
  public var rankedItems: Vocabulary { targetItems ?? items }

  public var count: Int { users.count }

  /// The tokens of one sequence.
  public func sequence(_ index: Int) -> ArraySlice<Int32> { tokens[(index * length)..<((index + 1) * length)] }

  /// The last item, which evaluation asks for.
  public func target(_ index: Int) -> Int32 { tokens[(index + 1) * length - 1] }

  /// Items that are not padding.
  public var interactions: Int { tokens.reduce(0) { $0 + ($1 == 0 ? 0 : 1) } }

  /// The sequences with the given numbers, in that order.
  public func selecting(_ indices: some Collection<Int>) -> SequenceSet {
    let tokens = [Int32](unsafeUninitializedCapacity: indices.count * length) { place, filled in
      self.tokens.withUnsafeBufferPointer { all in
        guard let from = all.baseAddress, let to = place.baseAddress else { return }
        for index in indices {
          (to + filled).initialize(from: from + index * length, count: length)
          filled += length
        }
      }
    }
    let users = indices.map { self.users[$0] }
    let times = self.times.map { all in indices.map { all[$0] } }
    return SequenceSet(
      length: length, tokens: tokens, users: users, times: times, items: items, userNames: userNames,
      hasUsers: hasUsers, source: source, process: process, overlaps: overlaps, targetItems: targetItems)
  }

  public func fractionCount(_ share: Double) -> Int {
    share >= 1 ? count : min(count, max(1, Int((Double(count) * share).rounded())))
  }

  /// The first `share` of the sequences, at least one: shares are nested.
  public func fraction(_ share: Double) -> SequenceSet {
    if share >= 1 { return self }
    return selecting(0..<fractionCount(share))
  }

  /// The same sequences, oldest first; nil where they have no times.
  public func byTime() -> SequenceSet? {
    guard let times else { return nil }
    return selecting((0..<count).sorted { (times[$0], $0) < (times[$1], $1) })
  }

  struct Builder {
    let length: Int
    private var tokens: [Int32] = []
    private var users: [Int32] = []
    private var times: [Int64] = []

    init(length: Int, capacity: Int = 0) {
      self.length = length
      tokens.reserveCapacity(capacity * length)
      users.reserveCapacity(capacity)
    }

    mutating func add(_ items: ArraySlice<Int32>, user: Int32, time: Int64?) {
      for _ in items.count..<max(items.count, length) { tokens.append(0) }
      tokens.append(contentsOf: items)
      users.append(user)
      if let time { times.append(time) }
    }

    func build(_ from: Histories, overlaps: Bool) -> SequenceSet {
      SequenceSet(
        length: length, tokens: tokens, users: users, times: times.count == users.count ? times : nil,
        items: from.items, userNames: from.users, hasUsers: from.hasUsers, source: from.source, process: from.process,
        overlaps: overlaps)
    }
  }
}

/// How a model is judged, for captions: results of different protocols are not to be compared.
public enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// Validation and test apart: no test sequence has a say in training.
  case heldOut = "held_out"
  /// As the reference code does it: 80 % training, 20 % test, and the test part also stops the training and chooses the
  /// best parameters; pads count in the loss.
  case stackrec
}

/// Training, validation and test sequences of one data set.
public final class Split: Sendable {
  public let train: SequenceSet
  public let valid: SequenceSet
  public let test: SequenceSet
  /// How it was made, for captions.
  public let rule: String
  public let evaluation: EvaluationProtocol

  public init(
    train: SequenceSet, valid: SequenceSet, test: SequenceSet, rule: String, evaluation: EvaluationProtocol = .heldOut
  ) {
    self.train = train
    self.valid = valid
    self.test = test
    self.rule = rule
    self.evaluation = evaluation
  }

  /// The same with a share of the training sequences.
  public func fraction(_ share: Double, told: String) -> Split {
    Split(
      train: train.fraction(share), valid: valid, test: test, rule: "\(rule), \(told) of train", evaluation: evaluation)
  }
}
