import Foundation

/// Tables of interactions: which columns there are, and where.
struct TableHead {
  let path: String
  /// The first lines, without their ends.
  let lines: [String]

  /// So many lines are looked at.
  private static let most = 100

  init(_ path: String, _ block: [UInt8]) {
    self.path = path
    var lines: [String] = []
    // The first one whole, however long it is.
    let size = max(1 << 16, block.firstIndex(of: 0x0a) ?? block.count)
    let all = block.prefix(size).split(separator: 0x0a, maxSplits: Self.most, omittingEmptySubsequences: true)
    // What stands behind the last split is not one line, and the last line of a part may be cut.
    let isCut = all.count > Self.most || block.count > size && all.count > 1
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

  /// Fields of the first line as they could be named; none of a file without a header.
  var columnNames: [String] {
    guard let line = lines.first, !line.contains("::") else { return [] }
    if line.hasPrefix("{") { return JSONHead(line)?.keys.filter { $0 != "events" } ?? [] }
    return Self.cells(line, Self.separator(line)).map { cell in
      // RecBole's types are no part of a name.
      cell.split(separator: ":").first.map(String.init) ?? cell
    }.filter { name in !name.isEmpty && Double(name) == nil }
  }

  /// Where the user, the items he had, and the one that followed stand in RecBole's benchmark files; nil for others.
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

  // MARK: Where are the columns?

  /// - Returns: the layout, and whether the first line is the header.
  func layout(_ format: DataFormat, _ options: ReadingOptions, _ notes: inout [String]) throws(DataError) -> (EventLayout, hasHeader: Bool)
  {
    if let pad = options.pad {
      throw DataError(
        "\(format == .movielens ? "ratings are" : "a table is") not padded, so pad: \"\(pad)\" says nothing", help: "leave it out",
        argument: "pad")
    }
    switch format {
    case .movielens where lines.first?.contains("::") ?? false:
      try refuseColumns(options, "ratings.dat has no named columns")
      return (ratings(.colons, "user::item::rating::time"), false)
    case .movielens where lines.first?.lowercased().hasPrefix("userid") == false:
      try refuseColumns(options, "u.data has no named columns")
      return (ratings(.byte(0x09), "user, item, rating, time, separated by tabs"), false)
    case .pairs:
      try refuseColumns(options, "a file of pairs has no named columns")
      return (EventLayout(separator: .blanks, user: 0, item: 1, fieldCount: 2, expected: "2 fields, user and item"), false)
    default: return try table(options, isInter: format == .inter, &notes)
    }
  }

  private func ratings(_ separator: EventLayout.Separator, _ fields: String) -> EventLayout {
    EventLayout(
      separator: separator, user: 0, item: 1, time: 3, rating: 2, fieldCount: 4, expected: "4 fields, \(fields)", needsRating: true)
  }

  private func refuseColumns(_ options: ReadingOptions, _ why: String) throws(DataError) {
    for (argument, column) in [("user", options.user), ("item", options.item), ("time", options.time), ("rating", options.rating)] {
      if let column { throw DataError("\(why), so \(argument): \(column.told) says nothing", help: "leave it out", argument: argument) }
    }
  }

  private func table(_ options: ReadingOptions, isInter: Bool, _ notes: inout [String]) throws(DataError) -> (EventLayout, hasHeader: Bool)
  {
    guard let line = lines.first else { throw DataError("the file has no interactions", file: path, argument: "file") }
    let separator = options.separator ?? (isInter ? 0x09 : Self.separator(line))
    // Columns that are given by number need no names.
    let byNumber = [options.user, options.item].allSatisfy { if case .number = $0 { true } else { false } }
    let hasHeader = options.header ?? !byNumber
    let cells = Self.cells(line, separator)
    let names = hasHeader ? cells.map { isInter ? String($0.prefix { $0 != ":" }) : $0 } : cells.indices.map { "column \($0 + 1)" }
    func place(_ given: ColumnName?, _ usual: [String], _ argument: String) throws(DataError) -> Int? {
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
    func needed(_ given: ColumnName?, _ usual: [String], _ argument: String) throws(DataError) -> Int {
      if let index = try place(given, usual, argument) { return index }
      throw DataError(
        "no column looks like the \(argument)", help: hasHeader ? columnsHelp(names, separator) : "name it: \(argument): 2", file: path,
        line: 1)
    }
    let user = try needed(options.user, Self.userNames, "user")
    let item = try needed(options.item, Self.itemNames, "item")
    guard user != item else {
      throw DataError("user and item are the same column, \"\(names[user])\"", file: path, line: 1, argument: "item")
    }
    let time = try place(options.time, Self.timeNames, "time")
    let rating = try place(options.rating, Self.ratingNames, "rating")
    if hasHeader { try refuseDoubt(options, names, separator, time: time) }
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

  /// Columns that were not named are taken only where one alone can be meant.
  private func refuseDoubt(_ options: ReadingOptions, _ names: [String], _ separator: UInt8, time: Int?) throws(DataError) {
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
    // Who names both columns may want the order of the file.
    guard time == nil, options.user == nil || options.item == nil,
      let index = SuggestedCall(path, names: names, rows: rows(separator)).time
    else { return }
    throw DataError(
      "column \"\(names[index])\" looks like the time, but may be something else", help: columnsHelp(names, separator), file: path, line: 1)
  }

  /// What to write instead, and what there is.
  private func columnsHelp(_ names: [String], _ separator: UInt8) -> String {
    "say which columns these are: \(SuggestedCall(path, names: names, rows: rows(separator)).text); the columns are: \(names.joined(separator: ", "))"
  }

  /// The fields of the first lines behind the header.
  private func rows(_ separator: UInt8) -> [[String]] { lines.dropFirst().map { Self.cells($0, separator) } }

  static func separator(_ line: String) -> UInt8 {
    [0x2c, 0x09, 0x3b, 0x7c, 0x20].first { line.utf8.contains($0) } ?? 0x2c
  }

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
