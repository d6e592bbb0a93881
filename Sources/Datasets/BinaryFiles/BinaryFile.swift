import Foundation
import Kernels

/// A `.srsd` file of histories. It is mapped into memory.
///
/// Layout, with little-endian numbers (see the table in docs/data.md): the bytes `SRSDATA\n`; five numbers of 8 bytes (the
/// version, 1 or 2; the length of the header; the offset of the body; the length of the body; the checksum of the header);
/// the header as JSON; the body, whose sections the header lists; the checksum of every MiB of the body; the checksum of
/// these checksums.
final class BinaryFile: Sendable {
  static let magic = Array("SRSDATA\n".utf8)
  /// The newest version. A file is written in the oldest version that supports its contents.
  static let version: UInt64 = 2
  private static let preface = 48

  enum Section: String, CaseIterable, Sendable {
    case itemEnds = "item_ends"
    case itemNames = "item_names"
    case userEnds = "user_ends"
    case userNames = "user_names"
    case owners, offsets, events, times, ratings

    var stride: Int {
      switch self {
      case .itemNames, .userNames: 1
      case .owners, .events, .ratings: 4
      case .itemEnds, .userEnds, .offsets, .times: 8
      }
    }

    var kind: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  private struct Header: Codable {
    var source: String
    /// The notes of the reading of the original text file.
    var notes: [String]?
    var hasUsers: Bool
    var lineLength: Int?
    /// Ticks per second of the section `times`, since version 2; nil: 1.
    var ticksPerSecond: Int64?
    /// By name of the section: its offset in the file and its number of values.
    var sections: [String: [Int]]
  }

  let map: MappedFile
  /// A hash of the contents.
  let identity: UInt64
  private let header: Header

  // MARK: Reading

