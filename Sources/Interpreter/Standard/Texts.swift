import Foundation
import Syntax

// Functions of texts.
extension Builtin {
  static let texts: [Builtin] = [
    print, format, join, splitText, lines, replace, trim, pad, upper, lower, startsWith, endsWith, toText, toNumber, help,
  ]

  static let print = Builtin(
    "print", "Writes values, separated by blanks, and a line break.", topic: "Texts", returns: .nothing,
    example: "print(\"depth\", 2 * 8)  #> depth 16"
  ) { d in
    let values = d.rest("values", "what to write")
    return { call in
      let work = call.work
      let texts = try call[values].map { try $0.printed(work) }
      try work.checkText(bytes: texts.reduce(0) { $0 + $1.utf8.count + 1 })
      call.interpreter.host.write(texts.joined(separator: " ") + "\n")
      return .nothing
    }
  }

  static let format = Builtin(
    "format", "A number as text with `digits` digits after the decimal point, rounded as `round` does, optionally with thousands grouped.",
    topic: "Texts",
    returns: .text, example: "print(format(0.12345, digits: 3), format(12000, grouped: true))  #> 0.123 12,000"
  ) { d in
    let value = d.positional("number", .number, "what to write")
    let digits = d.optional("digits", .whole(from: 0, to: 17), "digits after the decimal point")
    let grouped = d.named("grouped", .bool, default: false, "false", "commas between thousands")
    return { call in
      let number = try call[value]
      let digits = try call[digits]
      guard try call[grouped], number.isFinite else {
        return .text(digits.map { NumberFormat.fixed(number, digits: $0) } ?? NumberFormat.text(number))
      }
      return .text(NumberFormat.grouped(number, digits: digits))
    }
  }

  static let join = Builtin(
    "join", "The elements of a list as one text.", topic: "Texts", returns: .text,
    example: "print(join([1, 2, 3], with: \"-\"))  #> 1-2-3"
  ) { d in
    let list = d.positional("list", .sequence, "what to join")
    let separator = d.named("with", .text, default: ", ", "\", \"", "the separator")
    return { call in
      let (work, separator) = (call.work, try call[separator])
      var text = ""
      for (index, value) in (try call[list]).enumerated() {
        try work.step()
        let piece = try value.printed(work)
        try work.checkText(bytes: text.utf8.count + piece.utf8.count + (index > 0 ? separator.utf8.count : 0))
        if index > 0 { text += separator }
        text += piece
      }
      return .text(text)
    }
  }

  static let splitText = Builtin(
    "split_text", "The parts of a text between separators.", topic: "Texts", returns: .list(.text),
    example: "print(split_text(\"nextitnet grec\", by: \" \"))  #> [\"nextitnet\", \"grec\"]"
  ) { d in
    let text = d.positional("text", .text, "the text")
    let separator = d.named("by", .text.checked { $0.isEmpty ? "must not be empty" : nil }, "the separator")
    return { call in
      let text = try call[text]
      var parts: [Value] = []
      var start = text.startIndex
      try TextSearch.matches(of: try call[separator], in: text, call.work) { match in
        parts.append(.text(String(text[start..<match.lowerBound])))
        start = match.upperBound
        return true
      }
      return .list(parts + [.text(String(text[start...]))])
    }
  }

