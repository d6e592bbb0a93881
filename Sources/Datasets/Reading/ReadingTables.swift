import Foundation

/// The first lines of a file, from which its format and its columns are detected.
struct TableHead {
  let path: String
  /// The member of an archive that is read; nil for other files.
  let member: String?
  /// The first lines that are not empty, without line breaks.
  let lines: [String]

  /// The largest number of lines.
  private static let maximumLines = 100

  init(_ path: String, member: String? = nil, _ block: [UInt8]) {
    self.path = path
    self.member = member
    var lines: [String] = []
    // The first line is read completely, whatever its length.
    let size = max(1 << 16, block.firstIndex(of: 0x0a) ?? block.count)
    let all = block.prefix(size).split(separator: 0x0a, maxSplits: Self.maximumLines, omittingEmptySubsequences: true)
    // The rest after the last split is not one line, and the last line of a prefix may be cut.
    let isCut = all.count > Self.maximumLines || block.count > size && all.count > 1
    for line in all.dropLast(isCut ? 1 : 0) {
      let text = line.last == 0x0d ? line.dropLast() : line
      if !text.isEmpty { lines.append(String(decoding: text, as: UTF8.self)) }
    }
    self.lines = lines
  }

  static let userNames = ["user", "userid", "user_id", "customer", "customer_id", "session", "session_id", "visitorid"]
  static let itemNames = ["item", "itemid", "item_id", "movie", "movieid", "movie_id", "product", "product_id", "sku"]
  static let timeNames = ["time", "timestamp", "date", "datetime", "unixtime"]
  static let ratingNames = ["rating", "stars", "score"]

  // MARK: Columns

  /// The column names in the first line; empty for a file without a header.
  var columnNames: [String] {
    guard let line = lines.first, !line.contains("::") else { return [] }
    if line.hasPrefix("{") { return JSONHead(line)?.keys.filter { $0 != "events" } ?? [] }
    return Self.cells(line, Self.separator(line)).map { cell in
      // The types of RecBole are not part of a name.
      cell.split(separator: ":").first.map(String.init) ?? cell
    }.filter { name in !name.isEmpty && Double(name) == nil }
  }

  /// The columns of the user, the list of items, the target and the length of the list in a benchmark file of RecBole; nil for
  /// other files.
  var listColumns: (user: Int?, list: Int, target: Int?, length: Int?)? {
    guard let line = lines.first else { return nil }
    let cells = Self.cells(line, 0x09)
    let lists = cells.indices.filter { cells[$0].hasSuffix(":token_seq") }
    guard let list = lists.first(where: { cells[$0].hasPrefix("item_id_list:") }) ?? (lists.count == 1 ? lists.first : nil) else {
      return nil
    }
    func token(_ names: [String]) -> Int? {
      cells.firstIndex { cell in cell.hasSuffix(":token") && names.contains(cell.dropLast(6).lowercased()) }
    }
    return (token(Self.userNames), list, token(Self.itemNames), cells.firstIndex(of: "item_length:float"))
  }

  // MARK: Layout

  /// The layout of the lines.
  ///
  /// - Returns: the layout, and whether the first line is a header.
  /// - Throws: `DataError` if a column does not exist, or if it is not clear which column is meant.
  func layout(_ format: DataFormat, _ options: ReadingOptions, _ notes: inout [String]) throws(DataError) -> (EventLayout, hasHeader: Bool)
  {
    if let pad = options.pad {
      throw DataError(
        "\(format == .movielens ? "ratings are" : "a table is") not padded, so pad: \"\(pad)\" has no effect", help: "leave it out",
        argument: "pad")
    }
    switch format {
    case .movielens where lines.first?.contains("::") ?? false:
      try rejectColumns(options, "ratings.dat has no named columns")
      return (ratings(.colons, "user::item::rating::time"), false)
    case .movielens where lines.first?.lowercased().hasPrefix("userid") == false:
      try rejectColumns(options, "u.data has no named columns")
      return (ratings(.byte(0x09), "user, item, rating, time, separated by tabs"), false)
    case .pairs:
      try rejectColumns(options, "a file of pairs has no named columns")
      return (EventLayout(separator: .blanks, user: 0, item: 1, fieldCount: 2, expected: "2 fields, user and item"), false)
    default: return try table(options, isInter: format == .inter, &notes)
    }
  }

  private func ratings(_ separator: EventLayout.Separator, _ fields: String) -> EventLayout {
    EventLayout(
      separator: separator, user: 0, item: 1, time: 3, rating: 2, fieldCount: 4, expected: "4 fields, \(fields)", needsRating: true)
  }

  /// Throws if a column is given for a format without named columns.
  private func rejectColumns(_ options: ReadingOptions, _ why: String) throws(DataError) {
    for (argument, column) in [("user", options.user), ("item", options.item), ("time", options.time), ("rating", options.rating)] {
      if let column { throw DataError("\(why), so \(argument): \(column.text) has no effect", help: "leave it out", argument: argument) }
    }
  }

