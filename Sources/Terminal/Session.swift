import Interpreter
import Syntax

/// The prompt: entries one after the other, until the end of input. Nothing an entry does loses a variable.
public final class Session {
  let interpreter: Interpreter
  private let editor: any LineEditor
  private let history: History?
  let renderer: DiagnosticRenderer
  let errors: (String) -> Void
  /// Called before an entry runs: forgets an interrupt that came while it was typed.
  let beginEntry: () -> Void
  /// Lines of the screen, for the pager; nil: there is none.
  private let screenHeight: () -> Int?
  var usesPager = true
  /// All entries, and those that worked.
  private(set) var entries: [String] = []
  var worked: [String] = []
  /// Values of the entries that had one.
  var results: [Int: Value] = [:]

  public init(
    _ interpreter: Interpreter, editor: any LineEditor, history: History?, renderer: DiagnosticRenderer,
    errors: @escaping (String) -> Void, beginEntry: @escaping () -> Void, screenHeight: @escaping () -> Int? = { nil }
  ) {
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
      if take(entry) { return }
    }
  }

  /// One entry; true where it leaves the prompt.
  @discardableResult
  func take(_ entry: String) -> Bool {
    let trimmed = entry.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
    if trimmed.isEmpty { return false }
    editor.remember(entry)
    history?.append(entry)
    if trimmed == "exit" || trimmed == "quit" { return true }
    switch trimmed.first {
    case "?": help(Substring(trimmed.dropFirst().split(separator: "\n").joined(separator: " ")).trimmingBlanks)
    case "%": command(String(trimmed))
    case "!":
      let status = Shell.run(String(trimmed.dropFirst()))
      if status != 0 { complain("left with status \(status)\n") }
    default: evaluate(entry)
    }
    return false
  }

  /// Lines until the parser says that they are an entry; nil at the end of input.
  private func readEntry() -> String? {
    var entry = ""
    while true {
      switch editor.read(entry.isEmpty ? "srs> " : "...> ", indent: Self.indentation(entry)) {
      case .end:
        interpreter.host.write("\n")
        return nil
      case .interrupted:
        // Ctrl-C while typing clears the entry.
        interpreter.host.write("\n")
        entry = ""
      case .line(let line):
        entry += entry.isEmpty ? line : "\n" + line
        // An empty line ends an entry that the parser would go on with.
        if line.allSatisfy({ $0 == " " }) && !entry.isEmpty { return entry }
        if let first = entry.first, "%!?".contains(first) { return entry }
        if !Parser.parse(SourceFile(name: "<prompt>", text: entry)).isIncomplete { return entry }
      }
    }
  }

  /// Two blanks for every bracket that is open; none inside of a text.
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
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let value = try interpreter.run(program)
      worked.append(entry)
      if case .nothing = value {
      } else {
        interpreter.set("_", value)
        results[number] = value
        interpreter.set("out", .object(SessionResults(results)))
        show(value.shown + "\n")
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

  /// What is wrong, in words that may hold what was typed or what files are called.
  func complain(_ text: String) { errors(TerminalText.safe(text)) }

  /// What is longer than the screen goes through the pager.
  private func show(_ text: String) {
    let lines = text.utf8.reduce(0) { $0 + ($1 == 0x0a ? 1 : 0) }
    if usesPager, let height = screenHeight(), lines >= height, Shell.run("${PAGER:-less -FRX}", input: TerminalText.safe(text)) == 0 {
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

  func element(_ index: Value) -> Value? {
    guard case .number(let number) = index, let whole = Int(exactly: number) else { return nil }
    return results[whole]
  }

  var summary: String { "values of the entries \(results.keys.sorted().map(String.init).joined(separator: ", "))" }
}
