import Basics
import Foundation

/// Reads and writes JSON (RFC 8259). Objects become records with their fields in order; Foundation's reader does not keep the
/// order.
public enum JSON {
  public struct Problem: Error {
    public let message: String
    public let line: Int
    public let column: Int
  }

  static let maximumDepth = 500

  /// Parses a JSON text.
  ///
  /// - Throws: `Problem` for invalid JSON, E0801 after an interrupt.
  public static func parse(_ bytes: [UInt8], _ work: Work? = nil) throws -> Value {
    var reader = Reader(bytes: bytes, work: work)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.position = 3 }
    let value = try reader.value()
    reader.skipBlanks()
    guard reader.position == bytes.count else { throw reader.problem("expected the end of the JSON") }
    return value
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0
    var depth = 0

    let work: Work?

    init(bytes: [UInt8], work: Work?) {
      self.bytes = bytes
      self.work = work
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func problem(_ message: String) -> Problem {
      let before = bytes[..<min(position, bytes.count)]
      let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
      let line = before.reduce(1) { $0 + ($1 == 0x0a ? 1 : 0) }
      return Problem(message: message, line: line, column: String(decoding: before[start...], as: UTF8.self).count + 1)
    }

    mutating func skipBlanks() {
      while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    mutating func accept(_ byte: UInt8) -> Bool {
      guard current == byte else { return false }
      position += 1
      return true
    }

    mutating func value() throws -> Value {
      try work?.step()
      skipBlanks()
      guard let byte = current else { throw problem("expected a value, found the end") }
      switch byte {
      case 0x7b: return .record(try object())
      case 0x5b: return .list(try array())
      case 0x22: return .text(try string())
      case 0x74: return try word("true", .bool(true))
      case 0x66: return try word("false", .bool(false))
      case 0x6e: return try word("null", .nothing)
      default: return try number()
      }
    }

    private mutating func word(_ word: String, _ value: Value) throws -> Value {
      guard bytes[position...].starts(with: word.utf8) else { throw problem("expected a value") }
      position += word.utf8.count
      return value
    }

    /// A number. A whole number that no number has exactly becomes a text, so that ids of many digits stay different.
    private mutating func number() throws -> Value {
      let start = position
      func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
      func digits(_ position: inout Int) -> Bool {
        let first = position
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        return position > first
      }
      _ = accept(0x2d)
      let isZero = current == 0x30
      guard digits(&position) else {
        position = start
        throw problem("expected a value")
      }
      if isZero && bytes[start..<position].drop(while: { $0 == 0x2d }).count > 1 { throw problem("a number does not begin with 0") }
      if accept(0x2e) { guard digits(&position) else { throw problem("expected a digit after the decimal point") } }
      if current == 0x65 || current == 0x45 {
        position += 1
        if !accept(0x2b) { _ = accept(0x2d) }
        guard digits(&position) else { throw problem("expected a digit in the exponent") }
      }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      guard let value = Double(text), value.isFinite else { throw problem("this number is too large") }
      if abs(value) >= 9_007_199_254_740_992, text.utf8.allSatisfy({ $0 == 0x2d || isDigit($0) }), String(format: "%.0f", value) != text {
        return .text(text)
      }
      return .number(value)
    }

    private mutating func string() throws -> String {
      let start = position
      position += 1
      var text: [UInt8] = []
      while let byte = current {
        switch byte {
        case 0x22:
          position += 1
          guard let valid = String(validating: text, as: UTF8.self) else {
            position = start
            throw problem("this text is not UTF-8")
          }
          return valid
        case 0x5c: text += String(try escape()).utf8
        case 0..<0x20: throw problem("a control character in a text must be written as an escape")
        default:
          text.append(byte)
          position += 1
        }
      }
      position = start
      throw problem("this text is not closed")
    }

    private mutating func escape() throws -> Unicode.Scalar {
      position += 1
      guard let byte = current else { throw problem("this text is not closed") }
      position += 1
      switch byte {
      case 0x22, 0x5c, 0x2f: return Unicode.Scalar(byte)
      case 0x62: return "\u{8}"
      case 0x66: return "\u{c}"
      case 0x6e: return "\n"
      case 0x72: return "\r"
      case 0x74: return "\t"
      case 0x75:
        let unit = try hexadecimal()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // Two \u escapes of a surrogate pair are one character.
        guard unit < 0xdc00, accept(0x5c), accept(0x75) else { throw problem("half of a surrogate pair") }
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)) else {
          throw problem("half of a surrogate pair")
        }
        return scalar
      default:
        position -= 1
        throw problem("there is no such escape")
      }
    }

