import Foundation
import Syntax

// Functions that read and write text, JSON and CSV files.
extension Builtin {
  static let files: [Builtin] = [read, write, readJSON, writeJSON, fromJSON, toJSON, readCSV, writeCSV]

  static let read = Builtin(
    "read", "The contents of a text file.", topic: "Files", returns: .text, effects: .reads,
    example: "write(\"hello\", \"out/hello.txt\")\nprint(read(\"out/hello.txt\"))  #> hello"
  ) { d in
    let path = d.positional("file", .text, "its path")
    return { call in
      let name = try call.inputPath(try call[path])
      guard let text = String(validating: try call.contents(name), as: UTF8.self) else {
        throw call.error(.file, "\(name) is not UTF-8 text", argument: "file")
      }
      return .text(text)
    }
  }

  static let write = Builtin(
    "write", "Writes a text to a file atomically, and creates its folder if necessary.", topic: "Files", returns: .nothing,
    effects: .writes,
    example: "write(\"a line\\n\", \"out/note.txt\")"
  ) { d in
    let text = d.positional("text", .text, "what to write")
    let path = d.positional("file", .text, "its path")
    return { call in try put(call, try call[text], try call[path]) }
  }

  static let readJSON = Builtin(
    "read_json", "The value in a JSON file: objects as records, arrays as lists, null as nil.", topic: "Files", returns: .any,
    effects: .reads,
    example: "write_json({ lr: 0.1 }, \"out/options.json\")\nprint(read_json(\"out/options.json\"))  #> { lr: 0.1 }"
  ) { d in
    let path = d.positional("file", .text, "its path")
    return { call in
      let path = try call.inputPath(try call[path])
      return try parseJSON(call, try call.contents(path), path, argument: "file")
    }
  }

  static let writeJSON = Builtin(
    "write_json", "Writes a value to a JSON file atomically. Quantities, words, metrics and dates become texts.",
    topic: "Files", returns: .nothing, effects: .writes, example: "write_json([1, { a: nil }], \"out/value.json\")"
  ) { d in
    let value = d.positional("value", .any, "what to write")
    let path = d.positional("file", .text, "its path")
    let indent = d.named("indent", .whole(from: 0, to: 8), default: 2, "2", "blanks per level; 0 for one line")
    return { call in
      try put(call, try json(call, try call[value], indent: try call[indent]) + "\n", try call[path])
    }
  }

  static let fromJSON = Builtin(
    "from_json", "The value in a JSON text.", topic: "Files", returns: .any,
    example: "print(from_json(\"[1, true, null]\"))  #> [1, true, nil]"
  ) { d in
    let text = d.positional("text", .text, "the JSON")
    return { call in try parseJSON(call, Array((try call[text]).utf8), nil, argument: "text") }
  }

  static let toJSON = Builtin(
    "to_json", "A value as a JSON text.", topic: "Files", returns: .text,
    example: "print(to_json({ a: [1, 2], b: nil }))  #> {\"a\": [1, 2], \"b\": null}"
  ) { d in
    let value = d.positional("value", .any, "the value")
    let indent = d.named("indent", .whole(from: 0, to: 8), default: 0, "0", "blanks per level; 0 for one line")
    return { call in .text(try json(call, try call[value], indent: try call[indent])) }
  }

  static let readCSV = Builtin(
    "read_csv",
    "The rows of a CSV file, as records with the names in its first line. A column contains numbers if all its cells are numbers, else texts; empty cells are nil. A column with leading zeros, plus signs or integers beyond 2^53 stays texts, because numbers would not preserve them.",
    topic: "Files", returns: .list(.record(nil)), effects: .reads,
    example: "write(\"depth,mrr\\n8,0.1\\n\", \"out/rows.csv\")\nprint(read_csv(\"out/rows.csv\"))  #> [{ depth: 8, mrr: 0.1 }]"
  ) { d in
    let path = d.positional("file", .text, "its path")
    let separator = d.named("separator", .separator, default: 0x2c, "\",\"", "one character between cells")
    let header = d.named("header", .bool, default: true, "true", "whether the first line contains names; otherwise rows are lists")
    let texts = d.optional(
      "texts", Kind<Value>.anyOf([.text, .number]).list, "columns to keep as texts, such as ids: their names, or their indices from 0")
    return { call in
      let path = try call.inputPath(try call[path])
      var rows: [CSV.Row]
      do {
        rows = try CSV.parse(try call.contents(path), separator: try call[separator], call.work)
      } catch let problem as CSV.Problem {
        throw call.error(.data, "\(path):\(problem.line):1: \(problem.message)", argument: "file")
      }
      guard try call[header] else {
        rows = rows.filter { !$0.cells.isEmpty }
        let columns = rows.map(\.cells.count).max() ?? 0
        let isNumber = try numeric(call, rows, keeping: try call[texts] ?? [], of: (0..<columns).map { "\($0)" })
        return .list(try call.map(rows) { row in .list(row.cells.enumerated().map { $1.value(isNumber: isNumber[$0]) }) })
      }
      guard let first = rows.firstIndex(where: { !$0.cells.isEmpty }) else { return .list([]) }
      let names = rows[first].cells.map(\.text)
      if let name = Dictionary(grouping: names, by: { $0 }).first(where: { $0.value.count > 1 })?.key {
        throw call.error(
          .data, "\(path):\(rows[first].line):1: there are two columns \"\(name)\"", argument: "file", help: "read it with header: false")
      }
      // In a table with one column, an empty line is a row with an empty cell.
      rows = rows[(first + 1)...].filter { !$0.cells.isEmpty || names.count == 1 }
      let isNumber = try numeric(call, rows, keeping: try call[texts] ?? [], of: names)
      return .list(
        try call.map(rows) { row in
          let cells = row.cells.isEmpty ? [.nothing] : row.cells.enumerated().map { $1.value(isNumber: isNumber[$0]) }
          guard cells.count == names.count else {
            throw call.error(
              .data, "\(path):\(row.line):1: this row has \(cells.count) cells, the first line has \(names.count)", argument: "file",
              help: "is the separator \"\(String(decoding: [try call[separator]], as: UTF8.self))\"?")
          }
          return .record(Record(Swift.zip(names, cells).map { ($0, $1) }))
        })
    }
  }

