extension TextFile {
  /// Reads a file with one sequence per line. Padding at one end of the lines is left out.
  ///
  /// - Parameter userFirst: whether the first field of a line is its user. A user may have several lines.
  func sequences(_ options: ReadingOptions, _ notes: inout [String], userFirst: Bool = false) throws -> Histories {
    if let column = options.user ?? options.item ?? options.time {
      throw DataError(
        "a file of sequences has no columns, so \(column.text) has no effect", help: "leave it out, or give format: table",
        argument: options.user != nil ? "user" : options.item != nil ? "item" : "time")
    }
    let header = ownHeader()
    if let header, header.hasUsers != userFirst {
      throw DataError(
        "the lines of this file begin with \(header.hasUsers ? "a user" : "an item"), as its first line says", help: "leave `format` out",
        file: path, line: 1, argument: "format")
    }
    let separator = header == nil ? try sequenceSeparator() : 0x2c
    let isSpaced = try header == nil && separator != 0x20 && separatorHasBlank(separator)
    if isSpaced { notes.append("the blank after each separator is read as a part of it") }
    var rows = ItemRows()
    var users = Interner()
    var owners: [Int32] = []
    var isHeader = header != nil
    try forEachLine { number, line in
      if isHeader {
        isHeader = false
        return
      }
      let all = separator == 0x20 ? words(line) : fields(line, separator, isSpaced: isSpaced)
      if userFirst {
        let user = all.first ?? line.lowerBound..<line.lowerBound
        guard !isBlank(user), all.count >= 2 else {
          throw error(
            "a line is a user and then items", help: "give format: sequences if lines do not begin with a user", line: number,
            column: 1)
        }
        if let bad = invalidUTF8(user) { throw error(EventBlock.notUTF8, line: number, column: bad - line.lowerBound + 1) }
        owners.append(self.number(&users, user))
      }
      let items = all.dropFirst(userFirst ? 1 : 0)
      for item in items {
        if isBlank(item) {
          throw error(
            "an item is missing here", help: "items are separated by single commas (or tabs, or spaces); padding needs a name of its own",
            line: number, column: item.lowerBound - line.lowerBound + 1)
        }
        if let bad = invalidUTF8(item) {
          throw error(EventBlock.notUTF8, line: number, column: bad - line.lowerBound + 1)
        }
        if header == nil, item.count >= 2, bytes[item.lowerBound] == 0x22, bytes[item.upperBound - 1] == 0x22 {
          throw error(
            "this item is in quotes, which files of sequences do not have", help: "remove the quotes; items must not contain the separator",
            line: number, column: item.lowerBound - line.lowerBound + 1)
        }
        rows.items.append(self.number(&rows.interner, item))
      }
      if let header, items.count != header.length {
        throw error(
          "this line has \(items.count) items, the first line names \(header.length)", help: "correct the line", line: number, column: 1)
      }
      if items.count == 1, let other = strangeSeparator(trimmed(line), separator) {
        throw error(
          "items are separated by \(Self.name(separator)) in this file, here by \(Self.name(other))", line: number,
          column: 1)
      }
      rows.endLine(number)
    }
    let pad = try rows.pad(options.pad ?? header?.pad, isCertain: header != nil, mayDiffer: false, self, &notes)
    let names = userFirst ? (owners, users.names()) : nil
    return histories(rows, pad: pad, longest: header?.length ?? rows.longest, users: names, &notes)
  }

