import Foundation
import Syntax

/// Files that a script reads as a whole.
enum InputFile {
  /// All bytes of a file, a pipe or a device, as far as they are there; nil for what cannot be read.
  ///
  /// A pipe that nobody writes to is waited for, until someone wants the work to end.
  ///
  /// - Throws: E0406 for more than 1 GiB, E0801 where someone wants the work to end.
  static func contents(_ path: String, _ work: Work) throws -> [UInt8]? {
    guard !path.contains("\0") else { return nil }
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return nil }
    var bytes: [UInt8] = []
    if status.st_mode & S_IFMT == S_IFREG {
      try work.checkText(bytes: Int(status.st_size))
      bytes.reserveCapacity(Int(status.st_size))
    }
    var part = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      try work.look()
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 100) > 0 else { continue }
      let count = part.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return nil
      }
      if count == 0 { return bytes }
      try work.checkText(bytes: bytes.count + count)
      bytes += part[..<count]
    }
  }
}
