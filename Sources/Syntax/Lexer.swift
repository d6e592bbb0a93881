/// Splits a text into tokens. It records an error and continues, so that one run reports all errors.
public struct Lexer {
  public private(set) var tokens: [Token] = []
  public private(set) var comments: [Comment] = []
  public private(set) var cells: [CellMark] = []
  public private(set) var diagnostics: [Diagnostic] = []

  private let file: SourceFile
  private let bytes: [UInt8]
  private var position = 0
  private var startsLine = true
  private var depth = 0

  static let maximumDepth = 200

  public init(_ file: SourceFile) {
    self.file = file
    bytes = file.bytes
    // Skip a byte-order mark.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    checkText()
    tokens = run(untilBrace: false)
  }

  // MARK: Characters

  private func byte(_ ahead: Int = 0) -> UInt8 {
    position + ahead < bytes.count && position + ahead >= 0 ? bytes[position + ahead] : 0
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

  /// Reports text that is not UTF-8, and direction characters, which make a text look like another.
  private mutating func checkText() {
    guard bytes.contains(where: { $0 >= 0x80 || $0 == 0 }) else { return }
    if let zero = bytes.firstIndex(of: 0) {
      note(.notText, "this is not a text file: it has a zero byte", zero..<(zero + 1))
      position = bytes.count
      return
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      note(.notText, "this is not UTF-8 text", 0..<0, help: "save the file as UTF-8")
      position = bytes.count
      return
    }
    var offset = 0
    for scalar in text.unicodeScalars {
      let length = scalar.utf8.count
      switch scalar.value {
      case 0x202a...0x202e, 0x2066...0x2069:
        note(
          .notText, "a character that changes the direction of text (U+\(String(scalar.value, radix: 16, uppercase: true)))",
          offset..<(offset + length), help: "it makes the text look different from what it is; delete it")
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
      let start = position
      guard position < bytes.count else {
        result.append(Token(kind: .end, range: bytes.count..<bytes.count, startsLine: true))
        return result
      }
      if untilBrace && byte() == 0x7d && braces == 0 {
        result.append(Token(kind: .end, range: start..<start, startsLine: false))
        return result
      }
      // Code in the braces of a string ends at the end of the line; otherwise a missing brace would swallow the rest of the
      // file.
      if untilBrace && startsLine && start > 0 {
        result.append(Token(kind: .end, range: start..<start, startsLine: true))
        return result
      }
      let first = startsLine
      startsLine = false
      if let kind = token() {
        if case .symbol(.openBrace) = kind { braces += 1 }
        if case .symbol(.closeBrace) = kind { braces -= 1 }
        result.append(Token(kind: kind, range: start..<position, startsLine: first))
      } else {
        startsLine = first
      }
    }
  }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch byte() {
      case 0x20, 0x09, 0x0d: position += 1
      case 0x0a:
        position += 1
        startsLine = true
      case 0x23: comment()
      default:
        // Text pasted from a web page may contain no-break blanks.
        if byte() == 0xc2 && byte(1) == 0xa0 { position += 2 } else { return }
      }
    }
  }

  private mutating func comment() {
    let start = position
    while position < bytes.count && byte() != 0x0a { position += 1 }
    var end = position
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

  /// Tags before a cell's title that give the kind of the cell.
  private static let cellTags: [(String, CellMark.Kind)] = [("[md]", .markdown), ("[markdown]", .markdown), ("[raw]", .raw)]

  private mutating func token() -> Token.Kind? {
    let b = byte()
    if Self.isDigit(b) { return number() }
    if isForeignMark { return foreignMark() }
    if Self.isLetter(b) { return word() }
    if b == 0x22 { return string() }
    for symbol in Self.symbols where matches(symbol.rawValue) {
      position += symbol.rawValue.utf8.count
      return .symbol(symbol)
    }
    let start = position
    position += 1
    if let (name, instead) = Self.foreignCharacters[b] {
      note(.strayCharacter, "\(name) is not part of the language", start..<position, help: instead)
    } else {
      note(.strayCharacter, "this character is not part of the language", start..<position)
    }
    return nil
  }

  private static let symbols = Token.Symbol.allCases.sorted { $0.rawValue.count > $1.rawValue.count }
  private static let foreignCharacters: [UInt8: (String, String?)] = [
    0x27: ("'", "strings are written in double quotes: \"text\""),
    0x26: ("&", "write `and`"), 0x7c: ("|", "write `or`, or `|>` for a pipe"), 0x21: ("!", "write `not`"),
    0x25: ("%", "a percent sign follows a number without a blank: 80%; for a remainder use mod(a, b)"),
    0x5c: ("\\", "quotes inside the braces of a string need no backslash: \"{join(xs, with: \"-\")}\""),
    0x3f: ("?", "help is asked for at the prompt: ?name"),
  ]

  private func matches(_ text: String) -> Bool {
    for (i, b) in text.utf8.enumerated() where byte(i) != b { return false }
    return true
  }

  /// Is the next character a typographic blank, dash or quote, as word processors and web pages insert them?
  private var isForeignMark: Bool {
    switch (byte(), byte(1), byte(2)) {
    case (0xc2, 0xa0, _), (0xe2, 0x80...0x81, _), (0xe3, 0x80, 0x80): true
    default: false
    }
  }

  private mutating func foreignMark() -> Token.Kind? {
    let start = position
    position += byte() == 0xc2 ? 2 : 3
    let text = file.text(start..<min(position, bytes.count))
    let help = "\u{2018}\u{2019}\u{201c}\u{201d}".contains(text) ? "strings are written in straight double quotes: \"text\"" : nil
    note(.strayCharacter, "this character is not part of the language", start..<min(position, bytes.count), help: help)
    return nil
  }

  private mutating func number() -> Token.Kind? {
    let start = position
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
      note(.badNumber, "this number is too large", start..<position)
      return .number(0)
    }
    if byte() == 0x25 {
      position += 1
      return .quantity(value, .percent)
    }
    guard Self.isLetter(byte()) else { return .number(value) }
    let unitStart = position
    while Self.isLetter(byte()) || Self.isDigit(byte()) { position += 1 }
    let suffix = file.text(unitStart..<position)
    guard let unit = Unit(suffix: suffix) else {
      let known = Unit.allCases.map(\.rawValue)
      note(
        .unknownUnit, "there is no unit `\(suffix)`", unitStart..<position,
        help: Spelling.suggestion(suffix, in: known) ?? "units are: " + known.joined(separator: ", "))
      return .number(value)
    }
    return .quantity(value, unit)
  }

