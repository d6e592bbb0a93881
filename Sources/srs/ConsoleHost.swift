import Foundation
import Interpreter
import Logging
import Syntax

/// stdout, stderr and the terminal.
final class ConsoleHost: InterpreterHost {
  private let quiet: Bool
  private let logger: Logger
  private let live: Bool
  private var lineShown = false
  let threads: Int
  let seed: Int
  let outputFolder: String?

  init(quiet: Bool, threads: Int?, seed: Int?, outputFolder: String?) {
    self.quiet = quiet
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    self.seed = seed ?? 0
    self.outputFolder = outputFolder
    live = isatty(STDERR_FILENO) == 1 && !quiet && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    logger = Logger(label: "srs") { _ in StderrLog() }
  }

  func write(_ text: String) {
    progress(nil)
    Output.write(text)
  }

  func note(_ text: String) {
    guard !quiet else { return }
    progress(nil)
    logger.notice("\(text)")
  }

  func progress(_ line: String?) {
    guard live else { return }
    guard let line else {
      if lineShown { FileHandle.standardError.write(Data("\r\u{1b}[2K".utf8)) }
      lineShown = false
      return
    }
    var fitted = ""
    var columns = 0
    for character in line {
      columns += TextWidth.of(String(character))
      if columns >= width { break }
      fitted.append(character)
    }
    FileHandle.standardError.write(Data("\r\u{1b}[2K\(fitted)".utf8))
    lineShown = true
  }

  func milestone(_ line: String) {
    guard !quiet else { return }
    progress(nil)
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  func error(_ text: String) {
    progress(nil)
    FileHandle.standardError.write(Data(text.utf8))
  }

  var isInterrupted: Bool { Interrupt.isSet }

  var width: Int {
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 { return Int(size.ws_col) }
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 { return Int(size.ws_col) }
    return 80
  }

  var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  var showsLiveProgress: Bool { live }
  var showsSixel: Bool { TerminalGraphics.showsSixel }

  /// Colours for what goes to a stream.
  static func colours(_ descriptor: Int32) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(descriptor) == 1 && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
  }
}

/// Notes on stderr, a plain line each.
private struct StderrLog: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let name = event.level <= .notice ? "note" : "\(event.level)"
    FileHandle.standardError.write(Data("\(name): \(event.message)\n".utf8))
  }
}

/// stdout. Whoever cannot be written to ends the program: quietly when nobody reads any more, with an error otherwise.
enum Output {
  static func write(_ text: String) {
    var rest = ArraySlice(Array(text.utf8))
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        if errno == EPIPE { exit(0) }
        let reason = String(cString: strerror(errno))
        FileHandle.standardError.write(Data("error: stdout cannot be written: \(reason)\n".utf8))
        exit(1)
      }
      rest = rest.dropFirst(count)
    }
  }
}
