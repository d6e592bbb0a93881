import CZlib

/// gzip data, unpacked: one member behind the other, each with its checksum, and nothing else.
final class Unpacking {
  private static let inputSize = 1 << 18

  private let source: ByteSource
  private let state: OpaquePointer
  private var input = [UInt8](repeating: 0, count: Unpacking.inputSize)
  private var waiting = 0..<0
  private var isAtEnd = false
  /// Does the member that is read have its end still to come?
  private var isInside = true

  /// - Throws: `DataError` where memory is short.
  init(_ source: ByteSource) throws(DataError) {
    guard let state = srs_inflate_open() else {
      throw DataError("there is no memory to unpack \(source.path)", argument: "file")
    }
    self.source = source
    self.state = state
  }

  deinit { srs_inflate_close(state) }

  /// Fills a buffer, but for the end of the data.
  ///
  /// - Throws: `DataError` for data that is cut off, damaged, or followed by something else.
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

  private func more() throws {
    if isAtEnd { return }
    let got = try input.withUnsafeMutableBufferPointer { try source.fill($0) }
    isAtEnd = got < input.count
    waiting = 0..<got
  }

  /// What stands behind a member: another one, or the zeros that tapes fill their last block with.
  private func beginMember() throws {
    guard input[waiting.lowerBound] != 0 else { return try skipZeros() }
    srs_inflate_restart(state)
    // The first byte is held against gzip's here, so that other bytes are told from a member that is damaged.
    guard input[waiting.lowerBound] == 0x1f else { throw damaged("other bytes stand behind its gzip data") }
    isInside = true
  }

  private func skipZeros() throws {
    while !waiting.isEmpty {
      guard input[waiting].allSatisfy({ $0 == 0 }) else { throw damaged("other bytes stand behind its gzip data") }
      waiting = waiting.upperBound..<waiting.upperBound
      try more()
    }
  }

  private func damaged(_ what: String) -> DataError {
    DataError("\(source.path) is damaged: \(what)", help: "fetch or pack it again", argument: "file")
  }
}
