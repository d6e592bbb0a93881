import Syntax

/// The world around the interpreter: where text goes, whether someone wants it to stop.
public protocol InterpreterHost: AnyObject {
  /// Results. On a terminal, what it would take for commands is made visible.
  func write(_ text: String)
  /// A picture as a terminal draws it.
  func draw(_ text: String)
  /// Notes and warnings, a line each; nothing with `--quiet`.
  func note(_ text: String)
  /// Asks someone who is there; nil where nobody is.
  func ask(_ question: String) -> Bool?
  /// One line that is drawn over on a terminal, or now and then a line of its own elsewhere; nil takes it away.
  func progress(_ line: String?)
  /// A block of lines that is drawn over by the next one, on a terminal; nothing elsewhere.
  func live(_ block: String)
  /// A line of progress that stays.
  func milestone(_ line: String)
  /// Someone pressed Ctrl-C (or sent SIGTERM) since the statement began.
  var isInterrupted: Bool { get }
  /// Does a script run, with nobody to type the next line?
  var isBatch: Bool { get }
  /// Should trainings go on from what an earlier, interrupted process left of them?
  var resumes: Bool { get }
  /// Columns to write in.
  var width: Int { get }
  /// Is stdout a terminal?
  var isTerminal: Bool { get }
  /// What pictures the terminal says it shows.
  var terminalPictures: TerminalPictures { get }
  /// Does someone see a line that is drawn over? Otherwise progress is told in plain lines.
  var showsLiveProgress: Bool { get }
  /// Are pictures taken as SVG, for a page?
  var collectsPictures: Bool { get }
  func picture(_ svg: String)
  /// Threads the engine may use.
  var threads: Int { get }
  /// Are all trainings kept, and taken from where they are kept?
  var keepsRuns: Bool { get }
  /// A script has read a file.
  func didRead(_ path: String)
  /// Seed where a script gives none.
  var seed: Int { get }
  /// Folder that relative output paths start from; nil: the present one.
  var outputFolder: String? { get }
  /// Folder that a script's reads and writes must stay in, without links; nil: it may do what its user may.
  var sandbox: String? { get }
  /// File that trainings are written down in; nil: they are not.
  var runDatabase: String? { get }
  /// The script that runs, and a hash of its text.
  var script: (name: String, hash: String) { get }
  /// Of this program, for records.
  var version: String { get }
}

/// How a terminal takes pictures.
public enum TerminalPictures: Sendable {
  case none, sixel
  /// The graphics protocol of kitty, which other terminals have too.
  case kitty
}

extension InterpreterHost {
  public func ask(_ question: String) -> Bool? { nil }
  public func draw(_ text: String) { write(text) }
  public func live(_ block: String) {}
  public var keepsRuns: Bool { false }
  public func didRead(_ path: String) {}
  public var terminalPictures: TerminalPictures { .none }
  public var collectsPictures: Bool { false }
  public func picture(_ svg: String) {}
}
