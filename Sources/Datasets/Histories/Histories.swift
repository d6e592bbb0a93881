/// Interaction histories: for every user, the items of the interactions, oldest first.
///
/// Items and users are numbers that index vocabularies. Item 0 is the pad and does not occur in a history. The columns are in
/// memory or in a mapped `.srsd` file.
public struct Histories: Sendable {
  /// The names of the items. Entry 0 is the name of the pad.
  public var items: Vocabulary
  public var users: Vocabulary
  /// The user number of each history. In a sequence file without users, every line gets its own user.
  public var owners: Column<Int32>
  /// History h is `events[offsets[h]..<offsets[h + 1]]`.
  public var offsets: Column<Int>
  /// The item of each interaction (event).
  public var events: Column<Int32>
  /// The time of each event, in ticks since 1970 or as a running number; nil if the data has no times.
  public var times: Column<Int64>?
  /// Ticks per second: 1, or 1,000, 1,000,000 or 1,000,000,000 if the data has fractions of seconds.
  public var ticksPerSecond: Int64
  /// The rating of each event; nil if the data has no ratings.
  public var ratings: Column<Float>?
  /// If every history is a line of a sequence file, the number of items of a line with padding.
  public var lineLength: Int?
  /// Whether the data names its users.
  public var hasUsers: Bool
  /// The origin of the data as text, e.g. the path of the file.
  public var source: String
  /// The process that generated the data, for synthetic data.
  public var process: SyntheticProcess?
  /// The mapped file of the columns; nil if they are in memory.
  var file: BinaryFile?

  public init(
    items: Vocabulary, users: Vocabulary, owners: Column<Int32>, offsets: Column<Int>, events: Column<Int32>,
    times: Column<Int64>? = nil, ticksPerSecond: Int64 = 1, ratings: Column<Float>? = nil, lineLength: Int? = nil, hasUsers: Bool,
    source: String,
    process: SyntheticProcess? = nil
  ) {
    self.items = items
    self.users = users
    self.owners = owners
    self.offsets = offsets
    self.events = events
    self.times = times
    self.ticksPerSecond = ticksPerSecond
    self.ratings = ratings
    self.lineLength = lineLength
    self.hasUsers = hasUsers
    self.source = source
    self.process = process
  }

  /// The number of histories.
  public var count: Int { owners.count }

  public func history(_ h: Int) -> Slice<Column<Int32>> { events[offsets[h]..<offsets[h + 1]] }

  /// The first and the last time as ISO dates, or as seconds outside of the years 1 to 9999; nil without times. For a mapped
  /// file, call `checked` before.
  public var timeRange: (first: String, last: String)? {
    guard let times, let first = times.first else { return nil }
    var (low, high) = (first, first)
    for time in times { (low, high) = (min(low, time), max(high, time)) }
    return (TimeText.date(low, perSecond: ticksPerSecond), TimeText.date(high, perSecond: ticksPerSecond))
  }

  /// The first damage that was found in the mapped file; nil if there is none.
  public var fault: DataError? { file?.fault }

  /// The same histories after a check of the whole mapped file. Call this before reading whole columns.
  ///
  /// - Throws: `DataError` if the file is damaged.
  public func checked() throws(DataError) -> Histories {
    try file?.checkAll()
    return self
  }
}

/// Access to single values. For a mapped file, each block is checked when it is first used. A value out of its range is
/// recorded as a fault of the file, and 0 is returned instead.
extension Histories {
  /// Must be called before `start` and `length` of these histories.
  func use(histories range: Range<Int>) { file?.use(.offsets, range.lowerBound..<(range.upperBound + 1)) }

  func start(_ h: Int) -> Int {
    guard let file else { return offsets[h] }
    let start = offsets[h]
    guard start >= 0, start <= events.count else { return file.outOfRange(0) }
    return start
  }

  func length(_ h: Int) -> Int {
    guard let file else { return offsets[h + 1] - offsets[h] }
    let (start, end) = (offsets[h], offsets[h + 1])
    guard start >= 0, start <= end, end <= events.count else { return file.outOfRange(0) }
    return end - start
  }

  func owner(_ h: Int) -> Int32 {
    guard let file else { return owners[h] }
    file.use(.owners, h..<(h + 1))
    guard owners[h] >= 0, owners[h] < users.count else { return file.outOfRange(0) }
    return owners[h]
  }

  func time(_ e: Int) -> Int64 {
    guard let times, e < times.count else { return 0 }
    file?.use(.times, e..<(e + 1))
    return times[e]
  }

  /// Writes the items of a range of events to `target`, from index `after` on.
  func copyItems(_ range: Range<Int>, to target: UnsafeMutablePointer<Int32>?, after: Int) {
    guard let target, range.upperBound <= events.count else { return }
    file?.use(.events, range)
    let limit = items.count
    for (i, e) in range.enumerated() {
      let item = events[e]
      target[after + i] = item > 0 && item < limit ? item : file?.outOfRange(0) ?? 0
    }
  }
}
