/// A scanner for one line of JSON. It walks through the line without building values.
struct JSONScanner {
  struct Problem: Error {
    let position: Int
    let message: String
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private func problem(_ message: String) -> Problem { Problem(position: min(position, bytes.count), message: message) }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0d].contains(bytes[position]) { position += 1 }
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func end() throws(Problem) {
    skipBlanks()
    if position < bytes.count { throw problem("expected the end of the line") }
  }

  /// Whether the next value is a list.
  var isAtArray: Bool { mutating get { next == 0x5b } }

  /// Whether the next value is a text or a number.
  var isAtScalar: Bool { mutating get { next.map { $0 == 0x22 || $0 == 0x2d || (0x30...0x39).contains($0) } ?? false } }

  private var next: UInt8? {
    mutating get {
      skipBlanks()
      return position < bytes.count ? bytes[position] : nil
    }
  }

  /// Scans an object. Calls `body` with every key; `body` must scan the value.
  mutating func object(_ body: (inout JSONScanner, String) throws(Problem) -> Void) throws(Problem) {
    guard accept(0x7b) else { throw problem("expected `{`") }
    if accept(0x7d) { return }
    repeat {
      skipBlanks()
      let key = try string()
      guard accept(0x3a) else { throw problem("expected `:`") }
      try body(&self, key.withBytes(in: bytes) { String(decoding: $0, as: UTF8.self) })
    } while accept(0x2c)
    guard accept(0x7d) else { throw problem("expected `,` or `}`") }
  }

  /// Scans a list. `body` must scan one value.
  mutating func array(_ body: (inout JSONScanner) throws(Problem) -> Void) throws(Problem) {
    guard accept(0x5b) else { throw problem("expected `[`") }
    if accept(0x5d) { return }
    repeat { try body(&self) } while accept(0x2c)
    guard accept(0x5d) else { throw problem("expected `,` or `]`") }
  }

  /// The range of a text without its quotes, or of a number.
  struct Scalar {
    let range: Range<Int>
    var hasEscapes = false

    /// Calls `body` with the decoded bytes. The scanner has checked the escapes.
    func withBytes<Result>(in line: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
      if !hasEscapes { return body(UnsafeBufferPointer(rebasing: line[range])) }
      return (JSONScanner.unescaped(line, range) ?? []).withUnsafeBufferPointer(body)
    }
  }

  /// Scans a text or a number.
  mutating func scalar() throws(Problem) -> Scalar {
    skipBlanks()
    if position < bytes.count, bytes[position] == 0x22 { return try string() }
    let start = position
    while position < bytes.count, ![0x2c, 0x7d, 0x5d, 0x20, 0x09, 0x0d].contains(bytes[position]) { position += 1 }
    let first = start < position ? bytes[start] : 0
    // Check all characters of the number, because its text may also be used as an id.
    let isNumber = bytes[start..<position].allSatisfy { (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains($0) }
    guard isNumber, first == 0x2d || (0x30...0x39).contains(first) else {
      position = start
      throw problem("expected a number or a text")
    }
    return Scalar(range: start..<position)
  }

  private mutating func string() throws(Problem) -> Scalar {
    guard position < bytes.count, bytes[position] == 0x22 else { throw problem("expected a text in quotes") }
    let start = position + 1
    position += 1
    var hasEscapes = false
    while position < bytes.count, bytes[position] != 0x22 {
      if bytes[position] == 0x5c {
        hasEscapes = true
        position += 1
      }
      position += 1
    }
    guard position < bytes.count else {
      position = start - 1
      throw problem("this text is not closed")
    }
    if hasEscapes, Self.unescaped(bytes, start..<position) == nil {
      position = start - 1
      throw problem("this text has an escape that JSON does not have, or half of a surrogate pair")
    }
    position += 1
    return Scalar(range: start..<(position - 1), hasEscapes: hasEscapes)
  }

  /// Decodes the escapes of a text to UTF-8; nil if an escape is not valid.
  static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var text: [UInt8] = []
    var position = range.lowerBound
    /// The four hexadecimal digits after `\u`.
    func unit() -> UInt32? {
      guard position + 4 <= range.upperBound else { return nil }
      var value: UInt32 = 0
      for byte in bytes[position..<(position + 4)] {
        switch byte {
        case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x61 + 10)
        default: return nil
        }
      }
      position += 4
      return value
    }
    while position < range.upperBound {
      let byte = bytes[position]
      position += 1
      if byte != 0x5c {
        text.append(byte)
        continue
      }
      guard position < range.upperBound else { return nil }
      let kind = bytes[position]
      position += 1
      switch kind {
      case 0x22, 0x2f, 0x5c: text.append(kind)
      case 0x62: text.append(0x08)
      case 0x66: text.append(0x0c)
      case 0x6e: text.append(0x0a)
      case 0x72: text.append(0x0d)
      case 0x74: text.append(0x09)
      case 0x75:
        guard var value = unit() else { return nil }
        // Characters beyond 16 bits are written as a surrogate pair.
        if (0xd800..<0xdc00).contains(value) {
          guard position + 2 <= range.upperBound, bytes[position] == 0x5c, bytes[position + 1] == 0x75 else { return nil }
          position += 2
          guard let low = unit(), (0xdc00..<0xe000).contains(low) else { return nil }
          value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(value) else { return nil }
        text += String(scalar).utf8
      default: return nil
      }
    }
    return text
  }

  /// Skips a value.
  mutating func skip() throws(Problem) {
    skipBlanks()
    guard position < bytes.count else { throw problem("expected a value") }
    depth += 1
    defer { depth -= 1 }
    guard depth < 64 else { throw problem("this is nested too deeply") }
    switch bytes[position] {
    case 0x7b: try object { scanner, _ throws(Problem) in try scanner.skip() }
    case 0x5b: try array { scanner throws(Problem) in try scanner.skip() }
    case 0x22: _ = try string()
    case 0x74, 0x66, 0x6e:
      guard let word = ["true", "false", "null"].first(where: { bytes[position...].starts(with: $0.utf8) }) else {
        throw problem("expected a value")
      }
      position += word.utf8.count
    default: _ = try scalar()
    }
  }
}