  /// Reads a benchmark file of RecBole. Each row has a user, a list of items separated by blanks, and the item that followed.
  /// Each row becomes a history.
  func itemLists(_ head: TableHead, _ options: ReadingOptions, _ notes: inout [String]) throws -> Histories {
    guard let columns = head.listColumns, let line = head.lines.first else { throw DataError("there is no list of items", file: path) }
    for (argument, isGiven) in [
      ("user", options.user != nil), ("item", options.item != nil), ("time", options.time != nil), ("rating", options.rating != nil),
      ("separator", options.separator != nil), ("header", options.header != nil), ("time_unit", options.timeUnit != nil),
    ] where isGiven {
      throw DataError(
        "a file with lists of items is read by the names of its columns, so `\(argument)` has no effect", help: "leave it out",
        argument: argument)
    }
    let width = TableHead.cells(line, 0x09).count
    var rows = ItemRows()
    var targets: [Int32?] = []
    var users = Interner()
    var owners: [Int32] = []
    var isHeader = true
    try forEachLine { number, line in
      if isHeader {
        isHeader = false
        return
      }
      if let bad = invalidUTF8(line) { throw error(EventBlock.notUTF8, line: number, column: bad - line.lowerBound + 1) }
      let cells = try unquoted(line, number)
      guard cells.count == width else {
        throw error("expected \(width) fields as in the header, found \(cells.count)", line: number, column: 1)
      }
      if let user = columns.user {
        guard !cells[user].isEmpty else { throw error("the user is missing here", line: number, column: 1) }
        owners.append(cells[user].withUnsafeBufferPointer { users.number($0) })
      }
      let list = cells[columns.list].split(separator: 0x20)
      if let length = columns.length, Double(String(decoding: cells[length], as: UTF8.self)) != Double(list.count) {
        throw error(
          "the list has \(list.count) items, but its length is given as \"\(String(decoding: cells[length], as: UTF8.self))\"",
          help: "in a file with a column of lengths, lists have no padding", line: number, column: 1)
      }
      for item in list {
        rows.items.append(Array(item).withUnsafeBufferPointer { rows.interner.number($0) })
      }
      if let target = columns.target {
        guard !cells[target].isEmpty else { throw error("the item is missing here", line: number, column: 1) }
        targets.append(cells[target].withUnsafeBufferPointer { rows.interner.number($0) })
      } else {
        targets.append(nil)
      }
      rows.endLine(number)
    }
    // Only the lists can be padded; the targets follow them in a column of their own.
    let pad = try columns.length == nil ? rows.pad(options.pad, isCertain: false, mayDiffer: true, self, &notes) : nil
    rows.append(targets, pad: pad)
    notes.append("each row is a history; rows of one user may share items, which split(by: user) keeps in one part")
    return histories(rows, pad: pad, longest: rows.longest, users: columns.user == nil ? nil : (owners, users.names()), &notes)
  }

  /// The fields between tabs, without quotes around them.
  private func unquoted(_ line: Range<Int>, _ number: Int) throws(DataError) -> [[UInt8]] {
    var cells: [[UInt8]] = []
    var i = line.lowerBound
    while true {
      var cell: [UInt8] = []
      if i < line.upperBound, bytes[i] == 0x22 {
        let start = i
        i += 1
        while true {
          guard i < line.upperBound else {
            throw error("this quote is not closed on its line", line: number, column: start - line.lowerBound + 1)
          }
          if bytes[i] == 0x22 {
            i += 1
            guard i < line.upperBound, bytes[i] == 0x22 else { break }
          }
          cell.append(bytes[i])
          i += 1
        }
      }
      while i < line.upperBound, bytes[i] != 0x09 {
        cell.append(bytes[i])
        i += 1
      }
      cells.append(cell)
      if i >= line.upperBound { return cells }
      i += 1
    }
  }

  /// The header if the first line that is not empty is one that `save` wrote.
  private func ownHeader() -> SequenceHeader? {
    guard let start = bytes.firstIndex(where: { $0 != 0x0a && $0 != 0x0d }) else { return nil }
    return SequenceHeader(text(start..<(bytes[start...].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? bytes.count)))
  }

  /// The separator of a line that does not contain the separator of the file; nil if it has none.
  private func strangeSeparator(_ line: Range<Int>, _ separator: UInt8) -> UInt8? {
    [0x2c, 0x09, 0x3b, 0x20].first { $0 != separator && bytes[line].contains($0) }
  }

  private static func name(_ separator: UInt8) -> String {
    [0x2c: "commas", 0x09: "tabs", 0x3b: "semicolons", 0x20: "blanks"][separator] ?? "something else"
  }

