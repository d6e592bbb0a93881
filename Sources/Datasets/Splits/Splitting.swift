import Kernels

extension SequenceSet {
  /// Shuffles the sequences and splits them into three disjoint parts by the given shares.
  ///
  /// If windows overlap, all sequences of a user go to the same part. Otherwise a training window could contain the target of
  /// a test window. The parts are rounded to whole sequences; each has at least one.
  ///
  /// - Parameters:
  ///   - train: the share of the training part, between 0 and 1. The shares add up to at most 1; the rest is left out.
  ///   - valid: the share of the validation part, which selects the best parameters.
  ///   - test: the share of the test part, for the final evaluation.
  ///   - seed: the seed of the shuffling.
  ///   - oldestFirst: whether to sort the training sequences by time, so that a share of them is the oldest share.
  ///   - byUser: whether all sequences of a user go to the same part even if windows do not overlap.
  /// - Throws: `DataError` for shares that are not valid and for too few sequences.
  public func split(
    train: Double, valid: Double, test: Double, seed: UInt64, oldestFirst: Bool = false, byUser: Bool = false
  ) throws(DataError) -> Split {
    try Self.check(train, valid, test)
    guard count >= 3 else {
      throw DataError("\(count) sequences cannot be split into three parts", help: "load more data, or filter less")
    }
    var numbers = RandomStream(seed: seed, "split").numbers()
    let wholeUsers = overlaps || byUser
    let users = wholeUsers ? users : []
    if !wholeUsers && count > BlockSample.minimumRows {
      let parts = sample(numbers.next(), [train, train + valid, train + valid + test])
      return Split(
        train: try parts[0].ordered(oldestFirst), valid: parts[1], test: parts[2],
        rule: "by sequence, in every \(BlockSample.block) consecutive ones \(Self.text(train, valid, test)), seed \(seed)"
          + (oldestFirst ? ", shares by time" : ""))
    }
    let order = wholeUsers ? self.byUser(&numbers) : numbers.permutation(count)
    let parts = try cut(order, train, valid, test) { wholeUsers && users[$0] == users[$1] }
    let shares = Self.text(train, valid, test) + ", seed \(seed)"
    return Split(
      train: try selecting(parts.train).ordered(oldestFirst), valid: selecting(parts.valid), test: selecting(parts.test),
      rule: (overlaps ? "by user (windows overlap), " : byUser ? "by user, " : "by sequence, ") + shares
        + (oldestFirst ? ", shares by time" : ""))
  }

  /// Splits many sequences block by block. This needs no table of all sequences, and sequences that are near each other in a
  /// file stay near each other.
  private func sample(_ key: UInt64, _ cuts: [Double]) -> [SequenceSet] {
    BlockSample.parts(rows: count, key: key, cuts: cuts).map { selecting($0) }
  }

  /// Splits the sequences by the time of their last event: the oldest are the training part, the next the validation part,
  /// the newest the test part. Sequences with the same time go to the same part, so every test target is later than all
  /// training data.
  ///
  /// - Throws: `DataError` for shares that are not valid, for data without times, and for too few sequences.
  public func splitByTime(train: Double, valid: Double, test: Double) throws(DataError) -> Split {
    try Self.check(train, valid, test)
    guard let times else {
      throw DataError("these sequences have no times", help: "load data with times, or split by sequence", argument: "by")
    }
    guard count >= 3 else {
      throw DataError("\(count) sequences cannot be split into three parts", help: "load more data, or filter less")
    }
    let order = (0..<count).sorted { (times[$0], $0) < (times[$1], $1) }
    let parts = try cut(order, train, valid, test) { times[$0] == times[$1] }
    return Split(
      train: selecting(parts.train), valid: selecting(parts.valid), test: selecting(parts.test),
      rule: "by time of the last item, oldest first, " + Self.text(train, valid, test))
  }

  private static func check(_ train: Double, _ valid: Double, _ test: Double) throws(DataError) {
    for (name, share) in [("train", train), ("valid", valid), ("test", test)] where !(share > 0 && share < 1) {
      throw DataError("must be above 0 % and below 100 %", argument: name)
    }
    guard train + valid + test <= 1 + 1e-9 else {
      throw DataError(
        "the shares add up to \(Self.percent(train + valid + test)), which is more than 100 %",
        help: "make train, valid and test add up to 100% or less",
        argument: "train")
    }
  }

  /// The shares as text.
  private static func text(_ train: Double, _ valid: Double, _ test: Double) -> String {
    "\(percent(train)) train, \(percent(valid)) validation, \(percent(test)) test"
  }

