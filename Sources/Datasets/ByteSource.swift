import Foundation

/// The bytes of a file as it lies on the disk, or as they come through a pipe. It is opened once: what a pipe gave is gone.
///
/// Waiting for a pipe's writer is interrupted within a tenth of a second.
final class ByteSource {
  private static let waitMilliseconds: Int32 = 100
  private static let headSize = 8

  let path: String
  /// Bytes of an ordinary file; nil for a pipe, a socket or a device.
  let size: Int?
  /// The first bytes, up to eight, which say what kind of file it is.
  private(set) var head: [UInt8] = []
  /// Bytes that were read.
  private(set) var given = 0
  private let descriptor: Int32
  private let isStopped: () -> Bool
  private var isHeadGiven = false
  private var isEnded = false

  /// - Parameter isStopped: asked before each piece that is read, and ten times a second while nothing comes.
  /// - Throws: `DataError` for a file that is not there or cannot be read; `ReadingStopped`.
  init(_ path: String, isStopped: @escaping () -> Bool = { false }) throws {
    self.path = path
    self.isStopped = isStopped
    descriptor = try Self.opened(path)
    var status = stat()
    fstat(descriptor, &status)
    size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    // A class whose initialiser throws now is still taken apart by `deinit`, which closes the file.
    guard status.st_mode & S_IFMT != S_IFDIR else { throw DataError("\(path) is a folder; a data file was expected", argument: "file") }
    var bytes = [UInt8](repeating: 0, count: Self.headSize)
    let got = try bytes.withUnsafeMutableBufferPointer { buffer in
      var filled = 0
      while filled < buffer.count {
        let got = try readOnce(UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
        if got == 0 { break }
        filled += got
      }
      return filled
    }
    head = Array(bytes[..<got])
    given = 0
  }

  deinit { close(descriptor) }

  /// Without waiting for the writer of a pipe, which may never come.
  private static func opened(_ path: String) throws(DataError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor >= 0 { return descriptor }
    let problem = errno
    // A socket that stands behind a number cannot be opened by name.
    if problem == ENXIO, let own = ownDescriptor(path) {
      let copy = fcntl(own, F_DUPFD_CLOEXEC, 0)
      if copy >= 0 { return copy }
    }
    if problem == ENOENT || problem == ENOTDIR { throw missing(path) }
    throw DataError("\(path) cannot be read: \(String(cString: strerror(problem)))", argument: "file")
  }

  private static func ownDescriptor(_ path: String) -> Int32? {
    if path == "/dev/stdin" { return 0 }
    for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) { return Int32(path.dropFirst(folder.count)) }
    return nil
  }

  /// Fills a buffer, but for the end of the file.
  ///
  /// - Returns: how many bytes were put; fewer than there is room for only at the end.
  func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    var filled = 0
    if !isHeadGiven, !buffer.isEmpty {
      // Rooms are larger than the head in all uses.
      filled = min(head.count, buffer.count)
      _ = buffer.update(fromContentsOf: head[..<filled])
      isHeadGiven = true
      given += filled
    }
    while filled < buffer.count {
      let got = try readOnce(UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  private func readOnce(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    while !isEnded {
      if isStopped() { throw ReadingStopped() }
      if size == nil {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&waiting, 1, Self.waitMilliseconds) <= 0 { continue }
      }
      // A large file in pieces, so that a slow disk does not keep an interruption waiting.
      let got = read(descriptor, buffer.baseAddress, min(buffer.count, 1 << 22))
      if got >= 0 {
        given += got
        isEnded = got == 0
        return got
      }
      if errno == EINTR || errno == EAGAIN { continue }
      throw DataError("\(path) cannot be read: \(String(cString: strerror(errno)))", argument: "file")
    }
    return 0
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
