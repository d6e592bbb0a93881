import Kernels

/// Sequences of at most `length` items, oldest first. `length` is a limit: shorter sequences take less memory. For programs
/// that need sequences of equal length, shorter ones are padded in front with item 0.
public final class SequenceSet: Sendable {
  /// The largest number of items of a sequence.
  public let length: Int
  private let rows: Rows
  public let items: Vocabulary
  /// In the transfer task, the vocabulary of the last item of every sequence; nil for other data.
  public let targetItems: Vocabulary?
  public let userNames: Vocabulary
  /// Whether the data names its users.
  public let hasUsers: Bool
  /// The origin of the data as text.
  public let source: String
  /// The process that generated the data, for synthetic data.
  public let process: SyntheticProcess?
  /// Whether sequences of one user can share events. `split` then keeps all sequences of a user in one part.
  public let overlaps: Bool
  /// The number of sequences.
  public let count: Int

  private enum Rows: Sendable {
    /// Sequences in memory, the user of each, and the times of their events. `earlier` has the items of each history before
    /// the sequence, if they are known.
    case copied(items: RaggedRows, users: [Int32], times: EventOrigin?, earlier: RaggedRows?)
    /// Windows of the histories of a mapped file, which are read on demand.
    case windows(WindowRows, RowOrder)
  }

  /// - Parameters:
  ///   - length: the largest number of items of a sequence.
  ///   - tokens: `(count, length)` items, padded in front with item 0.
  ///   - users: the user of each sequence.
  ///   - times: the time of each item in `tokens`, in ticks; nil: no times.
  ///   - ticksPerSecond: ticks per second.
  ///   - items: the items by number.
  ///   - userNames: the users by number.
  ///   - hasUsers: whether the data names its users.
  ///   - source: the origin of the data as text.
  ///   - process: the process that generated synthetic data.
  ///   - overlaps: whether sequences of one user can share events.
  ///   - targetItems: in the transfer task, the vocabulary of the last item of every sequence.
  public convenience init(
    length: Int, tokens: [Int32], users: [Int32], times: [Int64]?, ticksPerSecond: Int64 = 1, items: Vocabulary, userNames: Vocabulary,
    hasUsers: Bool, source: String, process: SyntheticProcess?, overlaps: Bool = false,
    targetItems: Vocabulary? = nil
  ) {
    let rows = RaggedRows(length: length, padded: tokens)
    let known = times.map { column in
      EventOrigin(times: Column(column), starts: (0..<rows.count).map { ($0 + 1) * length - rows.count(of: $0) }, perSecond: ticksPerSecond)
    }
    self.init(
      rows, users: users, times: known, items: items, userNames: userNames,
      hasUsers: hasUsers, source: source, process: process, overlaps: overlaps, targetItems: targetItems)
  }

  init(
    _ sequences: RaggedRows, earlier: RaggedRows? = nil, users: [Int32], times: EventOrigin?, items: Vocabulary,
    userNames: Vocabulary, hasUsers: Bool, source: String, process: SyntheticProcess?, overlaps: Bool, targetItems: Vocabulary?
  ) {
    precondition(sequences.count == users.count)
    length = sequences.length
    rows = .copied(items: sequences, users: users, times: times, earlier: earlier)
    self.items = items
    self.userNames = userNames
    self.hasUsers = hasUsers
    self.source = source
    self.process = process
    self.overlaps = overlaps
    self.targetItems = targetItems
    count = users.count
  }

  /// - Parameter items: the vocabulary; nil: that of the histories.
  init(_ windows: WindowRows, _ order: RowOrder = .all, items: Vocabulary? = nil) {
    let histories = windows.histories
    length = windows.options.length
    rows = .windows(windows, order)
    self.items = items ?? histories.items
    userNames = histories.users
    hasUsers = histories.hasUsers
    source = histories.source
    process = histories.process
    overlaps = (windows.options.stride ?? length) < length
    targetItems = nil
    count = order.count(of: windows.count)
  }

  /// The items that models rank: those of the target vocabulary in the transfer task.
  public var rankedItems: Vocabulary { targetItems ?? items }

  /// The name of the item for unknown items, which the vocabulary of the authors' code has though no sequence has it.
  public static let unknownName = "<UNK>"

  /// The number of the item for unknown items; nil if the vocabulary has none.
  public var unknownItem: Int32? {
    let last = Int32(items.count - 1)
    return last > 0 && items.name(last) == Self.unknownName ? last : nil
  }