  /// Splits an order into parts of the given shares. A cut moves forward while the sequences on both sides belong together.
  private func cut(
    _ order: [Int], _ train: Double, _ valid: Double, _ test: Double, together: (Int, Int) -> Bool
  ) throws(DataError) -> (train: ArraySlice<Int>, valid: ArraySlice<Int>, test: ArraySlice<Int>) {
    let validCount = max(1, Int((Double(count) * valid).rounded()))
    let testCount = max(1, Int((Double(count) * test).rounded()))
    let trainCount =
      train + valid + test > 1 - 1e-9
      ? count - validCount - testCount : min(count - validCount - testCount, max(1, Int((Double(count) * train).rounded())))
    let cuts = [trainCount, trainCount + validCount].map { cut in
      var cut = max(1, min(cut, count - 1))
      while cut < count && together(order[cut], order[cut - 1]) { cut += 1 }
      return cut
    }
    guard trainCount >= 1, cuts[0] >= 1, cuts[1] > cuts[0], cuts[1] < count else {
      throw DataError("\(count) sequences leave none to train on", help: "load more data, or filter less")
    }
    let end = train + valid + test > 1 - 1e-9 ? count : max(cuts[1] + 1, trainCount + validCount + testCount)
    return (order[0..<cuts[0]], order[cuts[0]..<cuts[1]], order[cuts[1]..<min(count, end)])
  }

  /// Splits the sequences as the authors' reference code does: shuffled, 80 % training, 20 % test. The test part is also the
  /// validation part.
  ///
  /// - Parameters:
  ///   - seed: the seed of the shuffling.
  ///   - oldestFirst: whether to sort the training sequences by time.
  ///   - unknown: whether the vocabulary gets an item `<UNK>` that no sequence has, as in the authors' code.
  public func referenceSplit(seed: UInt64, oldestFirst: Bool = false, unknown: Bool = true) throws(DataError) -> Split {
    if unknown, unknownItem == nil {
      return try addingUnknown().referenceSplit(seed: seed, oldestFirst: oldestFirst, unknown: unknown)
    }
    guard count >= 2 else { throw DataError("\(count) sequences cannot be split", help: "load more data, or filter less") }
    var numbers = RandomStream(seed: seed, "split").numbers()
    let (train, test): (SequenceSet, SequenceSet)
    if count > BlockSample.minimumRows {
      let parts = sample(numbers.next(), [0.8, 1])
      (train, test) = (parts[0], parts[1])
    } else {
      let order = numbers.permutation(count)
      // The authors' test part has int(0.2 n) sequences; here it has at least one.
      let cut = count - max(1, Int(0.2 * Double(count)))
      (train, test) = (selecting(order[..<cut]), selecting(order[cut...]))
    }
    return Split(
      train: try train.ordered(oldestFirst), valid: test, test: test,
      rule: "protocol stackrec: 80 % train, 20 % test by sequence, seed \(seed); the test part also stopped the training"
        + (unknownItem == nil ? "" : "; with an item <UNK>") + (oldestFirst ? ", shares by time" : ""), evaluation: .stackrec)
  }

  func ordered(_ oldestFirst: Bool) throws(DataError) -> SequenceSet {
    guard oldestFirst else { return self }
    guard let ordered = byTime() else {
      throw DataError(
        "these sequences have no times to sort them by", help: "load data with times, or leave `order: time` out",
        argument: "order")
    }
    return ordered
  }

  /// The sequences grouped by user, with the users in a random order.
  private func byUser(_ numbers: inout RandomNumbers) -> [Int] {
    var rank = [Int](repeating: 0, count: userNames.count)
    for (index, user) in numbers.permutation(userNames.count).enumerated() { rank[user] = index }
    // By counting, not by comparing: with overlapping windows, there are many sequences, and sorting them would take seconds.
    let users = users
    var next = [Int](repeating: 0, count: rank.count + 1)
    for user in users { next[rank[Int(user)] + 1] += 1 }
    for r in rank.indices { next[r + 1] += next[r] }
    var order = [Int](repeating: 0, count: count)
    for (index, user) in users.enumerated() {
      let r = rank[Int(user)]
      order[next[r]] = index
      next[r] += 1
    }
    return order
  }

  static func percent(_ share: Double) -> String {
    let value = (share * 1000).rounded() / 10
    return value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
  }
}

extension Split {
  /// Combines three data sets into a split. Items and users with the same name become the same; those of the training part
  /// come first.
  ///
  /// - Throws: `DataError` for sequences of different lengths.
  public convenience init(train: SequenceSet, valid: SequenceSet, test: SequenceSet) throws(DataError) {
    for (name, set) in [("valid", valid), ("test", test)] where set.length != train.length {
      throw DataError("has sequences of \(set.length) items, the training part of \(train.length)", argument: name)
    }
    var (items, users) = (train.items, train.userNames)
    for set in [valid, test] {
      items = items.adding(set.items, from: 1)
      users = users.adding(set.userNames, from: 0)
    }
    let (itemNumbers, userNumbers) = (items.numbers(), users.numbers())
    func moved(_ set: SequenceSet) -> SequenceSet {
      // Number 0 is the pad in every set, whatever its name is.
      let itemMap = set.items.names.enumerated().map { $0 == 0 ? 0 : itemNumbers[$1] ?? 0 }
      let userMap = set.userNames.names.map { userNumbers[$0] ?? 0 }
      return set.renumbered(
        items: items, userNames: users, users: set.users.map { userMap[Int($0)] },
        hasUsers: train.hasUsers && valid.hasUsers && test.hasUsers
      ) { itemMap[Int($0)] }
    }
    self.init(
      train: moved(train), valid: moved(valid), test: moved(test),
      rule: "given: \(train.source), \(valid.source), \(test.source)")
  }
}
