/// Cuts a text into tokens. It never stops at an error: it notes it and goes on, so that all are reported.
public struct Lexer {
  public private(set) var tokens: [Token] = []
  public private(set) var comments: [Comment] = []
  public private(set) var cells: [CellMark] = []
  public private(set) var diagnostics: [Diagnostic] = []

  private let file: SourceFile
  private let bytes: [UInt8]
  private var place = 0
  private var startsLine = true
  private var depth = 0

  static let deepest = 200

  public init(_ file: SourceFile) {
    self.file = file
    bytes = file.bytes
    // A byte-order mark is no part of the text.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
    checkText()
    tokens = run(untilBrace: false)
  }

  // MARK: Characters

  private func byte(_ ahead: Int = 0) -> UInt8 {
    place + ahead < bytes.count && place + ahead >= 0 ? bytes[place + ahead] : 0
  }

  private static func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
  /// Letters, `_`, and every byte of a character beyond ASCII.
  private static func isLetter(_ b: UInt8) -> Bool {
    (b >= 0x61 && b <= 0x7a) || (b >= 0x41 && b <= 0x5a) || b == 0x5f || b >= 0x80
  }

  private mutating func note(
    _ code: Diagnostic.Code, _ message: String, _ range: Range<Int>, label: String? = nil, help: String? = nil
  ) {
    if diagnostics.count < 50 {
      diagnostics.append(Diagnostic(code, message, at: Span(file, range), label: label, help: help))
    }
  }

  /// Text that is not UTF-8, or that uses direction characters to look like another text, is refused as a whole.
  private mutating func checkText() {
    guard bytes.contains(where: { $0 >= 0x80 || $0 == 0 }) else { return }
    if let zero = bytes.firstIndex(of: 0) {
      note(.notText, "this is not a text file: it has a zero byte", zero..<(zero + 1))
      place = bytes.count
      return
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      note(.notText, "this is not UTF-8 text", 0..<0, help: "save the file as UTF-8")
      place = bytes.count
      return
    }
    var offset = 0
    for scalar in text.unicodeScalars {
      let length = scalar.utf8.count
      switch scalar.value {
      case 0x202a...0x202e, 0x2066...0x2069:
        note(
          .notText, "a character that turns the direction of text (U+\(String(scalar.value, radix: 16, uppercase: true)))",
          offset..<(offset + length), help: "it makes the text look other than it is; delete it")
      default: break
      }
      offset += length
    }
  }

  // MARK: Tokens

  private mutating func run(untilBrace: Bool) -> [Token] {
    var result: [Token] = []
    var braces = 0
    while true {
      skipBlanks()
      let start = place
      guard place < bytes.count else {
        result.append(Token(kind: .end, range: bytes.count..<bytes.count, startsLine: true))
        return result
      }
      if untilBrace && byte() == 0x7d && braces == 0 {
        result.append(Token(kind: .end, range: start..<start, startsLine: false))
        return result
      }
      // A string in braces inside a string ends at the line's end, or the mistake would swallow the whole file.
      if untilBrace && startsLine && start > 0 {
        result.append(Token(kind: .end, range: start..<start, startsLine: true))
        return result
      }
      let first = startsLine
      startsLine = false
      if let kind = token() {
        if case .symbol(.openBrace) = kind { braces += 1 }
        if case .symbol(.closeBrace) = kind { braces -= 1 }
        result.append(Token(kind: kind, range: start..<place, startsLine: first))
      } else {
        startsLine = first
      }
    }
  }

  private mutating func skipBlanks() {
    while place < bytes.count {
      switch byte() {
      case 0x20, 0x09, 0x0d: place += 1
      case 0x0a:
        place += 1
        startsLine = true
      case 0x23: comment()
      default:
        // A no-break blank pasted from a page is a blank.
        if byte() == 0xc2 && byte(1) == 0xa0 { place += 2 } else { return }
      }
    }
  }

