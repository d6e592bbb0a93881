import Foundation

/// Detects the format of a file from its name and its first lines. If the format is not clear, this is an error that suggests
/// the right call: a table that is read as sequences would train a model on nonsense, and no error would show it.
extension TableHead {
  /// The format of the file.
  ///
  /// - Parameter pad: the item that pads sequences, if the caller knows it.
  /// - Throws: `DataError` with the columns of the file and a suggested call.
  func guessedFormat(pad: String? = nil) throws(DataError) -> DataFormat {
    guard let line = lines.first else { throw DataError("the file has no interactions", file: path, argument: "file") }
    if line.hasPrefix("{") { return try jsonFormat(named: false) }
    if line.drop(while: \.isWhitespace).hasPrefix("["), ["[", "{", "\"", "]"].contains(where: secondSign(line).hasPrefix) {
      throw DataError(
        "\(path) begins with a JSON list, which is not supported", help: "write one object per line, as jq -c '.[]' does: \(shown)",
        argument: "file")
    }
    if let header = SequenceHeader(line) { return header.format }
    if isInter { return .inter }
    if line.lowercased().hasPrefix("userid,movieid,rating") { return .movielens }
    if (plainPath as NSString).lastPathComponent == "u.data" { return .movielens }
    if line.contains("::") { return try colons() }
    let separator = Self.separator(line)
    let known = Set(Self.userNames + Self.itemNames)
    let names = Self.cells(line, separator).map { $0.lowercased() }
    let pieces = line.lowercased().split(whereSeparator: { ",\t;|".contains($0) })
      .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \"")) }
    if (names + pieces).contains(where: known.contains) { return .table }
    return try withoutKnownNames(separator, pad)
  }

  /// Decides between JSON lines of sessions and JSON lines of interactions.
  ///
  /// - Parameter named: whether the caller named columns.
  func jsonFormat(named: Bool) throws(DataError) -> DataFormat {
    // An invalid first line is reported by the reader, with its position, if the others show what the file is.
    guard let line = lines.first, let head = JSONHead(line) ?? lines.dropFirst().lazy.compactMap({ JSONHead($0) }).first else {
      let isPython = lines.first.map { $0.contains("': ") || $0.hasPrefix("{'") || $0.hasPrefix("{u'") } ?? false
      throw DataError(
        "\(path) begins with `{`, but its first line is not a JSON object"
          + (isPython ? ": it is a dictionary as Python prints it" : ""),
        help: "write one JSON object per line, as jq -c . does; \(shown)", file: path, line: 1, argument: "file")
    }
    if head.layout == .sessions { return .sessions }
    let isKnown = [["aid"] + Self.itemNames, Self.userNames].allSatisfy { usual in head.keys.contains(where: usual.contains) }
    let hasTime = head.keys.contains { (["ts"] + Self.timeNames).contains($0) }
    let call = SuggestedCall(path, member: member, names: head.keys, rows: [])
    if named || isKnown && (hasTime || call.time == nil) { return .jsonl }
    throw DataError(
      "it is not clear which of the keys of \(path) are the user and the item: \(head.keys.joined(separator: ", "))",
      help: "name them: \(call.text); \(shown)", argument: "file")
  }

  /// `ratings.dat`.
  private func colons() throws(DataError) -> DataFormat {
    let rows = lines.map { $0.components(separatedBy: "::") }
    let first = rows[0]
    let ids = first.prefix(2).map { $0.trimmingCharacters(in: .whitespaces) }
    if first.count == 4, ids.allSatisfy(CellKind.isPlainID), CellKind.isNumber(first[2]) { return .movielens }
    throw DataError(
      "\(path) has `::` in its first line, but is not a file of user::item::rating::time", help: "give its `format`; \(shown)",
      argument: "file")
  }

  private var plainPath: String {
    let name = (member ?? path).lowercased()
    let ending = [".gz", ".xz", ".bz2", ".zst", ".lz4"].first { name.hasSuffix($0) }
    return String(name.dropLast(ending?.count ?? 0))
  }

  /// Whether it is an atomic file of RecBole, by its name or by the types in its first line.
  var isInter: Bool {
    if plainPath.hasSuffix(".inter") { return true }
    guard let cells = lines.first?.components(separatedBy: "\t") else { return false }
    return cells.allSatisfy { cell in [":token", ":float", ":token_seq", ":float_seq"].contains(where: cell.hasSuffix) }
  }

  /// The line from its second character that is not a blank.
  private func secondSign(_ line: String) -> Substring {
    let rest = line.drop(while: \.isWhitespace).dropFirst().drop(while: \.isWhitespace)
    return rest.isEmpty ? "]" : rest
  }

  // MARK: Files without known names

  /// The format of a file whose first line has no known column names.
  private func withoutKnownNames(_ separator: UInt8, _ pad: String?) throws(DataError) -> DataFormat {
    let isBlank = separator == 0x20 || separator == 0x09
    let rows = lines.map { line in
      separator == 0x20 ? line.split { $0 == " " || $0 == "\t" }.map(String.init) : Self.cells(line, separator)
    }
    let grid = Grid(rows)
    if let pad, grid.isPadded(pad, least: 1) { return .sequences }
    // `<pad>` is the usual name of the pad and no item, so lines that it pads are sequences.
    if grid.isPadded("<pad>", least: 1) { return .sequences }
    if Grid(rows.map { Array($0.dropFirst()) }).isPadded("<pad>", least: 1) { return .userSequences }
    if let header = headerNames(rows) {
      let call = SuggestedCall(path, member: member, names: header, rows: Array(rows.dropFirst()))
      throw unclear("its first line seems to name columns, none of which is known: \(header.joined(separator: ", "))", call)
    }
    if grid.hasTimeColumn {
      throw DataError(
        "\(path) may be a table without a header: \"\(lines[0].prefix(60))\"",
        help:
          "name the columns: \(SuggestedCall(path, member: member, names: nil, rows: rows).text); or give format: sequences if each line is a sequence; \(shown)",
        argument: "file")
    }
    let hasQuotes = lines.contains { $0.contains("\"") }
    let isNarrow = grid.width.map { $0 <= 4 } ?? true
    if !hasQuotes, !isNarrow || !grid.isWhole, grid.isPadded("0", least: 2) { return .sequences }
    if isBlank, rows.count >= 3, grid.width == 2, grid.isIDs, rows.joined().allSatisfy({ $0.contains(where: \.isNumber) }) { return .pairs }
    if !hasQuotes, grid.isSequences(needsNumbers: separator == 0x20) { return .sequences }
    if let odd = grid.oddLine {
      throw unclear(
        "most of its first lines have \(odd.usual) field\(odd.usual == 1 ? "" : "s"), one of them has \(odd.found): \"\(lines[odd.line].prefix(60))\"",
        odd.usual < 2 ? nil : SuggestedCall(path, member: member, names: nil, rows: rows.filter { $0.count == odd.usual }))
    }
    throw unclear(
      grid.width.map { "its first lines have \($0) field\($0 == 1 ? "" : "s") each" } ?? "its first lines are of different lengths",
      grid.width ?? 1 < 2 ? nil : SuggestedCall(path, member: member, names: nil, rows: rows))
  }

  private func unclear(_ why: String, _ call: SuggestedCall?) -> DataError {
    DataError(
      "it is not clear what \(path) is: \(why)",
      help:
        "for a table name the columns: \(call?.text ?? "load(\"\(path)\", user: ..., item: ...)"); give format: sequences if each line is a sequence (pairs, user_sequences, ...); \(shown)",
      argument: "file")
  }

  /// The first lines as text for a message.
  private var shown: String {
    "the first lines are:" + lines.prefix(3).map { "\n  \($0.count > 100 ? $0.prefix(100) + "..." : Substring($0))" }.joined()
  }

  /// The first line if it seems to name columns: a column has numbers below a name without digits, or at least two of its
  /// words are known column names.
  private func headerNames(_ rows: [[String]]) -> [String]? {
    let first = rows[0]
    guard first.count >= 2, !first.contains(where: CellKind.isNumber), !first.contains(where: \.isEmpty) else { return nil }
    let rest = rows.dropFirst().filter { $0.count == first.count }
    let hasNumbersBelow = first.indices.contains { column in
      !rest.isEmpty && rest.allSatisfy { $0[column].contains(where: \.isNumber) } && !first[column].contains(where: \.isNumber)
    }
    return hasNumbersBelow || first.filter(SuggestedCall.isKnown).count >= 2 ? first : nil
  }
}

