import Foundation

/// Tables in text files (RFC 4180): quoted cells may hold separators, line breaks and doubled quotes.
public enum CSV {
  struct Problem: Error {
    let message: String
    let line: Int
  }

  struct Cell {
    let text: String
    let isQuoted: Bool

    /// Neither a number nor a text: its column's other cells say what that holds.
    var isEmpty: Bool { text.isEmpty && !isQuoted }

    /// The number that it holds and that holds all of it; nil for what would lose something as a number.
    var number: Double? {
      if isQuoted { return nil }
      if let special = CSV.special[text] { return special }
      guard let number = NumberFormat.parse(text) else { return nil }
      let digits = text.trimmingCharacters(in: .whitespaces).utf8.drop { $0 == 0x2d }
      // 007 is no 7, and +49 no 49.
      if digits.first == 0x2b || digits.first == 0x30 && digits.dropFirst().first.map({ $0 >= 0x30 && $0 <= 0x39 }) ?? false { return nil }
      // Beyond 2^53 two whole numbers become one; what was written as a floating point number is one.
      if abs(number) >= 0x1p53, !digits.contains(where: { $0 == 0x65 || $0 == 0x45 }), NumberFormat.exact(number) != text,
        !digits.elementsEqual("9007199254740992".utf8)
      {
        return nil
      }
      return number
    }

    /// - Parameter isNumber: of its column, as `numeric` says it.
    func value(isNumber: Bool) -> Value {
      if isEmpty { return .nothing }
      return (isNumber ? number.map { .number($0) } : nil) ?? .text(text)
    }
  }

  /// What is no finite number, as `print` writes it.
  private static let special: [String: Double] = ["nan": .nan, "inf": .infinity, "-inf": -.infinity]

  /// Does a text need quotes, so that it is not read as a number?
  private static func looksLikeNumber(_ text: String) -> Bool { special[text] != nil || NumberFormat.parse(text) != nil }

  /// Which columns hold numbers: those all of whose cells, empty ones left out, are numbers as they stand.
  static func numeric(_ rows: some Sequence<Row>, _ work: Work) throws -> [Bool] {
    var numeric: [Bool] = []
    for row in rows {
      try work.step()
      while numeric.count < row.cells.count { numeric.append(true) }
      for (column, cell) in row.cells.enumerated() where numeric[column] && !cell.isEmpty && cell.number == nil {
        numeric[column] = false
      }
    }
    return numeric
  }

  struct Row {
    let line: Int
    /// None of an empty line.
    let cells: [Cell]
  }

  /// - Throws: `Problem` for what is no table, E0801 where someone wants the work to end.
  static func parse(_ bytes: [UInt8], separator: UInt8, _ work: Work) throws -> [Row] {
    var rows: [Row] = []
    var row: [Cell] = []
    var place = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var line = 1
    func text(_ bytes: some Collection<UInt8>) throws(Problem) -> String {
      guard let text = String(validating: Array(bytes), as: UTF8.self) else { throw Problem(message: "this is not UTF-8 text", line: line) }
      return text
    }
    while place < bytes.count {
      try work.step()
      if bytes[place] == 0x22 {
        let opened = line
        var cell: [UInt8] = []
        place += 1
        while true {
          try work.step()
          guard place < bytes.count else { throw Problem(message: "a quoted cell is not closed", line: opened) }
          if bytes[place] == 0x22 {
            place += 1
            guard place < bytes.count, bytes[place] == 0x22 else { break }
          }
          if bytes[place] == 0x0a { line += 1 }
          cell.append(bytes[place])
          place += 1
        }
        row.append(Cell(text: try text(cell), isQuoted: true))
        guard place == bytes.count || [separator, 0x0a, 0x0d].contains(bytes[place]) else {
          throw Problem(message: "text stands behind a quoted cell", line: line)
        }
      } else {
        let start = place
        while place < bytes.count, bytes[place] != separator, bytes[place] != 0x0a { place += 1 }
        let isEnd = place == bytes.count || bytes[place] == 0x0a
        var end = place
        if isEnd && end > start && bytes[end - 1] == 0x0d { end -= 1 }
        if start == end && isEnd && row.isEmpty {
          rows.append(Row(line: line, cells: []))
          place += 1
          line += 1
          continue
        }
        row.append(Cell(text: try text(bytes[start..<end]), isQuoted: false))
      }
      if place < bytes.count && bytes[place] == 0x0d { place += 1 }
      if place < bytes.count && bytes[place] == separator {
        place += 1
        // A separator at the very end has an empty cell behind it.
        if place < bytes.count { continue }
        row.append(Cell(text: "", isQuoted: false))
      }
      rows.append(Row(line: line, cells: row))
      row = []
      place += 1
      line += 1
    }
    return rows
  }

  /// A value in a cell: numbers in full, nil as nothing.
  static func text(_ value: Value, _ work: Work) throws -> String {
    switch value {
    case .nothing: ""
    case .number(let number): number.isFinite ? NumberFormat.exact(number) : NumberFormat.text(number)
    default: try value.printed(work)
    }
  }

  /// A value as a cell that is read back as the same: a text that looks like a number stands in quotes.
  ///
  /// - Parameter isGuarded: a text that a spreadsheet would take for a formula gets a mark in front.
  static func cell(_ value: Value, _ separator: String, isGuarded: Bool = false, _ work: Work) throws -> String {
    if case .text(let text) = value, text.isEmpty || looksLikeNumber(text) { return quoted(text, separator, always: true) }
    let text = try text(value, work)
    if case .number = value { return quoted(text, separator) }
    return quoted(isGuarded ? CSV.guarded(text) : text, separator)
  }

  /// A text with a `'` in front where a spreadsheet would take it for a formula: where it begins with `=`, `+`, `-`, `@`,
  /// one of their wide forms, a tab or a line break, and is no number.
  public static func guarded(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, "=+-@\t\r\n\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(first),
      NumberFormat.parse(text) == nil, special[text] == nil
    else { return text }
    return "'" + text
  }

  static func quoted(_ text: String, _ separator: String, always: Bool = false) -> String {
    // By scalars: a quote with an accent on it is a quote to whoever reads the file.
    let marks = separator.unicodeScalars
    guard
      always
        || text.unicodeScalars.contains(where: {
          $0 == "\"" || "\n\r\u{2028}\u{2029}\u{85}".unicodeScalars.contains($0) || marks.contains($0)
        })
    else {
      return text
    }
    var result = "\""
    for scalar in text.unicodeScalars { result += scalar == "\"" ? "\"\"" : String(scalar) }
    return result + "\""
  }
}
