import Kernels

extension SequenceSet {
  /// Shuffles the sequences and cuts them into three parts by the given shares, which add up to at most 1.
  ///
  /// Where windows overlap, whole users are shuffled and dealt out, for a window of one part would show what another
  /// part asks for. Parts are rounded to whole sequences; each share above 0 gets at least one. The validation part stops the
  /// training, the test part judges it: no sequence is in two parts.
  /// - Parameter oldestFirst: the training sequences are put in the order of their times, so that shares of them are
  ///   shares of the past.
  public func split(
    train: Double, valid: Double, test: Double, seed: UInt64, oldestFirst: Bool = false
  ) throws(DataError) -> Split {
    for (name, share) in [("train", train), ("valid", valid), ("test", test)] where !(share > 0 && share < 1) {
      throw DataError("must be above 0 % and below 100 %", argument: name)
    }
    guard train + valid + test <= 1 + 1e-9 else {
      throw DataError(
        "the shares add up to \(Self.percent(train + valid + test)), more than all there is",
        help: "make train, valid and test add up to 100% or less",
        argument: "train")
    }
    guard count >= 3 else {
      throw DataError("\(count) sequences cannot be split into three parts", help: "load more data, or filter less")
    }
    var numbers = RandomStream(seed: seed, "split").numbers()
    let order = overlaps ? byUser(&numbers) : numbers.permutation(count)
    let validCount = max(1, Int((Double(count) * valid).rounded()))
    let testCount = max(1, Int((Double(count) * test).rounded()))
    let trainCount =
      train + valid + test > 1 - 1e-9
      ? count - validCount - testCount : min(count - validCount - testCount, max(1, Int((Double(count) * train).rounded())))
    let cuts = overlaps ? userCuts(order, [trainCount, trainCount + validCount]) : [trainCount, trainCount + validCount]
    guard trainCount >= 1, cuts[0] >= 1, cuts[1] > cuts[0], cuts[1] < count else {
      throw DataError("\(count) sequences leave none to train on", help: "load more data, or filter less")
    }
    let end = train + valid + test > 1 - 1e-9 ? count : max(cuts[1] + 1, trainCount + validCount + testCount)
    let shares = "\(Self.percent(train)) train, \(Self.percent(valid)) validation, \(Self.percent(test)) test, seed \(seed)"
    return Split(
      train: try selecting(order[0..<cuts[0]]).ordered(oldestFirst), valid: selecting(order[cuts[0]..<cuts[1]]),
      test: selecting(order[cuts[1]..<min(count, end)]),
      rule: (overlaps ? "by user (windows overlap), " : "by sequence, ") + shares + (oldestFirst ? ", shares by time" : ""))
  }

  /// The reference code's: shuffled, 80 % training, 20 % test, which stops the training too.
  public func referenceSplit(seed: UInt64, oldestFirst: Bool = false) throws(DataError) -> Split {
    guard count >= 2 else { throw DataError("\(count) sequences cannot be split", help: "load more data, or filter less") }
    var numbers = RandomStream(seed: seed, "split").numbers()
    let order = numbers.permutation(count)
    let cut = max(1, min(count - 1, Int((Double(count) * 0.8).rounded())))
    let test = selecting(order[cut...])
    return Split(
      train: try selecting(order[..<cut]).ordered(oldestFirst), valid: test, test: test,
      rule: "protocol stackrec: 80 % train, 20 % test by sequence, seed \(seed); the test part also stopped the training"
        + (oldestFirst ? ", shares by time" : ""), evaluation: .stackrec)
  }

  private func ordered(_ oldestFirst: Bool) throws(DataError) -> SequenceSet {
    guard oldestFirst else { return self }
    guard let ordered = byTime() else {
      throw DataError(
        "these sequences have no times to be put in order by", help: "load data with times, or leave `order: time` out",
        argument: "order")
    }
    return ordered
  }

  /// Sequences user by user, the users shuffled.
  private func byUser(_ numbers: inout RandomNumbers) -> [Int] {
    var place = [Int](repeating: 0, count: userNames.count)
    for (rank, user) in numbers.permutation(userNames.count).enumerated() { place[user] = rank }
    return (0..<count).sorted { (place[Int(users[$0])], $0) < (place[Int(users[$1])], $1) }
  }

  /// Moves cuts on to where a user ends.
  private func userCuts(_ order: [Int], _ cuts: [Int]) -> [Int] {
    cuts.map { cut in
      var cut = max(1, min(cut, count - 1))
      while cut < count && users[order[cut]] == users[order[cut - 1]] { cut += 1 }
      return cut
    }
  }

  private static func percent(_ share: Double) -> String {
    let value = (share * 1000).rounded() / 10
    return value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
  }
}
