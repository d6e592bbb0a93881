import Foundation

/// Reads and writes CSV (RFC 4180). Quoted cells may contain separators, line breaks and doubled quotes.
public enum CSV {
  struct Problem: Error {
    let message: String
    let line: Int
  }

  struct Cell {
    let text: String
    let isQuoted: Bool

    /// An empty cell is neither a number nor a text; it does not affect the type of its column.
    var isEmpty: Bool { text.isEmpty && !isQuoted }

    /// The cell as a number; nil if it is not a number or if a number would not preserve its text.
    var number: Double? {
      if isQuoted { return nil }
      if let special = CSV.special[text] { return special }
      guard let number = NumberFormat.parse(text) else { return nil }
      let digits = text.trimmingCharacters(in: .whitespaces).utf8.drop { $0 == 0x2d }
      // Leading zeros and plus signs, as in 007 and +49, would be lost.
      if digits.first == 0x2b || digits.first == 0x30 && digits.dropFirst().first.map({ $0 >= 0x30 && $0 <= 0x39 }) ?? false { return nil }
      // Different integers beyond 2^53 may become the same number. Numbers with an exponent are floating-point numbers anyway.
      if abs(number) >= 0x1p53, !digits.contains(where: { $0 == 0x65 || $0 == 0x45 }), NumberFormat.exact(number) != text,
        !digits.elementsEqual("9007199254740992".utf8)
      {
        return nil
      }
      return number
    }

    /// The value of the cell.
    ///
    /// - Parameter isNumber: Whether the cell's column is numeric, from `CSV.numeric`.
    func value(isNumber: Bool) -> Value {
      if isEmpty { return .nothing }
      return (isNumber ? number.map { .number($0) } : nil) ?? .text(text)
    }
  }

  /// Numbers that are not finite, as `print` writes them.
  private static let special: [String: Double] = ["nan": .nan, "inf": .infinity, "-inf": -.infinity]

  /// Would a text be read back as a number if it had no quotes?
  private static func looksLikeNumber(_ text: String) -> Bool { special[text] != nil || NumberFormat.parse(text) != nil }

  /// Which columns are numeric: those in which every non-empty cell is a number.
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
    /// Empty for an empty line.
    let cells: [Cell]
  }

  /// Parses a table.
  ///
  /// - Throws: `Problem` for an invalid table, E0801 after an interrupt.
  static func parse(_ bytes: [UInt8], separator: UInt8, _ work: Work) throws -> [Row] {
    var rows: [Row] = []
    var row: [Cell] = []
    var position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var line = 1
    func text(_ bytes: some Collection<UInt8>) throws(Problem) -> String {
      guard let text = String(validating: Array(bytes), as: UTF8.self) else { throw Problem(message: "this is not UTF-8 text", line: line) }
      return text
    }
    while position < bytes.count {
      try work.step()
      if bytes[position] == 0x22 {
        let opened = line
        var cell: [UInt8] = []
        position += 1
        while true {
          try work.step()
          guard position < bytes.count else { throw Problem(message: "a quoted cell is not closed", line: opened) }
          if bytes[position] == 0x22 {
            position += 1
            guard position < bytes.count, bytes[position] == 0x22 else { break }
          }
          if bytes[position] == 0x0a { line += 1 }
          cell.append(bytes[position])
          position += 1
        }
        row.append(Cell(text: try text(cell), isQuoted: true))
        guard position == bytes.count || [separator, 0x0a, 0x0d].contains(bytes[position]) else {
          throw Problem(message: "there is text after a quoted cell", line: line)
        }
      } else {
        let start = position
        while position < bytes.count, bytes[position] != separator, bytes[position] != 0x0a { position += 1 }
        let isEnd = position == bytes.count || bytes[position] == 0x0a
        var end = position
        if isEnd && end > start && bytes[end - 1] == 0x0d { end -= 1 }
        if start == end && isEnd && row.isEmpty {
          rows.append(Row(line: line, cells: []))
          position += 1
          line += 1
          continue
        }
        row.append(Cell(text: try text(bytes[start..<end]), isQuoted: false))
      }
      if position < bytes.count && bytes[position] == 0x0d { position += 1 }
      if position < bytes.count && bytes[position] == separator {
        position += 1
        // A separator at the end of the file is followed by an empty cell.
        if position < bytes.count { continue }
        row.append(Cell(text: "", isQuoted: false))
      }
      rows.append(Row(line: line, cells: row))
      row = []
      position += 1
      line += 1
    }
    return rows
  }

  /// A value as the text of a cell: numbers with all digits, nil as an empty text.
  static func text(_ value: Value, _ work: Work) throws -> String {
    switch value {
    case .nothing: ""
    case .number(let number): number.isFinite ? NumberFormat.exact(number) : NumberFormat.text(number)
    default: try value.printed(work)
    }
  }

  /// A value as a cell that reads back as the same value; for that, a text that looks like a number is quoted.
  ///
  /// - Parameter isGuarded: Whether a text that a spreadsheet would evaluate as a formula gets a `'` in front.
  static func cell(_ value: Value, _ separator: String, isGuarded: Bool = false, _ work: Work) throws -> String {
    if case .text(let text) = value, text.isEmpty || looksLikeNumber(text) { return quoted(text, separator, always: true) }
    let text = try text(value, work)
    if case .number = value { return quoted(text, separator) }
    return quoted(isGuarded ? CSV.guarded(text) : text, separator)
  }

  /// The text with a `'` in front if a spreadsheet would evaluate it as a formula: if it begins with `=`, `+`, `-`, `@`, one of
  /// their full-width forms, a tab or a line break, and is not a number.
  public static func guarded(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, "=+-@\t\r\n\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(first),
      NumberFormat.parse(text) == nil, special[text] == nil
    else { return text }
    return "'" + text
  }

  static func quoted(_ text: String, _ separator: String, always: Bool = false) -> String {
    // Compare scalars, not characters: for other programs a quote with a combining accent is a quote.
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
