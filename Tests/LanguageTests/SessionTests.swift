import Foundation
import Interpreter
import Syntax
import Testing

@testable import Builtins
@testable import Terminal

/// A line editor that returns lines from a list.
private final class TypedLines: LineEditor {
  private var lines: [LineInput]
  private(set) var prompts: [String] = []
  private(set) var remembered: [String] = []

  init(_ lines: [LineInput]) { self.lines = lines }

  func read(_ prompt: String, indent: String) -> LineInput {
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

  @Test func anEntryContinuesUntilItIsComplete() {
    let result = session([.line("fn twice(x) {"), .line("  return x * 2"), .line("}"), .line("twice("), .line("4)")])
    #expect(result.output == "8\n\n")
    #expect(result.editor.prompts == ["srs 1> ", ".....> ", ".....> ", "srs 2> ", ".....> ", "srs 3> "])
    #expect(result.editor.remembered == ["fn twice(x) {\n  return x * 2\n}", "twice(\n4)"])
  }

  /// Pasted lines of a session are its entries, commands too; other pasted lines are one entry.
  @Test func pastedLinesAreEntries() {
    #expect(Session.entries("let a = 1\na + 1", isSession: false) == ["let a = 1\na + 1"])
    #expect(Session.entries("let a = 1\n?train\na + 1", isSession: false) == ["let a = 1", "?train", "a + 1"])
    let lines = "let a = [1,\n  2]\na\n  |> sum\n%who\nfn f(x) {\n  return x\n}\nf(4)"
    #expect(Session.entries(lines, isSession: true) == ["let a = [1,\n  2]", "a\n  |> sum", "%who", "fn f(x) {\n  return x\n}", "f(4)"])
    let result = session([.session("let a = 20\na + 1\n%who\na * 2"), .line("a")])
    #expect(result.output == "21\na  20\n40\n20\n\n" && result.errors.isEmpty)
  }

  @Test func variablesSurviveErrors() {
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

  @Test func commands() throws {
    let folder = NSTemporaryDirectory() + "stackrec-session-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = folder + "/a.srs"
    let result = session([
      .line("let a = 20"), .line("a + 1"), .line("nope"), .line("%time a * 2"), .line("out[2] + _"), .line("%who"), .line("%save \(file)"),
      .line("%history a + 1"), .line("%reset"), .line("a"), .line("%run \(file)"), .line("a"), .line("%hitsory"), .line("%cd /no/such"),
      .line("%help"), .line("%save"), .line("%pager maybe"), .line("!exit 3"),
    ])
    #expect(result.output.hasPrefix("21\n40\n61\na  20\nwrote 4 entries to \(file)\n2: a + 1\n"), "\(result.output)")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "# %%\nlet a = 20\n\n# %%\na + 1\n\n# %%\na * 2\n\n# %%\nout[2] + _\n")
    #expect(
      result.errors.contains("took ") && result.errors.contains("did you mean `%history`?") && result.errors.contains("no folder /no/such"))
    #expect(result.errors.contains("exited with status 3") && result.errors.contains("%pager takes on or off"))
    // The script contains `out[2]`, which does not exist after %reset.
    #expect(result.errors.components(separatedBy: "E0201").count >= 3)
    #expect(result.output.contains("%save FILE.srs"))
  }

  @Test func helpOnParts() {
    let result = session([
      .line("let d = synthetic(users: 20, items: 10)"), .line("?stack.by"), .line("?d"), .line("?d.users"),
      .line("?\"nearest neighbours\""),
      .line("?E0301"), .line("?stack.bye"), .line("?d.usres"), .line("?\"qqq\""), .line("?zzz"),
    ])
    for text in ["dilation_aware", "d is a set of histories", "number of users", "baseline", "no argument of that name"] {
      #expect(result.output.contains(text), "\(text)")
    }
    for text in ["`stack` has no argument `bye`; did you mean `by`?", "did you mean `users`?", "the help of no function contains \"qqq\""] {
      #expect(result.errors.contains(text), "\(text): \(result.errors)")
    }
  }

  @Test func completionOfFilesAndCommands() throws {
    let folder = NSTemporaryDirectory() + "stackrec-complete-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/inner", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data().write(to: URL(fileURLWithPath: folder + "/ratings-1m.csv"))
    let completer = Completer(Interpreter(StackRecLibrary.library, host: CapturingHost()))
    func complete(_ line: String) -> String { completer.complete(line, line.utf8.count).insert }
    #expect(complete("load(\"\(folder)/rat") == "ings-1m.csv")
    #expect(complete("load(\"\(folder)/ratings-1") == "m.csv")
    #expect(complete("load(\"\(folder)/in") == "ner/")
    #expect(complete("%run \(folder)/ra") == "tings-1m.csv")
    #expect(complete("%hist") == "ory")
    #expect(complete("let x = \"a\" + nexti") == "tnet")
  }

  @Test func completionOfColumnsAndMetrics() throws {
    let folder = NSTemporaryDirectory() + "stackrec-complete-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("customer_id,product name,when\n1,2,3\n".utf8).write(to: URL(fileURLWithPath: folder + "/log.csv"))
    try Data("user_id:token\titem_id:token\n1\t2\n".utf8).write(to: URL(fileURLWithPath: folder + "/log.inter"))
    let completer = Completer(Interpreter(StackRecLibrary.library, host: CapturingHost()))
    func complete(_ line: String) -> Editline.Completion { completer.complete(line, line.utf8.count) }
    #expect(complete("load(\"\(folder)/log.csv\", user: \"cus").insert == "tomer_id\"")
    #expect(complete("load(\"\(folder)/log.csv\", user: \"customer_id\", item: \"product n").insert == "ame\"")
    #expect(complete("load(\"\(folder)/log.csv\", time: \"").choices.joined().contains("product name"))
    #expect(complete("load(\"\(folder)/log.inter\", item: \"ite").insert == "m_id\"")
    #expect(complete("load(\"\(folder)/none.csv\", item: \"ite").insert.isEmpty)
    #expect(complete("evaluate(m, on: d.test, metrics: [hr@10, nd").insert == "cg@")
    #expect(complete("train(m, d, metrics: [mrr@5], eval_ev").insert == "ery: ")
    #expect(complete("patience(8, on: mr").insert == "r@")
    #expect(complete("evaluate(m, on: d.test, metrics: [hr@2").insert == "0")
  }

  /// A picture in kitty's protocol is split into pieces of the allowed size.
  @Test func kittyPicturesAreSplit() throws {
    let png = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let text = KittyPicture.text(png: png, columns: 40)
    let pieces = text.components(separatedBy: "\u{1b}\\").dropLast().map { $0.replacingOccurrences(of: "\u{1b}_G", with: "") }
    #expect(
      pieces.count == 4 && pieces[0].hasPrefix("a=T,f=100,c=40,m=1;") && pieces.dropFirst().dropLast().allSatisfy { $0.hasPrefix("m=1;") })
    #expect(pieces.last?.hasPrefix("m=0;") == true && text.hasSuffix("\u{1b}\\\n"))
    let letters = pieces.map { $0.components(separatedBy: ";")[1] }
    #expect(letters.allSatisfy { $0.utf8.count <= 4096 })
    #expect(try Array(#require(Data(base64Encoded: letters.joined()))) == png)
  }

