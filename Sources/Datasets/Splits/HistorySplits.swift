/// The rule by which a data set is split into parts.
public enum SplitRule: String, Sendable, CaseIterable {
  case sequence, user, time
  case leaveLastOut = "leave_last_out"
  case globalTime = "global_time"

  /// Whether the parts are made of the events of histories. The other rules divide sequences.
  public var dividesHistories: Bool { self == .leaveLastOut || self == .globalTime }
}

/// Which events of a history become targets of the part that they are in by their time.
public enum TargetChoice: String, Sendable, CaseIterable { case last, first, all }

/// What becomes of items that do not occur in the training part.
public enum ColdItems: String, Sendable, CaseIterable {
  /// They are ranked and read like all others.
  case keep
  /// They are neither ranked nor read, and no sequence has one as its target.
  case drop
}

/// The moments at which a global time split begins its validation part and its test part.
public enum TimeCuts: Sendable, Equatable {
  /// Seconds since 1970, each the first moment of its part.
  case moments(valid: Double, test: Double)
  /// The shares of all events that are in the validation part and in the test part, at least.
  case shares(valid: Double, test: Double)
}

/// What an event of a history is in a split.
private enum EventPart: UInt8, Sendable {
  /// It is in the windows of the training part. These events come first in a history.
  case train
  /// It is only read, before a target.
  case context
  /// A target. The items before it are its input.
  case valid, test
}

extension Histories {
  /// The leave-last-out split: the last items of every history are its test targets, the items before them are its validation
  /// targets, and the windows of all earlier items are the training part. A history with too few items for one that trains is
  /// only used for training.
  ///
  /// - Parameters:
  ///   - hold: the number of test targets, and of validation targets, of a history.
  ///   - options: how to divide the earlier items.
  ///   - cold: what becomes of items that do not occur in the training part.
  ///   - isCancelled: called for every history; once it returns true, the parts are incomplete and must not be used, and an
  ///     error may be due to that.
  /// - Throws: `DataError` for options that are not valid and if no history is long enough.
  public func leaveLastOut(
    _ options: WindowOptions, hold: Int = 1, cold: ColdItems = .keep, isCancelled: () -> Bool = { false }
  ) throws(DataError) -> Split {
    try options.check()
    guard hold >= 1 else { throw DataError("must be at least 1", argument: "hold") }
    let rule =
      hold == 1
      ? "leave-last-out: the last item of every user is tested, the one before validates, those before train"
      : "leave-last-out: the last \(hold) items of every user are tested, the \(hold) before validate, those before train"
    if file != nil, hold == 1, cold == .keep {
      let parts = try (
        windows(options, .beforeHeldOut, isCancelled), windows(options, .heldOut(back: 1), isCancelled),
        windows(options, .heldOut(back: 0), isCancelled)
      )
      return try Self.checked(parts, rule, hold: hold)
    }
    let histories = try checked()
    var parts = [EventPart](repeating: .train, count: histories.events.count)
    for h in 0..<count {
      if isCancelled() { break }
      let (start, end) = (histories.offsets[h], histories.offsets[h + 1])
      guard end - start > 2 * hold else { continue }
      for e in (end - 2 * hold)..<(end - hold) { parts[e] = .valid }
      for e in (end - hold)..<end { parts[e] = .test }
    }
    return try histories.assembled(options, parts, cold, rule, isCancelled, hold: hold)
  }

  /// The global time split: what happened before one moment trains, the events until a second moment validate, and those after
  /// it test. A history contributes its last or its first event of a part as a target, or all of them; the events before a
  /// target are its input, those of other parts included.
  ///
  /// - Parameters:
  ///   - options: how to divide the events of the training part.
  ///   - cuts: the two moments.
  ///   - targets: which events of a part are targets.
  ///   - cold: what becomes of items that do not occur in the training part.
  ///   - isCancelled: as in `leaveLastOut`.
  /// - Throws: `DataError` for data without times, for cuts that are not valid, and if a part would be empty.
  public func globalTime(
    _ options: WindowOptions, _ cuts: TimeCuts, targets: TargetChoice = .last, cold: ColdItems = .keep,
    isCancelled: () -> Bool = { false }
  ) throws(DataError) -> Split {
    try options.check()
    let histories = try checked()
    guard let times = histories.times else {
      throw DataError("these histories have no times", help: "load data with times, or split by leave_last_out", argument: "by")
    }
    let (valid, test) = try moments(cuts, times)
    var parts = [EventPart](repeating: .train, count: times.count)
    for h in 0..<count {
      if isCancelled() { break }
      let events = histories.offsets[h]..<histories.offsets[h + 1]
      // Events of a history are sorted by time.
      let firstValid = events.first { times[$0] >= valid } ?? events.upperBound
      let firstTest = events.first { times[$0] >= test } ?? events.upperBound
      for (part, range) in [(EventPart.valid, firstValid..<firstTest), (.test, firstTest..<events.upperBound)] where !range.isEmpty {
        for e in range { parts[e] = targets == .all ? part : .context }
        switch targets {
        case .last: parts[range.upperBound - 1] = part
        case .first: parts[range.lowerBound] = part
        case .all: break
        }
      }
    }
    func text(_ moment: Int64) -> String { TimeText.date(moment, perSecond: ticksPerSecond) }
    let chosen = targets == .all ? "all of a user's" : "the \(targets.rawValue) of a user's"
    let rule =
      "global time: before \(text(valid)) trains, before \(text(test)) validates, later is tested; "
      + "targets are \(chosen) items there"
    return try histories.assembled(options, parts, cold, rule, isCancelled)
  }

