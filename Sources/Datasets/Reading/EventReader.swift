import Glibc
import Kernels

/// How the lines of a table are split into fields, and which fields are the user, the item, the time and the rating.
struct EventLayout: Sendable {
  enum Separator: Sendable {
    case byte(UInt8)
    /// `::`
    case colons
    /// Any number of blanks and tabs.
    case blanks
  }

  var separator: Separator
  var user: Int
  var item: Int
  var time: Int?
  var rating: Int?
  /// The number of fields of every line; nil: any number from `needed` on.
  var fieldCount: Int?
  /// Whether fields can be in double quotes. A quoted field can contain separators; two quotes in it stand for one.
  var quotes = false
  /// The expected fields, for the error about a line with another number of fields.
  var expected: String
  /// Whether a rating that is not a number is an error. Otherwise the ratings are dropped with a note.
  var needsRating = false

  /// The smallest number of fields that a line must have.
  var needed: Int { max(user, item, time ?? 0, rating ?? 0) + 1 }
}

extension EventBlock {
  /// Parses a block of whole lines.
  ///
  /// - Parameter skipping: the number of header lines, not counting empty lines.
  init(_ bytes: [UInt8], _ layout: EventLayout, skipping: Int) {
    self.init()
    let estimate = bytes.count / 16
    userRows.reserveCapacity(estimate)
    itemRows.reserveCapacity(estimate)
    if layout.time != nil { times.reserve(estimate) }
    if layout.rating != nil { ratings.reserveCapacity(estimate) }
    bytes.withUnsafeBufferPointer { parse($0, layout, skipping) }
  }

