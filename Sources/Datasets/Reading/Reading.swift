import Archives
import Foundation
import Kernels

/// The format of a data file.
public enum DataFormat: String, Sendable, CaseIterable {
  /// One sequence per line, with items separated by commas, tabs or spaces.
  case sequences
  /// As `sequences`, with the user at the beginning of each line.
  case userSequences = "user_sequences"
  /// `user::item::rating::time` lines (`ratings.dat`), the same with tabs (`u.data`), or `ratings.csv`.
  case movielens
  /// One interaction per row. Columns are selected by name or number.
  case table
  /// An atomic file of RecBole: a table separated by tabs whose header has types, e.g. `user_id:token`.
  case inter
  /// One interaction per line, user and item separated by blanks, oldest first, as in the data of SASRec.
  case pairs
  /// JSON lines with one session each, as in the data of OTTO.
  case sessions
  /// JSON lines with one interaction each.
  case jsonl
  /// The binary format of this program, which is mapped into memory.
  case srsd
}

/// A column of a table, by its name or by its number from 1.
public enum ColumnName: Sendable, Equatable {
  case name(String)
  case number(Int)

  /// The column as a script writes it.
  var text: String {
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

/// Options for reading a data file. nil means that the value is detected.
public struct ReadingOptions: Sendable {
  public var format: DataFormat?
  /// The item that pads sequences in front or at the end.
  public var pad: String?
  /// The column of users. If nil, the usual names are tried; the same holds for the other columns.
  public var user: ColumnName?
  public var item: ColumnName?
  public var time: ColumnName?
  public var rating: ColumnName?
  /// The unit of times that are numbers; nil: detected from their size.
  public var timeUnit: TimeUnit?
  /// The byte between the fields of a table.
  public var separator: UInt8?
  /// Whether a table begins with a header; nil: it does, unless its columns are given by number.
  public var header: Bool?
  /// Whether lines with errors are left out and counted. Otherwise the first one is an error.
  public var skipsErrors: Bool
  /// The member of an archive to read; nil: the only one, or the only one whose name fits.
  public var member: String?
  /// The most bytes that a compressed file may unpack to; nil: 200 times its size, or 1 GB if that is more.
  public var unpackLimit: Int?
  /// The threads to parse on; nil: the calling thread.
  public var pool: WorkerPool?

  public init(
    format: DataFormat? = nil, pad: String? = nil, user: ColumnName? = nil, item: ColumnName? = nil, time: ColumnName? = nil,
    rating: ColumnName? = nil, timeUnit: TimeUnit? = nil, separator: UInt8? = nil, header: Bool? = nil, skipsErrors: Bool = false,
    member: String? = nil, unpackLimit: Int? = nil, pool: WorkerPool? = nil
  ) {
    self.member = member
    self.unpackLimit = unpackLimit
    self.format = format
    self.pad = pad
    self.user = user
    self.item = item
    self.time = time
    self.rating = rating
    self.timeUnit = timeUnit
    self.separator = separator
    self.header = header
    self.skipsErrors = skipsErrors
    self.pool = pool
  }
}

/// The histories of a file, and notes for the user about what was detected or left out.
public struct ReadingResult: Sendable {
  public var histories: Histories
  public let notes: [String]

  public init(histories: Histories, notes: [String]) {
    self.histories = histories
    self.notes = notes
  }
}

/// Receives the progress of reading: the share of the file and the number of interactions so far. It returns false to stop
/// the reading.
public typealias ReadingWatch = (_ share: Double, _ interactions: Int) -> Bool

/// The reading was stopped by its watch.
public struct ReadingStopped: Error {}

extension Histories {
  /// Reads a data file, plain, compressed or in an archive. The file is opened once, so it can be a pipe.
  ///
  /// - Throws: `DataError` with the file, line and column of the first error; `ReadingStopped`.
  public static func read(_ path: String, _ options: ReadingOptions = ReadingOptions(), watch: ReadingWatch? = nil) throws
    -> ReadingResult
  {
    if options.format == .srsd || options.format == nil && path.lowercased().hasSuffix(".srsd") { return try binary(path, options) }
    let reader = try BlockReader(path, member: options.member, limit: options.unpackLimit, watch: watch)
    if options.format == nil, reader.head == BinaryFile.magic { return try binary(path, options) }
    if let kind = ForeignKind.of(reader.head) {
      throw DataError("\(path) is \(kind.name), which is not supported", help: kind.help, argument: "file")
    }
    guard let first = try reader.next() else { throw DataError("the file has no interactions", file: path, argument: "file") }
    // What is inside of a packed file may be of another kind.
    if first.count > 262, first[257..<262].elementsEqual("ustar".utf8) {
      throw DataError("\(path) is a tar archive, which is not supported", help: "unpack it first: tar xf", argument: "file")
    }
    if reader.isPacked, let kind = ForeignKind.of(Array(first.prefix(8))) {
      throw DataError("what \(path) has inside is \(kind.name), which is not supported", help: kind.help, argument: "file")
    }
    if reader.isPacked, first.starts(with: [0x1f, 0x8b]) || Archive.Kind.of(Array(first.prefix(8))) != nil {
      throw DataError("\(path) is packed twice", help: "unpack it once", argument: "file")
    }
    if let zero = first.prefix(4096).firstIndex(of: 0) {
      throw DataError("\(path) is not a text file: byte \(zero + 1) is 0", argument: "file")
    }
    let head = TableHead(path, member: reader.member, first)
    var notes = [reader.note].compactMap { $0 }
    let named = [options.user, options.item, options.time, options.rating].contains { $0 != nil }
    let byNumber = [options.user, options.item, options.time, options.rating].contains { if case .number = $0 { true } else { false } }
    let asTable = named || options.separator != nil || options.header != nil
    // JSON fields have names. A column number, a separator or a header can only refer to a table.
    let isObject = head.lines.first?.hasPrefix("{") == true && !byNumber && options.separator == nil && options.header == nil
    let format: DataFormat
    if let given = options.format {
      format = given
    } else {
      format =
        try asTable ? (isObject ? head.jsonFormat(named: named) : head.isInter ? .inter : .table) : head.guessedFormat(pad: options.pad)
    }
    if options.format == nil { notes.append("\(path) read as format: \(format.rawValue)") }
    try options.rejectUnused(format)
    let histories: Histories
    switch format {
    case .srsd: histories = try open(path)
    case .sequences, .userSequences:
      var bytes = first
      while let block = try reader.next() { bytes += block }
      histories = try TextFile(path: path, bytes: bytes, watch: watch).sequences(options, &notes, userFirst: format == .userSequences)
    case .sessions, .jsonl:
      let keys = try JSONKeys(format == .sessions ? .sessions : .interactions, options, keys: head.lines.first.flatMap(JSONHead.init))
      try keys.rejectUnit(options)
      histories = try events(reader, first: first, options: options, hasTimes: keys.hasTimes, hasRatings: keys.hasRatings, &notes, watch) {
        bytes, _ in EventBlock(json: bytes, keys)
      }
    case .inter where head.listColumns != nil:
      var bytes = first
      while let block = try reader.next() { bytes += block }
      histories = try TextFile(path: path, bytes: bytes, watch: watch).itemLists(head, options, &notes)
    case .movielens, .table, .inter, .pairs:
      let (layout, hasHeader) = try head.layout(format, options, &notes)
      if let unit = options.timeUnit, layout.time == nil {
        throw DataError(
          "there is no column of times, so time_unit: \(unit.rawValue) has no effect",
          help: "leave it out, or name the column: time: \"...\"",
          argument: "time_unit")
      }
      histories = try events(
        reader, first: first, options: options, hasTimes: layout.time != nil, hasRatings: layout.rating != nil, &notes, watch
      ) { bytes, isFirst in EventBlock(bytes, layout, skipping: hasHeader && isFirst ? 1 : 0) }
    }
    if histories.events.isEmpty { throw DataError("the file has no interactions", file: path, argument: "file") }
    return ReadingResult(histories: histories, notes: notes)
  }

  private static func binary(_ path: String, _ options: ReadingOptions) throws -> ReadingResult {
    if let column = [("user", options.user), ("item", options.item), ("time", options.time), ("rating", options.rating)]
      .first(where: { $0.1 != nil })?.0
    {
      throw DataError("the columns of a .srsd file are fixed", help: "leave `\(column)` out", argument: column)
    }
    try options.rejectUnused(.srsd)
    let histories = try open(path)
    return ReadingResult(histories: histories, notes: histories.file?.notes ?? [])
  }

  /// The column names of a table's header or the keys of the first JSON line. Empty if the file cannot be read, or if it can
  /// be read only once.
  public static func columnNames(_ path: String) -> [String] {
    guard !canBeReadOnlyOnce(path) else { return [] }
    guard let reader = try? BlockReader(path), let block = try? reader.next() else { return [] }
    return TableHead(path, member: reader.member, block).columnNames
  }

  /// A hash of a file's bytes and of the options, as the key of a cache for the result of reading the file.
  ///
  /// - Throws: `DataError` if the file can be read only once; `ReadingStopped`.
  public static func cacheKey(_ path: String, _ options: ReadingOptions, watch: ReadingWatch? = nil) throws -> String {
    var hash = WordHash()
    guard !canBeReadOnlyOnce(path) else {
      throw DataError("\(path) can be read only once, so it cannot be found in the cache", help: "leave `cache` out", argument: "cache")
    }
    let reader = try BlockReader(path, member: options.member, limit: options.unpackLimit, watch: watch)
    var read = 0
    while let block = try reader.next() {
      block.withUnsafeBytes { hash.add($0) }
      read += block.count
      if let watch, !watch(reader.progress, read) { throw ReadingStopped() }
    }
    let columns = [options.user, options.item, options.time, options.rating].map { $0?.text ?? "" }
    // The name of the file is part of the key, because the format is detected from it too.
    hash.add(
      "srsd 2 \(path.split(separator: "/").last.map(String.init) ?? "") \(options.format?.rawValue ?? "") \(options.pad ?? "") \(columns)")
    hash.add("\(options.timeUnit?.rawValue ?? "")")
    if let member = reader.member { hash.add("member \(member)") }
    hash.add("\(options.separator ?? 0) \(String(describing: options.header)) \(options.skipsErrors)")
    return hash.text
  }

  /// Whether the file is a pipe, a socket or a device.
  private static func canBeReadOnlyOnce(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
  }

  /// All bytes of a file after decompression.
  static func fileBytes(_ path: String, watch: ReadingWatch?) throws -> [UInt8] { try BlockReader(path, watch: watch).rest() }
}

extension ReadingOptions {
  /// Checks that all given options apply to the format. An option without effect is probably an error of the user.
  fileprivate func rejectUnused(_ format: DataFormat) throws(DataError) {
    let isSequences = format == .sequences || format == .userSequences
    let isSeparated = format == .table || format == .inter || format == .movielens
    let given: [(argument: String, isGiven: Bool, isKnown: Bool)] = [
      ("separator", separator != nil, isSeparated), ("header", header != nil, isSeparated),
      ("pad", pad != nil, isSequences || isSeparated || format == .pairs),
      ("rating", rating != nil, !isSequences && format != .pairs),
      ("time_unit", timeUnit != nil, !isSequences && format != .pairs && format != .srsd),
    ]
    if let unused = given.first(where: { $0.isGiven && !$0.isKnown }) {
      throw DataError("format: \(format.rawValue) does not use `\(unused.argument)`", help: "leave it out", argument: unused.argument)
    }
  }
}

extension JSONKeys {
  /// Checks that a unit of times is given only if there are times.
  fileprivate func rejectUnit(_ options: ReadingOptions) throws(DataError) {
    guard let unit = options.timeUnit, !hasTimes else { return }
    throw DataError(
      "there are no times, so time_unit: \(unit.rawValue) has no effect", help: "leave it out, or name their key: time: \"...\"",
      argument: "time_unit")
  }
}

/// Types of files that are not supported, by their first bytes.
private struct ForeignKind {
  let name: String
  let help: String

  static func of(_ head: [UInt8]) -> ForeignKind? {
    let kinds: [([UInt8], String, String)] = [
      ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive", "unpack it first: 7z x"),
      (Array("PAR1".utf8), "a Parquet file", "write it as .csv first"),
      ([0x93] + Array("NUMPY".utf8), "a NumPy array", "it has numbers and no names: save sequences as .csv to read them again"),
      ([0xff, 0xfe], "text in UTF-16", "convert it to UTF-8: iconv -f utf-16 -t utf-8"),
      ([0xfe, 0xff], "text in UTF-16", "convert it to UTF-8: iconv -f utf-16 -t utf-8"),
    ]
    return kinds.first { head.starts(with: $0.0) }.map { ForeignKind(name: $0.1, help: $0.2) }
  }
}

/// The bytes of a text file, with functions that split them into lines and fields without creating strings.
struct TextFile {
  let path: String
  let bytes: [UInt8]
  private let watch: ReadingWatch?

  init(path: String, bytes: [UInt8], watch: ReadingWatch? = nil) {
    self.path = path
    self.bytes = bytes
    self.watch = watch
  }

  /// An error at a line of this file.
  func error(_ message: String, help: String? = nil, line: Int, column: Int? = nil) -> DataError {
    DataError(message, help: help, file: path, line: line, column: column)
  }

  /// Calls `body` with the number (from 1) and the range of every line that is not empty. The range excludes the line break.
  ///
  /// - Throws: `ReadingStopped`, and what `body` throws.
  func forEachLine(_ body: (Int, Range<Int>) throws -> Void) throws {
    var start = 0
    var asked = 0
    var number = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count && bytes[end] != 0x0a { end += 1 }
      number += 1
      if start - asked > 1 << 20, let watch {
        asked = start
        if !watch(Double(start) / Double(bytes.count), number) { throw ReadingStopped() }
      }
      let stop = end > start && bytes[end - 1] == 0x0d ? end - 1 : end
      if stop > start { try body(number, start..<stop) }
      start = end + 1
    }
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The range of a field without blanks at its ends.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high && (bytes[low] == 0x20 || bytes[low] == 0x09) { low += 1 }
    while high > low && (bytes[high - 1] == 0x20 || bytes[high - 1] == 0x09) { high -= 1 }
    return low..<high
  }

  /// The fields between separators of one byte.
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

  /// The fields between separators. If `isSpaced`, a separator is a byte and a blank after it.
  func fields(_ line: Range<Int>, _ separator: UInt8, isSpaced: Bool) -> [Range<Int>] {
    let all = fields(line, separator)
    if !isSpaced { return all }
    return all.enumerated().map { $0 > 0 ? $1.lowerBound + 1..<$1.upperBound : $1 }
  }

  /// Whether every separator is followed by a blank. The blanks then belong to the separators and not to the fields.
  func separatorHasBlank(_ separator: UInt8) throws -> Bool {
    // In most files, the first separator decides.
    guard let first = bytes.firstIndex(of: separator), first + 1 < bytes.count, bytes[first + 1] == 0x20 else { return false }
    return bytes.indices.allSatisfy { bytes[$0] != separator || $0 + 1 < bytes.count && bytes[$0 + 1] == 0x20 }
  }

  func isBlank(_ range: Range<Int>) -> Bool { trimmed(range).isEmpty }

  func number(_ interner: inout Interner, _ range: Range<Int>) -> Int32 {
    bytes.withUnsafeBufferPointer { interner.number(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}