  /// Opens a file and checks its header and its checksums of checksums. Each block of the body is checked when it is first
  /// used.
  ///
  /// - Throws: `DataError` if the file cannot be read, is not a `.srsd` file, or is damaged.
  init(_ path: String) throws(DataError) {
    map = try MappedFile(path)
    let bytes = map.bytes
    guard bytes.count >= Self.preface, Array(bytes[0..<8]) == Self.magic else {
      throw DataError("\(path) is not a .srsd file: its first bytes are different", argument: "file")
    }
    func word(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    guard (1...Self.version).contains(word(8)) else {
      throw DataError(
        "\(path) is a .srsd file of version \(word(8)), this program reads versions 1 to \(Self.version)", argument: "file")
    }
    let (length, start, size) = (word(16), word(24), word(32))
    guard length <= UInt64(bytes.count), start <= UInt64(bytes.count), size <= UInt64(bytes.count),
      start >= UInt64(Self.preface) + length, start % 64 == 0
    else { throw map.damaged("its parts are not within its \(bytes.count) bytes") }
    let blocks = (Int(size) + MappedFile.blockSize - 1) / MappedFile.blockSize
    let sumsAt = Int(start) + Int(size)
    guard sumsAt % 8 == 0, sumsAt + 8 * blocks + 8 == bytes.count else {
      throw map.damaged("it has \(bytes.count) bytes, but it was written with \(sumsAt + 8 * blocks + 8)")
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[Self.preface..<(Self.preface + Int(length))])
    guard MappedFile.sum(text) == word(40) else { throw map.damaged("the checksum of its header is wrong") }
    let sums = UnsafeRawBufferPointer(rebasing: bytes[sumsAt..<(sumsAt + 8 * blocks)])
    guard MappedFile.sum(sums) == word(bytes.count - 8) else { throw map.damaged("the checksum of its checksums is wrong") }
    guard let header = try? JSONDecoder().decode(Header.self, from: Data(text)) else {
      throw map.damaged("its header cannot be decoded")
    }
    self.header = header
    identity = word(40) ^ word(bytes.count - 8)
    map.check(Int(start)..<sumsAt, sums: (0..<blocks).map { word(sumsAt + 8 * $0) })
    for section in Section.allCases {
      guard let entry = header.sections[section.rawValue] else { continue }
      guard entry.count == 2, entry[0] >= Int(start), entry[0] % 8 == 0, entry[1] >= 0,
        entry[1] <= (sumsAt - entry[0]) / section.stride, entry[0] <= sumsAt
      else { throw map.damaged("its section \(section.rawValue) is not within its body") }
    }
  }

  private func column<T>(_ section: Section, _: T.Type) throws(DataError) -> Column<T>? {
    guard let entry = header.sections[section.rawValue] else { return nil }
    guard let base = map.bytes.baseAddress else { return nil }
    return Column((base + entry[0]).assumingMemoryBound(to: T.self), count: entry[1], of: map)
  }

  private func required<T>(_ section: Section, _ type: T.Type) throws(DataError) -> Column<T> {
    guard let column = try column(section, type) else { throw map.damaged("it has no section \(section.rawValue)") }
    return column
  }

  /// The histories, whose columns are in the mapped file.
  ///
  /// - Throws: `DataError` if the sections do not fit each other. The values themselves are checked when they are used.
  func histories() throws(DataError) -> Histories {
    let items = PackedNames(self, .itemEnds, try required(.itemEnds, Int.self), .itemNames, try required(.itemNames, UInt8.self))
    let users = PackedNames(self, .userEnds, try required(.userEnds, Int.self), .userNames, try required(.userNames, UInt8.self))
    var result = Histories(
      items: Vocabulary(items), users: Vocabulary(users), owners: try required(.owners, Int32.self),
      offsets: try required(.offsets, Int.self), events: try required(.events, Int32.self), times: try column(.times, Int64.self),
      ticksPerSecond: header.ticksPerSecond ?? 1, ratings: try column(.ratings, Float.self), lineLength: header.lineLength,
      hasUsers: header.hasUsers, source: header.source)
    let events = result.events.count
    guard header.lineLength.map({ (1...1_000_000).contains($0) }) ?? true, users.count >= 1 || result.count == 0 else {
      throw map.damaged("its header has impossible numbers")
    }
    guard [1, 1000, 1_000_000, 1_000_000_000].contains(result.ticksPerSecond) else {
      throw map.damaged("its header has impossible numbers")
    }
    guard items.count >= 1, result.offsets.count == result.count + 1, result.times?.count ?? events == events,
      result.ratings?.count ?? events == events, items.count <= Int32.max, users.count <= Int32.max
    else { throw map.damaged("its sections do not fit each other") }
    result.file = self
    return result
  }

  var notes: [String] { header.notes ?? [] }

  /// Checks the blocks of a range of values. Must be called before these values are read.
  func use(_ section: Section, _ range: Range<Int>) {
    guard let start = header.sections[section.rawValue]?[0] else { return }
    map.use((start + range.lowerBound * section.stride)..<(start + range.upperBound * section.stride), kind: section.kind)
  }

  /// Records that a number of the file is out of its range. Returns the value that the caller uses instead.
  func outOfRange<T>(_ substitute: T) -> T {
    map.report("a number in it is out of range")
    return substitute
  }

  /// The first fault that was found; nil if there is none.
  var fault: DataError? { map.fault }

  /// Checks all bytes, then the ranges of all numbers, for code that reads whole columns.
  func checkAll() throws(DataError) {
    try map.checkAll()
    let histories = try histories()
    let (items, users, events) = (histories.items.count, histories.users.count, histories.events.count)
    var isSound = histories.offsets[0] == 0 && histories.offsets[histories.count] == events
    for h in 0..<histories.count where isSound {
      isSound = histories.offsets[h] <= histories.offsets[h + 1] && histories.owners[h] >= 0 && histories.owners[h] < users
    }
    for (ends, bytes) in [(Section.itemEnds, Section.itemNames), (.userEnds, .userNames)] where isSound {
      let (ends, size) = (try required(ends, Int.self), try required(bytes, UInt8.self).count)
      isSound = (ends.first ?? 0) >= 0 && zip(ends, ends.dropFirst()).allSatisfy { $0 <= $1 } && (ends.last ?? 0) <= size
    }
    isSound = isSound && histories.events.allSatisfy { $0 > 0 && $0 < items }
    if !isSound { _ = outOfRange(0) }
    map.release()
    if let fault { throw fault }
  }

  // MARK: Writing

  /// Calls `put` with successive pieces of a file's bytes.
  static func write(_ histories: Histories, notes: [String] = [], put: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    let histories = try histories.checked()
    let items = Packing(histories.items)
    let users = Packing(histories.users)
    typealias Bytes = (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    var parts: [(section: Section, count: Int, withBytes: Bytes)] = [
      (.itemEnds, items.ends.count, { try items.ends.withUnsafeBytes($0) }),
      (.itemNames, items.bytes.count, { try items.bytes.withUnsafeBytes($0) }),
      (.userEnds, users.ends.count, { try users.ends.withUnsafeBytes($0) }),
      (.userNames, users.bytes.count, { try users.bytes.withUnsafeBytes($0) }),
      (.owners, histories.owners.count, { try histories.owners.withUnsafeBytes($0) }),
      (.offsets, histories.offsets.count, { try histories.offsets.withUnsafeBytes($0) }),
      (.events, histories.events.count, { try histories.events.withUnsafeBytes($0) }),
    ]
    if let times = histories.times { parts.append((.times, times.count, { try times.withUnsafeBytes($0) })) }
    if let ratings = histories.ratings { parts.append((.ratings, ratings.count, { try ratings.withUnsafeBytes($0) })) }

    // Sections begin at multiples of 64 bytes. The length of the header is not known yet, so these offsets count from the
    // beginning of the body.
    var entries: [String: [Int]] = [:]
    var size = 0
    for part in parts {
      entries[part.section.rawValue] = [size, part.count]
      size += (part.count * part.section.stride + 63) / 64 * 64
    }
    var header = Header(
      source: histories.source, notes: notes.isEmpty ? nil : notes, hasUsers: histories.hasUsers, lineLength: histories.lineLength,
      ticksPerSecond: histories.ticksPerSecond == 1 ? nil : histories.ticksPerSecond, sections: [:])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // A later body has larger offsets, which make the header longer. Repeat until the header fits before the body.
    var start = 4096
    var text = Data()
    while true {
      header.sections = entries.mapValues { [$0[0] + start, $0[1]] }
      text = try encoder.encode(header)
      let needed = (preface + text.count + 63) / 64 * 64
      if needed <= start { break }
      start = needed + 4096
    }
    var front = magic
    for number in [
      histories.ticksPerSecond == 1 ? 1 : 2, UInt64(text.count), UInt64(start), UInt64(size), text.withUnsafeBytes { MappedFile.sum($0) },
    ] {
      withUnsafeBytes(of: number.littleEndian) { front += $0 }
    }
    front += text
    front += [UInt8](repeating: 0, count: start - front.count)
    try front.withUnsafeBytes { try put($0) }
    var writer = SummingWriter(put: put)
    for part in parts {
      try part.withBytes { try writer.add($0) }
      try writer.pad(to: 64)
    }
    try writer.finish()
  }

  /// Writes a body and its checksums.
  private struct SummingWriter {
    let put: (UnsafeRawBufferPointer) throws -> Void
    private var block: [UInt8] = []
    private var sums: [UInt64] = []
    private var written = 0

    init(put: @escaping (UnsafeRawBufferPointer) throws -> Void) {
      self.put = put
      block.reserveCapacity(MappedFile.blockSize)
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(MappedFile.blockSize - block.count)
        block += piece
        rest = rest.dropFirst(piece.count)
        if block.count == MappedFile.blockSize { try flush() }
      }
      written += bytes.count
    }

    mutating func pad(to multiple: Int) throws {
      let missing = (multiple - written % multiple) % multiple
      try [UInt8](repeating: 0, count: missing).withUnsafeBytes { try add($0) }
    }

    private mutating func flush() throws {
      try block.withUnsafeBytes {
        sums.append(MappedFile.sum($0))
        try put($0)
      }
      block.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws {
      if !block.isEmpty { try flush() }
      try sums.withUnsafeBytes {
        try put($0)
        try withUnsafeBytes(of: MappedFile.sum($0).littleEndian) { try put($0) }
      }
    }
  }

  /// The concatenated bytes of all names, and the end of each name in them.
  private struct Packing {
    var ends: [Int] = []
    var bytes: [UInt8] = []

    init(_ names: Vocabulary) {
      ends.reserveCapacity(names.count)
      for number in 0..<Int32(names.count) {
        bytes += names.name(number).utf8
        ends.append(bytes.count)
      }
    }
  }
}

/// Names in a `.srsd` file: their concatenated bytes in one section, the end of each name in another.
final class PackedNames: Sendable {
  let file: BinaryFile
  /// The section of the ends.
  let first: BinaryFile.Section
  /// The section of the bytes.
  private let second: BinaryFile.Section
  private let ends: Column<Int>
  private let bytes: Column<UInt8>

  init(
    _ file: BinaryFile, _ first: BinaryFile.Section, _ ends: Column<Int>, _ second: BinaryFile.Section, _ bytes: Column<UInt8>
  ) {
    self.file = file
    self.first = first
    self.ends = ends
    self.second = second
    self.bytes = bytes
  }

  var count: Int { ends.count }

  func name(_ number: Int) -> String {
    file.use(first, max(0, number - 1)..<(number + 1))
    let (start, end) = (number == 0 ? 0 : ends[number - 1], ends[number])
    guard start >= 0, start <= end, end <= bytes.count else { return file.outOfRange("") }
    file.use(second, start..<end)
    return bytes.withUnsafeBufferPointer { String(decoding: $0[start..<end], as: UTF8.self) }
  }
}

extension Histories {
  /// Opens a `.srsd` file. The time does not depend on the size of the file.
  ///
  /// - Throws: `DataError` if the file is not a `.srsd` file, has another version, or has a damaged header. Damage that is
  ///   found later is reported by `fault`.
  static func open(_ path: String) throws(DataError) -> Histories { try BinaryFile(path).histories() }

  /// Calls `put` with successive pieces of a `.srsd` file's bytes.
  ///
  /// - Parameters:
  ///   - notes: the notes of the reading of this data. Opening the file shows them again.
  ///   - put: receives the pieces in order.
  public func writeBinary(notes: [String] = [], put: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withoutActuallyEscaping(put) { try BinaryFile.write(self, notes: notes, put: $0) }
  }
}
