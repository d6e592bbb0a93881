/// The keys of JSON lines. A line is a session as in the data of OTTO,
/// `{"session": 1, "events": [{"aid": 5, "ts": 1661119200442, ...}, ...]}`, or an interaction,
/// `{"user_id": "u1", "item_id": "i1", "timestamp": 1661119200}`.
struct JSONKeys: Sendable {
  enum Layout: Sendable { case sessions, interactions }

  var layout: Layout
  /// The names that the key of the user can have; the same holds for the others.
  var user: [String]
  var item: [String]
  var time: [String]
  var rating: [String]
  var hasTimes: Bool
  var hasRatings: Bool
  /// Whether a rating that is not a number is an error.
  var needsRating = false

  /// - Parameter first: the keys of the first line; nil if it cannot be parsed.
  /// - Throws: `DataError` if a column is not named and several keys could be it.
  init(_ layout: Layout, _ options: ReadingOptions, keys first: JSONHead?) throws(DataError) {
    let there = first?.keys ?? []
    let inside = layout == .sessions ? first?.eventKeys ?? [] : there
    func keys(_ given: ColumnName?, _ usual: [String], _ there: [String], _ argument: String) throws(DataError) -> [String] {
      switch given {
      case nil:
        let possible = there.filter(usual.contains)
        guard possible.count > 1 else { return usual }
        throw DataError(
          "several keys look like the \(argument): \(possible.joined(separator: ", "))", help: "name one: \(argument): \"\(possible[0])\"",
          argument: argument)
      case .name(let name): return [name]
      case .number(let number):
        throw DataError("the fields of JSON lines have names, so \(argument): \(number) has no effect", argument: argument)
      }
    }
    self.layout = layout
    user = try keys(options.user, TableHead.userNames, there, "user")
    item = try keys(options.item, ["aid"] + TableHead.itemNames, inside, "item")
    time = try keys(options.time, ["ts"] + TableHead.timeNames, inside, "time")
    rating = try keys(options.rating, TableHead.ratingNames, layout == .sessions ? [] : there, "rating")
    hasTimes = layout == .sessions || options.time != nil || there.contains(where: time.contains)
    hasRatings = layout == .interactions && (options.rating != nil || there.contains(where: rating.contains))
    needsRating = options.rating != nil
    if layout == .sessions, options.rating != nil {
      throw DataError("sessions have no ratings, so `rating` has no effect", help: "leave it out", argument: "rating")
    }
  }
}

/// The layout and the keys of the first JSON line.
struct JSONHead {
  let layout: JSONKeys.Layout
  /// The keys of the object.
  let keys: [String]
  /// The keys of the events of a session.
  let eventKeys: [String]

  init?(_ line: String) {
    var found: [String] = []
    var inside: [String] = []
    var hasEvents = false
    let isObject = Array(line.utf8).withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes: bytes)
      do throws(JSONScanner.Problem) {
        try scanner.object { scanner, key throws(JSONScanner.Problem) in
          found.append(key)
          if key == "events", scanner.isAtArray {
            hasEvents = true
            try scanner.array { scanner throws(JSONScanner.Problem) in
              try scanner.object { scanner, key throws(JSONScanner.Problem) in
                if !inside.contains(key) { inside.append(key) }
                try scanner.skip()
              }
            }
          } else {
            try scanner.skip()
          }
        }
        try scanner.end()
        return true
      } catch { return false }
    }
    guard isObject else { return nil }
    keys = found
    eventKeys = inside
    layout = hasEvents ? .sessions : .interactions
  }
}

extension EventBlock {
  /// Parses a block of whole JSON lines.
  init(json bytes: [UInt8], _ keys: JSONKeys) {
    self.init()
    bytes.withUnsafeBufferPointer { bytes in
      var position = 0
      while position < bytes.count {
        var stop = position
        while stop < bytes.count && bytes[stop] != 0x0a { stop += 1 }
        lines += 1
        let line = UnsafeBufferPointer(rebasing: bytes[position..<stop])
        position = stop + 1
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
        guard Self.isUTF8(line) else {
          reject(1, Self.notUTF8)
          continue
        }
        switch keys.layout {
        case .sessions: session(line, keys)
        case .interactions: interaction(line, keys)
        }
      }
    }
  }