  /// The items in the order in which the authors' code numbers them: the item for unknown items if there is one, the pad, and
  /// the others by their first appearance in the data.
  public var itemsByAppearance: [Int32] {
    let items = Array(0..<Int32(items.count))
    return unknownItem.map { [$0] + items.dropLast() } ?? items
  }

  /// The same sequences, with an item for unknown items at the end of the vocabulary.
  func addingUnknown() -> SequenceSet {
    if unknownItem != nil { return self }
    let extended = items.adding(Vocabulary([Self.unknownName]), from: 0)
    switch rows {
    case .windows(let windows, let order): return SequenceSet(windows, order, items: extended)
    case .copied(let rows, let users, let times, let earlier):
      return SequenceSet(
        rows, earlier: earlier, users: users, times: times, items: extended, userNames: userNames, hasUsers: hasUsers,
        source: source, process: process, overlaps: overlaps, targetItems: targetItems)
    }
  }

  /// The items of one sequence, without padding.
  public func events(_ index: Int) -> ArraySlice<Int32> {
    switch rows {
    case .copied(let items, _, _, _): items[index]
    case .windows(let windows, let order): windows.events(order.row(index))[...]
    }
  }

  /// The number of items of one sequence.
  public func eventCount(_ index: Int) -> Int {
    switch rows {
    case .copied(let items, _, _, _): items.count(of: index)
    case .windows(let windows, let order): windows.find(order.row(index)).window.count
    }
  }

  /// One sequence, padded in front to `length` items.
  public func sequence(_ index: Int) -> ArraySlice<Int32> {
    switch rows {
    case .copied(let items, _, _, _): items.padded(index)
    case .windows(let windows, let order): windows.items(order.row(index))[...]
    }
  }

  /// The last item of a sequence, which is the target of evaluation.
  public func target(_ index: Int) -> Int32 { events(index).last ?? 0 }

  /// Whether the items of a history before each of its sequences are known.
  public var knowsEarlier: Bool {
    switch rows {
    case .copied(_, _, _, let earlier): earlier != nil
    case .windows: true
    }
  }

  /// The items of the history before a sequence; empty if they are not known.
  public func earlier(_ index: Int) -> ArraySlice<Int32> {
    switch rows {
    case .copied(_, _, _, let earlier): earlier?[index] ?? []
    case .windows(let windows, let order): windows.earlier(order.row(index))[...]
    }
  }

  public func user(_ index: Int) -> Int32 {
    switch rows {
    case .copied(_, let users, _, _): users[index]
    case .windows(let windows, let order): windows.user(order.row(index))
    }
  }

  /// The time of the last event of a sequence, in ticks; nil if the data has no times.
  public func time(_ index: Int) -> Int64? {
    switch rows {
    case .copied(let items, _, let times, _):
      // A sequence without an item has no event.
      times.flatMap { origin in
        items.count(of: index) == 0 ? nil : origin.times.map { $0[origin.starts[index] + items.count(of: index) - 1] }
      }
    case .windows(let windows, let order): hasTimes ? windows.time(order.row(index)) : nil
    }
  }

  /// The times of the events of a sequence, in ticks; nil if the data has no times.
  public func eventTimes(_ index: Int) -> ArraySlice<Int64>? {
    switch rows {
    case .copied(let items, _, let times, _):
      times.flatMap { origin in
        origin.times.map { Array($0[origin.starts[index]..<(origin.starts[index] + items.count(of: index))])[...] }
      }
    case .windows(let windows, let order): hasTimes ? windows.times(order.row(index))[...] : nil
    }
  }

  /// The times of the events of a sequence in seconds; empty if the data has no times.
  public func eventSeconds(_ index: Int) -> [Double] {
    let perSecond = Double(ticksPerSecond)
    return eventTimes(index)?.map { Double($0) / perSecond } ?? []
  }

  /// Ticks of `eventTimes` per second.
  public var ticksPerSecond: Int64 {
    switch rows {
    case .copied(_, _, let times, _): times?.perSecond ?? 1
    case .windows(let windows, _): windows.histories.ticksPerSecond
    }
  }

  public var hasTimes: Bool {
    switch rows {
    case .copied(_, _, let times, _): times?.times != nil
    case .windows(let windows, _): windows.histories.times != nil
    }
  }

  /// The items of all sequences, padded: `(count, length)`. If sequences differ in length or are in a mapped file, this copies
  /// them.
  public var tokens: [Int32] {
    switch rows {
    case .copied(let items, _, _, _): return items.padded
    case .windows:
      var all: [Int32] = []
      all.reserveCapacity(count * length)
      for index in 0..<count { all += sequence(index) }
      return all
    }
  }