  private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ layout: EventLayout, _ skipping: Int) {
    guard let base = bytes.baseAddress else { return }
    let capacity = 4096
    let fields = UnsafeMutablePointer<Range<Int>>.allocate(capacity: capacity)
    defer { fields.deallocate() }
    var index = 0
    var left = skipping
    while index < bytes.count {
      let start = index
      let found = memchr(base + start, 0x0a, bytes.count - start)
      var stop = found.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - base } ?? bytes.count
      index = stop + 1
      lines += 1
      if stop > start && base[stop - 1] == 0x0d { stop -= 1 }
      if stop == start { continue }
      // The header is the first line that is not empty.
      if left > 0 {
        left -= 1
        continue
      }
      let line = UnsafeBufferPointer(start: base + start, count: stop - start)
      if layout.quotes && memchr(base + start, 0x22, stop - start) != nil {
        quoted(line, layout)
        continue
      }
      let count = Self.cut(line, layout.separator, fields, capacity)
      if let wanted = layout.fieldCount ?? (count < layout.needed ? layout.needed : nil), count != wanted {
        reject(1, "expected \(layout.expected), found \(count) field\(count == 1 ? "" : "s")")
        continue
      }
      add(line, layout) {
        UnsafeBufferPointer(rebasing: line[fields[$0]])
      } column: {
        fields[$0].lowerBound + 1
      } isQuoted: { _ in
        false
      }
    }
  }

  /// Splits a line into fields. Returns their number, at most `capacity`.
  @inline(__always)
  private static func cut(
    _ line: UnsafeBufferPointer<UInt8>, _ separator: EventLayout.Separator, _ fields: UnsafeMutablePointer<Range<Int>>, _ capacity: Int
  ) -> Int {
    var count = 0
    var start = 0
    var i = 0
    switch separator {
    case .byte(let byte):
      while i < line.count {
        if line[i] == byte {
          if count < capacity { fields[count] = start..<i }
          count += 1
          start = i + 1
        }
        i += 1
      }
    case .colons:
      while i + 1 < line.count {
        if line[i] == 0x3a && line[i + 1] == 0x3a {
          if count < capacity { fields[count] = start..<i }
          count += 1
          start = i + 2
          i += 2
        } else {
          i += 1
        }
      }
    case .blanks:
      while i < line.count {
        while i < line.count && (line[i] == 0x20 || line[i] == 0x09) { i += 1 }
        start = i
        while i < line.count && line[i] != 0x20 && line[i] != 0x09 { i += 1 }
        if i > start {
          if count < capacity { fields[count] = start..<i }
          count += 1
        }
      }
      return min(count, capacity)
    }
    if count < capacity { fields[count] = start..<line.count }
    return min(count + 1, capacity)
  }

  /// Parses a line that contains quotes.
  private mutating func quoted(_ line: UnsafeBufferPointer<UInt8>, _ layout: EventLayout) {
    guard case .byte(let separator) = layout.separator else { return }
    var fields: [(bytes: [UInt8], column: Int, isQuoted: Bool)] = []
    var i = 0
    while true {
      var field: [UInt8] = []
      let column = i + 1
      // Blanks between a separator and a quote are ignored.
      var first = i
      while first < line.count && line[first] == 0x20 && separator != 0x20 { first += 1 }
      let isQuoted = first < line.count && line[first] == 0x22
      if isQuoted {
        i = first + 1
        while true {
          guard i < line.count else {
            reject(column, "this quote is not closed on its line")
            return
          }
          if line[i] == 0x22 {
            i += 1
            guard i < line.count, line[i] == 0x22 else { break }
          }
          field.append(line[i])
          i += 1
        }
        while i < line.count && line[i] == 0x20 && separator != 0x20 { i += 1 }
        guard i == line.count || line[i] == separator else {
          reject(i + 1, "there is other text after a closing quote; a quote inside of quotes is written twice")
          return
        }
      } else {
        while i < line.count && line[i] != separator {
          field.append(line[i])
          i += 1
        }
      }
      fields.append((field, column, isQuoted))
      if i >= line.count { break }
      i += 1
    }
    if let wanted = layout.fieldCount ?? (fields.count < layout.needed ? layout.needed : nil), fields.count != wanted {
      reject(1, "expected \(layout.expected), found \(fields.count) field\(fields.count == 1 ? "" : "s")")
      return
    }
    let storage = fields.map { field -> UnsafeMutableBufferPointer<UInt8> in
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, field.bytes.count))
      _ = copy.initialize(from: field.bytes)
      return UnsafeMutableBufferPointer(rebasing: copy[..<field.bytes.count])
    }
    defer { storage.forEach { $0.baseAddress?.deallocate() } }
    add(line, layout) {
      UnsafeBufferPointer(storage[$0])
    } column: {
      fields[$0].column
    } isQuoted: {
      fields[$0].isQuoted
    }
  }

  @inline(__always)
  private static func trimmed(_ field: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var (low, high) = (0, field.count)
    while low < high && (field[low] == 0x20 || field[low] == 0x09) { low += 1 }
    while high > low && (field[high - 1] == 0x20 || field[high - 1] == 0x09) { high -= 1 }
    return low == 0 && high == field.count ? field : UnsafeBufferPointer(rebasing: field[low..<high])
  }

  /// Whether an id is missing. Blanks alone are a missing id, unless they are in quotes.
  @inline(__always)
  private static func isMissing(_ name: UnsafeBufferPointer<UInt8>, _ isQuoted: Bool) -> Bool {
    guard let first = name.first else { return true }
    return (first == 0x20 || first == 0x09) && !isQuoted && trimmed(name).isEmpty
  }

  static let notUTF8 = "this is not UTF-8 text (iconv -f latin1 -t utf8 makes it of Latin-1)"

  static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
  }

  /// Adds the interaction of a line.
  @inline(__always)
  private mutating func add(
    _ line: UnsafeBufferPointer<UInt8>, _ layout: EventLayout, field: (Int) -> UnsafeBufferPointer<UInt8>, column: (Int) -> Int,
    isQuoted: (Int) -> Bool
  ) {
    let user = field(layout.user)
    let item = field(layout.item)
    for (name, index) in [(user, layout.user), (item, layout.item)] where Self.isMissing(name, isQuoted(index)) {
      reject(column(index), "the \(index == layout.user ? "user" : "item") is missing here")
      return
    }
    if !Self.isUTF8(user) || !Self.isUTF8(item) {
      reject(column(Self.isUTF8(user) ? layout.item : layout.user), Self.notUTF8)
      return
    }
    var time = Moment(whole: 0)
    if let index = layout.time {
      let text = Self.trimmed(field(index))
      guard let found = Moments.parse(text) else {
        reject(
          column(index), "expected a time in Unix seconds or an ISO date, found \"\(String(decoding: text.prefix(40), as: UTF8.self))\"")
        return
      }
      time = found
    }
    if let index = layout.rating {
      let text = Self.trimmed(field(index))
      let rating = Self.rating(text)
      if rating == nil {
        if layout.needsRating {
          reject(column(index), "expected a rating, found \"\(String(decoding: text.prefix(40), as: UTF8.self))\"")
          return
        }
        oddRatings += 1
      }
      ratings.append(rating ?? 0)
    }
    if layout.time != nil { times.append(time) }
    userRows.append(users.number(user))
    itemRows.append(items.number(item))
  }

  @inline(__always)
  static func rating(_ text: UnsafeBufferPointer<UInt8>) -> Float? {
    // Fast path for texts such as 4 and 3.5: it creates no string.
    if text.count == 1 || (text.count == 3 && text[1] == 0x2e) {
      let whole = text[0] &- 0x30
      let tenth = text.count == 3 ? text[2] &- 0x30 : 0
      if whole <= 9 && tenth <= 9 { return Float(whole) + Float(tenth) / 10 }
    }
    guard let value = Float(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
    return value
  }
}

