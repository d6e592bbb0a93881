import Kernels

/// An error in a line. `line` counts from 1 in the block, and after merging in the file.
struct LineProblem: Sendable {
  var line: Int
  let column: Int
  let message: String
}

/// The interactions of one block of a file. Users and items have numbers that are local to the block.
struct EventBlock: Sendable {
  var users = Identifiers()
  var items = Identifiers()
  var userRows: [Int32] = []
  var itemRows: [Int32] = []
  var times = TimeColumn()
  var ratings: [Float] = []
  /// The number of lines so far.
  var lines = 0
  /// The first error.
  var problem: LineProblem?
  /// The number of lines with an error.
  var problems = 0
  /// The number of ratings that are not numbers.
  var oddRatings = 0

  /// Records an error in the current line.
  mutating func reject(_ column: Int, _ message: @autoclosure () -> String) {
    problems += 1
    if problem == nil { problem = LineProblem(line: lines, column: column, message: message()) }
  }
}

/// The interactions of a whole file, in the order of the file.
struct EventColumns {
  private(set) var users = Identifiers()
  private(set) var items = Identifiers()
  private(set) var userRows: [Int32] = []
  private(set) var itemRows: [Int32] = []
  private(set) var times = TimeColumn()
  private(set) var ratings: [Float] = []
  private(set) var lines = 0
  private(set) var problem: LineProblem?
  private(set) var problems = 0
  private(set) var oddRatings = 0

  var count: Int { userRows.count }

  /// Reserves memory for this number of rows. Growing the columns by doubling would need twice the memory.
  mutating func reserve(_ rows: Int, times hasTimes: Bool, ratings hasRatings: Bool) {
    userRows.reserveCapacity(rows)
    itemRows.reserveCapacity(rows)
    if hasTimes { times.reserve(rows) }
    if hasRatings { ratings.reserveCapacity(rows) }
  }

  /// Appends a block. Its users and items get their numbers in the file.
  mutating func append(_ block: EventBlock) {
    let (users, items) = (self.users.merge(block.users), self.items.merge(block.items))
    Self.append(block.userRows, by: users, to: &userRows)
    Self.append(block.itemRows, by: items, to: &itemRows)
    times.append(block.times)
    ratings += block.ratings
    if problem == nil, var first = block.problem {
      first.line += lines
      problem = first
    }
    lines += block.lines
    problems += block.problems
    oddRatings += block.oddRatings
  }

  private static func append(_ rows: [Int32], by numbers: [Int32], to all: inout [Int32]) {
    numbers.withUnsafeBufferPointer { numbers in
      for row in rows { all.append(numbers[Int(row)]) }
    }
  }

  /// The histories of the users, each sorted by time. Interactions at the same time stay in the order of the file.
  ///
  /// - Throws: `DataError` if the unit of the times is not clear.
  consuming func histories(source: String, unit given: TimeUnit?, pool: WorkerPool?, _ notes: inout [String]) throws(DataError)
    -> Histories
  {
    let userCount = users.count
    let hasTimes = times.count == count && count > 0
    let hasRatings = ratings.count == count && count > 0 && oddRatings == 0
    let offsets = Self.offsets(userRows, userCount)
    var order: [Int32]? = Self.order(userRows, offsets)
    let owners = (0..<Int32(userCount)).map { $0 }
    userRows = []
    var unit = TimeUnit.seconds
    var sortedTimes: Column<Int64>?
    var ticksPerSecond: Int64 = 1
    if hasTimes {
      unit = try times.unit(given, file: source)
      let (ticks, perSecond, ranks) = times.ticks(unit)
      times = TimeColumn()
      ticksPerSecond = perSecond
      Self.sort(&order, ranks ?? ticks, offsets, pool)
      sortedTimes = Self.gathered(ticks, order, adding: 0)
    }
    let events = Self.gathered(itemRows, order, adding: 1)
    itemRows = []
    let sortedRatings: Column<Float>? = hasRatings ? Self.gathered(ratings, order, adding: 0) : nil
    let (itemNames, userNames) = (items.names(), users.names())
    Self.noteBlanks("items", itemNames, &notes)
    Self.noteBlanks("users", userNames, &notes)
    let histories = Histories(
      items: Vocabulary([Vocabulary.padName(beside: itemNames)] + itemNames), users: Vocabulary(userNames), owners: Column(owners),
      offsets: Column(offsets), events: events, times: sortedTimes, ticksPerSecond: ticksPerSecond, ratings: sortedRatings,
      hasUsers: true, source: source)
    if unit != .seconds, given == nil, let range = histories.timeRange {
      notes.append("times are read as \(unit.rawValue), from \(range.first) to \(range.last); time_unit: sets another unit")
    }
    return histories
  }

