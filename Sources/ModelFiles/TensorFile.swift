import Foundation

/// A safetensors file that is open for reading. Each tensor is read directly into its final memory. If the file shrinks
/// while it is open, reading throws an error.
final class TensorFile {
  /// The file cannot be opened. Violations of the format are `TensorHeader.FormatError`.
  enum Failure: Error { case missing, unreadable(String) }

  let header: TensorHeader
  private let descriptor: Int32
  private let start: Int

  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? Failure.missing : Failure.unreadable(String(cString: strerror(errno)))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Failure.unreadable("not a regular file")
    }
    do {
      let size = Int(status.st_size)
      let length = try TensorHeader.length(try Self.bytes(descriptor, 0, min(8, size)), of: size)
      start = 8 + length
      header = try TensorHeader(try Self.bytes(descriptor, 8, length), size: size - start)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  private static func bytes(_ descriptor: Int32, _ offset: Int, _ count: Int) throws -> Data {
    var data = Data(count: count)
    try data.withUnsafeMutableBytes { try read(descriptor, at: offset, into: $0) }
    return data
  }

  private static func read(_ descriptor: Int32, at offset: Int, into memory: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < memory.count {
      let count = pread(descriptor, memory.baseAddress.map { $0 + done }, memory.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw TensorHeader.FormatError(message: "its bytes end in the middle of what its header names") }
      done += count
    }
  }

  /// Reads the bytes of a tensor. `memory` has the size of the tensor.
  func read(_ entry: TensorHeader.Entry, into memory: UnsafeMutableRawBufferPointer) throws {
    precondition(memory.count == entry.offsets[1] - entry.offsets[0])
    try Self.read(descriptor, at: start + entry.offsets[0], into: memory)
  }

  /// Calls `body` with successive pieces of a tensor's bytes.
  func forEachPiece(_ entry: TensorHeader.Entry, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 8)
    defer { piece.deallocate() }
    var offset = entry.offsets[0]
    while offset < entry.offsets[1] {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece.prefix(entry.offsets[1] - offset))
      try Self.read(descriptor, at: start + offset, into: part)
      body(UnsafeRawBufferPointer(part))
      offset += part.count
    }
  }
}