  private mutating func take(_ digits: inout String) {
    digits.unicodeScalars.append(Unicode.Scalar(byte()))
    position += 1
  }

  private mutating func word() -> Token.Kind {
    let start = position
    while (Self.isLetter(byte()) || Self.isDigit(byte())) && !isForeignMark { position += 1 }
    let text = file.text(start..<position)
    if byte() == 0x40 && Self.isDigit(byte(1)) {
      position += 1
      let cut = position
      while Self.isDigit(byte()) { position += 1 }
      guard let k = Int(file.text(cut..<position)), k >= 1 else {
        note(.badNumber, "a metric's cut-off is a whole number from 1 on, as in mrr@5", cut..<position)
        return .metric(text, 1)
      }
      return .metric(text, k)
    }
    if let keyword = Token.Keyword(rawValue: text) { return .keyword(keyword) }
    return .identifier(text)
  }

  // MARK: Strings

  private mutating func string() -> Token.Kind {
    let start = position
    position += 1
    var parts: [Token.StringPart] = []
    var text = ""
    func flush(_ parts: inout [Token.StringPart], _ text: inout String) {
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
    }
    while true {
      let b = byte()
      if position >= bytes.count || b == 0x0a {
        note(
          .unclosedString, "this string is not closed on its line", start..<position,
          label: "opened here", help: "close it with \"; a line break inside is written \\n")
        break
      }
      if b == 0x22 {
        position += 1
        break
      }
      if b == 0x5c {
        escape(&text)
      } else if b == 0x7b {
        flush(&parts, &text)
        if let code = interpolation() { parts.append(.code(code)) } else { break }
      } else {
        var end = position + 1
        while end < bytes.count && bytes[end] & 0xc0 == 0x80 { end += 1 }
        text += file.text(position..<end)
        position = end
      }
    }
    flush(&parts, &text)
    return .string(parts)
  }

  /// `{ expression }` inside a string; nil when it is not closed.
  private mutating func interpolation() -> [Token]? {
    let open = position
    position += 1
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maximumDepth else {
      note(.tooDeep, "strings are nested too deeply here", open..<position)
      position = bytes.count
      return nil
    }
    let wasFirst = startsLine
    startsLine = false
    let before = (diagnostics.count, comments.count, cells.count)
    let tokens = run(untilBrace: true)
    // A brace on a later line does not close this one.
    let isOnItsLine = !startsLine
    startsLine = wasFirst
    guard byte() == 0x7d, position < bytes.count, isOnItsLine else {
      // Errors inside the braces follow from the missing brace, and the next lines are read again as ordinary code.
      diagnostics.removeSubrange(before.0...)
      comments.removeSubrange(before.1...)
      cells.removeSubrange(before.2...)
      note(
        .unclosedString, "this `{` in a string is not closed", open..<(open + 1),
        help: "a plain brace is written \\{")
      position = max(open + 1, file.lineRange(file.line(at: open)).upperBound)
      return nil
    }
    position += 1
    if tokens.count == 1 {
      note(.unexpectedToken, "there is nothing between these braces", open..<position, help: "plain braces are written \\{ and \\}")
    }
    return tokens
  }

  private mutating func escape(_ text: inout String) {
    let start = position
    position += 2
    switch byte(-1) {
    case 0x6e: text += "\n"
    case 0x74: text += "\t"
    case 0x22: text += "\""
    case 0x5c: text += "\\"
    case 0x7b: text += "{"
    case 0x7d: text += "}"
    case 0x75:
      if byte() == 0x7b, let close = bytes[position...].prefix(12).firstIndex(of: 0x7d),
        let value = UInt32(file.text((position + 1)..<close), radix: 16), let scalar = Unicode.Scalar(value)
      {
        text.unicodeScalars.append(scalar)
        position = close + 1
      } else {
        note(.badEscape, "expected \\u{...} with the number of a character in hexadecimal", start..<position)
      }
    default:
      position = min(position, bytes.count)
      note(
        .badEscape, "there is no such escape", start..<position, help: "escapes are \\n \\t \\\" \\\\ \\{ \\} and \\u{...}")
      if byte(-1) == 0x0a { position -= 1 }
    }
  }
}