/// The fields of some lines.
private struct Grid {
  private let rows: [[String]]
  /// The number of fields of every line; nil if the lines differ.
  let width: Int?

  init(_ rows: [[String]]) {
    self.rows = rows
    width = rows.allSatisfy { $0.count == rows[0].count } ? rows.first?.count : nil
  }

  private var cells: [String] { rows.flatMap { $0 } }

  var isWhole: Bool { cells.allSatisfy(CellKind.isWhole) }
  var isIDs: Bool { cells.allSatisfy(CellKind.isPlainID) }

  /// Whether all lines have the same length and the pad occurs only at one end of them, at least `least` times in some line.
  func isPadded(_ pad: String, least: Int) -> Bool {
    guard let width, width >= 2, cells.allSatisfy({ !$0.isEmpty }), cells.contains(where: { $0 != pad }) else { return false }
    let isPad = rows.map { row in row.map { $0 == pad } }
    func isInFront(_ rows: [[Bool]]) -> Bool {
      rows.allSatisfy { row in !row.drop { $0 }.contains(true) } && rows.contains { $0.prefix { $0 }.count >= least }
    }
    // The first lines of a table may all belong to user 0. In sequences, the other items occur in several columns.
    if isInFront(isPad) {
      return pad != "0" || least < 2 || width > 4 && rows.count < 10 || recurrence(but: pad) >= 0.2 && isEven(but: pad)
    }
    // A table may have columns of zeros at the end. In sequences, the other items occur in several columns.
    return isInFront(isPad.map { $0.reversed() })
      && (pad != "0" || width > 4 && isIDs && recurrence(but: pad) >= 0.2 && isEven(but: pad))
  }

