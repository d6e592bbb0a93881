import Builtins
import Foundation
import Interpreter
import Syntax
import Terminal
import Testing

/// Types lines from a list.
private final class TypedLines: LineEditor {
  private var lines: [LineInput]
  private(set) var prompts: [String] = []
  private(set) var remembered: [String] = []

  init(_ lines: [LineInput]) { self.lines = lines }

  func read(_ prompt: String) -> LineInput {
    prompts.append(prompt)
    return lines.isEmpty ? .end : lines.removeFirst()
  }

  func remember(_ entry: String) { remembered.append(entry) }
}

/// The prompt, without a terminal.
@Suite struct SessionTests {
  private func session(_ lines: [LineInput]) -> (output: String, errors: String, editor: TypedLines) {
    let host = CapturingHost()
    var errors = ""
    let editor = TypedLines(lines)
    Session(
      Interpreter(StackRecLibrary.library, host: host), editor: editor, history: nil, renderer: DiagnosticRenderer(colour: false),
      errors: { errors += $0 }, beginEntry: {}
    ).run()
    return (host.output, errors, editor)
  }

  @Test func valuesAreShownAndKept() {
    let result = session([.line("let xs = [1, 2]"), .line("xs |> sum"), .line("_ + 1"), .line("\"a\""), .line("nil")])
    #expect(result.output == "3\n4\n\"a\"\n\n")
    #expect(result.errors.isEmpty)
  }

  @Test func anEntryGoesOnUntilItIsComplete() {
    let result = session([.line("fn twice(x) {"), .line("  return x * 2"), .line("}"), .line("twice("), .line("4)")])
    #expect(result.output == "8\n\n")
    #expect(result.editor.prompts == ["srs> ", "...> ", "...> ", "srs> ", "...> ", "srs> "])
    #expect(result.editor.remembered == ["fn twice(x) {\n  return x * 2\n}", "twice(\n4)"])
  }

  @Test func noErrorLosesAVariable() {
    let result = session([
      .line("let a = 1"), .line("let a = [0][9]"), .line("a + nope"), .line("print((1"), .line(""), .line("a"),
    ])
    #expect(result.errors.contains("E0402") && result.errors.contains("E0201") && result.errors.contains("E0106"))
    #expect(result.output.hasSuffix("1\n\n"))
  }

  @Test func ctrlCClearsTheEntry() {
    let result = session([.line("let b = ["), .interrupted, .line("2")])
    #expect(result.output == "\n2\n\n" && result.errors.isEmpty)
  }

  @Test func helpFromTheDeclarations() {
    let result = session([.line("?window"), .line("?widnow"), .line("?")])
    #expect(result.output.contains("window(histories, length:") && result.output.contains("Training: "))
    #expect(result.errors.contains("did you mean `window`?"))
  }

  @Test func completion() {
    let host = CapturingHost()
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    interpreter.set("record", .record(Record([("alpha", .number(1)), ("beta", .number(2))])))
    let completer = Completer(interpreter)
    func complete(_ line: String) -> Editline.Completion { completer.complete(line, line.utf8.count) }
    #expect(complete("let m = nexti").insert == "tnet")
    #expect(complete("record.al").insert == "pha")
    #expect(complete("stack(m, by: dil").insert == "ation_aware")
    #expect(complete("split(s, trai").insert == "n: ")
    #expect(complete("split(s, train: 80%, vali").insert == "d: ")
    #expect(complete("stack(m, by: top_").choices.joined().contains("top_adjacent"))
    #expect(complete("qqq").insert.isEmpty)
  }

  @Test func historyKeepsEntriesOfManyLines() throws {
    let folder = NSTemporaryDirectory() + "stackrec-history-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let history = History(path: folder + "/deep/history")
    let entries = ["let a = 1", "fn f() {\n  return \"a\\n\"\n}", "\"\\\\\""]
    entries.forEach { history.append($0) }
    #expect(History(path: folder + "/deep/history").entries() == entries)
    let mode = try FileManager.default.attributesOfItem(atPath: folder + "/deep/history")[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }
}
