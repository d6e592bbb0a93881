import Foundation

/// Asks the terminal what it can draw.
enum TerminalGraphics {
  /// Does the terminal say that it shows sixel pictures? Asked once: the answer to "primary device attributes" lists 4.
  static let showsSixel: Bool = {
    guard isatty(STDOUT_FILENO) == 1 else { return false }
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    defer { close(terminal) }
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else { return false }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard tcsetattr(terminal, TCSANOW, &raw) == 0 else { return false }
    defer { tcsetattr(terminal, TCSANOW, &before) }
    let question = Array("\u{1b}[c".utf8)
    guard write(terminal, question, question.count) == question.count else { return false }

    // A terminal that does not know the question says nothing.
    var answer: [UInt8] = []
    var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    while answer.count < 64, poll(&waiting, 1, 150) == 1 {
      var byte: UInt8 = 0
      guard read(terminal, &byte, 1) == 1 else { break }
      answer.append(byte)
      if byte == UInt8(ascii: "c") { break }
    }
    return claimsSixel(answer)
  }()

  /// `ESC [ ? 62 ; 4 ; 22 c`: a list of numbers, 4 among them after the first.
  static func claimsSixel(_ answer: [UInt8]) -> Bool {
    let text = String(decoding: answer, as: UTF8.self)
    guard text.hasPrefix("\u{1b}[?"), text.hasSuffix("c") else { return false }
    return text.dropFirst(3).dropLast().split(separator: ";").dropFirst().contains("4")
  }
}
