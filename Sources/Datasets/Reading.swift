import Foundation

/// How a file is laid out.
public enum DataFormat: String, Sendable, CaseIterable {
  /// One sequence a line, items separated by commas, tabs or spaces.
  case sequences
  /// The same with the user in front of each line.
  case userSequences = "user_sequences"
  /// `user::item::rating::time` lines (`ratings.dat`) or `ratings.csv`.
  case movielens
  /// A table with a header: one interaction a row.
  case table
}

public struct ReadingOptions: Sendable {
  public var format: DataFormat?
  /// The item that pads sequences in front; nil: found out.
  public var pad: String?
  /// Column names of a table; nil: the usual ones are tried.
  public var user: String?
  public var item: String?
  public var time: String?

  public init(
    format: DataFormat? = nil, pad: String? = nil, user: String? = nil, item: String? = nil, time: String? = nil
  ) {
    self.format = format
    self.pad = pad
    self.user = user
    self.item = item
    self.time = time
  }
}

/// Histories and what had to be guessed to read them, to be told to the user.
public struct ReadingResult: Sendable {
  public let histories: Histories
  public let notes: [String]
}

extension Histories {
  /// Reads a data file.
  ///
  /// - Throws: `DataError` with the file, line and column of the first thing that is wrong.
  public static func read(_ path: String, _ options: ReadingOptions = ReadingOptions()) throws -> ReadingResult {
    let bytes = try fileBytes(path)
    let file = TextFile(path: path, bytes: bytes)
    var notes: [String] = []
    let named = options.user != nil || options.item != nil || options.time != nil
    let format = try options.format ?? (named ? .table : file.guessedFormat())
    if options.format == nil { notes.append("\(path) read as format: \(format.rawValue)") }
    let histories: Histories
    switch format {
    case .sequences: histories = try file.sequences(options, &notes)
    case .userSequences: histories = try file.sequences(options, &notes, userFirst: true)
    case .movielens: histories = try file.movieLens(options, &notes)
    case .table: histories = try file.table(options, &notes)
    }
    if histories.events.isEmpty { throw DataError("the file has no interactions", file: path, argument: "file") }
    return ReadingResult(histories: histories, notes: notes)
  }

  static func fileBytes(_ path: String) throws -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
      let near = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).sorted()
      let list = near.prefix(6).joined(separator: ", ")
      throw DataError(
        "there is no file \(path)",
        help: near.isEmpty
          ? "paths are taken from the folder srs was started in, \(FileManager.default.currentDirectoryPath)"
          : "\(folder.isEmpty ? "this folder" : folder) has: \(list)\(near.count > 6 ? ", ..." : "")", argument: "file")
    }
    if isFolder.boolValue { throw DataError("\(path) is a folder; a data file was expected", argument: "file") }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
      if data.count >= 2, data[data.startIndex] == 0x1f, data[data.startIndex + 1] == 0x8b {
        throw DataError("\(path) is gzip-compressed, which is not read yet", help: "unpack it first: gunzip -k \(path)", argument: "file")
      }
      return [UInt8](data)
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError("\(path) cannot be read: \((error as NSError).localizedDescription)", argument: "file")
    }
  }
}

/// The bytes of a text file, cut into lines and fields without making strings.
struct TextFile {
  let path: String
  let bytes: [UInt8]

  init(path: String, bytes: [UInt8]) {
    self.path = path
    // A byte-order mark is not part of the first field.
    self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
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

  private func firstLine() -> String {
    var line = ""
    var done = false
    forEachLine { _, range in
      if !done { line = text(range) }
      done = true
    }
    return line
  }

  func guessedFormat() throws -> DataFormat {
    if let zero = bytes.prefix(4096).firstIndex(of: 0) {
      throw DataError("\(path) is not a text file: byte \(zero + 1) is 0", argument: "file")
    }
    let line = firstLine()
    if line.contains("::") { return .movielens }
    let lower = line.lowercased()
    if lower.hasPrefix("userid,movieid,rating") { return .movielens }
    let fields = lower.split(whereSeparator: { ",\t;|".contains($0) }).map {
      $0.trimmingCharacters(in: CharacterSet(charactersIn: " \""))
    }
    let known = Set(Self.userNames + Self.itemNames)
    if fields.contains(where: known.contains) { return .table }
    // user, item, rating and time without a header would pass for sequences of four.
    if (3...4).contains(fields.count), let last = Int(fields[fields.count - 1]), last > 100_000_000 {
      throw DataError(
        "\(path) may be a table without a header: \"\(line.prefix(60))\"",
        help: "put a line of column names above (user, item, time), or give format: sequences if each line is a sequence", argument: "file")
    }
    return .sequences
  }

  static let userNames = ["user", "userid", "user_id", "customer", "customer_id", "session", "session_id", "visitorid"]
  static let itemNames = ["item", "itemid", "item_id", "movie", "movieid", "product", "product_id", "sku"]
  static let timeNames = ["time", "timestamp", "date", "datetime", "unixtime"]

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