  /// The separator of the first line that has one.
  private func sequenceSeparator() throws -> UInt8 {
    var found: UInt8?
    try forEachLine { _, line in
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

  /// The beginning of the range if its bytes are not valid UTF-8; nil if they are.
  func invalidUTF8(_ range: Range<Int>) -> Int? {
    // ASCII is the usual case and needs no decoding.
    guard bytes[range].contains(where: { $0 >= 0x80 }) else { return nil }
    return String(validating: bytes[range], as: UTF8.self) == nil ? range.lowerBound : nil
  }

  private func histories(
    _ rows: ItemRows, pad: Int32?, longest: Int, users: (owners: [Int32], names: [String])?, _ notes: inout [String]
  ) -> Histories {
    let names = rows.interner.names()
    // Renumber the items: the pad becomes 0, all others keep their order.
    let kept = names.indices.filter { Int32($0) != pad }
    var numbers = [Int32](repeating: 0, count: names.count)
    for (index, old) in kept.enumerated() { numbers[old] = Int32(index + 1) }
    var events: [Int32] = []
    events.reserveCapacity(rows.items.count)
    var ends = [0]
    var owners: [Int32] = []
    for line in 0..<rows.count {
      // The pad occurs at one end of the lines only, which has been checked.
      for item in rows.line(line) where item != pad { events.append(numbers[Int(item)]) }
      if events.count > ends[ends.count - 1] {
        ends.append(events.count)
        if let users { owners.append(users.owners[line]) }
      }
    }
    let count = ends.count - 1
    let keptNames = kept.map { names[$0] }
    EventColumns.noteBlanks("items", keptNames, &notes)
    if let users { EventColumns.noteBlanks("users", users.names, &notes) }
    return Histories(
      items: Vocabulary([pad.map { names[Int($0)] } ?? Vocabulary.padName(beside: keptNames)] + keptNames),
      users: Vocabulary(users?.names ?? (0..<count).map { "line \($0 + 1)" }),
      owners: users == nil ? Column(0..<Int32(count)) : Column(owners), offsets: Column(ends), events: Column(events), lineLength: longest,
      hasUsers: users != nil, source: path)
  }
}

/// The items of all lines, with numbers in the order of their first occurrence.
private struct ItemRows {
  var interner = Interner()
  var items: [Int32] = []
  private var offsets = [0]
  private var lineNumbers: [Int] = []

  var count: Int { lineNumbers.count }
  var longest: Int { zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0 }

  func line(_ line: Int) -> ArraySlice<Int32> { items[offsets[line]..<offsets[line + 1]] }

  mutating func endLine(_ number: Int) {
    offsets.append(items.count)
    lineNumbers.append(number)
  }

  /// Removes the padding of every line and appends the line's target.
  mutating func append(_ targets: [Int32?], pad: Int32?) {
    var (all, ends): ([Int32], [Int]) = ([], [0])
    for line in 0..<count {
      all += self.line(line).filter { $0 != pad }
      if let target = targets[line] { all.append(target) }
      ends.append(all.count)
    }
    (items, offsets) = (all, ends)
  }

  /// The number of the item that pads the lines; nil if they are not padded.
  ///
  /// If the pad is not given, it is `<pad>`; or `0` or `-1`, if some line has at least two of them at its front, or at its end and `0`
  /// occurs at the end of lines only.
  ///
  /// - Parameters:
  ///   - given: the name of the pad from the caller or from the header of the file.
  ///   - isCertain: whether the header of the file names the pad.
  ///   - mayDiffer: whether lines can have different lengths. Such lines are not padded with `0`.
  /// - Throws: `DataError` for a pad at both ends or between items, and for padded lines of different lengths.
  func pad(_ given: String?, isCertain: Bool, mayDiffer: Bool, _ file: TextFile, _ notes: inout [String]) throws(DataError) -> Int32? {
    let names = interner.names()
    if let given {
      guard let number = names.firstIndex(of: given).map({ Int32($0) }) else {
        if !isCertain { notes.append("no line is padded: \"\(given)\" does not occur in \(file.path)") }
        return nil
      }
      try checkLengths(number, given, file, isGiven: true)
      return try checked(number, given, file, &notes)
    }
    if let number = names.firstIndex(of: SequenceHeader.usualPad).map({ Int32($0) }) {
      try checkLengths(number, SequenceHeader.usualPad, file, isGiven: false)
      return try checked(number, SequenceHeader.usualPad, file, &notes)
    }
    for name in SequenceHeader.foreignPads {
      if let pad = try guessed(name, names, mayDiffer: mayDiffer, file, &notes) { return pad }
    }
    return nil
  }

  /// The number of an item that usually pads, if it pads these lines.
  private func guessed(_ name: String, _ names: [String], mayDiffer: Bool, _ file: TextFile, _ notes: inout [String]) throws(DataError)
    -> Int32?
  {
    guard let zero = names.firstIndex(of: name).map({ Int32($0) }), !mayDiffer || haveOneLength else { return nil }
    let (front, back) = ends(zero)
    if front.contains(where: { $0 >= 2 }) {
      try checkLengths(zero, name, file, isGiven: false)
      let pad = try checked(zero, name, file, &notes)
      notes.append("items \"\(name)\" in front of lines are read as padding; give pad: \"...\" if they are not")
      return pad
    }
    // The last item of a line is the target, so padding at the end must not be overlooked.
    guard back.contains(where: { $0 >= 1 }), isAtEnds(zero, back: back), longest >= 3 else { return nil }
    guard back.contains(where: { $0 >= 2 }) else {
      // Lines of different lengths are not padded.
      guard haveOneLength else { return nil }
      let line = back.firstIndex { $0 > 0 } ?? 0
      throw DataError(
        "item \"\(name)\" occurs at the end of lines and nowhere else: is it padding, or an item?",
        help: "give pad: \"\(name)\" if it pads, or pad: \"<pad>\" if it is an item", file: file.path, line: lineNumbers[line])
    }
    try checkLengths(zero, name, file, isGiven: false)
    return try checked(zero, name, file, &notes)
  }

  /// How many times the pad occurs in front of each line and at its end. For a line of nothing but pads, both are 0.
  private func ends(_ pad: Int32) -> (front: [Int], back: [Int]) {
    let lines = (0..<count).map { line($0) }.map { $0.allSatisfy { $0 == pad } ? [] : $0 }
    return (lines.map { $0.prefix { $0 == pad }.count }, lines.map { $0.reversed().prefix { $0 == pad }.count })
  }

  /// Whether the pad occurs at the end of lines only.
  private func isAtEnds(_ pad: Int32, back: [Int]) -> Bool {
    (0..<count).allSatisfy { line in
      let items = self.line(line)
      return items.allSatisfy { $0 == pad } || !items.dropLast(back[line]).contains(pad)
    }
  }

  private var haveOneLength: Bool { (0..<count).allSatisfy { line($0).count == line(0).count } }

  /// Checks that all lines have the same length, because padded lines have. The line at fault is the first that does not have
  /// the usual length: the most frequent one; of equally frequent ones, that of a padded line.
  private func checkLengths(_ number: Int32, _ pad: String, _ file: TextFile, isGiven: Bool) throws(DataError) {
    if haveOneLength { return }
    var lengths: [Int: (lines: Int, isPadded: Bool, first: Int)] = [:]
    for index in 0..<count {
      let items = line(index)
      let isPadded = items.first == number || items.last == number
      let before = lengths[items.count] ?? (0, false, index)
      lengths[items.count] = (before.lines + 1, before.isPadded || isPadded, before.first)
    }
    let usual = lengths.max { a, b in
      (a.value.lines, a.value.isPadded ? 1 : 0, -a.value.first) < (b.value.lines, b.value.isPadded ? 1 : 0, -b.value.first)
    }
    guard let usual, let odd = (0..<count).first(where: { line($0).count != usual.key }) else { return }
    let problem = "this line has \(line(odd).count) items, line \(lineNumbers[usual.value.first]) has \(usual.key)"
    throw isGiven
      ? file.error(
        problem,
        help: "lines padded with \"\(pad)\" have the same length: correct the line, or leave `pad:` out if sequences are not padded",
        line: lineNumbers[odd])
      : file.error(
        problem + "; other lines look padded with \"\(pad)\"",
        help: "correct the line; or give pad: \"...\" with the item that pads, if it is not \"\(pad)\"", line: lineNumbers[odd])
  }

  /// Checks that the pad occurs at one end, the same in all lines: that of most padded lines. Anywhere else, it would be read as
  /// an item.
  private func checked(_ pad: Int32, _ name: String, _ file: TextFile, _ notes: inout [String]) throws(DataError) -> Int32 {
    let (front, back) = ends(pad)
    if !front.contains(where: { $0 > 0 }), back.contains(where: { $0 > 0 }), isAtEnds(pad, back: back) {
      notes.append("items \"\(name)\" at the end of lines are read as padding, so the last item of a line is the one before them")
      return pad
    }
    let isBehind = back.count { $0 > 0 } > front.count { $0 > 0 }
    for line in 0..<count {
      let all = self.line(line)
      let items = isBehind ? all.dropLast(back[line]) : all.drop { $0 == pad }
      guard let index = items.firstIndex(of: pad), !all.allSatisfy({ $0 == pad }) else { continue }
      throw file.error(
        "item \(index - offsets[line] + 1) of this line is the pad, \(isBehind ? "before" : "after") items that are not",
        help:
          "sequences are padded at one end, in front or at the end; if this is a real item, name another pad: \"...\"; if lines begin with a user, give format: user_sequences",
        line: lineNumbers[line])
    }
    return pad
  }
}
