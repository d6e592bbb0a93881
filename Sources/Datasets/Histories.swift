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
  /// Rating of each event, where the data has any.
  public var ratings: [Float]?
  /// Every history was a line of a sequence file: this long after padding.
  public var lineLength: Int?
  /// Does the data name its users?
  public var hasUsers: Bool
  /// Where it came from, for people.
  public var source: String
  /// The process that made it, for synthetic data.
  public var process: SyntheticProcess?

  public init(
    items: Vocabulary, users: Vocabulary, owners: [Int32], offsets: [Int], events: [Int32], times: [Int64]? = nil, ratings: [Float]? = nil,
    lineLength: Int? = nil, hasUsers: Bool, source: String, process: SyntheticProcess? = nil
  ) {
    self.items = items
    self.users = users
    self.owners = owners
    self.offsets = offsets
    self.events = events
    self.times = times
    self.ratings = ratings
    self.lineLength = lineLength
    self.hasUsers = hasUsers
    self.source = source
    self.process = process
  }

  public var count: Int { owners.count }

  public func history(_ h: Int) -> ArraySlice<Int32> { events[offsets[h]..<offsets[h + 1]] }
}
