import CEditline
import Glibc
import Interpreter
import Syntax

/// A line that the user typed, the end of input, or Ctrl-C.
public enum LineInput: Equatable, Sendable {
  case line(String)
  /// Lines that were pasted from a session: its entries, one after the other.
  case session(String)
  case end
  case interrupted
}

/// Reads lines that the user types.
public protocol LineEditor: AnyObject {
  /// Reads a line. A line that was pasted or recalled may have line breaks inside.
  ///
  /// - Parameter indent: Blanks at the beginning of the line, as if the user had typed them.
  func read(_ prompt: String, indent: String) -> LineInput
  /// Adds an entry to the history of the session, for the arrow keys and for suggestions.
  func remember(_ entry: String)
}

/// A line editor on the terminal, by libedit.
///
/// Keys are read and decoded here and not by libedit, so that unknown ones do nothing and Ctrl-C is noticed whichever thread the
/// signal reaches. Colours and suggestions are drawn over what libedit has drawn, while the next key is awaited.
public final class Editline: LineEditor {
  private let editor: OpaquePointer
  private let calls: Calls
  private var entries: [String] = []

  /// What the editor asks its owner.
  public struct Calls {
    public let complete: (_ line: String, _ cursor: Int) -> Completion
    /// Whether Ctrl-C has been typed.
    public let isInterrupted: () -> Bool
    /// Whether the line is coloured and suggestions are shown.
    public let colours: Bool
    /// The names of functions, which are coloured.
    public let functions: Set<String>

    public init(
      complete: @escaping (_ line: String, _ cursor: Int) -> Completion, isInterrupted: @escaping () -> Bool = { false },
      colours: Bool = false, functions: Set<String> = []
    ) {
      self.complete = complete
      self.isInterrupted = isInterrupted
      self.colours = colours
      self.functions = functions
    }
  }

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
  public init?(historySize: Int = 5000, _ calls: Calls) {
    guard let editor = srs_editline_new("srs", Int32(historySize)) else { return nil }
    self.editor = editor
    self.calls = calls
    var table = srs_editline_calls()
    table.complete = { context, line, cursor, insert, capacity in
      guard let own = Editline.of(context), let line, let insert else { return nil }
      let completion = own.calls.complete(String(cString: line), cursor)
      let bytes = Array(completion.insert.utf8)
      if bytes.count < capacity {
        for (i, byte) in bytes.enumerated() { insert[i] = CChar(bitPattern: byte) }
        insert[bytes.count] = 0
      }
      return completion.choices.isEmpty
        ? nil : strdup(completion.choices.map { TerminalText.safe($0, keepsLines: false) }.joined(separator: "\n") + "\n")
    }
    table.is_interrupted = { Editline.of($0)?.calls.isInterrupted() == true ? 1 : 0 }
    table.edit = { _, text in text.flatMap { ExternalEditor.change(String(cString: $0)) }.map { strdup($0) } ?? nil }
    if calls.colours {
      table.colour = { context, line in
        guard let own = Editline.of(context), let line else { return nil }
        return strdup(LineColours.coloured(String(cString: line), functions: own.calls.functions))
      }
      table.suggest = { context, line in
        guard let own = Editline.of(context), let line else { return nil }
        return own.suggestion(String(cString: line)).map { strdup($0) } ?? nil
      }
    }
    srs_editline_set_calls(editor, table, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { srs_editline_free(editor) }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Editline? {
    context.map { Unmanaged<Editline>.fromOpaque($0).takeUnretainedValue() }
  }

  public func read(_ prompt: String, indent: String) -> LineInput {
    var status: Int32 = 0
    guard let line = srs_editline_read(editor, prompt, indent, &status) else {
      return Int(status) == SRS_INTERRUPTED ? .interrupted : .end
    }
    defer { free(line) }
    return Int(status) == SRS_SESSION ? .session(String(cString: line)) : .line(String(cString: line))
  }

  public func remember(_ entry: String) {
    entries.append(entry)
    srs_editline_remember(editor, entry)
  }

  /// The rest of the latest entry of one line that begins with the line.
  private func suggestion(_ line: String) -> String? {
    guard line.count >= 2 else { return nil }
    let found = entries.last { $0.count > line.count && $0.hasPrefix(line) && !$0.contains("\n") && !$0.contains("\u{1b}") }
    return found.map { String($0.dropFirst(line.count)) }
  }
}