  private mutating func comment() {
    let start = place
    while place < bytes.count && byte() != 0x0a { place += 1 }
    var end = place
    if end > start && bytes[end - 1] == 0x0d { end -= 1 }
    let text = file.text(start..<end)
    comments.append(Comment(range: start..<end, text: text, ownLine: startsLine))
    let line = file.lineRange(file.line(at: start))
    if line.lowerBound == start, CellMark.isMark(bytes[start..<end]) {
      var title = text.unicodeScalars.dropFirst(4).drop { $0 == " " }
      var kind = CellMark.Kind.code
      for (tag, meant) in Self.cellTags where title.starts(with: tag.unicodeScalars) {
        kind = meant
        title = title.dropFirst(tag.unicodeScalars.count).drop { $0 == " " }
        break
      }
      while let last = title.last, last == " " || last == "\t" || last == "\r" { title.removeLast() }
      cells.append(CellMark(offset: start, title: String(title), kind: kind))
    }
  }

  /// What stands in brackets before a cell's title.
  private static let cellTags: [(String, CellMark.Kind)] = [("[md]", .markdown), ("[markdown]", .markdown), ("[raw]", .raw)]

  private mutating func token() -> Token.Kind? {
    let b = byte()
    if Self.isDigit(b) { return number() }
    if isForeignMark { return foreignMark() }
    if Self.isLetter(b) { return word() }
    if b == 0x22 { return string() }
    for symbol in Self.symbols where matches(symbol.rawValue) {
      place += symbol.rawValue.utf8.count
      return .symbol(symbol)
    }
    let start = place
    place += 1
    if let (name, instead) = Self.strangers[b] {
      note(.strayCharacter, "\(name) is not part of the language", start..<place, help: instead)
    } else {
      note(.strayCharacter, "this character is not part of the language", start..<place)
    }
    return nil
  }

  private static let symbols = Token.Symbol.allCases.sorted { $0.rawValue.count > $1.rawValue.count }
  private static let strangers: [UInt8: (String, String?)] = [
    0x27: ("'", "strings stand in double quotes: \"text\""),
    0x26: ("&", "write `and`"), 0x7c: ("|", "write `or`, or `|>` for a pipe"), 0x21: ("!", "write `not`"),
    0x25: ("%", "a percent sign follows a number without a blank: 80%; for a remainder use mod(a, b)"),
    0x5c: ("\\", "quotes inside the braces of a string need no backslash: \"{join(xs, with: \"-\")}\""),
    0x3f: ("?", "help is asked for at the prompt: ?name"),
  ]

  private func matches(_ text: String) -> Bool {
    for (i, b) in text.utf8.enumerated() where byte(i) != b { return false }
    return true
  }

  /// Typographic blanks, dashes and quotes, as word processors and web pages put them in.
  private var isForeignMark: Bool {
    switch (byte(), byte(1), byte(2)) {
    case (0xc2, 0xa0, _), (0xe2, 0x80...0x81, _), (0xe3, 0x80, 0x80): true
    default: false
    }
  }

  private mutating func foreignMark() -> Token.Kind? {
    let start = place
    place += byte() == 0xc2 ? 2 : 3
    let text = file.text(start..<min(place, bytes.count))
    let help = "\u{2018}\u{2019}\u{201c}\u{201d}".contains(text) ? "strings stand in straight double quotes: \"text\"" : nil
    note(.strayCharacter, "this character is not part of the language", start..<min(place, bytes.count), help: help)
    return nil
  }

  private mutating func number() -> Token.Kind? {
    let start = place
    var digits = ""
    func isPart(_ b: UInt8) -> Bool { Self.isDigit(b) || b == 0x5f }
    while isPart(byte()) { take(&digits) }
    if byte() == 0x2e && Self.isDigit(byte(1)) {
      take(&digits)
      while isPart(byte()) { take(&digits) }
    }
    let signed = byte(1) == 0x2b || byte(1) == 0x2d
    if (byte() == 0x65 || byte() == 0x45) && Self.isDigit(byte(signed ? 2 : 1)) {
      take(&digits)
      if signed { take(&digits) }
      while Self.isDigit(byte()) { take(&digits) }
    }
    guard let value = Double(digits.filter { $0 != "_" }), value.isFinite else {
      note(.badNumber, "this number is too large", start..<place)
      return .number(0)
    }
    if byte() == 0x25 {
      place += 1
      return .quantity(value, .percent)
    }
    guard Self.isLetter(byte()) else { return .number(value) }
    let unitStart = place
    while Self.isLetter(byte()) || Self.isDigit(byte()) { place += 1 }
    let suffix = file.text(unitStart..<place)
    guard let unit = Unit(suffix: suffix) else {
      let known = Unit.allCases.map(\.rawValue)
      note(
        .unknownUnit, "there is no unit `\(suffix)`", unitStart..<place,
        help: Spelling.suggestion(suffix, in: known) ?? "units are: " + known.joined(separator: ", "))
      return .number(value)
    }
    return .quantity(value, unit)
  }