  private func table(_ options: ReadingOptions, isInter: Bool, _ notes: inout [String]) throws(DataError) -> (EventLayout, hasHeader: Bool)
  {
    guard let line = lines.first else { throw DataError("the file has no interactions", file: path, argument: "file") }
    let separator = options.separator ?? (isInter ? 0x09 : Self.separator(line))
    // If the columns are given by number, the table is assumed to have no header.
    let byNumber = [options.user, options.item].allSatisfy { if case .number = $0 { true } else { false } }
    let hasHeader = options.header ?? !byNumber
    let cells = Self.cells(line, separator)
    let names = hasHeader ? cells.map { isInter ? String($0.prefix { $0 != ":" }) : $0 } : cells.indices.map { "column \($0 + 1)" }
    func columnIndex(_ given: ColumnName?, _ usual: [String], _ argument: String) throws(DataError) -> Int? {
      switch given {
      case .number(let number):
        guard (1...names.count).contains(number) else {
          throw DataError("there is no column \(number): the lines have \(names.count)", file: path, line: 1, argument: argument)
        }
        return number - 1
      case .name(let name):
        guard names.filter({ $0 == name }).count < 2 else {
          throw DataError(
            "several columns are called \"\(name)\"",
            help: "give its number, and header: true: \(argument): \((names.firstIndex(of: name) ?? 0) + 1)", file: path, line: 1,
            argument: argument)
        }
        if let index = names.firstIndex(of: name) ?? cells.firstIndex(of: name) { return index }
        throw DataError(
          "there is no column \"\(name)\"",
          help: hasHeader ? "the columns are: \(names.joined(separator: ", "))" : "without a header columns are given by number",
          file: path,
          line: 1, argument: argument)
      case nil: return hasHeader ? names.firstIndex { usual.contains($0.lowercased()) } : nil
      }
    }
    func required(_ given: ColumnName?, _ usual: [String], _ argument: String) throws(DataError) -> Int {
      if let index = try columnIndex(given, usual, argument) { return index }
      throw DataError(
        "no column looks like the \(argument)", help: hasHeader ? columnsHelp(names, separator) : "name it: \(argument): 2", file: path,
        line: 1)
    }
    let user = try required(options.user, Self.userNames, "user")
    let item = try required(options.item, Self.itemNames, "item")
    guard user != item else {
      throw DataError("user and item are the same column, \"\(names[user])\"", file: path, line: 1, argument: "item")
    }
    let time = try columnIndex(options.time, Self.timeNames, "time")
    let rating = try columnIndex(options.rating, Self.ratingNames, "rating")
    if hasHeader { try rejectAmbiguousColumns(options, names, separator, time: time) }
    if options.user == nil || options.item == nil {
      notes.append(
        "columns: user \(names[user]), item \(names[item])"
          + (time.map { ", time \(names[$0])" } ?? ", no time: rows are taken in the order of the file"))
    }
    return (
      EventLayout(
        separator: .byte(separator), user: user, item: item, time: time, rating: rating, fieldCount: names.count, quotes: true,
        expected: "\(names.count) fields as in the \(hasHeader ? "header" : "first line")", needsRating: options.rating != nil), hasHeader
    )
  }

  /// Throws if a column is not named and several columns could be meant.
  private func rejectAmbiguousColumns(_ options: ReadingOptions, _ names: [String], _ separator: UInt8, time: Int?) throws(DataError) {
    for (argument, given, usual) in [
      ("user", options.user, Self.userNames), ("item", options.item, Self.itemNames), ("time", options.time, Self.timeNames),
    ] where given == nil {
      let possible = names.filter { usual.contains($0.lowercased()) }
      if possible.count > 1 {
        throw DataError(
          "several columns look like the \(argument): \(possible.joined(separator: ", "))", help: columnsHelp(names, separator), file: path,
          line: 1)
      }
    }
    // If user and item are both named, the caller may have left the time out on purpose.
    guard time == nil, options.user == nil || options.item == nil,
      let index = SuggestedCall(path, member: member, names: names, rows: rows(separator)).time
    else { return }
    throw DataError(
      "column \"\(names[index])\" looks like the time, but may be something else", help: columnsHelp(names, separator), file: path, line: 1)
  }

  /// A help text with a suggested call and the column names.
  private func columnsHelp(_ names: [String], _ separator: UInt8) -> String {
    "name the columns: \(SuggestedCall(path, member: member, names: names, rows: rows(separator)).text); the columns are: \(names.joined(separator: ", "))"
  }

  /// The fields of the first lines after the header.
  private func rows(_ separator: UInt8) -> [[String]] { lines.dropFirst().map { Self.cells($0, separator) } }

  /// The separator of a line: the first of comma, tab, semicolon, bar and blank that it contains.
  static func separator(_ line: String) -> UInt8 {
    [0x2c, 0x09, 0x3b, 0x7c, 0x20].first { line.utf8.contains($0) } ?? 0x2c
  }

  /// The fields of a line, without quotes and without blanks at their ends.
  static func cells(_ line: String, _ separator: UInt8) -> [String] {
    var cells: [[UInt8]] = [[]]
    var isQuoted = false
    for byte in line.utf8 {
      if byte == 0x22 {
        isQuoted.toggle()
      } else if byte == separator && !isQuoted {
        cells.append([])
      } else {
        cells[cells.count - 1].append(byte)
      }
    }
    return cells.map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespaces) }
  }
}
