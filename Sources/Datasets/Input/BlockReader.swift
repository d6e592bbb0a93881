import Archives

/// Reads a text file, plain, compressed or in an archive, in blocks of whole lines. So a file of any size needs the memory of a few
/// blocks.
final class BlockReader {
  /// The size of a block in bytes.
  static let blockSize = 4 << 20
  /// The largest length of a line in bytes. A longer line is an error: such a file is hardly a text file.
  static let longestLine = 256 << 20

  let path: String
  /// The number of interactions so far, for the watch.
  var interactions = 0
  private let source: ByteSource
  private let packed: (any Unpacking)?
  /// The member of an archive that is read; nil for other files.
  let member: String?
  /// What was chosen, for a note.
  let note: String?
  /// The most bytes that may be unpacked.
  private let limit: Int?
  private var unpacked = 0
  private var carry: [UInt8] = []
  private var isAtStart = true
  private var isAtEnd = false

  /// A file that is unpacked to more than this many times its size is hardly data. Smaller results are always allowed.
  static let largestRatio = 200, alwaysUnpacked = 1 << 30

  /// - Parameters:
  ///   - member: the member of an archive to read; nil: the only one, or the only one whose name fits.
  ///   - limit: the most bytes that may be unpacked; nil: by the size of the file.
  ///   - watch: called while bytes are read or waited for; it can stop the reading.
  /// - Throws: `DataError` if the file does not exist or cannot be read; `ReadingStopped`.
  init(_ path: String, member: String? = nil, limit: Int? = nil, watch: ReadingWatch? = nil) throws {
    self.path = path
    self.limit = limit
    // The source calls its closure before `self` is initialised, so the closure gets the reader through this object.
    let state = WatchState()
    source = try ByteSource(path) { watch.map { !$0(state.reader?.progress ?? 0, state.reader?.interactions ?? 0) } ?? false }
    if let kind = Archive.Kind.of(source.head) {
      let found = try ArchiveMember(source, kind, wanted: member)
      (packed, self.member, note) = (found, found.name, found.note)
    } else {
      if member != nil { throw DataError("\(path) is not an archive", help: "leave `member` out", argument: "member") }
      packed = source.head.starts(with: [0x1f, 0x8b]) ? try Decompression(source) : nil
      (self.member, note) = (nil, nil)
      if limit != nil, packed == nil {
        throw DataError("\(path) is not compressed", help: "leave `unpack_limit` out", argument: "unpack_limit")
      }
    }
    state.reader = self
  }

  private final class WatchState {
    weak var reader: BlockReader?
  }

  /// Whether the file is compressed or an archive.
  var isPacked: Bool { packed != nil }

  /// The first bytes of the file, up to eight, before decompression.
  var head: [UInt8] { source.head }

  /// The share of the file that has been read, from 0 to 1; 0 if the size is not known.
  var progress: Double {
    guard let size = source.size, size > 0 else { return 0 }
    return min(1, Double(source.given) / Double(size))
  }

  /// The next block of whole lines with their line breaks; nil at the end of the file.
  ///
  /// - Throws: `DataError`, `ReadingStopped`.
  func next() throws -> [UInt8]? {
    if isAtEnd { return nil }
    var room = max(Self.blockSize, carry.count * 2)
    while true {
      var problem: (any Error)?
      let start = carry.count
      var block = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        carry.withUnsafeBufferPointer { if let base = $0.baseAddress { buffer.baseAddress?.update(from: base, count: start) } }
        count = start
        let rest = UnsafeMutableBufferPointer(rebasing: buffer[start..<room])
        do { count += try fill(rest) } catch { problem = error }
      }
      if let problem { throw problem }
      isAtEnd = block.count < room
      carry = []
      if isAtStart {
        isAtStart = false
        // A byte-order mark is not part of the first field.
        if block.starts(with: [0xef, 0xbb, 0xbf]) { block.removeFirst(3) }
      }
      if isAtEnd { return block.isEmpty ? nil : block }
      if let last = block.lastIndex(of: 0x0a) {
        carry = Array(block[(last + 1)...])
        block.removeSubrange((last + 1)...)
        return block
      }
      guard block.count < Self.longestLine else {
        throw DataError("\(path) has a line of more than \(Self.longestLine >> 20) MB", help: "is it a text file?", argument: "file")
      }
      carry = block
      room = block.count * 2
    }
  }

  private func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    guard let packed else { return try source.fill(buffer) }
    let got = try packed.fill(buffer)
    unpacked += got
    let most = limit ?? max(Self.alwaysUnpacked, Self.largestRatio * (source.size ?? source.given))
    guard unpacked <= most else {
      throw DataError(
        "\(path) unpacks to more than \(most >= 1 << 20 ? "\(most >> 20) MB" : "\(most >> 10) KB")"
          + (limit == nil ? ", over \(Self.largestRatio) times its size" : ""),
        help: "if that is right, allow it: unpack_limit: 100 (gigabytes)", argument: "unpack_limit")
    }
    return got
  }

  /// All remaining bytes of the file.
  func rest() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let block = try next() { if bytes.isEmpty { bytes = block } else { bytes += block } }
    return bytes
  }
}