  private mutating func take(_ digits: inout String) {
    digits.unicodeScalars.append(Unicode.Scalar(byte()))
    place += 1
  }

  private mutating func word() -> Token.Kind {
    let start = place
    while (Self.isLetter(byte()) || Self.isDigit(byte())) && !isForeignMark { place += 1 }
    let text = file.text(start..<place)
    if byte() == 0x40 && Self.isDigit(byte(1)) {
      place += 1
      let cut = place
      while Self.isDigit(byte()) { place += 1 }
      guard let k = Int(file.text(cut..<place)), k >= 1 else {
        note(.badNumber, "a metric's cut-off is a whole number from 1 on, as in mrr@5", cut..<place)
        return .metric(text, 1)
      }
      return .metric(text, k)
    }
    if let keyword = Token.Keyword(rawValue: text) { return .keyword(keyword) }
    return .identifier(text)
  }

  // MARK: Strings

  private mutating func string() -> Token.Kind {
    let start = place
    place += 1
    var parts: [Token.StringPart] = []
    var text = ""
    func flush(_ parts: inout [Token.StringPart], _ text: inout String) {
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
    }
    while true {
      let b = byte()
      if place >= bytes.count || b == 0x0a {
        note(
          .unclosedString, "this string is not closed on its line", start..<place,
          label: "opened here", help: "close it with \"; a line break inside is written \\n")
        break
      }
      if b == 0x22 {
        place += 1
        break
      }
      if b == 0x5c {
        escape(&text)
      } else if b == 0x7b {
        flush(&parts, &text)
        if let code = interpolation() { parts.append(.code(code)) } else { break }
      } else {
        var end = place + 1
        while end < bytes.count && bytes[end] & 0xc0 == 0x80 { end += 1 }
        text += file.text(place..<end)
        place = end
      }
    }
    flush(&parts, &text)
    return .string(parts)
  }

  /// `{ expression }` inside a string; nil when it is not closed.
  private mutating func interpolation() -> [Token]? {
    let open = place
    place += 1
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else {
      note(.tooDeep, "strings are nested too deeply here", open..<place)
      place = bytes.count
      return nil
    }
    let wasFirst = startsLine
    startsLine = false
    let told = (diagnostics.count, comments.count, cells.count)
    let tokens = run(untilBrace: true)
    // A brace on a later line closes something else.
    let isOnItsLine = !startsLine
    startsLine = wasFirst
    guard byte() == 0x7d, place < bytes.count, isOnItsLine else {
      // What was found wrong inside follows from this; and what stands on the next lines is read again.
      diagnostics.removeSubrange(told.0...)
      comments.removeSubrange(told.1...)
      cells.removeSubrange(told.2...)
      note(
        .unclosedString, "this `{` in a string is not closed", open..<(open + 1),
        help: "a plain brace is written \\{")
      place = max(open + 1, file.lineRange(file.line(at: open)).upperBound)
      return nil
    }
    place += 1
    if tokens.count == 1 {
      note(.unexpectedToken, "there is nothing between these braces", open..<place, help: "plain braces are written \\{ and \\}")
    }
    return tokens
  }

  private mutating func escape(_ text: inout String) {
    let start = place
    place += 2
    switch byte(-1) {
    case 0x6e: text += "\n"
    case 0x74: text += "\t"
    case 0x22: text += "\""
    case 0x5c: text += "\\"
    case 0x7b: text += "{"
    case 0x7d: text += "}"
    case 0x75:
      if byte() == 0x7b, let close = bytes[place...].prefix(12).firstIndex(of: 0x7d),
        let value = UInt32(file.text((place + 1)..<close), radix: 16), let scalar = Unicode.Scalar(value)
      {
        text.unicodeScalars.append(scalar)
        place = close + 1
      } else {
        note(.badEscape, "expected \\u{...} with the number of a character in hexadecimal", start..<place)
      }
    default:
      place = min(place, bytes.count)
      note(
        .badEscape, "there is no such escape", start..<place, help: "escapes are \\n \\t \\\" \\\\ \\{ \\} and \\u{...}")
      if byte(-1) == 0x0a { place -= 1 }
    }
  }
}