  /// Adds a note if names begin or end with a blank. Ids are texts including blanks, so " a" and "a" are different items,
  /// which is rarely intended.
  static func noteBlanks(_ what: String, _ names: [String], _ notes: inout [String]) {
    let odd = names.filter { [0x20, 0x09].contains($0.utf8.first) || [0x20, 0x09].contains($0.utf8.last) }
    guard let first = odd.first else { return }
    notes.append("\(odd.count) of the \(what) begin or end with a blank, as \"\(first)\"; they are kept as they are written")
  }

  /// The index of every user's first row when the rows are grouped by user, and the total count.
  private static func offsets(_ users: [Int32], _ count: Int) -> [Int] {
    var offsets = [Int](repeating: 0, count: count + 1)
    offsets.withUnsafeMutableBufferPointer { offsets in
      for user in users { offsets[Int(user) + 1] += 1 }
      for u in 0..<count { offsets[u + 1] += offsets[u] }
    }
    return offsets
  }

  /// The rows grouped by user, otherwise in the order of the file; nil if they are grouped already.
  private static func order(_ users: [Int32], _ offsets: [Int]) -> [Int32]? {
    if zip(users, users.dropFirst()).allSatisfy({ $0 <= $1 }) { return nil }
    var next = offsets
    return [Int32](unsafeUninitializedCapacity: users.count) { order, count in
      next.withUnsafeMutableBufferPointer { next in
        for (row, user) in users.enumerated() {
          order[next[Int(user)]] = Int32(row)
          next[Int(user)] += 1
        }
      }
      count = users.count
    }
  }

  /// Sorts the rows of every user by time. The sort is stable. `order` stays nil if all rows are sorted already.
  private static func sort(_ order: inout [Int32]?, _ times: [Int64], _ offsets: [Int], _ pool: WorkerPool?) {
    let users = offsets.count - 1
    if order == nil {
      let sorted = (0..<users).allSatisfy { u in
        var previous = Int64.min
        for row in offsets[u]..<offsets[u + 1] {
          if times[row] < previous { return false }
          previous = times[row]
        }
        return true
      }
      if sorted { return }
    }
    var rows = order ?? (0..<Int32(times.count)).map { $0 }
    order = nil
    rows.withUnsafeMutableBufferPointer { rows in
      times.withUnsafeBufferPointer { times in
        nonisolated(unsafe) let (rows, times) = (rows, times)
        let chunks = max(1, min(users, 256))
        let body: @Sendable (Int, Int) -> Void = { chunk, _ in
          var sort = TimeSort()
          for u in (users * chunk / chunks)..<(users * (chunk + 1) / chunks) {
            sort.sort(UnsafeMutableBufferPointer(rebasing: rows[offsets[u]..<offsets[u + 1]]), by: times)
          }
        }
        if let pool { pool.forEach(chunks, body) } else { for chunk in 0..<chunks { body(chunk, 0) } }
      }
    }
    order = rows
  }

  /// The values in the given order, plus a constant.
  private static func gathered<T: AdditiveArithmetic>(_ values: [T], _ order: [Int32]?, adding: T) -> Column<T>
  where T: BitwiseCopyable & Sendable {
    guard let order else { return adding == .zero ? Column(values) : Column(values.lazy.map { $0 + adding }) }
    return Column<T>(unsafeUninitializedCapacity: values.count) { result, count in
      values.withUnsafeBufferPointer { values in
        for (index, row) in order.enumerated() { result.initializeElement(at: index, to: values[Int(row)] + adding) }
      }
      count = values.count
    }
  }
}
