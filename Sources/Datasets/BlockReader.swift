import CZlib
import Foundation

/// A text file, plain or gzip-compressed, in blocks of whole lines, so that a file of any size needs the memory of a few
/// blocks.
final class BlockReader {
  static let blockSize = 4 << 20
  /// A line that is longer is no line.
  static let longestLine = 256 << 20

  let path: String
  /// Bytes of the file as it lies on the disk.
  let size: Int
  private let descriptor: Int32
  private let packed: OpaquePointer?
  private var carry: [UInt8] = []
  private var isAtStart = true
  private var isAtEnd = false
  private var given = 0

  /// - Throws: `DataError` for a file that is not there or cannot be read.
  init(_ path: String) throws(DataError) {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else { throw Self.missing(path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw DataError("\(path) is a folder; a data file was expected", argument: "file") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataError("\(path) cannot be read: \(String(cString: strerror(errno)))", argument: "file")
    }
    self.descriptor = descriptor
    size = Int(status.st_size)
    var magic: (UInt8, UInt8) = (0, 0)
    let got = withUnsafeMutableBytes(of: &magic) { pread(descriptor, $0.baseAddress, 2, 0) }
    guard got == 2, magic == (0x1f, 0x8b) else {
      packed = nil
      return
    }
    packed = srs_gzip_open(descriptor)
    if packed == nil {
      close(descriptor)
      throw DataError("there is no memory to unpack \(path)", argument: "file")
    }
  }

  deinit {
    if let packed { srs_gzip_close(packed) } else { close(descriptor) }
  }

  /// Share of the file that has been read.
  var progress: Double {
    size == 0 ? 1 : min(1, Double(packed.map { srs_gzip_position($0) } ?? given) / Double(size))
  }

  /// The next lines, the last one with its end where it has one; nil at the end of the file.
  func next() throws(DataError) -> [UInt8]? {
    if isAtEnd { return nil }
    var room = max(Self.blockSize, carry.count * 2)
    while true {
      var problem: DataError?
      let start = carry.count
      var block = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        carry.withUnsafeBufferPointer { if let base = $0.baseAddress { buffer.baseAddress?.update(from: base, count: start) } }
        count = start
        do throws(DataError) {
          count += try fill(UnsafeMutableBufferPointer(rebasing: buffer[start...]))
        } catch { problem = error }
      }
      if let problem { throw problem }
      given += block.count - start
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

  private func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws(DataError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled...])
      let got: Int
      if let packed {
        got = srs_gzip_read(packed, rest.baseAddress, rest.count)
        if got == -2 {
          throw DataError("\(path) is cut off: its gzip data ends too early", help: "fetch or pack it again", argument: "file")
        }
        if got < 0 {
          throw DataError("\(path) is damaged: its gzip data cannot be unpacked", help: "fetch or pack it again", argument: "file")
        }
      } else {
        got = read(descriptor, rest.baseAddress, rest.count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { throw DataError("\(path) cannot be read: \(String(cString: strerror(errno)))", argument: "file") }
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  /// All of the file.
  func rest() throws(DataError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let block = try next() { if bytes.isEmpty { bytes = block } else { bytes += block } }
    return bytes
  }

  private static func missing(_ path: String) -> DataError {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    let near = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).sorted()
    let list = near.prefix(6).joined(separator: ", ")
    return DataError(
      "there is no file \(path)",
      help: near.isEmpty
        ? "paths are taken from the folder srs was started in, \(FileManager.default.currentDirectoryPath)"
        : "\(folder.isEmpty ? "this folder" : folder) has: \(list)\(near.count > 6 ? ", ..." : "")", argument: "file")
  }
}
