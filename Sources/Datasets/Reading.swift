import Foundation
import Kernels

/// How a file is laid out.
public enum DataFormat: String, Sendable, CaseIterable {
  /// One sequence a line, items separated by commas, tabs or spaces.
  case sequences
  /// The same with the user in front of each line.
  case userSequences = "user_sequences"
  /// `user::item::rating::time` lines (`ratings.dat`), the same with tabs (`u.data`), or `ratings.csv`.
  case movielens
  /// One interaction a row; columns by name or number.
  case table
  /// RecBole's atomic file: a table separated by tabs whose header has types, as `user_id:token`.
  case inter
  /// User and item, separated by blanks, an interaction a line, oldest first, as in the data of SASRec.
  case pairs
  /// JSON lines of sessions, as OTTO's.
  case sessions
  /// The program's own: mapped into memory instead of being read.
  case srsd
}

/// A column of a table, by its name or its number (from 1).
public enum ColumnName: Sendable, Equatable {
  case name(String)
  case number(Int)

  var told: String {
    switch self {
    case .name(let name): "\"\(name)\""
    case .number(let number): "\(number)"
    }
  }
}

extension ColumnName: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  public init(stringLiteral name: String) { self = .name(name) }
  public init(integerLiteral number: Int) { self = .number(number) }
}

public struct ReadingOptions: Sendable {
  public var format: DataFormat?
  /// The item that pads sequences in front; nil: found out.
  public var pad: String?
  /// Columns of a table; nil: the usual names are tried.
  public var user: ColumnName?
  public var item: ColumnName?
  public var time: ColumnName?
  public var rating: ColumnName?
  /// Between the fields of a table; nil: found out.
  public var separator: UInt8?
  /// Does a table begin with a line of names? nil: unless its columns are given by number.
  public var header: Bool?
  /// Lines that do not fit are left out and counted, instead of being an error.
  public var skipsErrors: Bool
  /// Threads to parse on.
  public var pool: WorkerPool?

  public init(
    format: DataFormat? = nil, pad: String? = nil, user: ColumnName? = nil, item: ColumnName? = nil, time: ColumnName? = nil,
    rating: ColumnName? = nil, separator: UInt8? = nil, header: Bool? = nil, skipsErrors: Bool = false, pool: WorkerPool? = nil
  ) {
    self.format = format
    self.pad = pad
    self.user = user
    self.item = item
    self.time = time
    self.rating = rating
    self.separator = separator
    self.header = header
    self.skipsErrors = skipsErrors
    self.pool = pool
  }
}

/// Histories and what had to be guessed to read them, to be told to the user.
public struct ReadingResult: Sendable {
  public var histories: Histories
  public let notes: [String]

  public init(histories: Histories, notes: [String]) {
    self.histories = histories
    self.notes = notes
  }
}

/// Told the share of a file that has been read, and the interactions so far; false stops the reading.
public typealias ReadingWatch = (_ share: Double, _ interactions: Int) -> Bool

/// The watcher of a reading wanted it to stop.
public struct ReadingStopped: Error {}