    private mutating func hexadecimal() throws -> UInt32 {
      let digits = bytes[position..<min(position + 4, bytes.count)]
      guard digits.count == 4, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), digits.first != 0x2b else {
        throw problem("\\u needs four hexadecimal digits")
      }
      position += 4
      return value
    }

    private mutating func enter() throws {
      depth += 1
      guard depth < JSON.maximumDepth else { throw problem("this is nested too deeply") }
      position += 1
      skipBlanks()
    }

    private mutating func array() throws -> [Value] {
      try enter()
      defer { depth -= 1 }
      var values: [Value] = []
      if accept(0x5d) { return values }
      while true {
        values.append(try value())
        skipBlanks()
        if accept(0x5d) { return values }
        guard accept(0x2c) else { throw problem("expected `,` or `]`") }
      }
    }

    private mutating func object() throws -> Record {
      try enter()
      defer { depth -= 1 }
      var record = Record()
      if accept(0x7d) { return record }
      while true {
        skipBlanks()
        guard current == 0x22 else { throw problem("expected a name in quotes") }
        let start = position
        let name = try string()
        guard record[name] == nil else {
          position = start
          throw problem("this name occurs twice in one object")
        }
        skipBlanks()
        guard accept(0x3a) else { throw problem("expected `:`") }
        record[name] = try value()
        skipBlanks()
        if accept(0x7d) { return record }
        guard accept(0x2c) else { throw problem("expected `,` or `}`") }
      }
    }
  }

  // MARK: Writing

  /// The value as JSON with `indent` blanks per level, or on one line if `indent` is 0.
  ///
  /// - Throws: `Problem` for a value that JSON cannot represent, E0406 for more than 1 GiB, E0801 after an interrupt.
  static func text(_ value: Value, indent: Int, _ work: Work) throws -> String {
    var writer = Writer(indent: indent, work: work)
    try writer.write(value, 0)
    return writer.text
  }

  private struct Writer {
    let indent: Int
    let work: Work
    var text = ""
    private var pieces = WrittenPieces()

    init(indent: Int, work: Work) {
      self.indent = indent
      self.work = work
    }

    mutating func write(_ value: Value, _ level: Int) throws {
      try work.step()
      try work.checkText(bytes: text.utf8.count)
      guard level < maximumDepth else { throw Problem(message: "this is nested too deeply for JSON", line: 0, column: 0) }
      switch value {
      case .nothing: text += "null"
      case .bool(let value): text += value ? "true" : "false"
      case .number(let value):
        guard value.isFinite else { throw Problem(message: "JSON has no \(NumberFormat.text(value))", line: 0, column: 0) }
        text += NumberFormat.exact(value)
      case .text(let value), .word(let value): text += Escapes.json(value)
      case .quantity, .metric, .date: text += Escapes.json(value.printed)
      case .list(let values): try shared(values.isEmpty ? nil : Operators.address(values), values.map { (nil, $0) }, "[", "]", level)
      case .range: try shared(nil, (value.sequence ?? []).map { (nil, $0) }, "[", "]", level)
      case .record(let record):
        try shared(record.count == 0 ? nil : record.address, record.fields.map { ($0.key, $0.value) }, "{", "}", level)
      case .function, .object: throw Problem(message: "\(value.described) cannot be written as JSON", line: 0, column: 0)
      }
    }

    private mutating func shared(
      _ address: UnsafeRawPointer?, _ elements: [(String?, Value)], _ open: String, _ close: String, _ level: Int
    ) throws {
      if let range = pieces.range(address, level) {
        try work.checkText(bytes: text.utf8.count + range.count)
        return text.repeatBytes(range)
      }
      let start = text.utf8.count
      text += open
      for (index, (key, value)) in elements.enumerated() {
        if index > 0 { text += indent == 0 ? ", " : "," }
        line(level + 1)
        if let key { text += Escapes.json(key) + ": " }
        try write(value, level + 1)
      }
      if !elements.isEmpty { line(level) }
      text += close
      pieces.note(address, level, start..<text.utf8.count)
    }

    private mutating func line(_ level: Int) {
      if indent > 0 { text += "\n" + String(repeating: " ", count: indent * level) }
    }
  }
}

extension NumberFormat {
  /// The shortest text that reads back as the same number.
  static func exact(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? (value == 0 && value.sign == .minus ? "-0.0" : String(Int64(value))) : "\(value)"
  }

  /// Parses a finite decimal number with an optional sign and exponent; nil for anything else.
  static func parse(_ text: String) -> Double? {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    guard let first = trimmed.utf8.first, first == 0x2d || first == 0x2b || first == 0x2e || (0x30...0x39).contains(first),
      trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2d, 0x2b, 0x2e, 0x65, 0x45].contains($0) }),
      let number = Double(trimmed), number.isFinite
    else { return nil }
    return number
  }
}