  @Test func helpIsBrokenBetweenWords() throws {
    let train = try #require(StackRecLibrary.library.builtins["train"])
    let page = train.help(columns: 79)
    let text = page.components(separatedBy: "\nExample:")[0]
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 79 })
    func words(_ text: String) -> [Substring] { text.split { $0 == " " || $0 == "\n" } }
    #expect(words(page) == words(train.help))
  }

  @Test func continuedLinesAreIndented() {
    #expect(Session.indentation("") == "" && Session.indentation("let x = [") == "  ")
    #expect(Session.indentation("fn f(x) {\n  if x > 1 {") == "    ")
    #expect(Session.indentation("fn f(x) {\n  if x > 1 {\n  }") == "  ")
    #expect(Session.indentation("let x = \"an open text (") == "")
    #expect(Session.indentation("1 +") == "")
  }

  @Test func everyCodeIsExplained() {
    for code in Diagnostic.Code.allCases { #expect(code.explanation.hasSuffix(".") || code.explanation.hasSuffix("?")) }
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
    #expect(complete("split(s, train: 80%, see").insert == "d: ")
    #expect(complete("stack(m, by: top_").choices.joined().contains("top_adjacent"))
    #expect(complete("qqq").insert.isEmpty)
    // After a parenthesis, a comma or a name only what fits there; all names on the second Tab, of which the first rows are shown.
    let first = complete("split(s, ").choices.joined(separator: "\n")
    #expect(first.contains("train: ") && !first.contains("nextitnet"))
    let second = complete("split(s, ").choices
    #expect(second.joined().contains("adagrad") && second.last?.contains("more; type a letter") == true)
    let words = complete("stack(m, by: ").choices.joined()
    #expect(words.contains("top_cross") && !words.contains("nextitnet"))
    #expect(complete("").choices.count == 1 && complete("  ").choices.count == 1)
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
