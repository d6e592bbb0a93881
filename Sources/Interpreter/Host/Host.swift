import Syntax

/// The environment of the interpreter: its output, its settings, and whether the user wants to stop.
public protocol InterpreterHost: AnyObject {
  /// Writes results to stdout. On a terminal, control characters are made visible.
  func write(_ text: String)
  /// Writes a picture in a form that the terminal draws, including control characters.
  func draw(_ text: String)
  /// Writes a note or warning of one line; does nothing with `--quiet`.
  func note(_ text: String)
  /// Asks the user a yes-or-no question; nil if no user is present.
  func ask(_ question: String) -> Bool?
  /// Shows a line of progress. On a terminal the next one overwrites it; elsewhere a line is written now and then. Nil
  /// removes the line.
  func progress(_ line: String?)
  /// Shows a block of lines that the next one overwrites; does nothing if stdout is not a terminal.
  func live(_ block: String)
  /// Writes a line of progress that is not overwritten.
  func milestone(_ line: String)
  /// Has the user pressed Ctrl-C, or has SIGTERM arrived, since the statement began?
  var isInterrupted: Bool { get }
  /// Does the program run a script, instead of a prompt where the user types the next line?
  var isBatch: Bool { get }
  /// Should trainings continue from the checkpoints of an earlier, interrupted process?
  var resumes: Bool { get }
  /// The width of the output in columns.
  var width: Int { get }
  /// Is stdout a terminal?
  var isTerminal: Bool { get }
  /// The picture format that the terminal says it supports.
  var terminalPictures: TerminalPictures { get }
  /// Can a line of progress be overwritten? Otherwise progress is written in plain lines.
  var showsLiveProgress: Bool { get }
  /// Are pictures collected as SVG, for a notebook page?
  var collectsPictures: Bool { get }
  func picture(_ svg: String)
  /// The number of threads that the engine may use.
  var threads: Int { get }
  /// Are all finished trainings kept in checkpoints, and loaded from there instead of being repeated?
  var keepsRuns: Bool { get }
  /// Called when the script reads a file.
  func didRead(_ path: String)
  /// The seed for trainings that do not give one.
  var seed: Int { get }
  /// The folder from which relative output paths start; nil for the current one.
  var outputFolder: String? { get }
  /// The folder, without symbolic links, in which all files that a script reads and writes must be; nil for no restriction.
  var sandbox: String? { get }
  /// The path of the database of runs; nil if trainings are not recorded.
  var runDatabase: String? { get }
  /// The name of the current script and a hash of its text.
  var script: (name: String, hash: String) { get }
  /// The version of the program, recorded with each run.
  var version: String { get }
}

/// The picture formats of terminals.
public enum TerminalPictures: Sendable {
  case none, sixel
  /// The graphics protocol of kitty, which other terminals support as well.
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
