/// A filter of interactions. It is applied before users and items are counted.
public struct EventFilter: Sendable {
  public enum Repeats: String, Sendable, CaseIterable {
    /// Keeps all interactions of a user with an item.
    case keep
    /// Keeps only the first interaction of a user with an item.
    case first
  }

  /// The smallest rating that is kept.
  public var minRating: Float?
  /// The earliest time that is kept, in seconds since 1970.
  public var from: Double?
  /// The end of the times that are kept, exclusive, in seconds since 1970.
  public var before: Double?
  public var repeats: Repeats

  public init(minRating: Float? = nil, from: Double? = nil, before: Double? = nil, repeats: Repeats = .keep) {
    self.minRating = minRating
    self.from = from
    self.before = before
    self.repeats = repeats
  }

  var isEmpty: Bool { minRating == nil && from == nil && before == nil && repeats == .keep }
}

extension Histories {
  /// Keeps the events that pass the filter, then removes users with fewer than `minUser` events and items with fewer than
  /// `minItem` events until none are left (the k-core). The remaining items and users are renumbered.
  ///
  /// - Throws: `DataError` if the filter needs ratings or times and the data has none.
  public func filtered(minUser: Int, minItem: Int, _ filter: EventFilter = EventFilter()) throws(DataError) -> Histories {
    try file?.checkAll()
    let passing = try passing(filter)
    var keptHistory = [Bool](repeating: true, count: count)
    var keptItem = [Bool](repeating: true, count: items.count)
    // The numbers of remaining events of each item and of each user.
    var uses = [Int](repeating: 0, count: items.count)
    var lengths = [Int](repeating: 0, count: users.count)
    func isKept(_ e: Int) -> Bool { (passing?[e] ?? true) && keptItem[Int(events[e])] }
    for h in 0..<count {
      for e in offsets[h]..<offsets[h + 1] where passing?[e] ?? true {
        uses[Int(events[e])] += 1
        lengths[Int(owners[h])] += 1
      }
    }
    var changed = true
    while changed {
      changed = false
      var goneItem = [Bool](repeating: false, count: items.count)
      for item in 1..<items.count where keptItem[item] && uses[item] < max(1, minItem) {
        keptItem[item] = false
        goneItem[item] = true
        changed = true
      }
      if changed {
        for h in 0..<count where keptHistory[h] {
          for e in offsets[h]..<offsets[h + 1] where goneItem[Int(events[e])] && passing?[e] ?? true { lengths[Int(owners[h])] -= 1 }
        }
      }
      // A user may have several histories, e.g. several lines of a sequence file.
      for h in 0..<count where keptHistory[h] && lengths[Int(owners[h])] < max(1, minUser) {
        keptHistory[h] = false
        changed = true
        for e in offsets[h]..<offsets[h + 1] where isKept(e) { uses[Int(events[e])] -= 1 }
      }
    }
    for h in 0..<count where keptHistory[h] && !(offsets[h]..<offsets[h + 1]).contains(where: isKept) { keptHistory[h] = false }
    if passing == nil && keptHistory.allSatisfy({ $0 }) && keptItem.allSatisfy({ $0 }) { return self }
    return selecting(histories: keptHistory, items: keptItem, events: passing)
  }

  /// For every event, whether it passes the filter; nil if all pass.
  private func passing(_ filter: EventFilter) throws(DataError) -> [Bool]? {
    if filter.isEmpty { return nil }
    if filter.minRating != nil && ratings == nil {
      throw DataError("this data has no ratings", help: "name their column: load(..., rating: \"...\")", argument: "min_rating")
    }
    if filter.from != nil || filter.before != nil, times == nil {
      throw DataError(
        "this data has no times", help: "name their column: load(..., time: \"...\")", argument: filter.from != nil ? "from" : "before")
    }
    let (from, before) = (filter.from.map(firstTick), filter.before.map(firstTick))
    var passing = [Bool](repeating: true, count: events.count)
    var seen = [Int32](repeating: -1, count: filter.repeats == .first ? items.count : 0)
    // Sorted by user: a user may have several histories that do not follow each other.
    for h in (0..<count).sorted(by: { (owners[$0], $0) < (owners[$1], $1) }) {
      for e in offsets[h]..<offsets[h + 1] {
        if let least = filter.minRating, let ratings, ratings[e] < least { passing[e] = false }
        if let from, let times, times[e] < from { passing[e] = false }
        if let before, let times, times[e] >= before { passing[e] = false }
        if filter.repeats == .first && passing[e] {
          let item = Int(events[e])
          if seen[item] == owners[h] { passing[e] = false }
          seen[item] = owners[h]
        }
      }
    }
    return passing
  }

