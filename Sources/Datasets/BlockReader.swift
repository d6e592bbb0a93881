/// A text file, plain or gzip-compressed, in blocks of whole lines, so that a file of any size needs the memory of a few
/// blocks.
final class BlockReader {
  static let blockSize = 4 << 20
  /// A line that is longer is no line.
  static let longestLine = 256 << 20

  let path: String
  /// Interactions found so far, for the watcher.
  var interactions = 0
  private let source: ByteSource
  private let packed: Unpacking?
  private var carry: [UInt8] = []
  private var isAtStart = true
  private var isAtEnd = false

  /// - Parameter watch: asked while bytes are read or waited for.
  /// - Throws: `DataError` for a file that is not there or cannot be read; `ReadingStopped`.
  init(_ path: String, watch: ReadingWatch? = nil) throws {
    self.path = path
    // The source asks before there is a reader to ask.
    let state = WatchState()
    source = try ByteSource(path) { watch.map { !$0(state.reader?.progress ?? 0, state.reader?.interactions ?? 0) } ?? false }
    packed = source.head.starts(with: [0x1f, 0x8b]) ? try Unpacking(source) : nil
    state.reader = self
  }

  private final class WatchState {
    weak var reader: BlockReader?
  }

  /// The first bytes of the file as it lies on the disk, up to eight.
  var head: [UInt8] { source.head }

  /// Share of the file that has been read; 0 where its size is not known.
  var progress: Double {
    guard let size = source.size, size > 0 else { return 0 }
    return min(1, Double(source.given) / Double(size))
  }

  /// The next lines, the last one with its end where it has one; nil at the end of the file.
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
        do { count += try packed?.fill(rest) ?? source.fill(rest) } catch { problem = error }
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

  /// All of the file.
  func rest() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let block = try next() { if bytes.isEmpty { bytes = block } else { bytes += block } }
    return bytes
  }
}
