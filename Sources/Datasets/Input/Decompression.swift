import CZlib

/// Decompresses gzip data: one or more members, each with its checksum, and nothing after them.
final class Decompression {
  private static let inputSize = 1 << 18

  private let source: ByteSource
  private let state: OpaquePointer
  private var input = [UInt8](repeating: 0, count: Decompression.inputSize)
  /// The part of `input` that has not been decompressed yet.
  private var waiting = 0..<0
  private var isAtEnd = false
  /// Whether the end of the current member has not been reached.
  private var isInside = true

  /// - Throws: `DataError` if there is not enough memory.
  init(_ source: ByteSource) throws(DataError) {
    guard let state = srs_inflate_open() else {
      throw DataError("there is no memory to unpack \(source.path)", argument: "file")
    }
    self.source = source
    self.state = state
  }

  deinit { srs_inflate_close(state) }

  /// Fills a buffer with decompressed bytes.
  ///
  /// - Returns: the number of bytes; less than the size of the buffer only at the end of the data.
  /// - Throws: `DataError` if the data is cut off, damaged, or followed by other bytes; `ReadingStopped`.
  func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    var room = buffer.count
    while room > 0 {
      if waiting.isEmpty { try more() }
      if !isInside {
        if waiting.isEmpty { break }
        try beginMember()
        continue
      }
      guard !waiting.isEmpty else {
        throw DataError("\(source.path) is cut off: its gzip data ends too early", help: "fetch or pack it again", argument: "file")
      }
      var left = waiting.count
      let code = input.withUnsafeBufferPointer {
        srs_inflate_run(
          state, $0.baseAddress.map { $0 + waiting.lowerBound }, &left, buffer.baseAddress.map { $0 + (buffer.count - room) }, &room)
      }
      waiting = (waiting.upperBound - left)..<waiting.upperBound
      switch Int(code) {
      case SRS_INFLATE_MORE: continue
      case SRS_INFLATE_END: isInside = false
      case SRS_INFLATE_MEMORY: throw DataError("there is no memory to unpack \(source.path)", argument: "file")
      default: throw damaged("its gzip data cannot be unpacked")
      }
    }
    return buffer.count - room
  }

  /// Reads the next input.
  private func more() throws {
    if isAtEnd { return }
    let got = try input.withUnsafeMutableBufferPointer { try source.fill($0) }
    isAtEnd = got < input.count
    waiting = 0..<got
  }

  /// Begins the next member, or skips zeros at the end: tape drives fill their last block with zeros.
  private func beginMember() throws {
    guard input[waiting.lowerBound] != 0 else { return try skipZeros() }
    srs_inflate_restart(state)
    // Checking the first byte here gives a better error for other bytes than zlib's error for a damaged member.
    guard input[waiting.lowerBound] == 0x1f else { throw damaged("other bytes follow its gzip data") }
    isInside = true
  }

  private func skipZeros() throws {
    while !waiting.isEmpty {
      guard input[waiting].allSatisfy({ $0 == 0 }) else { throw damaged("other bytes follow its gzip data") }
      waiting = waiting.upperBound..<waiting.upperBound
      try more()
    }
  }

  private func damaged(_ what: String) -> DataError {
    DataError("\(source.path) is damaged: \(what)", help: "fetch or pack it again", argument: "file")
  }
}