  /// Which columns are numeric, except those that the script keeps as texts.
  private static func numeric(_ call: Call, _ rows: [CSV.Row], keeping texts: [Value], of names: [String]) throws -> [Bool] {
    var numeric = try CSV.numeric(rows, call.work)
    while numeric.count < names.count { numeric.append(true) }
    let indices = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    for column in texts {
      let index: Int?
      switch column {
      case .number(let number): index = Int(exactly: number).flatMap { names.indices.contains($0) ? $0 : nil }
      default: index = column.asText.flatMap { indices[$0] }
      }
      guard let index else {
        throw call.error(
          .data, "there is no column \(column.described)", argument: "texts",
          help: column.asText.flatMap { Spelling.suggestion($0, in: names) } ?? "the columns are: \(Spelling.list(names))")
      }
      numeric[index] = false
    }
    return numeric
  }

  static let writeCSV = Builtin(
    "write_csv", "Writes rows to a CSV file: records (with a line of names) or lists. Texts that look like numbers are quoted.",
    topic: "Files", returns: .nothing, effects: .writes,
    example: "write_csv([{ depth: 8, mrr: 0.1 }], \"out/table.csv\")\nprint(read(\"out/table.csv\"))\n#> depth,mrr\n#> 8,0.1"
  ) { d in
    let rows = d.positional("rows", .sequence, "a list of records with the same names, or of lists")
    let path = d.positional("file", .text, "its path")
    let separator = d.named("separator", .separator, default: 0x2c, "\",\"", "one character between cells")
    let guards = d.named(
      "guard", .bool, default: false, "false",
      "put a ' before texts that a spreadsheet would evaluate as formulas: those that begin with = + - or @")
    return { call in
      let isGuarded = try call[guards]
      let separator = String(decoding: [try call[separator]], as: UTF8.self)
      var text = ""
      var names: [String]?
      let all = try call[rows]
      let work = call.work
      for row in all {
        try work.step()
        try work.checkText(bytes: text.utf8.count)
        let cells: [Value]
        switch row {
        case .record(let record):
          let wanted = names ?? record.keys
          if names == nil {
            names = wanted
            text += wanted.map { CSV.quoted(isGuarded ? CSV.guarded($0) : $0, separator) }.joined(separator: separator) + "\n"
          }
          guard record.count == wanted.count, wanted.allSatisfy({ record[$0] != nil }) else {
            throw call.error(
              .badValue, "the rows have different names: \(Spelling.list(wanted)) and \(Spelling.list(record.keys))",
              argument: "rows")
          }
          cells = wanted.map { record[$0] ?? .nothing }
        case .list(let values) where names == nil: cells = values
        default: throw call.error(.badValue, "`rows` of write_csv are all records or all lists; one is \(row.described)", argument: "rows")
        }
        if names != nil, case .list? = all.first {
          throw call.error(.badValue, "`rows` of write_csv are all records or all lists; one is \(row.described)", argument: "rows")
        }
        text += try cells.map { try CSV.cell($0, separator, isGuarded: isGuarded, work) }.joined(separator: separator) + "\n"
      }
      return try put(call, text, try call[path])
    }
  }

  // MARK: Shared helpers

  private static func put(_ call: Call, _ text: String, _ path: String) throws -> Value {
    do {
      try OutputFile.write(Data(text.utf8), to: try call.outputPath(path))
    } catch let error as OutputFile.Failure {
      throw call.error(.file, error.message, argument: "file")
    }
    return .nothing
  }

  private static func parseJSON(_ call: Call, _ bytes: [UInt8], _ path: String?, argument: String) throws -> Value {
    do {
      return try JSON.parse(bytes, call.work)
    } catch let problem as JSON.Problem {
      throw call.error(
        .data, "\(path.map { $0 + ":" } ?? "")\(problem.line):\(problem.column): \(problem.message)", argument: argument)
    }
  }

  private static func json(_ call: Call, _ value: Value, indent: Int) throws -> String {
    do {
      return try JSON.text(value, indent: indent, call.work)
    } catch let problem as JSON.Problem {
      throw call.error(.badValue, problem.message, argument: "value")
    }
  }
}

extension Kind where T == UInt8 {
  /// One ASCII character.
  public static var separator: Kind<UInt8> {
    Kind(.text) { value throws(ConversionError) in
      guard let text = value.asText else { throw .type }
      guard text.utf8.count == 1, let byte = text.utf8.first, byte != 0x22, byte != 0x0a, byte != 0x0d else {
        throw .value("must be one character, such as \",\" or \"\\t\"")
      }
      return byte
    }
  }
}