extension Histories {
  /// Reads a data file, plain or gzip-compressed.
  ///
  /// - Throws: `DataError` with the file, line and column of the first thing that is wrong; `ReadingStopped`.
  public static func read(_ path: String, _ options: ReadingOptions = ReadingOptions(), watch: ReadingWatch? = nil) throws
    -> ReadingResult
  {
    if options.format == .srsd || options.format == nil && (path.lowercased().hasSuffix(".srsd") || BinaryFile.isOne(path)) {
      if let column = [("user", options.user), ("item", options.item), ("time", options.time), ("rating", options.rating)]
        .first(where: { $0.1 != nil })?.0
      {
        throw DataError("a .srsd file knows its columns", help: "leave `\(column)` out", argument: column)
      }
      let histories = try open(path)
      return ReadingResult(histories: histories, notes: histories.file?.notes ?? [])
    }
    let reader = try BlockReader(path)
    guard let first = try reader.next() else { throw DataError("the file has no interactions", file: path, argument: "file") }
    if let zero = first.prefix(4096).firstIndex(of: 0) {
      throw DataError("\(path) is not a text file: byte \(zero + 1) is 0", argument: "file")
    }
    let head = TableHead(path, first)
    var notes: [String] = []
    let named = options.user != nil || options.item != nil || options.time != nil
    let format = try options.format ?? (named && head.lines.first?.hasPrefix("{") != true ? .table : head.guessedFormat())
    if options.format == nil { notes.append("\(path) read as format: \(format.rawValue)") }
    let histories: Histories
    switch format {
    case .srsd: histories = try open(path)
    case .sequences, .userSequences:
      var bytes = first
      while let block = try reader.next() { bytes += block }
      histories = try TextFile(path: path, bytes: bytes).sequences(options, &notes, userFirst: format == .userSequences)
    case .sessions:
      let keys = try SessionKeys(options)
      histories = try events(reader, first: first, options: options, hasTimes: true, hasRatings: false, &notes, watch) { bytes, _ in
        EventBlock(sessions: bytes, keys)
      }
    case .movielens, .table, .inter, .pairs:
      let (layout, hasHeader) = try head.layout(format, options, &notes)
      histories = try events(
        reader, first: first, options: options, hasTimes: layout.time != nil, hasRatings: layout.rating != nil, &notes, watch
      ) { bytes, isFirst in EventBlock(bytes, layout, skipping: hasHeader && isFirst ? 1 : 0) }
    }
    if histories.events.isEmpty { throw DataError("the file has no interactions", file: path, argument: "file") }
    return ReadingResult(histories: histories, notes: notes)
  }

  /// The names in a table's header; none where the file cannot be read.
  public static func columnNames(_ path: String) -> [String] {
    guard let reader = try? BlockReader(path), let block = try? reader.next() else { return [] }
    return TableHead(path, block).columnNames
  }

  /// A name for what reading a file gives: of its bytes and of what was said about them.
  public static func cacheKey(_ path: String, _ options: ReadingOptions, watch: ReadingWatch? = nil) throws -> String {
    var hash = WordHash()
    let reader = try BlockReader(path)
    var read = 0
    while let block = try reader.next() {
      block.withUnsafeBytes { hash.add($0) }
      read += block.count
      if let watch, !watch(reader.progress, read) { throw ReadingStopped() }
    }
    let columns = [options.user, options.item, options.time, options.rating].map { $0?.told ?? "" }
    // The format is guessed from the name, too.
    hash.add(
      "srsd 1 \(path.split(separator: "/").last.map(String.init) ?? "") \(options.format?.rawValue ?? "") \(options.pad ?? "") \(columns)")
    hash.add("\(options.separator ?? 0) \(String(describing: options.header)) \(options.skipsErrors)")
    return hash.text
  }

  /// The bytes of a file, unpacked.
  static func fileBytes(_ path: String) throws(DataError) -> [UInt8] { try BlockReader(path).rest() }
}

/// The bytes of a text file, cut into lines and fields without making strings.
struct TextFile {
  let path: String
  let bytes: [UInt8]

  init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  func error(_ message: String, help: String? = nil, line: Int, column: Int? = nil) -> DataError {
    DataError(message, help: help, file: path, line: line, column: column)
  }

  /// Calls `body` with the number (from 1) and the range of every line that is not empty, its ending left out.
  func forEachLine(_ body: (Int, Range<Int>) throws -> Void) rethrows {
    var start = 0
    var number = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count && bytes[end] != 0x0a { end += 1 }
      number += 1
      let stop = end > start && bytes[end - 1] == 0x0d ? end - 1 : end
      if stop > start { try body(number, start..<stop) }
      start = end + 1
    }
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Range of a field with blanks around it left out.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high && (bytes[low] == 0x20 || bytes[low] == 0x09) { low += 1 }
    while high > low && (bytes[high - 1] == 0x20 || bytes[high - 1] == 0x09) { high -= 1 }
    return low..<high
  }

  /// Fields between single-byte separators.
  func fields(_ line: Range<Int>, _ separator: UInt8) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = line.lowerBound
    for i in line where bytes[i] == separator {
      result.append(start..<i)
      start = i + 1
    }
    result.append(start..<line.upperBound)
    return result
  }

  func number(_ interner: inout Interner, _ range: Range<Int>) -> Int32 {
    bytes.withUnsafeBufferPointer { interner.number(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}
