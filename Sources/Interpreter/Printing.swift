import Foundation
import Syntax

/// Formats numbers: integers without a decimal point, other numbers with six significant digits.
public enum NumberFormat {
  public static func text(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == value.rounded() && abs(value) < 1e15 { return String(Int64(value)) }
    return String(format: "%.6g", value)
  }

  /// Formats a number with `digits` digits after the decimal point. It rounds the shortest decimal number that reads as the
  /// value, with halves away from 0: 2.675 gives 2.68, although the stored binary value is slightly smaller.
  public static func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return text(value) }
    // The neighbouring floating-point number is certainly beyond the half, so rounding it gives the right digit.
    let exact = isHalf(value, behind: digits) ? value < 0 ? value.nextDown : value.nextUp : value
    let text = String(format: "%.\(digits)f", exact)
    // A negative number that rounds to 0 is 0, not -0.
    return text.hasPrefix("-") && text.allSatisfy({ "-0.".contains($0) }) ? String(text.dropFirst()) : text
  }

  /// Is the last digit of the shortest decimal form a 5 at position `digits` + 1 after the decimal point?
  private static func isHalf(_ value: Double, behind digits: Int) -> Bool {
    let parts = "\(value)".utf8.split(separator: 0x65)
    guard let mantissa = parts.first, mantissa.last == 0x35, let point = mantissa.firstIndex(of: 0x2e) else {
      // A mantissa of one digit, as in 5e-07.
      guard parts.count == 2, parts[0].last == 0x35, let exponent = Int(String(parts[1]) ?? "") else { return false }
      return -exponent == digits + 1
    }
    let decimals = mantissa.distance(from: point, to: mantissa.endIndex) - 1
    let exponent = parts.count == 2 ? Int(String(parts[1]) ?? "") ?? 0 : 0
    return decimals - exponent == digits + 1
  }

  /// "1 block", "2 blocks".
  public static func count(_ value: Int, _ noun: String) -> String { "\(grouped(value)) \(noun)\(value == 1 ? "" : "s")" }

  /// 1234567 as 1,234,567.
  public static func grouped(_ value: Int) -> String {
    var text = String(abs(value))
    var position = text.count - 3
    while position > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: position))
      position -= 3
    }
    return value < 0 ? "-" + text : text
  }

  /// Formats a number with commas between thousands. If `digits` is nil, all its digits are written.
  static func grouped(_ value: Double, digits: Int?) -> String {
    var text = digits.map { fixed(value, digits: $0) } ?? (abs(value) < 1e15 ? exact(value) : fixed(value, digits: 0))
    if text.contains("e") { text = fixed(value, digits: 17) }
    let isNegative = text.hasPrefix("-")
    let point = text.firstIndex(of: ".") ?? text.endIndex
    var whole = String(text[..<point].drop { $0 == "-" })
    var position = whole.count - 3
    while position > 0 {
      whole.insert(",", at: whole.index(whole.startIndex, offsetBy: position))
      position -= 3
    }
    return (isNegative ? "-" : "") + whole + text[point...]
  }

  /// 75 as 1m 15s.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return text(seconds) }
    if abs(seconds) >= 1e9 { return text(seconds) + "s" }
    if seconds < 1 { return "\(Int((seconds * 1000).rounded()))ms" }
    if seconds < 10 { return fixed(seconds, digits: 1) + "s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return "\(whole / 60)m \(whole % 60)s" }
    return "\(whole / 3600)h \(whole % 3600 / 60)m"
  }
}

/// Wraps text to the width of a terminal.
public enum TextWrap {
  /// - Parameters:
  ///   - columns: The maximum number of characters in a line. A longer word gets a line of its own.
  ///   - indent: The number of blanks before every line but the first.
  public static func wrapped(_ text: String, columns: Int, indent: Int) -> String {
    guard text.count > columns, columns > indent + 20 else { return text }
    let lead = String(text.prefix { $0 == " " })
    var lines = [lead]
    var isEmpty = true
    for word in text.dropFirst(lead.count).split(separator: " ", omittingEmptySubsequences: false) {
      if !isEmpty && lines[lines.count - 1].count + 1 + word.count > columns {
        lines.append(String(repeating: " ", count: indent) + word)
      } else {
        lines[lines.count - 1] += (isEmpty ? "" : " ") + word
      }
      isEmpty = false
    }
    return lines.joined(separator: "\n")
  }
}

extension Value {
  /// The value as `print` and `{...}` in a string show it, truncated at 1 GiB.
  public var printed: String {
    var writer = ValueWriter(work: nil)
    return writer.whole(self, quotesText: false)
  }

  /// The value as the prompt shows it, with texts in quotes, truncated at 1 GiB.
  public var shown: String {
    var writer = ValueWriter(work: nil)
    return writer.whole(self, quotesText: true)
  }

  /// The value as the prompt shows it: like `shown`, but of long lists and records only the first and last elements, with
  /// their number.
  public var shortened: String {
    var writer = ValueWriter(work: nil)
    writer.shortens = true
    return writer.whole(self, quotesText: true)
  }

  /// The value as `print` shows it.
  ///
  /// - Throws: E0406 for a text of more than 1 GiB, E0801 after an interrupt.
  public func printed(_ work: Work) throws -> String {
    switch self {
    case .object(let object): return object.display
    case .text(let text): return text
    default:
      var writer = ValueWriter(work: work)
      try writer.write(self, nesting: 0)
      return writer.text
    }
  }

