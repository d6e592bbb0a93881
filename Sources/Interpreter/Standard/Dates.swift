import Foundation
import Syntax

// Functions of dates. Durations are quantities: `date("2026-11-25") + 3d`.
extension Builtin {
  static let dates: [Builtin] = [now, date, formatDate]

  static let now = Builtin(
    "now", "The current time, in UTC.", topic: "Dates", returns: .date, effects: .changes,
    example: "let start = now()\nprint(now() - start < 1min)  #> true"
  ) { _ in
    { _ in .date((Date().timeIntervalSince1970 * 1000).rounded(.down) / 1000) }
  }

  static let date = Builtin(
    "date",
    "A date from an ISO 8601 text or a Unix time in seconds. Without a time zone, the text is UTC. A date has `year`, `month`, `day`, `hour`, `minute`, `second`, `weekday` (1 is Monday) and `unix`.",
    topic: "Dates", returns: .date,
    example: "let d = date(\"2026-11-25 10:30\")\nprint(d + 36h, d.weekday, date(0))  #> 2026-11-26T22:30:00Z 3 1970-01-01"
  ) { d in
    let value = d.positional(
      "value", .anyOf([.text, .number, .date]), "a text such as \"2026-11-25\" or \"2026-11-25T10:30:00+02:00\", or seconds since 1970")
    return { call in
      switch try call[value] {
      case .text(let text):
        guard let seconds = Calendar.parse(text) else {
          throw call.error(
            .badValue, "\"\(text.prefix(40))\" is not a date", argument: "value",
            help: "dates are written 2026-11-25, 2026-11-25 10:30 or 2026-11-25T10:30:00Z")
        }
        return try Calendar.value(seconds, call.span(of: "value"))
      case .number(let seconds): return try Calendar.value(seconds, call.span(of: "value"))
      case .date(let seconds): return .date(seconds)
      case let other:
        throw call.error(.wrongType, "`value` of date is a text or a number of seconds, not \(other.described)", argument: "value")
      }
    }
  }

  static let formatDate = Builtin(
    "format_date", "A date as text, with the conversions of strftime: %Y %m %d %H %M %S %j (day of the year) %a %b (names) %%.",
    topic: "Dates", returns: .text, example: "print(format_date(date(\"2026-11-25\"), \"%d %b %Y\"))  #> 25 Nov 2026"
  ) { d in
    let date = d.positional("date", .date, "the date")
    let pattern = d.positional("pattern", .text, "the format")
    return { call in
      let seconds = try call[date]
      let parts = Calendar.parts(seconds)
      var text = ""
      var rest = Substring(try call[pattern])
      let work = call.work
      while let character = rest.popFirst() {
        try work.step()
        try work.checkText(bytes: text.utf8.count)
        guard character == "%" else {
          text.append(character)
          continue
        }
        guard let letter = rest.popFirst(), let piece = written(letter, seconds, parts) else {
          throw call.error(
            .badValue, "`pattern` of format_date has a % without a letter that it knows", argument: "pattern",
            help: "it knows %Y %m %d %H %M %S %j %a %b and %%")
        }
        text += piece
      }
      return .text(text)
    }
  }

  private static func written(_ letter: Character, _ seconds: Double, _ parts: Calendar.Parts) -> String? {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    switch letter {
    case "Y": return String(format: "%04d", parts.year)
    case "m": return two(parts.month)
    case "d": return two(parts.day)
    case "H": return two(parts.hour)
    case "M": return two(parts.minute)
    case "S": return two(Int(parts.second))
    case "j":
      let first = Calendar.seconds(.init(year: parts.year))
      return String(format: "%03d", Int((seconds - first) / 86400) + 1)
    case "a":
      guard case .number(let day)? = Calendar.member(seconds, "weekday") else { return nil }
      return ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][Int(day) - 1]
    case "b":
      return ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][parts.month - 1]
    case "%": return "%"
    default: return nil
    }
  }
}

extension Kind where T == Double {
  /// A date, in seconds since 1970.
  public static var date: Kind<Double> {
    Kind(.date) { value throws(ConversionError) in
      guard case .date(let seconds) = value else { throw .type }
      return seconds
    }
  }
}
