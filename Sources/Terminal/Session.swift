import Interpreter
import Syntax

/// The prompt: entries one after the other, until the end of input. Nothing an entry does loses a variable.
public final class Session {
  private let interpreter: Interpreter
  private let editor: any LineEditor
  private let history: History?
  private let renderer: DiagnosticRenderer
  private let errors: (String) -> Void
  /// Called before an entry runs: forgets an interrupt that came while it was typed.
  private let beginEntry: () -> Void
  private var count = 0

  public init(
    _ interpreter: Interpreter, editor: any LineEditor, history: History?, renderer: DiagnosticRenderer,
    errors: @escaping (String) -> Void, beginEntry: @escaping () -> Void
  ) {
    self.interpreter = interpreter
    self.editor = editor
    self.history = history
    self.renderer = renderer
    self.errors = errors
    self.beginEntry = beginEntry
  }

  public func run() {
    for entry in history?.entries() ?? [] { editor.remember(entry) }
    while let entry = readEntry() {
      let trimmed = entry.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
      if trimmed.isEmpty { continue }
      editor.remember(entry)
      history?.append(entry)
      if trimmed == "exit" || trimmed == "quit" { return }
      if trimmed.hasPrefix("?") {
        help(String(trimmed.dropFirst()).filter { $0 != " " && $0 != "\n" })
      } else {
        evaluate(entry)
      }
    }
  }

  /// Lines until the parser says that they are an entry; nil at the end of input.
  private func readEntry() -> String? {
    var entry = ""
    while true {
      switch editor.read(entry.isEmpty ? "srs> " : "...> ") {
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
        if line.isEmpty && !entry.isEmpty { return entry }
        if !Parser.parse(SourceFile(name: "<prompt>", text: entry)).isIncomplete { return entry }
      }
    }
  }

  private func help(_ name: String) {
    let builtins = interpreter.library.builtins
    if let builtin = builtins[name] {
      interpreter.host.write(builtin.help)
    } else if name.isEmpty {
      let topics = Dictionary(grouping: builtins.values, by: \.topic)
      for topic in topics.keys.sorted() {
        interpreter.host.write("\(topic): \((topics[topic] ?? []).map(\.name).sorted().joined(separator: ", "))\n")
      }
      interpreter.host.write("?name tells more; Ctrl-D leaves\n")
    } else {
      let near = Spelling.suggestion(name, in: builtins.keys.sorted())
      errors("there is no function `\(name)`" + (near.map { "; \($0)" } ?? "") + "\n")
    }
  }

  private func evaluate(_ entry: String) {
    count += 1
    beginEntry()
    let (program, diagnostics) = interpreter.compile(SourceFile(name: "<entry \(count)>", text: entry))
    for diagnostic in diagnostics { errors(renderer.render(diagnostic)) }
    guard let program else { return }
    do {
      let value = try interpreter.run(program)
      if case .nothing = value { return }
      interpreter.set("_", value)
      interpreter.host.write(value.shown + "\n")
    } catch let diagnostic as Diagnostic {
      errors(renderer.render(diagnostic))
    } catch {
      errors("error: \(error)\n")
    }
  }
}