  /// The first moments of the validation part and of the test part, in ticks.
  private func moments(_ cuts: TimeCuts, _ times: Column<Int64>) throws(DataError) -> (Int64, Int64) {
    switch cuts {
    case .moments(let valid, let test):
      guard valid < test else { throw DataError("must be later than `valid_from`", argument: "test_from") }
      return (firstTick(valid), firstTick(test))
    case .shares(let valid, let test):
      for (name, share) in [("valid", valid), ("test", test)] where !(share > 0 && share < 1) {
        throw DataError("must be above 0 % and below 100 %", argument: name)
      }
      guard valid + test < 1 else { throw DataError("valid and test leave nothing to train on", argument: "test") }
      let sorted = times.sorted()
      func moment(_ share: Double) -> Int64 {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int((Double(sorted.count) * (1 - share)).rounded()))]
      }
      let (first, second) = (moment(valid + test), moment(test))
      guard first < second else {
        throw DataError(
          "so many interactions have the same time that there is no moment between the parts",
          help: "give larger shares, or the moments: valid_from: \"2020-01-01\", test_from: \"2020-02-01\"", argument: "valid")
      }
      return (first, second)
    }
  }

  /// The sequences of the parts of a split, in the order of the histories.
  private func assembled(
    _ options: WindowOptions, _ parts: [EventPart], _ cold: ColdItems, _ rule: String, _ isCancelled: () -> Bool,
    left: (items: Int, targets: Int) = (0, 0), hold: Int? = nil
  ) throws(DataError) -> Split {
    let coldNote = left.items == 0 ? "" : "; \(left.items) items without a training interaction left out, with \(left.targets) targets"
    if cold == .drop {
      // Without cold items windows move, so that further items may become cold.
      let trained = trainedItems(options, parts)
      guard trained.dropFirst().contains(false) else {
        return try assembled(options, parts, .keep, rule + coldNote, isCancelled, hold: hold)
      }
      let kept = withItems(trained)
      var (keptParts, targets) = ([EventPart](), 0)
      keptParts.reserveCapacity(kept.events.count)
      for (e, part) in parts.enumerated() {
        if trained[Int(events[e])] { keptParts.append(part) } else if part == .valid || part == .test { targets += 1 }
      }
      let gone = items.count - kept.items.count
      return try kept.assembled(
        options, keptParts, .drop, rule, isCancelled, left: (left.items + gone, left.targets + targets), hold: hold)
    }
    var (train, valid, test) = (
      SequenceSet.Builder(self, length: options.length), SequenceSet.Builder(self, length: options.length, keepsEarlier: true),
      SequenceSet.Builder(self, length: options.length, keepsEarlier: true)
    )
    for h in 0..<count {
      if isCancelled() { break }
      let (start, end) = (offsets[h], offsets[h + 1])
      let rest = (start..<end).first { parts[$0] != .train } ?? end
      options.forEach(start, rest) { train.add($0, historyFrom: start, user: owners[h]) }
      // A target needs an item before it.
      for target in rest..<end where target > start {
        let window = max(start, target + 1 - options.length)..<(target + 1)
        switch parts[target] {
        case .valid: valid.add(window, historyFrom: start, user: owners[h])
        case .test: test.add(window, historyFrom: start, user: owners[h])
        case .train, .context: break
        }
      }
    }
    let overlaps = (options.stride ?? options.length) < options.length
    return try Self.checked(
      (train.build(overlaps: overlaps), valid.build(overlaps: overlaps), test.build(overlaps: overlaps)), rule, hold: hold)
  }

  /// By number, whether an item is in a training sequence.
  private func trainedItems(_ options: WindowOptions, _ parts: [EventPart]) -> [Bool] {
    var trained = [Bool](repeating: false, count: items.count)
    for h in 0..<count {
      let (start, end) = (offsets[h], offsets[h + 1])
      let rest = (start..<end).first { parts[$0] != .train } ?? end
      options.forEach(start, rest) { for e in $0 { trained[Int(events[e])] = true } }
    }
    return trained
  }

  private static func checked(_ sets: (SequenceSet, SequenceSet, SequenceSet), _ rule: String, hold: Int?) throws(DataError) -> Split {
    let (train, valid, test) = sets
    if let hold, train.count == 0 || test.count == 0 {
      throw DataError(
        "leave_last_out needs histories of at least \(2 * hold + 2) items", help: "filter with min_user: \(2 * hold + 3)", argument: "by")
    }
    for (set, name) in [(train, "training"), (valid, "validation"), (test, "test")] where set.count == 0 {
      throw DataError("the \(name) part has no sequence: \(rule)", help: "choose other moments, or load more data", argument: "by")
    }
    return Split(train: train, valid: valid, test: test, rule: rule)
  }
}
