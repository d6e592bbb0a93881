/// Makes untrusted text safe to print on a terminal: data, names of files and runs, contents of notebooks.
///
/// A terminal interprets some characters as commands. They could overwrite what is on the screen, send input in the user's
/// name, or make a text look like another.
public enum TerminalText {
  /// Does a terminal interpret this character as a command, or does it change how other characters are shown? False for tabs
  /// and line feeds.
  public static func isCommand(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    // Control characters and direction characters.
    case 0..<32, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
    // Line and paragraph separators.
    case 0x2028, 0x2029: true
    default: false
    }
  }

  /// Replaces such characters by escapes of the language, for example `\u{1b}`.
  ///
  /// - Parameter keepsLines: Whether line feeds and tabs stay and carriage returns before line feeds are removed. If false,
  ///   line feeds and tabs become `\n` and `\t`.
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

  /// Makes UTF-8 bytes safe in the same way; bytes that are not UTF-8 become U+FFFD.
  public static func safe(_ bytes: some Sequence<UInt8>) -> String { safe(String(decoding: Array(bytes), as: UTF8.self)) }
}
