import Interpreter
import Syntax

/// The prompt: reads and runs entries until the end of input. An error in an entry does not lose variables.
public final class Session {
  let interpreter: Interpreter
  private let editor: any LineEditor
  private let history: History?
  let renderer: DiagnosticRenderer
  let errors: (String) -> Void
  /// Called before an entry runs, to clear an interrupt that arrived while the entry was typed.
  let beginEntry: () -> Void
  /// The number of lines of the screen, for the pager; nil if stdout is not a terminal.
  private let screenHeight: () -> Int?
  private let screenWidth: () -> Int
  var usesPager = true
  /// All entries of the session.
  private(set) var entries: [String] = []
  /// The entries that ran without an error.
  var succeeded: [String] = []
  /// The values of entries, by the number of the entry.
  var results: [Int: Value] = [:]

  public init(
    _ interpreter: Interpreter, editor: any LineEditor, history: History?, renderer: DiagnosticRenderer,
    errors: @escaping (String) -> Void, beginEntry: @escaping () -> Void, screenHeight: @escaping () -> Int? = { nil },
    screenWidth: @escaping () -> Int = { 80 }
  ) {
    self.screenWidth = screenWidth
    self.interpreter = interpreter
    self.editor = editor
    self.history = history
    self.renderer = renderer
    self.errors = errors
    self.beginEntry = beginEntry
    self.screenHeight = screenHeight
  }

  public func run() {
    for entry in history?.entries() ?? [] { editor.remember(entry) }
    while let entry = readEntry() {
      for part in Self.entries(entry.text, isSession: entry.isSession) where take(part) { return }
    }
  }

  /// Runs an entry. Returns true if it leaves the prompt.
  @discardableResult
  func take(_ entry: String) -> Bool {
    let trimmed = entry.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
    if trimmed.isEmpty { return false }
    editor.remember(entry)
    history?.append(entry)
    let asked = Substring(String(trimmed)).trimmingBlanks
    if Self.leaves.contains(asked), interpreter.value(String(asked.prefix { $0.isLetter })) == nil { return true }
    if let name = Self.helpWanted(asked), interpreter.value("help") == nil {
      help(name)
      return false
    }
    switch trimmed.first {
    case "?": help(Substring(trimmed.dropFirst().split(separator: "\n").joined(separator: " ")).trimmingBlanks)
    case "%": command(String(trimmed))
    case "!":
      let status = Shell.run(String(trimmed.dropFirst()))
      if status != 0 { complain("exited with status \(status)\n") }
    case "|" where trimmed.hasPrefix("|>"):
      // A pipe at the beginning continues from the last value.
      guard interpreter.value("_") != nil else {
        complain(
          "there is no last value to continue from: write value |> function, or let the entry end with |> and go on in the next line\n")
        return false
      }
      evaluate("_ " + trimmed)
    default: evaluate(entry)
    }
    return false
  }

  /// What leaves the prompt, as in other languages.
  private static let leaves: Set<String> = ["exit", "quit", "exit()", "quit()", "exit;", "quit;", "q()", ":q", "exit();", "quit();"]

  /// The name that help is wanted for, in the ways of other languages: help(train), help train, train?, ??train; nil for entries
  /// that are none of these.
  private static func helpWanted(_ entry: String) -> String? {
    func name(_ text: Substring) -> String? {
      let name = Substring(text).trimmingBlanks
      return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ? name : nil
    }
    if entry == "help" || entry == "help()" { return "" }
    if entry.hasPrefix("help("), entry.hasSuffix(")") { return name(entry.dropFirst(5).dropLast()) }
    if entry.hasPrefix("help ") { return name(entry.dropFirst(5)) }
    if entry.hasPrefix("??") { return name(entry.dropFirst(2)) }
    guard entry.count > 1, entry.hasSuffix("?") else { return nil }
    return name(entry.hasSuffix("??") ? entry.dropLast(2) : entry.dropLast())
  }

