/// Sessions as JSON lines, as OTTO's: `{"session": 1, "events": [{"aid": 5, "ts": 1661119200442, ...}, ...]}`.
struct SessionKeys: Sendable {
  var user: [String]
  var item: [String]
  var time: [String]

  init(_ options: ReadingOptions) throws(DataError) {
    func keys(_ given: ColumnName?, _ usual: [String], _ argument: String) throws(DataError) -> [String] {
      switch given {
      case nil: return usual
      case .name(let name): return [name]
      case .number(let number):
        throw DataError("the fields of JSON lines have names, so \(argument): \(number) says nothing", argument: argument)
      }
    }
    user = try keys(options.user, TableHead.userNames, "user")
    item = try keys(options.item, ["aid"] + TableHead.itemNames, "item")
    time = try keys(options.time, ["ts"] + TableHead.timeNames, "time")
  }
}

extension EventBlock {
  /// Parses whole lines of sessions.
  init(sessions bytes: [UInt8], _ keys: SessionKeys) {
    self.init()
    bytes.withUnsafeBufferPointer { bytes in
      var place = 0
      while place < bytes.count {
        var stop = place
        while stop < bytes.count && bytes[stop] != 0x0a { stop += 1 }
        lines += 1
        let line = UnsafeBufferPointer(rebasing: bytes[place..<stop])
        place = stop + 1
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
        session(line, keys)
      }
    }
  }

  private struct Event {
    var item: Range<Int>?
    var time: Range<Int>?
  }

  private mutating func session(_ line: UnsafeBufferPointer<UInt8>, _ keys: SessionKeys) {
    var scanner = JSONScanner(bytes: line)
    var user: Range<Int>?
    var events: [Event]?
    do throws(JSONScanner.Problem) {
      try scanner.object { scanner, key throws(JSONScanner.Problem) in
        if keys.user.contains(key) {
          user = try scanner.scalar()
        } else if key == "events" {
          var found: [Event] = []
          try scanner.array { scanner throws(JSONScanner.Problem) in
            var event = Event()
            try scanner.object { scanner, key throws(JSONScanner.Problem) in
              if keys.item.contains(key) {
                event.item = try scanner.scalar()
              } else if keys.time.contains(key) {
                event.time = try scanner.scalar()
              } else {
                try scanner.skip()
              }
            }
            found.append(event)
          }
          events = found
        } else {
          try scanner.skip()
        }
      }
      try scanner.end()
    } catch {
      reject(error.place + 1, error.message)
      return
    }
    guard let user, let events else {
      reject(
        1,
        user == nil
          ? "a session has no user: one of the names \(keys.user.joined(separator: ", "))" : "a session has no list \"events\"")
      return
    }
    add(line, user, events)
  }

  private mutating func add(_ line: UnsafeBufferPointer<UInt8>, _ user: Range<Int>, _ events: [Event]) {
    func text(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: line[range]) }
    var seconds: [Int64] = []
    for event in events {
      guard let item = event.item, let time = event.time, !item.isEmpty else {
        reject(1, "an event of this session has no item or no time")
        return
      }
      guard let moment = Moments.parse(text(time)) else {
        reject(time.lowerBound + 1, "expected a time, found \"\(String(decoding: text(time).prefix(40), as: UTF8.self))\"")
        return
      }
      seconds.append(moment)
    }
    guard !user.isEmpty, Self.isUTF8(line) else {
      reject(1, user.isEmpty ? "the user is missing here" : "this is not UTF-8 text")
      return
    }
    // A session without events leaves no trace, as a user without rows does in a table.
    for (event, moment) in Swift.zip(events, seconds) {
      guard let item = event.item else { continue }
      userRows.append(users.number(text(user)))
      itemRows.append(items.number(text(item)))
      times.append(moment)
    }
  }
}

/// Just enough of JSON to walk through a line without making values of it.
struct JSONScanner {
  struct Problem: Error {
    let place: Int
    let message: String
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private func problem(_ message: String) -> Problem { Problem(place: min(place, bytes.count), message: message) }

  private mutating func skipBlanks() {
    while place < bytes.count, [0x20, 0x09, 0x0d].contains(bytes[place]) { place += 1 }
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  mutating func end() throws(Problem) {
    skipBlanks()
    if place < bytes.count { throw problem("expected the end of the line") }
  }

  /// Calls `body` with every key; it must take the value.
  mutating func object(_ body: (inout JSONScanner, String) throws(Problem) -> Void) throws(Problem) {
    guard accept(0x7b) else { throw problem("expected `{`") }
    if accept(0x7d) { return }
    repeat {
      skipBlanks()
      let key = try string()
      guard accept(0x3a) else { throw problem("expected `:`") }
      try body(&self, String(decoding: bytes[key], as: UTF8.self))
    } while accept(0x2c)
    guard accept(0x7d) else { throw problem("expected `,` or `}`") }
  }

  mutating func array(_ body: (inout JSONScanner) throws(Problem) -> Void) throws(Problem) {
    guard accept(0x5b) else { throw problem("expected `[`") }
    if accept(0x5d) { return }
    repeat { try body(&self) } while accept(0x2c)
    guard accept(0x5d) else { throw problem("expected `,` or `]`") }
  }

  /// Place of a text (without its quotes) or a number.
  mutating func scalar() throws(Problem) -> Range<Int> {
    skipBlanks()
    if place < bytes.count, bytes[place] == 0x22 { return try string() }
    let start = place
    while place < bytes.count, ![0x2c, 0x7d, 0x5d, 0x20, 0x09, 0x0d].contains(bytes[place]) { place += 1 }
    let first = start < place ? bytes[start] : 0
    guard first == 0x2d || (0x30...0x39).contains(first) else {
      place = start
      throw problem("expected a number or a text")
    }
    return start..<place
  }

  private mutating func string() throws(Problem) -> Range<Int> {
    guard place < bytes.count, bytes[place] == 0x22 else { throw problem("expected a text in quotes") }
    let start = place + 1
    place += 1
    while place < bytes.count, bytes[place] != 0x22 {
      if bytes[place] == 0x5c { place += 1 }
      place += 1
    }
    guard place < bytes.count else {
      place = start - 1
      throw problem("this text is not closed")
    }
    place += 1
    return start..<(place - 1)
  }

  /// Leaves a value out.
  mutating func skip() throws(Problem) {
    skipBlanks()
    guard place < bytes.count else { throw problem("expected a value") }
    depth += 1
    defer { depth -= 1 }
    guard depth < 64 else { throw problem("this is nested too deeply") }
    switch bytes[place] {
    case 0x7b: try object { scanner, _ throws(Problem) in try scanner.skip() }
    case 0x5b: try array { scanner throws(Problem) in try scanner.skip() }
    case 0x22: _ = try string()
    case 0x74, 0x66, 0x6e:
      guard let word = ["true", "false", "null"].first(where: { bytes[place...].starts(with: $0.utf8) }) else {
        throw problem("expected a value")
      }
      place += word.utf8.count
    default: _ = try scalar()
    }
  }
}