  /// Whether some column has only times and another column has none.
  var hasTimeColumn: Bool {
    guard let width, width >= 2 else { return false }
    // A column of padding is not evidence of a table.
    let columns = (0..<width).filter { column in rows.contains { $0[column] != "0" } }
    let share = columns.map { column in rows.filter { CellKind.isTime($0[column]) }.count }
    return share.contains(rows.count) && share.contains(0)
  }

  /// The smallest value, over the columns, of the share of a column's fields that also occur in another column.
  private func recurrence(but pad: String? = nil) -> Double {
    var columns: [String: Set<Int>] = [:]
    for row in rows { for (column, cell) in row.enumerated() { columns[cell, default: []].insert(column) } }
    let longest = rows.map(\.count).max() ?? 0
    let shares = (0..<longest).compactMap { column -> Double? in
      let fields = rows.compactMap { $0.indices.contains(column) && $0[column] != pad ? $0[column] : nil }
      guard !fields.isEmpty, width != nil || fields.count * 3 >= rows.count else { return nil }
      return Double(fields.filter { (columns[$0]?.count ?? 0) > 1 }.count) / Double(fields.count)
    }
    return shares.min() ?? 0
  }

  /// Whether the share of distinct fields is similar in all columns. A table has columns of different kinds, such as users,
  /// ratings and hours.
  private func isEven(but pad: String? = nil) -> Bool {
    let longest = rows.map(\.count).max() ?? 0
    let shares = (0..<longest).compactMap { column -> Double? in
      let fields = rows.compactMap { $0.indices.contains(column) && $0[column] != pad ? $0[column] : nil }
      guard fields.count * 2 >= rows.count else { return nil }
      return Double(Set(fields).count) / Double(fields.count)
    }
    return (shares.min() ?? 0) * 3 >= shares.max() ?? 0
  }

  /// Whether the columns have the same kind of fields, as the positions of sequences do.
  func isSequences(needsNumbers: Bool) -> Bool {
    guard rows.count >= 2, isIDs, isEven(), !needsNumbers || isWhole else { return false }
    // Lines that are numbered begin with a user or a number of the line, not with an item.
    let numbers = rows.map { Int($0[0]) ?? 0 }
    if rows.count >= 5, zip(numbers, numbers.dropFirst()).allSatisfy({ $1 == $0 + 1 }) { return false }
    if let width {
      // Tables of three or four numbers are likelier than sequences of them.
      if width < 3 || width < 5 && isWhole { return false }
      return recurrence() >= (width < 5 ? 0.5 : 0.2)
    }
    let lengths = Dictionary(grouping: rows, by: \.count).mapValues(\.count)
    let longest = lengths.keys.max() ?? 0
    // Histories may be cut at a length that most lines then have. Otherwise no length may be that of most lines.
    let isCut = longest >= 5 && (lengths[longest] ?? 0) * 2 > rows.count
    guard isCut || (lengths.values.max() ?? 0) * 5 <= rows.count * 3 else { return false }
    return recurrence() >= 0.2
  }

  /// A line with another number of fields than most lines.
  var oddLine: (line: Int, usual: Int, found: Int)? {
    let lengths = Dictionary(grouping: rows, by: \.count).mapValues(\.count)
    guard let usual = lengths.max(by: { $0.value < $1.value }), usual.value < rows.count, usual.value * 2 > rows.count,
      let line = rows.firstIndex(where: { $0.count != usual.key })
    else { return nil }
    return (line, usual.key, rows[line].count)
  }
}
