import Foundation

/// A safetensors file that is open for reading. Tensors are read from their place in the file into the memory they are for;
/// nothing else of them is held. A file that shrinks meanwhile is an error.
final class TensorFile {
  /// What cannot be read, apart from what is not as the format prescribes.
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

  /// Reads the bytes of a tensor; `memory` has as many as it.
  func read(_ entry: TensorHeader.Entry, into memory: UnsafeMutableRawBufferPointer) throws {
    precondition(memory.count == entry.offsets[1] - entry.offsets[0])
    try Self.read(descriptor, at: start + entry.offsets[0], into: memory)
  }

  /// Calls `body` with the bytes of a tensor, a piece at a time.
  func forEachPiece(_ entry: TensorHeader.Entry, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 8)
    defer { piece.deallocate() }
    var place = entry.offsets[0]
    while place < entry.offsets[1] {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece.prefix(entry.offsets[1] - place))
      try Self.read(descriptor, at: start + place, into: part)
      body(UnsafeRawBufferPointer(part))
      place += part.count
    }
  }
}