  /// The value as the prompt shows it.
  ///
  /// - Throws: E0406 for a text of more than 1 GiB, E0801 after an interrupt.
  public func shown(_ work: Work) throws -> String {
    if case .object(let object) = self { return object.display }
    var writer = ValueWriter(work: work)
    try writer.write(self, nesting: 0)
    return writer.text
  }
}

/// Remembers which part of a text was written for which list or record. A value may contain the same part many times; its text
/// is then copied instead of written again.
struct WrittenPieces {
  private struct Key: Hashable {
    let address: UnsafeRawPointer
    let level: Int
  }

  private var pieces: [Key: Range<Int>] = [:]

  /// The bytes that were written for a part at the same level of nesting; nil if it was not written before.
  func range(_ address: UnsafeRawPointer?, _ level: Int) -> Range<Int>? {
    address.flatMap { pieces[Key(address: $0, level: level)] }
  }

  /// Remembers the bytes that were written for a part.
  mutating func note(_ address: UnsafeRawPointer?, _ level: Int, _ range: Range<Int>) {
    if let address, !range.isEmpty { pieces[Key(address: address, level: level)] = range }
  }
}

extension String {
  /// Appends a copy of some of its own bytes.
  mutating func repeatBytes(_ range: Range<Int>) {
    let start = utf8.index(startIndex, offsetBy: range.lowerBound)
    self += String(self[start..<utf8.index(start, offsetBy: range.count)])
  }
}

/// Writes values in the syntax of the language.
private struct ValueWriter {
  private(set) var text = ""
  /// If nil, a text that is too long is truncated instead of being an error.
  let work: Work?
  private var pieces = WrittenPieces()
  /// Whether only the beginning and the end of long lists and records are written.
  var shortens = false

  /// Lists with more elements than this are long: of numbers and texts, and of lists, records and objects.
  private static let (long, longOfLists) = (40, 10)

  /// The elements of a list to write before and after an ellipsis; nil: all.
  private func ends(_ values: [Value]) -> (first: Int, last: Int)? {
    guard shortens, values.count > Self.longOfLists else { return nil }
    let isOfLists = values.prefix(3).contains { value in
      switch value {
      case .list, .record, .object: true
      default: false
      }
    }
    return isOfLists || values.count > Self.long ? (3, 2) : nil
  }

  init(work: Work?) { self.work = work }

  private struct TooLong: Error {}

  mutating func whole(_ value: Value, quotesText: Bool) -> String {
    if case .object(let object) = value { return object.display }
    if case .text(let text) = value, !quotesText { return text }
    do { try write(value, nesting: 0) } catch { text += "..." }
    return text
  }

  private func check(_ bytes: Int) throws {
    if let work {
      try work.checkText(bytes: bytes)
      try work.step()
    } else if bytes > Operators.longestText {
      throw TooLong()
    }
  }

  mutating func write(_ value: Value, nesting: Int) throws {
    try check(text.utf8.count)
    switch value {
    case .nothing: text += "nil"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += NumberFormat.text(value)
    case .quantity(let value, let unit): text += NumberFormat.text(value) + unit.suffix(value)
    case .text(let value): text += Self.quoted(value)
    case .word(let word): text += word
    case .metric(let metric): text += metric.text
    case .date(let seconds): text += Calendar.text(seconds)
    case .range(let low, let high): text += "\(low)..\(high)"
    case .function(let function): text += "\(function.name)(\(function.parameters.joined(separator: ", ")))"
    case .object(let object): text += object.summary
    case .list(let values):
      if nesting > 8 {
        text += "[...]"
        return
      }
      try shared(values.isEmpty ? nil : Operators.address(values), nesting) { writer in
        writer.text += "["
        let ends = writer.ends(values)
        for (index, value) in values.enumerated() {
          if let ends, index >= ends.first, index < values.count - ends.last {
            if index == ends.first { writer.text += ", ..." }
            continue
          }
          if index > 0 { writer.text += ", " }
          try writer.write(value, nesting: nesting + 1)
        }
        writer.text += "]"
        if ends != nil { writer.text += " (\(NumberFormat.grouped(values.count)))" }
      }
    case .record(let record):
      if nesting > 8 || record.count == 0 {
        text += record.count == 0 && nesting <= 8 ? "{}" : "{...}"
        return
      }
      try shared(record.address, nesting) { writer in
        writer.text += "{ "
        let isLong = writer.shortens && record.count > Self.long
        for (index, field) in record.fields.enumerated() {
          if isLong, index >= 3 {
            writer.text += ", ... (\(NumberFormat.grouped(record.count)) fields)"
            break
          }
          if index > 0 { writer.text += ", " }
          writer.text += Self.key(field.key) + ": "
          try writer.write(field.value, nesting: nesting + 1)
        }
        writer.text += " }"
      }
    }
  }

  private mutating func shared(_ address: UnsafeRawPointer?, _ nesting: Int, _ body: (inout ValueWriter) throws -> Void) throws {
    if let range = pieces.range(address, nesting) {
      try check(text.utf8.count + range.count)
      return text.repeatBytes(range)
    }
    let start = text.utf8.count
    try body(&self)
    pieces.note(address, nesting, start..<text.utf8.count)
  }

  private static func key(_ name: String) -> String {
    let plain = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } && !(name.first?.isNumber ?? true)
    return plain ? name : quoted(name)
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "{": result += "\\{"
      case "}": result += "\\}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
