import Foundation

/// Tables in text files (RFC 4180): quoted cells may hold separators, line breaks and doubled quotes.
enum CSV {
  struct Problem: Error {
    let message: String
    let line: Int
  }

  struct Cell {
    let text: String
    let isQuoted: Bool

    /// A number where it is one and was not quoted; nil where it is empty.
    var value: Value {
      if isQuoted { return .text(text) }
      if text.isEmpty { return .nothing }
      return NumberFormat.parse(text).map { .number($0) } ?? .text(text)
    }
  }

  struct Row {
    let line: Int
    /// None of an empty line.
    let cells: [Cell]
  }

  static func parse(_ bytes: [UInt8], separator: UInt8) throws(Problem) -> [Row] {
    var rows: [Row] = []
    var row: [Cell] = []
    var place = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var line = 1
    func text(_ bytes: some Collection<UInt8>) throws(Problem) -> String {
      guard let text = String(validating: Array(bytes), as: UTF8.self) else { throw Problem(message: "this is not UTF-8 text", line: line) }
      return text
    }
    while place < bytes.count {
      if bytes[place] == 0x22 {
        let opened = line
        var cell: [UInt8] = []
        place += 1
        while true {
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
  static func text(_ value: Value) -> String {
    switch value {
    case .nothing: ""
    case .number(let number): number.isFinite ? NumberFormat.exact(number) : NumberFormat.text(number)
    default: value.printed
    }
  }

  /// A value as a cell that is read back as the same: a text that looks like a number stands in quotes.
  static func cell(_ value: Value, _ separator: String) -> String {
    if case .text(let text) = value, text.isEmpty || NumberFormat.parse(text) != nil { return "\"\(text)\"" }
    return quoted(text(value), separator)
  }

  static func quoted(_ text: String, _ separator: String) -> String {
    // By scalars: a quote with an accent on it is a quote to whoever reads the file.
    let marks = separator.unicodeScalars
    guard
      text.unicodeScalars.contains(where: { $0 == "\"" || "\n\r\u{2028}\u{2029}\u{85}".unicodeScalars.contains($0) || marks.contains($0) })
    else {
      return text
    }
    var result = "\""
    for scalar in text.unicodeScalars { result += scalar == "\"" ? "\"\"" : String(scalar) }
    return result + "\""
  }
}
