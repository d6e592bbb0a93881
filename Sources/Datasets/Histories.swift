/// Interaction histories: for every user what he did, oldest first.
///
/// Items and users are numbers into vocabularies; item 0 is the pad and never occurs in a history. The columns lie in
/// memory, or in a mapped `.srsd` file.
public struct Histories: Sendable {
  /// Names of the items; entry 0 is the pad's.
  public var items: Vocabulary
  public var users: Vocabulary
  /// One user number a history; a sequence file without users gives every line its own.
  public var owners: Column<Int32>
  /// History h is `events[offsets[h]..<offsets[h + 1]]`.
  public var offsets: Column<Int>
  public var events: Column<Int32>
  /// Time of each event (ticks since 1970, or a running number), where the data has any.
  public var times: Column<Int64>?
  /// How many ticks make a second: 1, or where the data has fractions of one 1,000, 1,000,000 or 1,000,000,000.
  public var ticksPerSecond: Int64
  /// Rating of each event, where the data has any.
  public var ratings: Column<Float>?
  /// Every history was a line of a sequence file: this long after padding.
  public var lineLength: Int?
  /// Does the data name its users?
  public var hasUsers: Bool
  /// Where it came from, for people.
  public var source: String
  /// The process that made it, for synthetic data.
  public var process: SyntheticProcess?
  /// The file that the columns are in.
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

  public var count: Int { owners.count }

  public func history(_ h: Int) -> Slice<Column<Int32>> { events[offsets[h]..<offsets[h + 1]] }

  /// The first and the last time, as ISO dates, or as seconds where they lie outside of the years 1 to 9999; nil where there
  /// are none. The columns must have been checked.
  public var timeRange: (first: String, last: String)? {
    guard let times, let first = times.first else { return nil }
    var (low, high) = (first, first)
    for time in times { (low, high) = (min(low, time), max(high, time)) }
    return (TimeText.date(low, perSecond: ticksPerSecond), TimeText.date(high, perSecond: ticksPerSecond))
  }

  /// What was found wrong in the file its columns lie in.
  public var fault: DataError? { file?.fault }

  /// The same, every byte held against the file's checksums first: for those that read the columns without further
  /// questions.
  public func checked() throws(DataError) -> Histories {
    try file?.checkAll()
    return self
  }
}

/// Single values, of a mapped file as well, whose part is checked when it is first used. What lies outside of its bounds
/// is reported to the file and read as nothing.
extension Histories {
  /// To be called before starts and lengths are read.
  func use(histories range: Range<Int>) { file?.use(.offsets, range.lowerBound..<(range.upperBound + 1)) }

  func start(_ h: Int) -> Int {
    guard let file else { return offsets[h] }
    let start = offsets[h]
    guard start >= 0, start <= events.count else { return file.outside(0) }
    return start
  }

  func length(_ h: Int) -> Int {
    guard let file else { return offsets[h + 1] - offsets[h] }
    let (start, end) = (offsets[h], offsets[h + 1])
    guard start >= 0, start <= end, end <= events.count else { return file.outside(0) }
    return end - start
  }

  func owner(_ h: Int) -> Int32 {
    guard let file else { return owners[h] }
    file.use(.owners, h..<(h + 1))
    guard owners[h] >= 0, owners[h] < users.count else { return file.outside(0) }
    return owners[h]
  }

  func time(_ e: Int) -> Int64 {
    guard let times, e < times.count else { return 0 }
    file?.use(.times, e..<(e + 1))
    return times[e]
  }

  /// Writes the items of a range of events behind `place + after`.
  func copyItems(_ range: Range<Int>, to place: UnsafeMutablePointer<Int32>?, after: Int) {
    guard let place, range.upperBound <= events.count else { return }
    file?.use(.events, range)
    let limit = items.count
    for (i, e) in range.enumerated() {
      let item = events[e]
      place[after + i] = item > 0 && item < limit ? item : file?.outside(0) ?? 0
    }
  }
}
