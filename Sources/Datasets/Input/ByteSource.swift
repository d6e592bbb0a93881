import Foundation

/// Reads the bytes of a file or a pipe. It opens the file once, because the bytes of a pipe can be read only once.
///
/// While it waits for the writer of a pipe, it checks ten times per second whether the reading should stop.
final class ByteSource {
  private static let waitMilliseconds: Int32 = 100
  private static let headSize = 8

  let path: String
  /// The size of a regular file in bytes; nil for a pipe, a socket or a device.
  let size: Int?
  /// The first bytes, up to eight, which identify the type of the file.
  private(set) var head: [UInt8] = []
  /// The number of bytes that `fill` has returned so far.
  private(set) var given = 0
  private let descriptor: Int32
  private let isStopped: () -> Bool
  private var isHeadGiven = false
  private var isEnded = false

  /// - Parameter isStopped: called before each piece is read, and ten times per second while waiting. True stops the reading.
  /// - Throws: `DataError` if the file does not exist or cannot be read; `ReadingStopped`.
  init(_ path: String, isStopped: @escaping () -> Bool = { false }) throws {
    self.path = path
    self.isStopped = isStopped
    descriptor = try Self.opened(path)
    var status = stat()
    fstat(descriptor, &status)
    size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    // All stored properties are initialised, so `deinit` closes the file if this throws.
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

  /// Opens a file without waiting for the writer of a pipe, which may never open it.
  private static func opened(_ path: String) throws(DataError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor >= 0 { return descriptor }
    let problem = errno
    // A path such as /dev/stdin that refers to a socket cannot be opened: duplicate the descriptor instead.
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

  /// Whether the last bytes of a regular file contain a mark. The position in the file does not change.
  func hasEnd(_ mark: [UInt8], within size: Int) -> Bool {
    guard let length = self.size else { return false }
    var bytes = [UInt8](repeating: 0, count: min(size, length))
    let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(length - $0.count)) }
    return got == bytes.count && bytes.indices.contains { bytes[$0...].starts(with: mark) }
  }

  /// Whether the reading should stop.
  var stops: Bool { isStopped() }

  /// The descriptor of a regular file, at its beginning; nil for a pipe. The descriptor is closed with the source.
  func rewound() -> Int32? {
    guard size != nil, lseek(descriptor, 0, SEEK_SET) == 0 else { return nil }
    return descriptor
  }

  /// Fills a buffer with the next bytes.
  ///
  /// - Returns: the number of bytes; less than the size of the buffer only at the end of the file.
  func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    var filled = 0
    if !isHeadGiven, !buffer.isEmpty {
      // All callers pass buffers that are larger than the head.
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
      // Read at most 4 MiB at a time, so that a slow disk does not delay an interruption.
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
