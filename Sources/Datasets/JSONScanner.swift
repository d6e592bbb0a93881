/// Just enough of JSON to walk through a line without making values of it.
struct JSONScanner {
  struct Problem: Error {
    let place: Int
    let message: String
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private func problem(_ message: String) -> Problem { Problem(place: min(place, bytes.count), message: message) }

  private mutating func skipBlanks() {
    while place < bytes.count, [0x20, 0x09, 0x0d].contains(bytes[place]) { place += 1 }
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  mutating func end() throws(Problem) {
    skipBlanks()
    if place < bytes.count { throw problem("expected the end of the line") }
  }

  /// Does a list come next?
  var isAtArray: Bool { mutating get { next == 0x5b } }

  /// Does a text or a number come next?
  var isAtScalar: Bool { mutating get { next.map { $0 == 0x22 || $0 == 0x2d || (0x30...0x39).contains($0) } ?? false } }

  private var next: UInt8? {
    mutating get {
      skipBlanks()
      return place < bytes.count ? bytes[place] : nil
    }
  }

  /// Calls `body` with every key; it must take the value.
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

  mutating func array(_ body: (inout JSONScanner) throws(Problem) -> Void) throws(Problem) {
    guard accept(0x5b) else { throw problem("expected `[`") }
    if accept(0x5d) { return }
    repeat { try body(&self) } while accept(0x2c)
    guard accept(0x5d) else { throw problem("expected `,` or `]`") }
  }

  /// A text, its quotes left out, or a number.
  struct Scalar {
    let range: Range<Int>
    var hasEscapes = false

    /// Calls `body` with the bytes that are meant. Escapes have been found right before.
    func withBytes<Result>(in line: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
      if !hasEscapes { return body(UnsafeBufferPointer(rebasing: line[range])) }
      return (JSONScanner.unescaped(line, range) ?? []).withUnsafeBufferPointer(body)
    }
  }

  mutating func scalar() throws(Problem) -> Scalar {
    skipBlanks()
    if place < bytes.count, bytes[place] == 0x22 { return try string() }
    let start = place
    while place < bytes.count, ![0x2c, 0x7d, 0x5d, 0x20, 0x09, 0x0d].contains(bytes[place]) { place += 1 }
    let first = start < place ? bytes[start] : 0
    // What a number can be made of, as what stands there is an id as well.
    let isNumber = bytes[start..<place].allSatisfy { (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains($0) }
    guard isNumber, first == 0x2d || (0x30...0x39).contains(first) else {
      place = start
      throw problem("expected a number or a text")
    }
    return Scalar(range: start..<place)
  }

  private mutating func string() throws(Problem) -> Scalar {
    guard place < bytes.count, bytes[place] == 0x22 else { throw problem("expected a text in quotes") }
    let start = place + 1
    place += 1
    var hasEscapes = false
    while place < bytes.count, bytes[place] != 0x22 {
      if bytes[place] == 0x5c {
        hasEscapes = true
        place += 1
      }
      place += 1
    }
    guard place < bytes.count else {
      place = start - 1
      throw problem("this text is not closed")
    }
    if hasEscapes, Self.unescaped(bytes, start..<place) == nil {
      place = start - 1
      throw problem("this text has an escape that JSON does not know, or half of a pair of them")
    }
    place += 1
    return Scalar(range: start..<(place - 1), hasEscapes: hasEscapes)
  }

  /// The text that is meant by one with escapes, as UTF-8; nil where an escape means nothing.
  static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    var text: [UInt8] = []
    var place = range.lowerBound
    /// The four digits behind `\u`.
    func unit() -> UInt32? {
      guard place + 4 <= range.upperBound else { return nil }
      var value: UInt32 = 0
      for byte in bytes[place..<(place + 4)] {
        switch byte {
        case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x61 + 10)
        default: return nil
        }
      }
      place += 4
      return value
    }
    while place < range.upperBound {
      let byte = bytes[place]
      place += 1
      if byte != 0x5c {
        text.append(byte)
        continue
      }
      guard place < range.upperBound else { return nil }
      let kind = bytes[place]
      place += 1
      switch kind {
      case 0x22, 0x2f, 0x5c: text.append(kind)
      case 0x62: text.append(0x08)
      case 0x66: text.append(0x0c)
      case 0x6e: text.append(0x0a)
      case 0x72: text.append(0x0d)
      case 0x74: text.append(0x09)
      case 0x75:
        guard var value = unit() else { return nil }
        // Characters beyond 16 bits are written as two halves.
        if (0xd800..<0xdc00).contains(value) {
          guard place + 2 <= range.upperBound, bytes[place] == 0x5c, bytes[place + 1] == 0x75 else { return nil }
          place += 2
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

  /// Leaves a value out.
  mutating func skip() throws(Problem) {
    skipBlanks()
    guard place < bytes.count else { throw problem("expected a value") }
    depth += 1
    defer { depth -= 1 }
    guard depth < 64 else { throw problem("this is nested too deeply") }
    switch bytes[place] {
    case 0x7b: try object { scanner, _ throws(Problem) in try scanner.skip() }
    case 0x5b: try array { scanner throws(Problem) in try scanner.skip() }
    case 0x22: _ = try string()
    case 0x74, 0x66, 0x6e:
      guard let word = ["true", "false", "null"].first(where: { bytes[place...].starts(with: $0.utf8) }) else {
        throw problem("expected a value")
      }
      place += word.utf8.count
    default: _ = try scalar()
    }
  }
}
