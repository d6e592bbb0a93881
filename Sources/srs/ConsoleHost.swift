import Files
import Foundation
import Interpreter
import Logging
import Syntax

/// The host of the command line: stdout, stderr and the terminal.
final class ConsoleHost: InterpreterHost {
  private let quiet: Bool
  private let logger: Logger
  private let live: Bool
  private var lineShown = false
  /// The number of lines of the live block directly above the cursor; 0 if other output followed it.
  private var blockLines = 0
  let threads: Int
  let seed: Int
  let outputFolder: String?
  let isBatch: Bool
  let resumes: Bool
  let sandbox: String?
  let runDatabase: String?
  var script: (name: String, hash: String) = ("", "")
  var version: String { Srs.configuration.version }

  init(
    quiet: Bool, threads: Int?, seed: Int?, outputFolder: String?, isBatch: Bool = true, resumes: Bool = false,
    sandbox: String? = nil, records: Bool = false
  ) {
    runDatabase = records ? (outputFolder.map { $0 + "/" } ?? "") + "runs/runs.sqlite" : nil
    self.sandbox = sandbox
    self.isBatch = isBatch
    self.resumes = resumes
    self.quiet = quiet
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    self.seed = seed ?? 0
    self.outputFolder = outputFolder
    live = isatty(STDERR_FILENO) == 1 && !quiet && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    logger = Logger(label: "srs") { _ in StderrLog() }
  }

  func write(_ text: String) { draw(isTerminal ? TerminalText.safe(text) : text) }

  func draw(_ text: String) {
    progress(nil)
    blockLines = 0
    Output.write(text)
  }

  func note(_ text: String) {
    guard !quiet else { return }
    progress(nil)
    blockLines = 0
    logger.notice("\(isatty(STDERR_FILENO) == 1 ? TextWrap.wrapped(text, columns: width - 7, indent: 2) : text)")
  }

  func ask(_ question: String) -> Bool? {
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil }
    progress(nil)
    Output.error("\(question) [y/n] ")
    var answer: [UInt8] = []
    while !isInterrupted {
      var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 100) > 0 else { continue }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1 else { return nil }
      if byte == 0x0a || byte == 0x0d { break }
      answer.append(byte)
    }
    return String(decoding: answer, as: UTF8.self).lowercased().hasPrefix("y")
  }

  func progress(_ line: String?) {
    guard live else { return }
    guard let line else {
      if lineShown { Output.control("\r\u{1b}[2K") }
      lineShown = false
      return
    }
    var fitted = ""
    var columns = 0
    for character in TerminalText.safe(line, keepsLines: false) {
      columns += TextWidth.of(String(character))
      if columns >= width { break }
      fitted.append(character)
    }
    Output.control("\r\u{1b}[2K\(fitted)")
    lineShown = true
  }

  func live(_ block: String) {
    guard live else { return }
    progress(nil)
    // Overwrite the last block if there was no other output since.
    if blockLines > 0 { Output.control("\u{1b}[\(blockLines)A\r\u{1b}[J") }
    let text = block.hasSuffix("\n") ? block : block + "\n"
    Output.error(text)
    blockLines = text.utf8.count { $0 == 0x0a }
  }

  func milestone(_ line: String) {
    guard !quiet else { return }
    progress(nil)
    blockLines = 0
    Output.error((isatty(STDERR_FILENO) == 1 ? TextWrap.wrapped(line, columns: width - 1, indent: 2) : line) + "\n")
  }

  func error(_ text: String) { report(TerminalText.safe(text)) }

  /// Writes an error with its colours. The text must already be safe for a terminal.
  func report(_ rendered: String) {
    progress(nil)
    blockLines = 0
    Output.control(rendered)
  }

  var isInterrupted: Bool { Interrupt.isSet }

  var width: Int {
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 { return Int(size.ws_col) }
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 { return Int(size.ws_col) }
    return 80
  }

  /// The number of lines of the terminal; nil if stdout is not a terminal.
  var height: Int? {
    var size = winsize()
    guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }

  var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  var showsLiveProgress: Bool { live }
  var terminalPictures: TerminalPictures { TerminalGraphics.pictures }

  /// Should text on this descriptor be coloured?
  static func colours(_ descriptor: Int32) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(descriptor) == 1 && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
  }
}

/// Writes log events to stderr, as plain lines.
private struct StderrLog: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let name = event.level <= .notice ? "note" : "\(event.level)"
    Output.error("\(name): \(event.message)\n")
  }
}

/// Writes to stdout and stderr.
enum Output {
  /// The width of the terminal; nil if stdout is not a terminal.
  static var columns: Int? {
    var size = winsize()
    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// Writes a text to stderr, made safe for a terminal.
  static func error(_ text: String) { control(TerminalText.safe(text)) }

  /// Writes a text to stderr that may contain terminal commands. Failures are ignored, because there is nowhere to report
  /// them.
  static func control(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { PatientWrite.put($0, to: STDERR_FILENO) }
  }

  /// Writes a text to stdout, made safe for a terminal even if stdout is not one.
  static func show(_ text: String) { write(TerminalText.safe(text)) }

  /// Writes a text to stdout. If that fails, the program ends: with status 141 and without a message if the reader has closed
  /// the pipe, else with an error. After an interrupt, text that nobody reads is dropped.
  static func write(_ text: String) {
    guard case .failed(let number) = Array(text.utf8).withUnsafeBytes({ PatientWrite.put($0, to: STDOUT_FILENO) }) else { return }
    if number == EPIPE { exit(141) }
    Output.error("error: stdout cannot be written: \(String(cString: strerror(number)))\n")
    exit(1)
  }
}
