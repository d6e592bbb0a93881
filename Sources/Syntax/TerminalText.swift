/// Texts that others wrote, made safe for a terminal: data, names of files and runs, what a notebook holds.
///
/// A terminal takes some characters for commands: they could draw over what stands there, answer for the reader, or make a
/// text look like another.
public enum TerminalText {
  /// Does a terminal take this for a command, or does it change how other characters are shown? Tabs and line feeds do not
  /// count.
  public static func isCommand(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    // Control characters, and those of the direction of text.
    case 0..<32, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
    // Line and paragraph separators.
    case 0x2028, 0x2029: true
    default: false
    }
  }

  /// A text with such characters written as the language writes them, `\\u{1b}`.
  ///
  /// - Parameter keepsLines: line feeds and tabs stay; otherwise they are written as `\\n` and `\\t`. A carriage return
  ///   before a line feed goes with it.
  public static func safe(_ text: String, keepsLines: Bool = true) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) else { return text }
    var result = ""
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\n" where !keepsLines: result += "\\n"
      case "\t" where !keepsLines: result += "\\t"
      case "\r" where keepsLines && scalars.first == "\n": break
      case _ where isCommand(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Bytes made safe the same way; those that are no UTF-8 become U+FFFD.
  public static func safe(_ bytes: some Sequence<UInt8>) -> String { safe(String(decoding: Array(bytes), as: UTF8.self)) }
}