  static let lines = Builtin(
    "lines", "The lines of a text, without their line breaks.", topic: "Texts", returns: .list(.text),
    example: "print(lines(\"a\\nb\\n\"))  #> [\"a\", \"b\"]"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in
      var lines = (try call[text]).split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
      if lines.last == "" { lines.removeLast() }
      return .list(lines.map { .text(String($0)) })
    }
  }

  static let replace = Builtin(
    "replace", "Replaces every occurrence of a text by another.", topic: "Texts", returns: .text,
    example: "print(replace(\"a-b-c\", \"-\", \"+\"))  #> a+b+c"
  ) { d in
    let text = d.positional("text", .text, "the text")
    let old = d.positional("old", .text.checked { $0.isEmpty ? "must not be empty" : nil }, "what to search for")
    let new = d.positional("new", .text, "the replacement")
    return { call in
      let (text, old, new) = (try call[text], try call[old], try call[new])
      let work = Work(call.interpreter.host, at: call.span(of: "new"))
      var result = ""
      var start = text.startIndex
      try TextSearch.matches(of: old, in: text, work) { match in
        try work.checkText(bytes: result.utf8.count + new.utf8.count)
        result += text[start..<match.lowerBound]
        result += new
        start = match.upperBound
        return true
      }
      result += text[start...]
      try work.checkText(bytes: result.utf8.count)
      return .text(result)
    }
  }

  static let trim = Builtin(
    "trim", "A text without the blanks and line breaks at both ends.", topic: "Texts", returns: .text,
    example: "print(\"[\" + trim(\"  a b \") + \"]\")  #> [a b]"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in .text((try call[text]).trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  enum Side: String, Sendable, CaseIterable { case left, right, center }

  static let pad = Builtin(
    "pad", "Pads a text with blanks to a width; a longer text stays as it is.", topic: "Texts", returns: .text,
    example: "print(pad(\"a\", 3) + \"|\" + pad(\"b\", 3, align: right))  #> a  |  b"
  ) { d in
    let text = d.positional("text", .text, "the text")
    let width = d.positional("width", .whole(from: 0, to: 10_000), "in characters")
    let side = d.named("align", Kind<Side>.word, default: .left, "left", "the alignment of the text")
    return { call in
      let text = try call[text]
      let missing = max(0, try call[width] - text.count)
      let before =
        switch try call[side] {
        case .left: 0
        case .right: missing
        case .center: missing / 2
        }
      return .text(String(repeating: " ", count: before) + text + String(repeating: " ", count: missing - before))
    }
  }

  static let upper = Builtin(
    "upper", "A text in upper case.", topic: "Texts", returns: .text, example: "print(upper(\"mrr\"))  #> MRR"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in .text((try call[text]).uppercased()) }
  }

  static let lower = Builtin(
    "lower", "A text in lower case.", topic: "Texts", returns: .text, example: "print(lower(\"MRR\"))  #> mrr"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in .text((try call[text]).lowercased()) }
  }

  static let startsWith = Builtin(
    "starts_with", "Does a text begin with another?", topic: "Texts", returns: .bool,
    example: "print(starts_with(\"seed-1\", \"seed\"))  #> true"
  ) { d in
    let text = d.positional("text", .text, "the text")
    let part = d.positional("part", .text, "the beginning")
    return { call in .bool((try call[text]).hasPrefix(try call[part])) }
  }

  static let endsWith = Builtin(
    "ends_with", "Does a text end with another?", topic: "Texts", returns: .bool,
    example: "print(ends_with(\"fig.pdf\", \".pdf\"))  #> true"
  ) { d in
    let text = d.positional("text", .text, "the text")
    let part = d.positional("part", .text, "the end")
    return { call in .bool((try call[text]).hasSuffix(try call[part])) }
  }

  static let toText = Builtin(
    "text", "A value as `print` writes it.", topic: "Texts", returns: .text,
    example: "print(len(text(12.5)))  #> 4"
  ) { d in
    let value = d.positional("value", .any, "the value")
    return { call in .text(try (try call[value]).printed(call.work)) }
  }

  static let toNumber = Builtin(
    "number", "The number in a text, or the amount of a quantity in its own unit.", topic: "Texts", returns: .number,
    example: "print(number(\"1e-3\") * 2, number(90s))  #> 0.002 90"
  ) { d in
    let value = d.positional(
      "value",
      .anyOf([.text, .number, .bool, .quantity(.steps), .quantity(.epochs), .quantity(.time), .quantity(.length), .quantity(.share)]),
      "a text such as \"12.5\", or a quantity")
    return { call in
      switch try call[value] {
      case .number(let number), .quantity(let number, _): return .number(number)
      case .bool(let value): return .number(value ? 1 : 0)
      case .text(let text):
        guard let number = NumberFormat.parse(text) else {
          throw call.error(
            .badValue, "\"\(text.prefix(40))\" is not a number", argument: "value", help: "numbers are written 12, -0.5 or 1e-3")
        }
        return .number(number)
      case let other: throw call.error(.wrongType, "`value` of number is a text, not \(other.described)", argument: "value")
      }
    }
  }

  static let help = Builtin(
    "help", "Shows the help of a function, like `?name` at the prompt.", topic: "Texts", returns: .nothing,
    example: "help(\"len\")"
  ) { d in
    let name = d.positional("name", .text, "the function, in quotes")
    return { call in
      let name = try call[name]
      guard let builtin = call.interpreter.library.builtins[name] else {
        throw call.error(
          .unknownName, "there is no function `\(name)`", argument: "name",
          help: Spelling.suggestion(name, in: call.interpreter.library.builtins.keys.sorted()))
      }
      call.interpreter.host.write(builtin.help)
      return .nothing
    }
  }
}
