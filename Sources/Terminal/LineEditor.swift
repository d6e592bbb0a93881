import CEditline
import Glibc
import Interpreter
import Syntax

/// What someone typed.
public enum LineInput: Equatable, Sendable {
  case line(String)
  case end
  case interrupted
}

/// Reads lines from a person.
public protocol LineEditor: AnyObject {
  /// - Parameter indent: blanks that the line begins with, as if they had been typed.
  func read(_ prompt: String, indent: String) -> LineInput
  /// An entry to be found again with the arrow keys.
  func remember(_ entry: String)
}

/// libedit on the terminal.
public final class Editline: LineEditor {
  private let editor: OpaquePointer
  private let complete: (_ line: String, _ cursor: Int) -> Completion

  /// What the Tab key does: inserts, or shows choices.
  public struct Completion {
    public let insert: String
    public let choices: [String]
    public init(insert: String, choices: [String]) {
      self.insert = insert
      self.choices = choices
    }
  }

  /// nil when the terminal cannot be set up.
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
