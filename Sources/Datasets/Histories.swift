/// Interaction histories: for every user what he did, oldest first.
///
/// Items and users are numbers into vocabularies; item 0 is the pad and never occurs in a history.
public struct Histories: Sendable {
  /// Names of the items; entry 0 is the pad's.
  public var items: Vocabulary
  public var users: Vocabulary
  /// One user number a history; a sequence file without users gives every line its own.
  public var owners: [Int32]
  /// History h is `events[offsets[h]..<offsets[h + 1]]`.
  public var offsets: [Int]
  public var events: [Int32]
  /// Time of each event (Unix seconds, or a running number), where the data has any.
  public var times: [Int64]?
  /// Every history was a line of a sequence file: this long after padding.
  public var lineLength: Int?
  /// Does the data name its users?
  public var hasUsers: Bool
  /// Where it came from, for people.
  public var source: String
  /// The process that made it, for synthetic data.
  public var process: SyntheticProcess?

  public init(
    items: Vocabulary, users: Vocabulary, owners: [Int32], offsets: [Int], events: [Int32], times: [Int64]? = nil,
    lineLength: Int? = nil, hasUsers: Bool, source: String, process: SyntheticProcess? = nil
  ) {
    self.items = items
    self.users = users
    self.owners = owners
    self.offsets = offsets
    self.events = events
    self.times = times
    self.lineLength = lineLength
    self.hasUsers = hasUsers
    self.source = source
    self.process = process
  }

  public var count: Int { owners.count }

  public func history(_ h: Int) -> ArraySlice<Int32> { events[offsets[h]..<offsets[h + 1]] }

  /// Names of things in the order of a sorted, grouped event list.
  static func grouped(
    users: [Int32], items: [Int32], times: [Int64]?, itemNames: [String], userNames: [String], source: String
  ) -> Histories {
    // Counting sort by user keeps the order of the file; then each user's events are sorted by time, stably.
    var offsets = [Int](repeating: 0, count: userNames.count + 1)
    for user in users { offsets[Int(user) + 1] += 1 }
    for u in 0..<userNames.count { offsets[u + 1] += offsets[u] }
    var place = offsets
    var order = [Int](repeating: 0, count: users.count)
    for (row, user) in users.enumerated() {
      order[place[Int(user)]] = row
      place[Int(user)] += 1
    }
    if let times {
      for u in 0..<userNames.count {
        order[offsets[u]..<offsets[u + 1]].sort { (times[$0], $0) < (times[$1], $1) }
      }
    }
    return Histories(
      items: Vocabulary(["<pad>"] + itemNames), users: Vocabulary(userNames),
      owners: (0..<Int32(userNames.count)).map { $0 }, offsets: offsets, events: order.map { items[$0] + 1 },
      times: times.map { t in order.map { t[$0] } }, hasUsers: true, source: source)
  }
}

extension Histories {
  /// Keeps only histories of at least `minUser` events and items of at least `minItem` events, again and again until
  /// both hold (the k-core). Items and users that are gone get no number.
  public func filtered(minUser: Int, minItem: Int) -> Histories {
    var keptHistory = [Bool](repeating: true, count: count)
    var keptItem = [Bool](repeating: true, count: items.count)
    var changed = true
    while changed {
      changed = false
      var uses = [Int](repeating: 0, count: items.count)
      for h in 0..<count where keptHistory[h] {
        for item in history(h) where keptItem[Int(item)] { uses[Int(item)] += 1 }
      }
      for item in 1..<items.count where keptItem[item] && uses[item] < max(1, minItem) {
        keptItem[item] = false
        changed = true
      }
      // A user may have several histories, as lines of a sequence file.
      var lengths = [Int](repeating: 0, count: users.count)
      for h in 0..<count where keptHistory[h] {
        for item in history(h) where keptItem[Int(item)] { lengths[Int(owners[h])] += 1 }
      }
      for h in 0..<count where keptHistory[h] {
        let isEmpty = !history(h).contains { keptItem[Int($0)] }
        if isEmpty || lengths[Int(owners[h])] < max(1, minUser) {
          keptHistory[h] = false
          changed = true
        }
      }
    }
    return selecting(histories: keptHistory, items: keptItem)
  }

  private func selecting(histories kept: [Bool], items keptItem: [Bool]) -> Histories {
    var names = [items.names[0]]
    var numbers = [Int32](repeating: 0, count: items.count)
    for item in 1..<items.count where keptItem[item] {
      numbers[item] = Int32(names.count)
      names.append(items.names[item])
    }
    var userNames: [String] = []
    var userNumbers = [Int32](repeating: -1, count: users.count)
    var result = self
    result.owners = []
    result.offsets = [0]
    result.events = []
    result.times = times == nil ? nil : []
    for h in 0..<count where kept[h] {
      let user = Int(owners[h])
      if userNumbers[user] < 0 {
        userNumbers[user] = Int32(userNames.count)
        userNames.append(users.names[user])
      }
      result.owners.append(userNumbers[user])
      for e in offsets[h]..<offsets[h + 1] where keptItem[Int(events[e])] {
        result.events.append(numbers[Int(events[e])])
        if let times { result.times?.append(times[e]) }
      }
      result.offsets.append(result.events.count)
    }
    result.items = Vocabulary(names)
    result.users = Vocabulary(userNames)
    return result
  }

  /// Cuts every history into windows of `length` items counted from its end, `stride` apart; the first may be shorter
  /// and is padded in front. Windows of fewer than `minimum` items are left out.
  public func windows(length: Int, stride: Int? = nil, minimum: Int = 2) throws(DataError) -> SequenceSet {
    let step = stride ?? length
    guard length >= 2 else {
      throw DataError("a window needs at least 2 items: something to see and something to predict", argument: "length")
    }
    guard step >= 1 else { throw DataError("windows must move by at least 1 item", argument: "stride") }
    guard minimum >= 2, minimum <= length else {
      throw DataError("must be from 2 to the length, \(length)", argument: "min_length")
    }
    var builder = SequenceSet.Builder(length: length)
    for h in 0..<count {
      let start = offsets[h]
      var end = offsets[h + 1]
      while end - start >= minimum {
        let first = max(start, end - length)
        builder.add(events[first..<end], user: owners[h], time: times?[end - 1])
        if first == start { break }
        end -= step
      }
    }
    return builder.build(self, overlaps: step < length)
  }
}
