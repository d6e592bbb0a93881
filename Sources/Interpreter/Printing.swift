import Foundation
import Syntax

/// How numbers are written: whole ones without a point, others with six significant digits.
public enum NumberFormat {
  public static func text(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == value.rounded() && abs(value) < 1e15 { return String(Int64(value)) }
    return String(format: "%.6g", value)
  }

  public static func fixed(_ value: Double, digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", value) : text(value)
  }

  /// 1234567 as 1,234,567.
  public static func grouped(_ value: Int) -> String {
    var text = String(abs(value))
    var place = text.count - 3
    while place > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: place))
      place -= 3
    }
    return value < 0 ? "-" + text : text
  }

  /// With commas between thousands; all digits it has where none are asked for.
  static func grouped(_ value: Double, digits: Int?) -> String {
    var text = digits.map { fixed(value, digits: $0) } ?? (abs(value) < 1e15 ? exact(value) : fixed(value, digits: 0))
    if text.contains("e") { text = fixed(value, digits: 17) }
    let isNegative = text.hasPrefix("-")
    let point = text.firstIndex(of: ".") ?? text.endIndex
    var whole = String(text[..<point].drop { $0 == "-" })
    var place = whole.count - 3
    while place > 0 {
      whole.insert(",", at: whole.index(whole.startIndex, offsetBy: place))
      place -= 3
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

/// Lines that fit a screen.
enum TextWrap {
  /// - Parameters:
  ///   - columns: letters a line may have; a longer word has a line to itself.
  ///   - indent: blanks in front of every line but the first.
  static func wrapped(_ text: String, columns: Int, indent: Int) -> String {
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
  /// As `print` and `{...}` in a string show it.
  public var printed: String {
    if case .object(let object) = self { return object.display }
    if case .text(let text) = self { return text }
    return written(nesting: 0)
  }

  /// As the prompt shows it: texts in quotes.
  public var shown: String {
    if case .object(let object) = self { return object.display }
    return written(nesting: 0)
  }

  private func written(nesting: Int) -> String {
    switch self {
    case .nothing: return "nil"
    case .bool(let value): return value ? "true" : "false"
    case .number(let value): return NumberFormat.text(value)
    case .quantity(let value, let unit): return NumberFormat.text(value) + unit.suffix(value)
    case .text(let text): return Self.quoted(text)
    case .word(let word): return word
    case .metric(let metric): return metric.text
    case .date(let seconds): return Calendar.text(seconds)
    case .range(let low, let high): return "\(low)..\(high)"
    case .function(let function): return "\(function.name)(\(function.parameters.joined(separator: ", ")))"
    case .object(let object): return object.summary
    case .list(let values):
      if nesting > 8 { return "[...]" }
      return "[" + values.map { $0.written(nesting: nesting + 1) }.joined(separator: ", ") + "]"
    case .record(let record):
      if nesting > 8 { return "{...}" }
      let fields = record.fields.map { "\(Self.key($0.key)): \($0.value.written(nesting: nesting + 1))" }
      return fields.isEmpty ? "{}" : "{ " + fields.joined(separator: ", ") + " }"
    }
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