  /// The user number of every sequence.
  public var users: [Int32] {
    switch rows {
    case .copied(_, let users, _, _): users
    case .windows: (0..<count).map(user)
    }
  }

  /// The time of the last event of every sequence, in ticks; nil if the data has no times.
  var times: [Int64]? { hasTimes ? (0..<count).map { time($0) ?? 0 } : nil }

  /// The number of occurrences of each item. Entry 0, the pad's, is 0.
  public func uses() -> [Int] {
    var uses = [Int](repeating: 0, count: items.count)
    forEachItem { if $0 != 0 { uses[Int($0)] += 1 } }
    return uses
  }

  /// The number of distinct events of each item. An event that several sequences share counts once, if the sequences were cut from
  /// histories.
  public func eventUses() -> [Int] {
    var uses = [Int](repeating: 0, count: items.count)
    var seen: Set<Int> = []
    for index in 0..<count {
      let (events, first) = (events(index), firstEvent(index))
      for (offset, item) in events.enumerated() where item != 0 {
        if let first, overlaps, !seen.insert(first + offset).inserted { continue }
        uses[Int(item)] += 1
      }
    }
    return uses
  }

  /// The index, in the events of the histories, of the first event of a sequence; nil if the sequences were not cut from histories.
  private func firstEvent(_ index: Int) -> Int? {
    switch rows {
    case .copied(_, _, let origin, _): origin?.starts[index]
    case .windows(let windows, let order): windows.firstEvent(order.row(index))
    }
  }

  private func forEachItem(_ body: (Int32) -> Void) {
    switch rows {
    case .copied(let items, _, _, _): for item in items.items { body(item) }
    case .windows: for index in 0..<count { for item in events(index) { body(item) } }
    }
  }

  /// The number of items without pads.
  public var interactions: Int {
    switch rows {
    case .copied(let items, _, _, _): items.items.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
    case .windows: (0..<count).reduce(0) { $0 + eventCount($1) }
    }
  }

  /// Whether both sets have the same sequences in the same order.
  public func hasSameSequences(as other: SequenceSet) -> Bool {
    if self === other { return true }
    guard length == other.length, count == other.count else { return false }
    if case .copied(let a, _, _, _) = rows, case .copied(let b, _, _, _) = other.rows { return a == b }
    return identity == other.identity || (0..<count).allSatisfy { events($0) == other.events($0) }
  }

  /// A hash of the contents: of the sequences in memory, or of the mapped file and the selection of windows.
  public var identity: UInt64 {
    var hash = WordHash()
    addIdentity(to: &hash)
    return hash.value
  }

  /// Adds the contents to a hash. Fingerprints of trainings contain this hash, so its inputs must not change. In particular,
  /// the names of the cases of `WindowRows.Part` are part of the hashed text.
  ///
  /// - Parameters:
  ///   - hash: the hash.
  ///   - times: whether to add the times of all events, for models that read them.
  public func addIdentity(to hash: inout WordHash, times: Bool = false) {
    hash.add(UInt64(length))
    if times, case .copied = rows {
      hash.add(UInt64(bitPattern: ticksPerSecond))
      for index in 0..<count { eventTimes(index)?.withUnsafeBytes { hash.add($0) } }
    }
    switch rows {
    case .copied(let rows, let users, _, _):
      rows.addPadded(to: &hash)
      users.withUnsafeBytes { hash.add($0) }
      for names in [items, userNames, targetItems ?? Vocabulary([])] {
        hash.add(UInt64(names.count))
        for name in names.names { hash.add(name) }
      }
    case .windows(let windows, let order):
      hash.add(windows.histories.file?.identity ?? 0)
      hash.add("\(windows.options.hashed) \(windows.part)")
      order.adding(to: &hash)
      if items.count != windows.histories.items.count { hash.add(Self.unknownName) }
    }
  }

  /// The first damage that was found in the mapped file; nil if there is none.
  public var fault: DataError? {
    guard case .windows(let windows, _) = rows else { return nil }
    return windows.histories.file?.fault
  }

  /// The sequences with the given indices, in that order.
  public func selecting(_ indices: some Collection<Int>) -> SequenceSet {
    switch rows {
    case .windows(let windows, let order):
      return SequenceSet(windows, .listed(indices.map { Int32(order.row($0)) }), items: items)
    case .copied(let rows, let users, let times, let earlier):
      return SequenceSet(
        rows.selecting(indices), earlier: earlier?.selecting(indices), users: indices.map { users[$0] },
        times: times?.selecting(indices),
        items: items, userNames: userNames, hasUsers: hasUsers, source: source, process: process, overlaps: overlaps,
        targetItems: targetItems)
    }
  }