extension Histories {
  /// Reads blocks of lines, parses them in parallel, and merges them in the order of the file. So the result does not depend
  /// on the number of threads.
  ///
  /// - Parameter first: the first block, which has been read already to detect the format.
  static func events(
    _ reader: BlockReader, first: [UInt8], options: ReadingOptions, hasTimes: Bool, hasRatings: Bool, _ notes: inout [String],
    _ watch: ReadingWatch?, parse: @escaping @Sendable ([UInt8], _ isFirst: Bool) -> EventBlock
  ) throws -> Histories {
    var columns = EventColumns()
    var pending: [[UInt8]] = [first]
    var isFirst = true
    let threads = options.pool?.threads ?? 1
    while true {
      while pending.count < 2 * threads, let block = try reader.next() { pending.append(block) }
      if pending.isEmpty { break }
      var blocks = [EventBlock?](repeating: nil, count: pending.count)
      let (texts, atFirst) = (pending, isFirst)
      blocks.withUnsafeMutableBufferPointer { blocks in
        nonisolated(unsafe) let blocks = blocks
        let body: @Sendable (Int, Int) -> Void = { index, _ in blocks[index] = parse(texts[index], atFirst && index == 0) }
        if let pool = options.pool { pool.forEach(texts.count, body) } else { for index in texts.indices { body(index, 0) } }
      }
      if isFirst, let rows = blocks.first??.userRows.count, rows > 0, reader.progress > 0 {
        let bytes = Double(texts.reduce(0) { $0 + $1.count })
        let all = bytes / reader.progress * 1.02 * Double(rows) / Double(max(1, texts[0].count))
        columns.reserve(min(Int(all), 1 << 31), times: hasTimes, ratings: hasRatings)
      }
      pending = []
      isFirst = false
      for block in blocks { if let block { columns.append(block) } }
      reader.interactions = columns.count
      if let watch, !watch(reader.progress, columns.count) { throw ReadingStopped() }
    }
    if let problem = columns.problem {
      let others = columns.problems - 1
      guard options.skipsErrors else {
        throw DataError(
          problem.message + (others > 0 ? "; \(others) more line\(others == 1 ? "" : "s") cannot be read either" : ""),
          help: "correct the file, or leave such lines out with on_error: skip", file: reader.path, line: problem.line,
          column: problem.column)
      }
      notes.append(
        "\(columns.problems) line\(others == 0 ? "" : "s") of \(reader.path) left out; the first is line \(problem.line): \(problem.message)"
      )
    }
    if columns.oddRatings > 0 {
      notes.append("ratings are not kept: \(columns.oddRatings) of them are not numbers")
    }
    return try columns.histories(source: reader.path, unit: options.timeUnit, pool: options.pool, &notes)
  }
}
