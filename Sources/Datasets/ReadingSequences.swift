extension TextFile {
  /// One sequence a line. Items in front that equal the pad are left out.
  ///
  /// - Parameter userFirst: the first field of a line is its user; a user may have several lines.
  func sequences(_ options: ReadingOptions, _ notes: inout [String], userFirst: Bool = false) throws -> Histories {
    if let column = options.user ?? options.item ?? options.time {
      throw DataError(
        "a file of sequences has no columns, so \"\(column)\" says nothing", help: "leave it out, or give format: table",
        argument: options.user != nil ? "user" : options.item != nil ? "item" : "time")
    }
    let separator = sequenceSeparator()
    var interner = Interner()
    var users = Interner()
    var owners: [Int32] = []
    var rows: [Int32] = []
    var offsets = [0]
    var lineNumbers: [Int] = []
    try forEachLine { number, line in
      let all = separator == 0x20 ? words(line) : fields(line, separator)
      if userFirst {
        let user = all.first.map(trimmed) ?? line.lowerBound..<line.lowerBound
        guard !user.isEmpty, all.count >= 2 else {
          throw error(
            "a line is a user and then items", help: "give format: sequences if lines do not begin with a user", line: number,
            column: 1)
        }
        if let bad = invalidUTF8(user) { throw error("this is not UTF-8 text", line: number, column: bad - line.lowerBound + 1) }
        owners.append(self.number(&users, user))
      }
      for field in all.dropFirst(userFirst ? 1 : 0) {
        let item = trimmed(field)
        if item.isEmpty {
          throw error(
            "an item is missing here", help: "items are separated by single commas (or tabs, or spaces); padding needs a name of its own",
            line: number, column: field.lowerBound - line.lowerBound + 1)
        }
        if let bad = invalidUTF8(item) {
          throw error("this is not UTF-8 text", line: number, column: bad - line.lowerBound + 1)
        }
        rows.append(self.number(&interner, item))
      }
      if rows.count == offsets[offsets.count - 1] + 1, let other = strangeSeparator(trimmed(line), separator) {
        throw error(
          "items are separated by \(Self.name(separator)) in this file, here by \(Self.name(other))", line: number,
          column: 1)
      }
      offsets.append(rows.count)
      lineNumbers.append(number)
    }
    let names = interner.names()
    let lengths = zip(offsets, offsets.dropFirst()).map { $1 - $0 }
    let pad = try self.pad(options, names: names, rows: rows, offsets: offsets, lineNumbers: lineNumbers, &notes)
    if let pad { try checkPadding(pad, rows, offsets, lineNumbers) }
    let named = userFirst ? (owners, users.names()) : nil
    return stripped(rows, offsets, names: names, pad: pad, longest: lengths.max() ?? 0, users: named)
  }

  /// Another separator in a line that has none of the file's.
  private func strangeSeparator(_ line: Range<Int>, _ separator: UInt8) -> UInt8? {
    [0x2c, 0x09, 0x3b, 0x20].first { $0 != separator && bytes[line].contains($0) }
  }

  private static func name(_ separator: UInt8) -> String {
    [0x2c: "commas", 0x09: "tabs", 0x3b: "semicolons", 0x20: "blanks"][separator] ?? "something else"
  }

  private func sequenceSeparator() -> UInt8 {
    var found: UInt8?
    forEachLine { _, line in
      if found == nil {
        for candidate: UInt8 in [0x2c, 0x09, 0x3b, 0x20] where bytes[line].contains(candidate) && found == nil {
          found = candidate
        }
      }
    }
    return found ?? 0x2c
  }

  private func words(_ line: Range<Int>) -> [Range<Int>] {
    fields(line, 0x20).filter { !$0.isEmpty }
  }

  /// Place of the first byte that is not part of valid UTF-8.
  func invalidUTF8(_ range: Range<Int>) -> Int? {
    // Plain ASCII, the usual case, is decided without decoding.
    guard bytes[range].contains(where: { $0 >= 0x80 }) else { return nil }
    return String(validating: bytes[range], as: UTF8.self) == nil ? range.lowerBound : nil
  }

  /// The pad's number. Named: all lines must then be equally long, for that is what padding is for. Not named: `0`,
  /// where it stands in front of lines that are all equally long and nowhere else.
  private func pad(
    _ options: ReadingOptions, names: [String], rows: [Int32], offsets: [Int], lineNumbers: [Int],
    _ notes: inout [String]
  ) throws -> Int32? {
    let length = (offsets.count > 1 ? offsets[1] : 0)
    let odd = zip(offsets, offsets.dropFirst()).enumerated().first { $1.1 - $1.0 != length }
    if let pad = options.pad {
      if let odd {
        throw error(
          "this line has \(odd.element.1 - odd.element.0) items, the first line has \(length)",
          help: "lines padded with \"\(pad)\" are all equally long: mend the line, or leave `pad:` out if sequences are not padded",
          line: lineNumbers[odd.offset])
      }
      guard let number = names.firstIndex(of: pad) else {
        notes.append("no line is padded: \"\(pad)\" does not occur in \(path)")
        return nil
      }
      return Int32(number)
    }
    guard let zero = names.firstIndex(of: "0").map({ Int32($0) }) else { return nil }
    let padded = (0..<(offsets.count - 1)).filter { line in
      offsets[line + 1] - offsets[line] >= 2 && rows[offsets[line]] == zero && rows[offsets[line] + 1] == zero
    }
    guard !padded.isEmpty else { return nil }
    if let odd {
      throw error(
        "this line has \(odd.element.1 - odd.element.0) items, the first line has \(length); other lines look padded with \"0\"",
        help: "mend the line; or give pad: \"...\" with the item that pads, if it is not \"0\"", line: lineNumbers[odd.offset])
    }
    notes.append("items \"0\" in front of lines are taken as padding; give pad: \"...\" if they are not")
    return zero
  }

  /// Padding stands in front; anywhere else it would be taken for an item.
  private func checkPadding(_ pad: Int32, _ rows: [Int32], _ offsets: [Int], _ lineNumbers: [Int]) throws {
    for line in 0..<(offsets.count - 1) {
      let items = rows[offsets[line]..<offsets[line + 1]].drop { $0 == pad }
      guard let place = items.firstIndex(of: pad) else { continue }
      throw error(
        "item \(place - offsets[line] + 1) of this line is the pad, after items that are not",
        help:
          "sequences are padded in front; if this is a real item, name another pad: \"...\"; if lines begin with a user, give format: user_sequences",
        line: lineNumbers[line])
    }
  }

  private func stripped(
    _ rows: [Int32], _ offsets: [Int], names: [String], pad: Int32?, longest: Int, users: (owners: [Int32], names: [String])?
  ) -> Histories {
    // Numbers move so that the pad is 0 and all others keep their order.
    let kept = names.indices.filter { Int32($0) != pad }
    var numbers = [Int32](repeating: 0, count: names.count)
    for (place, old) in kept.enumerated() { numbers[old] = Int32(place + 1) }
    var events: [Int32] = []
    events.reserveCapacity(rows.count)
    var ends = [0]
    var owners: [Int32] = []
    for line in 0..<(offsets.count - 1) {
      var start = offsets[line]
      while let pad, start < offsets[line + 1], rows[start] == pad { start += 1 }
      for row in start..<offsets[line + 1] { events.append(numbers[Int(rows[row])]) }
      if events.count > ends[ends.count - 1] {
        ends.append(events.count)
        if let users { owners.append(users.owners[line]) }
      }
    }
    let count = ends.count - 1
    return Histories(
      items: Vocabulary([pad.map { names[Int($0)] } ?? "<pad>"] + kept.map { names[$0] }),
      users: Vocabulary(users?.names ?? (0..<count).map { "line \($0 + 1)" }),
      owners: users == nil ? Column(0..<Int32(count)) : Column(owners), offsets: Column(ends), events: Column(events), lineLength: longest,
      hasUsers: users != nil, source: path)
  }
}
