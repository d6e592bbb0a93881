extension TextFile {
  /// MovieLens: `ratings.dat` (`user::item::rating::time`) or `ratings.csv` (`userId,movieId,rating,timestamp`).
  func movieLens(_ options: ReadingOptions, _ notes: inout [String]) throws -> Histories {
    var isDat: Bool?
    forEachLine { _, line in
      if isDat == nil { isDat = text(line).contains("::") }
    }
    if let pad = options.pad {
      throw DataError("ratings are not padded, so pad: \"\(pad)\" says nothing", help: "leave it out", argument: "pad")
    }
    if isDat == true, let column = options.user ?? options.item ?? options.time {
      throw DataError(
        "ratings.dat has no named columns, so \"\(column)\" says nothing", help: "leave it out",
        argument: options.user != nil ? "user" : options.item != nil ? "item" : "time")
    }
    if isDat != true { return try table(options, &notes) }
    var rows = EventRows()
    try forEachLine { number, line in
      var starts = [line.lowerBound]
      var ends: [Int] = []
      var i = line.lowerBound
      while i + 1 < line.upperBound {
        if bytes[i] == 0x3a && bytes[i + 1] == 0x3a {
          ends.append(i)
          starts.append(i + 2)
          i += 2
        } else {
          i += 1
        }
      }
      ends.append(line.upperBound)
      guard starts.count == 4 else {
        throw error(
          "expected 4 fields, user::item::rating::time, found \(starts.count)", line: number, column: 1)
      }
      let fields = zip(starts, ends).map { $0..<$1 }
      try rows.add(self, number, line, user: fields[0], item: fields[1], time: fields[3])
    }
    return rows.histories(source: path)
  }

  /// A table with a header: `user`, `item` and, where there is one, `time` columns by name; extra columns are ignored.
  func table(_ options: ReadingOptions, _ notes: inout [String]) throws -> Histories {
    if let pad = options.pad {
      throw DataError("a table is not padded, so pad: \"\(pad)\" says nothing", help: "leave it out", argument: "pad")
    }
    var columns: (user: Int, item: Int, time: Int?, count: Int)?
    var separator: UInt8 = 0x2c
    var rows = EventRows()
    var found: [String] = []
    try forEachLine { number, line in
      guard let columns else {
        separator = [0x2c, 0x09, 0x3b, 0x7c].first { bytes[line].contains($0) } ?? 0x2c
        let header = fields(line, separator).map { unquoted(text(trimmed($0))) }
        columns = try self.columns(header, options, line: number)
        if let chosen = columns {
          found = [header[chosen.user], header[chosen.item]] + (chosen.time.map { [header[$0]] } ?? [])
        }
        return
      }
      let parts = quotedFields(line, separator)
      guard parts.count == columns.count else {
        throw error("expected \(columns.count) fields as in the header, found \(parts.count)", line: number, column: 1)
      }
      try rows.add(
        self, number, line, user: parts[columns.user], item: parts[columns.item], time: columns.time.map { parts[$0] })
    }
    if options.user == nil || options.item == nil {
      notes.append(
        "columns: user \(found.first ?? "?"), item \(found.dropFirst().first ?? "?")"
          + (found.count > 2 ? ", time \(found[2])" : ", no time: rows are taken in the order of the file"))
    }
    return rows.histories(source: path)
  }

  private func unquoted(_ text: String) -> String {
    text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
  }

  private func columns(_ header: [String], _ options: ReadingOptions, line: Int) throws -> (
    user: Int, item: Int, time: Int?, count: Int
  ) {
    func place(_ given: String?, _ usual: [String], _ argument: String) throws -> Int? {
      if let given {
        if let index = header.firstIndex(of: given) { return index }
        throw DataError(
          "there is no column \"\(given)\"", help: "the columns are: \(header.joined(separator: ", "))", file: path,
          line: line, argument: argument)
      }
      return header.firstIndex { usual.contains($0.lowercased()) }
    }
    guard let user = try place(options.user, Self.userNames, "user") else {
      throw DataError(
        "no column looks like the user", help: "name it: user: \"...\"; the columns are: \(header.joined(separator: ", "))",
        file: path, line: line)
    }
    guard let item = try place(options.item, Self.itemNames, "item") else {
      throw DataError(
        "no column looks like the item", help: "name it: item: \"...\"; the columns are: \(header.joined(separator: ", "))",
        file: path, line: line)
    }
    guard user != item else {
      throw DataError("user and item are the same column, \"\(header[user])\"", file: path, line: line, argument: "item")
    }
    return (user, item, try place(options.time, Self.timeNames, "time"), header.count)
  }

  /// Fields of a line in which separators inside double quotes do not count; the quotes are left out.
  private func quotedFields(_ line: Range<Int>, _ separator: UInt8) -> [Range<Int>] {
    guard bytes[line].contains(0x22) else { return fields(line, separator) }
    var result: [Range<Int>] = []
    var start = line.lowerBound
    var quoted = false
    for i in line {
      if bytes[i] == 0x22 { quoted.toggle() }
      if bytes[i] == separator && !quoted {
        result.append(start..<i)
        start = i + 1
      }
    }
    result.append(start..<line.upperBound)
    return result.map { range in
      let t = trimmed(range)
      return t.count >= 2 && bytes[t.lowerBound] == 0x22 && bytes[t.upperBound - 1] == 0x22
        ? (t.lowerBound + 1)..<(t.upperBound - 1) : t
    }
  }
}

/// Interactions as they are read, before they are grouped by user.
private struct EventRows {
  private var users = Interner()
  private var items = Interner()
  private var userRows: [Int32] = []
  private var itemRows: [Int32] = []
  private var times: [Int64] = []
  private var hasTimes = true

  mutating func add(
    _ file: TextFile, _ number: Int, _ line: Range<Int>, user: Range<Int>, item: Range<Int>, time: Range<Int>?
  ) throws {
    for (name, range) in [("user", user), ("item", item)] {
      if file.trimmed(range).isEmpty {
        throw file.error("the \(name) is missing here", line: number, column: range.lowerBound - line.lowerBound + 1)
      }
      if let bad = file.invalidUTF8(range) {
        throw file.error("this is not UTF-8 text", line: number, column: bad - line.lowerBound + 1)
      }
    }
    if let time {
      let text = file.text(file.trimmed(time))
      guard let seconds = Int64(text) ?? Double(text).flatMap({ Int64(exactly: $0.rounded()) }) else {
        throw file.error(
          "expected a time in Unix seconds, found \"\(text)\"", line: number,
          column: time.lowerBound - line.lowerBound + 1)
      }
      times.append(seconds)
    } else {
      hasTimes = false
    }
    userRows.append(file.number(&users, file.trimmed(user)))
    itemRows.append(file.number(&items, file.trimmed(item)))
  }

  func histories(source: String) -> Histories {
    Histories.grouped(
      users: userRows, items: itemRows, times: hasTimes ? times : nil, itemNames: items.names(),
      userNames: users.names(), source: source)
  }
}