  /// The same sequences in memory, with their items and users renumbered.
  ///
  /// - Parameters:
  ///   - items: the new items.
  ///   - userNames: the new users.
  ///   - users: the new number of every sequence's user.
  ///   - hasUsers: whether the new data names its users.
  ///   - renumber: the new number of an item.
  func renumbered(
    items: Vocabulary, userNames: Vocabulary, users: [Int32], hasUsers: Bool, _ renumber: (Int32) -> Int32
  ) -> SequenceSet {
    var rows = RaggedRows(length: length)
    for index in 0..<count { events(index).map(renumber).withUnsafeBufferPointer { rows.add($0) } }
    var before: RaggedRows?
    if knowsEarlier {
      var all = RaggedRows()
      for index in 0..<count { earlier(index).map(renumber).withUnsafeBufferPointer { all.add($0) } }
      before = all
    }
    var known: EventOrigin?
    if hasTimes {
      var (column, starts) = ([Int64](), [Int]())
      for index in 0..<count {
        starts.append(column.count)
        column += eventTimes(index) ?? []
      }
      known = EventOrigin(times: Column(column), starts: starts, perSecond: ticksPerSecond)
    }
    return SequenceSet(
      rows, earlier: before, users: users, times: known, items: items, userNames: userNames, hasUsers: hasUsers, source: source,
      process: nil, overlaps: overlaps, targetItems: nil)
  }

  /// The sequences of a sample.
  func selecting(_ sample: BlockSample) -> SequenceSet {
    if case .windows(let windows, .all) = rows { return SequenceSet(windows, .sampled(sample), items: items) }
    return selecting((0..<sample.count).map { sample.row($0) })
  }

  /// The number of sequences of `fraction(share)`.
  public func fractionCount(_ share: Double) -> Int {
    share >= 1 ? count : min(count, max(1, Int((Double(count) * share).rounded())))
  }

  /// The first `share` of the sequences, at least one. A larger share contains every smaller one.
  public func fraction(_ share: Double) -> SequenceSet {
    if share >= 1 { return self }
    if case .windows(let windows, let order) = rows { return SequenceSet(windows, .first(fractionCount(share), order), items: items) }
    return selecting(0..<fractionCount(share))
  }

  /// The same sequences sorted by the time of their last event; nil without times.
  public func byTime() -> SequenceSet? {
    guard let times else { return nil }
    return selecting((0..<count).sorted { (times[$0], $0) < (times[$1], $1) })
  }

  /// Collects parts of histories in memory as sequences.
  struct Builder {
    private let histories: Histories
    private var rows: RaggedRows
    private var earlier: RaggedRows?
    private var users: [Int32] = []
    /// The index, in the events of the histories, of the first event of each sequence.
    private var starts: [Int] = []

    /// - Parameter keepsEarlier: whether to keep the items of each history before the sequence.
    init(_ histories: Histories, length: Int, capacity: Int = 0, keepsEarlier: Bool = false) {
      self.histories = histories
      rows = RaggedRows(length: length)
      if keepsEarlier { earlier = RaggedRows() }
      users.reserveCapacity(capacity)
      starts.reserveCapacity(capacity)
    }

    /// Adds the events of a range of a history whose first event is `first`.
    mutating func add(_ window: Range<Int>, historyFrom first: Int, user: Int32) {
      histories.events.withUnsafeBufferPointer { events in
        rows.add(UnsafeBufferPointer(rebasing: events[window]))
        earlier?.add(UnsafeBufferPointer(rebasing: events[first..<window.lowerBound]))
      }
      users.append(user)
      starts.append(window.lowerBound)
    }

    func build(overlaps: Bool) -> SequenceSet {
      SequenceSet(
        rows, earlier: earlier, users: users,
        times: EventOrigin(times: histories.times, starts: starts, perSecond: histories.ticksPerSecond),
        items: histories.items, userNames: histories.users, hasUsers: histories.hasUsers, source: histories.source,
        process: histories.process, overlaps: overlaps, targetItems: nil)
    }
  }
}

/// Where the events of sequences are in their histories, and their times.
struct EventOrigin: Sendable {
  /// The times of all events; nil if the data has none.
  let times: Column<Int64>?
  /// For every sequence, the index of its first event.
  let starts: [Int]
  /// Ticks per second.
  let perSecond: Int64

  func selecting(_ indices: some Collection<Int>) -> EventOrigin {
    EventOrigin(times: times, starts: indices.map { starts[$0] }, perSecond: perSecond)
  }
}
