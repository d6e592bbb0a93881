/// Renders a diagnostic as text: its code and message, its location, the source line with carets under the span, the help,
/// and the calls that led to it.
public struct DiagnosticRenderer: Sendable {
  private let colour: Bool

  public init(colour: Bool) { self.colour = colour }

  public func render(_ diagnostic: Diagnostic) -> String {
    // Messages quote scripts and data, which may contain terminal commands.
    func safe(_ text: String) -> String { TerminalText.safe(text) }
    var text = style("1;31", "error[\(diagnostic.code.rawValue)]") + style("1", ": \(safe(diagnostic.message))") + "\n"
    if let span = diagnostic.span { text += excerpt(span, label: diagnostic.label) }
    if let help = diagnostic.help { text += style("1;36", "help") + ": \(safe(help))\n" }
    for frame in diagnostic.trace.prefix(8) {
      text += "  in \(safe(frame.function)), called at \(safe(frame.span.location))\n"
    }
    if diagnostic.trace.count > 8 { text += "  ... and \(diagnostic.trace.count - 8) calls more\n" }
    return text
  }

  private func excerpt(_ span: Span, label: String?) -> String {
    let file = span.file
    let line = file.line(at: span.range.lowerBound)
    let range = file.lineRange(line)
    let number = String(line + 1)
    let gutter = String(repeating: " ", count: number.count)
    // Long lines are shown around the caret.
    let before = Self.visible(file.text(range.lowerBound..<max(range.lowerBound, min(span.range.lowerBound, range.upperBound))))
    let end = min(max(span.range.upperBound, span.range.lowerBound), range.upperBound)
    let inside = Self.visible(file.text(min(span.range.lowerBound, end)..<end))
    let after = Self.visible(file.text(end..<range.upperBound))
    let lead = before.count > 60 ? "..." + String(before.suffix(57)) : before
    let marked = inside.count > 80 ? String(inside.prefix(77)) + "..." : inside
    let tail = after.count > 60 ? String(after.prefix(57)) + "..." : after
    let caret = String(repeating: " ", count: TextWidth.of(lead)) + String(repeating: "^", count: max(1, TextWidth.of(marked)))
    let bar = style("1;34", "|")
    return "\(gutter)\(style("1;34", "-->")) \(TerminalText.safe(span.location, keepsLines: false))\n\(gutter) \(bar)\n"
      + "\(style("1;34", number)) \(bar) \(lead)\(marked)\(tail)\n"
      + "\(gutter) \(bar) " + style("1;31", caret + (label.map { " " + TerminalText.safe($0) } ?? "")) + "\n"
  }

  /// Replaces tabs by blanks, and control and direction characters by a visible character, so that the carets are in the right
  /// columns and a text cannot be made to look like another.
  static func visible(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t": result += "    "
      case "\n": result += "\u{fffd}"
      case _ where TerminalText.isCommand(scalar): result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private func style(_ code: String, _ text: String) -> String { colour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

/// The number of columns that a text occupies on a terminal.
public enum TextWidth {
  public static func of(_ text: String) -> Int {
    text.reduce(0) { total, character in
      guard let first = character.unicodeScalars.first else { return total }
      return total + width(first)
    }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<32, 0x7f..<0xa0: return 0
    case 0x300...0x36f, 0x200b...0x200f: return 0
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
      0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f,
      0x1f900...0x1f9ff, 0x20000...0x3fffd:
      return 2
    default: return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }
}
