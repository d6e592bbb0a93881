import Foundation
import Interpreter

/// Finds out which picture format the terminal supports.
enum TerminalGraphics {
  /// The picture format of the terminal, queried once. The query sends a picture of one pixel by kitty's protocol, and
  /// then asks for the primary device attributes, which include whether the terminal supports sixel. Every terminal
  /// answers the second query, so its answer ends the wait.
  static let pictures: TerminalPictures = {
    guard isatty(STDOUT_FILENO) == 1 else { return .none }
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return .none }
    defer { close(terminal) }
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else { return .none }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard tcsetattr(terminal, TCSANOW, &raw) == 0 else { return .none }
    defer { tcsetattr(terminal, TCSANOW, &before) }
    let question = Array("\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\\u{1b}[c".utf8)
    guard write(terminal, question, question.count) == question.count else { return .none }

    // A terminal that does not know kitty's protocol does not answer the first query.
    var answer: [UInt8] = []
    var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    while answer.count < 256, poll(&waiting, 1, 150) == 1 {
      var byte: UInt8 = 0
      guard read(terminal, &byte, 1) == 1 else { break }
      answer.append(byte)
      // The answer to the second query is the last one: ESC [ ... c.
      if byte == UInt8(ascii: "c"), String(decoding: answer, as: UTF8.self).contains("\u{1b}[") { break }
    }
    return claims(answer)
  }()

  static func claims(_ answer: [UInt8]) -> TerminalPictures {
    let text = String(decoding: answer, as: UTF8.self)
    if text.contains("\u{1b}_Gi=31;OK") { return .kitty }
    let attributes = text.range(of: "\u{1b}[").map { Array(text[$0.lowerBound...].utf8) } ?? []
    return claimsSixel(attributes) ? .sixel : .none
  }

  /// Does the answer, such as `ESC [ ? 62 ; 4 ; 22 c`, contain the number 4 (sixel) after the first number?
  static func claimsSixel(_ answer: [UInt8]) -> Bool {
    let text = String(decoding: answer, as: UTF8.self)
    guard text.hasPrefix("\u{1b}[?"), text.hasSuffix("c") else { return false }
    return text.dropFirst(3).dropLast().split(separator: ";").dropFirst().contains("4")
  }
}