  /// The first tick that is not before a time in seconds. Whole seconds and the fraction are converted separately, so that
  /// the whole seconds stay exact.
  func firstTick(_ seconds: Double) -> Int64 { Self.firstTick(seconds, perSecond: ticksPerSecond) }

  /// The first tick that is not before a time in seconds, for a number of ticks per second.
  public static func firstTick(_ seconds: Double, perSecond ticksPerSecond: Int64) -> Int64 {
    let whole = seconds.rounded(.down)
    guard let exact = Int64(exactly: whole) else { return seconds < 0 ? .min : .max }
    let (ticks, isLarge) = exact.multipliedReportingOverflow(by: ticksPerSecond)
    if isLarge { return seconds < 0 ? .min : .max }
    let (sum, isLarger) = ticks.addingReportingOverflow(Int64(((seconds - whole) * Double(ticksPerSecond)).rounded(.up)))
    return isLarger ? .max : sum
  }

  /// The same histories without the events of some items. Items, users and histories without an event are left out, and the
  /// others are renumbered.
  ///
  /// - Parameter kept: by number, whether an item is kept.
  func withItems(_ kept: [Bool]) -> Histories {
    let histories = (0..<count).map { h in (offsets[h]..<offsets[h + 1]).contains { kept[Int(events[$0])] } }
    return selecting(histories: histories, items: kept, events: nil)
  }

  /// The kept histories, items and events, with new numbers.
  private func selecting(histories kept: [Bool], items keptItem: [Bool], events passing: [Bool]?) -> Histories {
    var names = [items.names[0]]
    var numbers = [Int32](repeating: 0, count: items.count)
    for item in 1..<items.count where keptItem[item] {
      numbers[item] = Int32(names.count)
      names.append(items.name(Int32(item)))
    }
    var userNames: [String] = []
    var userNumbers = [Int32](repeating: -1, count: users.count)
    var result = self
    var (owners, offsets): ([Int32], [Int]) = ([], [0])
    var size = 0
    for h in 0..<count where kept[h] {
      let user = Int(self.owners[h])
      if userNumbers[user] < 0 {
        userNumbers[user] = Int32(userNames.count)
        userNames.append(users.name(Int32(user)))
      }
      owners.append(userNumbers[user])
      for e in self.offsets[h]..<self.offsets[h + 1] where keptItem[Int(events[e])] && passing?[e] ?? true { size += 1 }
      offsets.append(size)
    }
    func column<T>(_ values: Column<T>?, _ map: (T) -> T) -> Column<T>? {
      guard let values else { return nil }
      return Column<T>(unsafeUninitializedCapacity: size) { buffer, filled in
        for h in 0..<count where kept[h] {
          for e in self.offsets[h]..<self.offsets[h + 1] where keptItem[Int(events[e])] && passing?[e] ?? true {
            buffer.initializeElement(at: filled, to: map(values[e]))
            filled += 1
          }
        }
      }
    }
    result.times = column(times) { $0 }
    result.ratings = column(ratings) { $0 }
    result.events = column(events) { numbers[Int($0)] } ?? []
    result.owners = Column(owners)
    result.offsets = Column(offsets)
    result.file = nil
    result.items = Vocabulary(names)
    result.users = Vocabulary(userNames)
    return result
  }
}