  private struct Event {
    var item: JSONScanner.Scalar?
    var time: JSONScanner.Scalar?
  }

  private mutating func session(_ line: UnsafeBufferPointer<UInt8>, _ keys: JSONKeys) {
    var scanner = JSONScanner(bytes: line)
    var user: JSONScanner.Scalar?
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
      reject(error.position + 1, error.message)
      return
    }
    guard let user, let events else {
      reject(
        1,
        user == nil
          ? "a session has no user: one of the names \(keys.user.joined(separator: ", "))" : "a session has no list \"events\"")
      return
    }
    var moments: [Moment] = []
    for event in events {
      guard let item = event.item, let time = event.time, !item.range.isEmpty else {
        reject(1, "an event of this session has no item or no time")
        return
      }
      guard let moment = moment(line, time) else { return }
      moments.append(moment)
    }
    guard !user.range.isEmpty else {
      reject(1, "the user is missing here")
      return
    }
    // A session without events adds nothing, not even its user.
    for (event, moment) in Swift.zip(events, moments) {
      guard let item = event.item else { continue }
      userRows.append(user.withBytes(in: line) { users.number($0) })
      itemRows.append(item.withBytes(in: line) { items.number($0) })
      times.append(moment)
    }
  }

  private mutating func interaction(_ line: UnsafeBufferPointer<UInt8>, _ keys: JSONKeys) {
    var scanner = JSONScanner(bytes: line)
    var (user, item, time, rating): (JSONScanner.Scalar?, JSONScanner.Scalar?, JSONScanner.Scalar?, JSONScanner.Scalar?)
    do throws(JSONScanner.Problem) {
      try scanner.object { scanner, key throws(JSONScanner.Problem) in
        if keys.user.contains(key) {
          user = try scanner.scalar()
        } else if keys.item.contains(key) {
          item = try scanner.scalar()
        } else if keys.hasTimes, keys.time.contains(key) {
          time = try scanner.scalar()
        } else if keys.hasRatings, keys.rating.contains(key), scanner.isAtScalar {
          rating = try scanner.scalar()
        } else {
          try scanner.skip()
        }
      }
      try scanner.end()
    } catch {
      reject(error.position + 1, error.message)
      return
    }
    guard let user, let item, !user.range.isEmpty, !item.range.isEmpty else {
      let isUser = user?.range.isEmpty ?? true
      reject(
        (isUser ? user : item).map { $0.range.lowerBound + 1 } ?? 1,
        "the \(isUser ? "user" : "item") is missing here, under one of the names \((isUser ? keys.user : keys.item).joined(separator: ", "))"
      )
      return
    }
    var when = Moment(whole: 0)
    if keys.hasTimes {
      guard let time else {
        reject(1, "the time is missing here, under one of the names \(keys.time.joined(separator: ", "))")
        return
      }
      guard let moment = moment(line, time) else { return }
      when = moment
    }
    if keys.hasRatings {
      let value = rating?.withBytes(in: line) { Self.rating($0) } ?? nil
      if value == nil, keys.needsRating {
        reject(rating.map { $0.range.lowerBound + 1 } ?? 1, "expected a rating")
        return
      }
      if value == nil { oddRatings += 1 }
      ratings.append(value ?? 0)
    }
    if keys.hasTimes { times.append(when) }
    userRows.append(user.withBytes(in: line) { users.number($0) })
    itemRows.append(item.withBytes(in: line) { items.number($0) })
  }

  private mutating func moment(_ line: UnsafeBufferPointer<UInt8>, _ time: JSONScanner.Scalar) -> Moment? {
    let found = time.withBytes(in: line) { Moments.parse($0) }
    if found == nil {
      let text = String(decoding: line[time.range].prefix(40), as: UTF8.self)
      reject(time.range.lowerBound + 1, "expected a time, found \"\(text)\"")
    }
    return found
  }
}
