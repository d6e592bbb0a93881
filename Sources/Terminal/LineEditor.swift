import CEditline
import Glibc
import Interpreter
import Syntax

/// A line that the user typed, the end of input, or Ctrl-C.
public enum LineInput: Equatable, Sendable {
  case line(String)
  case end
  case interrupted
}

/// Reads lines that the user types.
public protocol LineEditor: AnyObject {
  /// Reads a line.
  ///
  /// - Parameter indent: Blanks at the beginning of the line, as if the user had typed them.
  func read(_ prompt: String, indent: String) -> LineInput
  /// Adds an entry to the history of the session, for the arrow keys.
  func remember(_ entry: String)
}

/// A line editor on the terminal, by libedit.
public final class Editline: LineEditor {
  private let editor: OpaquePointer
  private let complete: (_ line: String, _ cursor: Int) -> Completion

  /// What the Tab key does: insert a text or show choices.
  public struct Completion {
    public let insert: String
    public let choices: [String]
    public init(insert: String, choices: [String]) {
      self.insert = insert
      self.choices = choices
    }
  }

  /// Nil if the terminal cannot be set up.
  public init?(historySize: Int = 5000, complete: @escaping (_ line: String, _ cursor: Int) -> Completion) {
    guard let editor = srs_editline_new("srs", Int32(historySize)) else { return nil }
    self.editor = editor
    self.complete = complete
    srs_editline_set_completer(
      editor,
      { context, line, cursor, insert, capacity in
        guard let context, let line, let insert else { return nil }
        let own = Unmanaged<Editline>.fromOpaque(context).takeUnretainedValue()
        let completion = own.complete(String(cString: line), cursor)
        let bytes = Array(completion.insert.utf8)
        if bytes.count < capacity {
          for (i, byte) in bytes.enumerated() { insert[i] = CChar(bitPattern: byte) }
          insert[bytes.count] = 0
        }
        return completion.choices.isEmpty
          ? nil : strdup(completion.choices.map { TerminalText.safe($0, keepsLines: false) }.joined(separator: "\n") + "\n")
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { srs_editline_free(editor) }

  public func read(_ prompt: String, indent: String) -> LineInput {
    var status: Int32 = 0
    guard let line = srs_editline_read(editor, prompt, indent, &status) else {
      return Int(status) == SRS_INTERRUPTED ? .interrupted : .end
    }
    defer { free(line) }
    return .line(String(cString: line))
  }

  public func remember(_ entry: String) { srs_editline_remember(editor, entry) }
}
