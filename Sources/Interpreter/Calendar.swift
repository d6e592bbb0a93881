import Foundation
import Syntax

/// Dates of the proleptic Gregorian calendar in UTC, as seconds since 1970-01-01.
enum Calendar {
  struct Parts {
    var year = 1970
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0.0
  }

  /// The years 1 to 9999, which ISO 8601 writes with four digits.
  static let range = seconds(Parts(year: 1))..<seconds(Parts(year: 10000))

  /// The seconds since 1970-01-01, by Howard Hinnant's algorithm `days_from_civil`.
  static func seconds(_ parts: Parts) -> Double {
    let year = parts.month <= 2 ? parts.year - 1 : parts.year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (parts.month + (parts.month > 2 ? -3 : 9)) + 2) / 5 + parts.day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    return Double(days) * 86400 + Double(parts.hour * 3600 + parts.minute * 60) + parts.second
  }

  /// The inverse of `seconds`, by Howard Hinnant's algorithm `civil_from_days`.
  static func parts(_ seconds: Double) -> Parts {
    let days = Int((seconds / 86400).rounded(.down))
    let rest = seconds - Double(days) * 86400
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let index = (5 * dayOfYear + 2) / 153
    let month = index < 10 ? index + 3 : index - 9
    let whole = Int(rest)
    return Parts(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month, day: dayOfYear - (153 * index + 2) / 5 + 1,
      hour: whole / 3600, minute: whole / 60 % 60, second: rest - Double(whole / 60 * 60))
  }

  static func daysOf(month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The date in ISO 8601, without a time if it is midnight.
  static func text(_ seconds: Double) -> String {
    // Round to milliseconds first, since the text has milliseconds.
    let seconds = (seconds * 1000).rounded() / 1000
    let parts = parts(seconds)
    let day = String(format: "%04d-%02d-%02d", parts.year, parts.month, parts.day)
    if parts.hour == 0 && parts.minute == 0 && parts.second == 0 { return day }
    let time = String(format: "T%02d:%02d:%02d", parts.hour, parts.minute, Int(parts.second))
    let thousandths = Int(((parts.second - parts.second.rounded(.down)) * 1000).rounded()) % 1000
    return day + time + (thousandths == 0 ? "" : String(format: ".%03d", thousandths)) + "Z"
  }

  /// Parses `2026-11-25`, `2026-11-25 10:30`, `2026-11-25T10:30:15.5Z` or `...+02:00`; nil for any other text.
  static func parse(_ text: String) -> Double? {
    var rest = Substring(text)
    func number(_ digits: Int) -> Int? {
      let head = rest.prefix(digits)
      guard head.utf8.count == digits, head.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
      rest = rest.dropFirst(digits)
      return Int(head)
    }
    func accept(_ characters: String) -> Character? {
      guard let first = rest.first, characters.contains(first) else { return nil }
      rest = rest.dropFirst()
      return first
    }
    var parts = Parts()
    guard let year = number(4), accept("-") != nil, let month = number(2), accept("-") != nil, let day = number(2),
      year >= 1, (1...12).contains(month), (1...daysOf(month: month, year: year)).contains(day)
    else { return nil }
    (parts.year, parts.month, parts.day) = (year, month, day)
    if rest.isEmpty { return seconds(parts) }
    guard accept("T ") != nil, let hour = number(2), accept(":") != nil, let minute = number(2), hour < 24, minute < 60 else { return nil }
    (parts.hour, parts.minute) = (hour, minute)
    if accept(":") != nil {
      guard let second = number(2), second < 60 else { return nil }
      parts.second = Double(second)
      if accept(".") != nil {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let fraction = Double("0." + digits) else { return nil }
        parts.second += fraction
        rest = rest.dropFirst(digits.count)
      }
    }
    var zone = 0
    if let sign = accept("+-") {
      guard let hours = number(2), hours < 24 else { return nil }
      _ = accept(":")
      guard let minutes = number(2), minutes < 60 else { return nil }
      zone = (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    } else {
      _ = accept("Z")
    }
    return rest.isEmpty ? seconds(parts) - Double(zone) : nil
  }

  static func value(_ seconds: Double, _ span: Span?) throws -> Value {
    guard range.contains(seconds) else {
      throw Diagnostic(.badValue, "this is not a date of the years 1 to 9999", at: span)
    }
    return .date(seconds)
  }

  /// The time between two dates: in days if it is a whole number of days, else in seconds.
  static func duration(_ seconds: Double) -> Value {
    let days = seconds / 86400
    return days == days.rounded() ? .quantity(days, .days) : .quantity(seconds, .seconds)
  }

  static let members = ["year", "month", "day", "hour", "minute", "second", "weekday", "unix"]

  /// The member of a date, such as `date.year`; nil if there is no such member. Weekdays are 1 (Monday) to 7 (Sunday).
  static func member(_ seconds: Double, _ name: String) -> Value? {
    let parts = parts(seconds)
    switch name {
    case "year": return .number(Double(parts.year))
    case "month": return .number(Double(parts.month))
    case "day": return .number(Double(parts.day))
    case "hour": return .number(Double(parts.hour))
    case "minute": return .number(Double(parts.minute))
    case "second": return .number(parts.second)
    case "weekday":
      let days = Int((seconds / 86400).rounded(.down))
      return .number(Double(((days + 3) % 7 + 7) % 7 + 1))
    case "unix": return .number(seconds)
    default: return nil
    }
  }
}
