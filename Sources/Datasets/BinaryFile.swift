import Foundation
import Kernels

/// Histories as a `.srsd` file: mapped into memory instead of being read.
///
/// Layout, numbers little-endian (docs/data.md has the table): the bytes `SRSDATA\n`, then as eight bytes each the
/// version (1 or 2), the length of the header, where the body begins, the length of the body, and a sum over the header;
/// the header, JSON; the body, whose sections the header names; a sum for every MiB of the body; a sum over these.
final class BinaryFile: Sendable {
  static let magic = Array("SRSDATA\n".utf8)
  /// The newest; a file has the oldest that says what is in it.
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
    /// What was told when it was read from text.
    var notes: [String]?
    var hasUsers: Bool
    var lineLength: Int?
    /// From version 2 on: how many of the numbers in `times` make a second; without it 1.
    var ticksPerSecond: Int64?
    /// Where a section begins in the file, and how many values it has.
    var sections: [String: [Int]]
  }

  let map: MappedFile
  /// Of the content.
  let identity: UInt64
  private let header: Header

  // MARK: Reading

  /// - Throws: `DataError` for anything in its frame that is not as it was written; the body is checked when it is used.
  init(_ path: String) throws(DataError) {
    map = try MappedFile(path)
    let bytes = map.bytes
    guard bytes.count >= Self.preface, Array(bytes[0..<8]) == Self.magic else {
      throw DataError("\(path) is no .srsd file: it does not begin as one", argument: "file")
    }
    func word(_ place: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
    guard (1...Self.version).contains(word(8)) else {
      throw DataError(
        "\(path) is a .srsd file of version \(word(8)), this program reads versions 1 to \(Self.version)", argument: "file")
    }
    let (length, start, size) = (word(16), word(24), word(32))
    guard length <= UInt64(bytes.count), start <= UInt64(bytes.count), size <= UInt64(bytes.count),
      start >= UInt64(Self.preface) + length, start % 64 == 0
    else { throw map.damaged("its parts do not lie in its \(bytes.count) bytes") }
    let blocks = (Int(size) + MappedFile.blockSize - 1) / MappedFile.blockSize
    let sumsAt = Int(start) + Int(size)
    guard sumsAt % 8 == 0, sumsAt + 8 * blocks + 8 == bytes.count else {
      throw map.damaged("it has \(bytes.count) bytes, not the \(sumsAt + 8 * blocks + 8) it was written with")
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[Self.preface..<(Self.preface + Int(length))])
    guard MappedFile.sum(text) == word(40) else { throw map.damaged("its header is not the one that was written") }
    let sums = UnsafeRawBufferPointer(rebasing: bytes[sumsAt..<(sumsAt + 8 * blocks)])
    guard MappedFile.sum(sums) == word(bytes.count - 8) else { throw map.damaged("its sums are not those that were written") }
    guard let header = try? JSONDecoder().decode(Header.self, from: Data(text)) else {
      throw map.damaged("its header cannot be understood")
    }
    self.header = header
    identity = word(40) ^ word(bytes.count - 8)
    map.check(Int(start)..<sumsAt, sums: (0..<blocks).map { word(sumsAt + 8 * $0) })
    for section in Section.allCases {
      guard let place = header.sections[section.rawValue] else { continue }
      guard place.count == 2, place[0] >= Int(start), place[0] % 8 == 0, place[1] >= 0,
        place[1] <= (sumsAt - place[0]) / section.stride, place[0] <= sumsAt
      else { throw map.damaged("its section \(section.rawValue) does not lie in its body") }
    }
  }

  private func column<T>(_ section: Section, _: T.Type) throws(DataError) -> Column<T>? {
    guard let place = header.sections[section.rawValue] else { return nil }
    guard let base = map.bytes.baseAddress else { return nil }
    return Column((base + place[0]).assumingMemoryBound(to: T.self), count: place[1], of: map)
  }

  private func needed<T>(_ section: Section, _ type: T.Type) throws(DataError) -> Column<T> {
    guard let column = try column(section, type) else { throw map.damaged("it has no section \(section.rawValue)") }
    return column
  }

  func histories() throws(DataError) -> Histories {
    let items = PackedNames(self, .itemEnds, try needed(.itemEnds, Int.self), .itemNames, try needed(.itemNames, UInt8.self))
    let users = PackedNames(self, .userEnds, try needed(.userEnds, Int.self), .userNames, try needed(.userNames, UInt8.self))
    var result = Histories(
      items: Vocabulary(items), users: Vocabulary(users), owners: try needed(.owners, Int32.self),
      offsets: try needed(.offsets, Int.self), events: try needed(.events, Int32.self), times: try column(.times, Int64.self),
      ticksPerSecond: header.ticksPerSecond ?? 1, ratings: try column(.ratings, Float.self), lineLength: header.lineLength,
      hasUsers: header.hasUsers, source: header.source)
    let events = result.events.count
    guard header.lineLength.map({ (1...1_000_000).contains($0) }) ?? true, users.count >= 1 || result.count == 0 else {
      throw map.damaged("its header holds numbers that cannot be")
    }
    guard [1, 1000, 1_000_000, 1_000_000_000].contains(result.ticksPerSecond) else {
      throw map.damaged("its header holds numbers that cannot be")
    }
    guard items.count >= 1, result.offsets.count == result.count + 1, result.times?.count ?? events == events,
      result.ratings?.count ?? events == events, items.count <= Int32.max, users.count <= Int32.max
    else { throw map.damaged("its sections do not fit each other") }
    result.file = self
    return result
  }

  var notes: [String] { header.notes ?? [] }

  /// To be called before values of a section are read.
  func use(_ section: Section, _ range: Range<Int>) {
    guard let start = header.sections[section.rawValue]?[0] else { return }
    map.use((start + range.lowerBound * section.stride)..<(start + range.upperBound * section.stride), kind: section.kind)
  }

  /// A number that leads out of what it counts in: reported, and read as nothing.
  func outside<T>(_ nothing: T) -> T {
    map.report("a number in it leads outside of what there is")
    return nothing
  }

  var fault: DataError? { map.fault }

  /// Every byte, and then every number: for code that relies on them.
  func checkAll() throws(DataError) {
    try map.checkAll()
    let histories = try histories()
    let (items, users, events) = (histories.items.count, histories.users.count, histories.events.count)
    var isSound = histories.offsets[0] == 0 && histories.offsets[histories.count] == events
    for h in 0..<histories.count where isSound {
      isSound = histories.offsets[h] <= histories.offsets[h + 1] && histories.owners[h] >= 0 && histories.owners[h] < users
    }
    for (ends, bytes) in [(Section.itemEnds, Section.itemNames), (.userEnds, .userNames)] where isSound {
      let (ends, size) = (try needed(ends, Int.self), try needed(bytes, UInt8.self).count)
      isSound = (ends.first ?? 0) >= 0 && zip(ends, ends.dropFirst()).allSatisfy { $0 <= $1 } && (ends.last ?? 0) <= size
    }
    isSound = isSound && histories.events.allSatisfy { $0 > 0 && $0 < items }
    if !isSound { _ = outside(0) }
    map.release()
    if let fault { throw fault }
  }

  // MARK: Writing

  /// The bytes of a file, in pieces.
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

    // Sections lie at multiples of 64 bytes; the header's own length is not known yet, so they are counted from the body.
    var places: [String: [Int]] = [:]
    var size = 0
    for part in parts {
      places[part.section.rawValue] = [size, part.count]
      size += (part.count * part.section.stride + 63) / 64 * 64
    }
    var header = Header(
      source: histories.source, notes: notes.isEmpty ? nil : notes, hasUsers: histories.hasUsers, lineLength: histories.lineLength,
      ticksPerSecond: histories.ticksPerSecond == 1 ? nil : histories.ticksPerSecond, sections: [:])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Places grow by where the body begins, and with them the header: again until it stays.
    var start = 4096
    var text = Data()
    while true {
      header.sections = places.mapValues { [$0[0] + start, $0[1]] }
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

  /// Writes a body and its sums.
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

  /// Names one behind the other, and where each ends.
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

/// Names that lie in a file.
final class PackedNames: Sendable {
  let file: BinaryFile
  let first: BinaryFile.Section
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
    guard start >= 0, start <= end, end <= bytes.count else { return file.outside("") }
    file.use(second, start..<end)
    return bytes.withUnsafeBufferPointer { String(decoding: $0[start..<end], as: UTF8.self) }
  }
}

extension Histories {
  /// Opens a `.srsd` file: at once, whatever its size.
  ///
  /// - Throws: `DataError` for a file that is not one, is of another version, or is damaged where that shows at once; what
  ///   is found later is the sequences' `fault`.
  static func open(_ path: String) throws(DataError) -> Histories { try BinaryFile(path).histories() }

  /// The bytes of a `.srsd` file, in pieces.
  ///
  /// - Parameters:
  ///   - notes: what was told when the data was read, to be told again.
  ///   - put: gets the pieces in order.
  public func writeBinary(notes: [String] = [], put: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withoutActuallyEscaping(put) { try BinaryFile.write(self, notes: notes, put: $0) }
  }
}