  /// The entries of pasted lines. Lines of a session are as many entries as they were; other lines are one entry, except that
  /// commands (`?`, `%`, `!`) at the beginning of a line are entries of their own.
  static func entries(_ text: String, isSession: Bool) -> [String] {
    guard text.contains("\n") else { return [text] }
    func isCommand(_ line: Substring) -> Bool { line.first { $0 != " " }.map { "%!?".contains($0) } ?? false }
    func isComplete(_ entry: String) -> Bool { !Parser.parse(SourceFile(name: "<prompt>", text: entry)).isIncomplete }
    var entries: [String] = []
    var entry = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isWhole = entry.isEmpty || isComplete(entry)
      let goesOn = line.drop { $0 == " " }.hasPrefix("|>")
      if isWhole, isCommand(line) || !entry.isEmpty && isSession && !goesOn {
        if !entry.isEmpty { entries.append(entry) }
        entry = ""
        if isCommand(line) {
          entries.append(String(line))
          continue
        }
      }
      entry += (entry.isEmpty ? "" : "\n") + line
    }
    return entry.isEmpty ? entries : entries + [entry]
  }

  /// Reads lines until they are a complete entry. Nil at the end of input.
  private func readEntry() -> (text: String, isSession: Bool)? {
    var entry = ""
    // An interrupt that ended the last entry does not end this one.
    beginEntry()
    while true {
      let prompt = "srs \(entries.count + 1)> "
      let more = String(repeating: ".", count: prompt.count - 2) + "> "
      switch editor.read(entry.isEmpty ? prompt : more, indent: Self.indentation(entry)) {
      case .end:
        interpreter.host.write("\n")
        return nil
      case .interrupted:
        // Ctrl-C clears the entry.
        interpreter.host.write("\n")
        beginEntry()
        entry = ""
      case .session(let lines) where entry.isEmpty && lines.contains("\n"):
        return (lines, true)
      case .line(let line), .session(let line):
        entry += entry.isEmpty ? line : "\n" + line
        // An empty line ends an incomplete entry.
        if line.allSatisfy({ $0 == " " }) && !entry.isEmpty { return (entry, false) }
        if let first = entry.first, "%!?".contains(first), !entry.contains("\n") { return (entry, false) }
        if Self.entries(entry, isSession: false).last.map({ "%!?".contains($0.first ?? " ") }) == true { return (entry, false) }
        if !Parser.parse(SourceFile(name: "<prompt>", text: entry)).isIncomplete { return (entry, false) }
      }
    }
  }

  /// The indentation of the next line: two blanks for every open bracket, none inside a string.
  static func indentation(_ entry: String) -> String {
    guard !entry.isEmpty else { return "" }
    let lexer = Lexer(SourceFile(name: "<prompt>", text: entry))
    guard lexer.diagnostics.isEmpty else { return "" }
    var depth = 0
    for token in lexer.tokens {
      guard case .symbol(let symbol) = token.kind else { continue }
      if ["(", "[", "{"].contains(symbol.rawValue) { depth += 1 }
      if [")", "]", "}"].contains(symbol.rawValue) { depth -= 1 }
    }
    return String(repeating: "  ", count: max(0, min(depth, 12)))
  }

  func evaluate(_ entry: String, timed: Bool = false) {
    entries.append(entry)
    let number = entries.count
    beginEntry()
    let (program, diagnostics) = interpreter.compile(SourceFile(name: "<entry \(number)>", text: entry))
    for diagnostic in diagnostics { errors(renderer.render(diagnostic)) }
    guard let program else { return }
    let hiddenBefore = hiddenFunctions
    defer {
      for name in hiddenFunctions.subtracting(hiddenBefore).sorted() {
        complain("note: `\(name)` is a variable now, which hides the function; %reset \(name) brings it back\n")
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let value = try interpreter.run(program)
      succeeded.append(entry)
      if case .nothing = value {
      } else {
        interpreter.set("_", value)
        results[number] = value
        interpreter.set("out", .object(SessionResults(results)))
        show(value.shortened + "\n")
      }
    } catch let diagnostic as Diagnostic {
      errors(renderer.render(diagnostic))
    } catch {
      complain("error: \(error)\n")
    }
    if timed {
      let (seconds, rest) = (clock.now - start).components
      complain("took \(NumberFormat.duration(Double(seconds) + Double(rest) * 1e-18))\n")
    }
  }

  func write(_ text: String) { show(text) }

  /// The functions that variables hide.
  private var hiddenFunctions: Set<String> { Set(interpreter.names.filter { interpreter.library.builtins[$0] != nil }) }

  /// Reports an error. The text may contain user input and file names.
  func complain(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      TextWrap.wrapped(String($0), columns: screenWidth() - 1, indent: 2)
    }
    errors(TerminalText.safe(lines.joined(separator: "\n")))
  }

  /// The number of rows of the screen that a text takes.
  static func rows(_ text: String, columns: Int) -> Int {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0).reduce(0) { rows, line in
      rows + max(1, (TextWidth.of(String(line)) + columns - 1) / max(1, columns))
    }
  }

  /// Shows a text, by the pager if it is longer than the screen.
  private func show(_ text: String) {
    if usesPager, let height = screenHeight(), Self.rows(text, columns: screenWidth()) >= height,
      Shell.run("${PAGER:-less -FRX}", input: TerminalText.safe(text)) == 0
    {
      return
    }
    interpreter.host.write(text)
  }
}

/// `out[n]`: the values of earlier entries.
final class SessionResults: ObjectValue {
  static let type = ObjectType("the results of this session, by the numbers of their entries", element: .any)

  private let results: [Int: Value]

  init(_ results: [Int: Value]) { self.results = results }

  var elementHelp: String? {
    results.isEmpty
      ? "no entry has a value yet" : "these entries have a value: \(results.keys.sorted().map(String.init).joined(separator: ", "))"
  }

  func element(_ index: Value) -> Value? {
    guard case .number(let number) = index, let whole = Int(exactly: number) else { return nil }
    return results[whole]
  }

  var summary: String { "values of the entries \(results.keys.sorted().map(String.init).joined(separator: ", "))" }
}
