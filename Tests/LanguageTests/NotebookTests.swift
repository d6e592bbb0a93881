import Builtins
import Foundation
import Interpreter
import Syntax
import Testing

@testable import Notebooks

@Suite struct NotebookTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("notebooks").path
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".srs") }.sorted()

  private static func notebook(_ text: String) -> Notebook { Notebook(SourceFile(name: "n.srs", text: text)) }

  /// Runs a notebook on a thread with a stack that is large enough for the interpreter.
  static func run(_ notebook: Notebook, parameters: [String: String] = [:], keepsGoing: Bool = false) -> (ExecutedNotebook?, [Diagnostic]) {
    final class Result: @unchecked Sendable {
      var value: (ExecutedNotebook?, [Diagnostic]) = (nil, [])
    }
    let result = Result()
    let done = DispatchSemaphore(value: 0)
    let output = NSTemporaryDirectory() + "stackrec-notebook-\(UUID().uuidString)"
    let thread = Thread {
      let console = CapturingHost()
      console.outputFolder = output
      let host = NotebookHost(console)
      result.value = notebook.run(
        Interpreter(StackRecLibrary.library, host: host), host: host, parameters: parameters, keepsGoing: keepsGoing)
      done.signal()
    }
    thread.stackSize = 512 << 20
    thread.start()
    done.wait()
    try? FileManager.default.removeItem(atPath: output)
    return result.value
  }

  @Test func cellsAreFoundByTheLexer() {
    let text = "let a = 1\n# %% One\nprint(\"\n# %% none\")\n  # %% none\n# %% [md] Title\n# # Head\n#\n# text\n# %%\n\n\na\n\n"
    let book = Self.notebook(text)
    #expect(book.cells.map(\.title) == ["", "One", "none\")", "Title", ""])
    let plain = Self.notebook("let a = 1\n# %% One\nprint(\"# %% none\")\n# %% [md] Title\n# # Head\n#\n# text\n# %%\n\n\na\n\n")
    #expect(plain.cells.map(\.title) == ["", "One", "Title", ""])
    #expect(plain.source(plain.cells[2]) == "# Head\n\ntext")
    #expect(plain.code(plain.cells[3]) == "a")
  }

  @Test(arguments: ["", "a", "# %%", "# %%\n", "\n\n# %% x\r\na\r\n# %% [md]\r\n# y", "\u{feff}a\n# %% b\n\n"])
  func bytesAreUnchanged(text: String) { #expect(Self.notebook(text).bytes == Array(text.utf8)) }

  @Test func runsCellByCell() throws {
    let (executed, diagnostics) = Self.run(
      Self.notebook(
        "param n = 2\n# %% A\nlet x = n * f(3)\nprint(x)\nx + 1\n# %% [md]\n# text\n# %% B\nfn later() = x\n# %% C\nx\n"
          .replacingOccurrences(of: "f(3)", with: "3")), parameters: ["n": "5"])
    let book = try #require(executed)
    #expect(diagnostics.isEmpty && !book.failed)
    #expect(book.results.map(\.outputs) == [[], [.text("15\n16\n")], [], [], [.text("15\n")]])
    #expect(book.parameters.map { "\($0.name)=\($0.value)" } == ["n=5"])
  }

  @Test func aFailingCellIsShown() throws {
    let text = "# %%\nprint(1)\n1 / 0\n# %% [md]\n# x\n# %%\nprint(2)\n"
    let stopped = try #require(Self.run(Self.notebook(text)).0)
    #expect(stopped.failed && stopped.results[2].skipped && stopped.results[2].outputs.isEmpty)
    guard case .error(let message)? = stopped.results[0].outputs.last else {
      Issue.record("no error")
      return
    }
    // Line numbers are those of the file.
    #expect(message.contains("E0406") && message.contains("n.srs:3:1"))
    let going = try #require(Self.run(Self.notebook(text), keepsGoing: true).0)
    #expect(going.failed && going.results[2].outputs == [.text("2\n")])
    #expect(HTMLPage.write(stopped, functions: []).contains("not run: a cell before it failed"))
    // If the check finds an error, nothing runs.
    let (none, diagnostics) = Self.run(Self.notebook("print(1)\n# %%\nlenn([1])\n"))
    #expect(none == nil && diagnostics.map(\.code) == [.unknownName])
  }

  @Test func pagesEscapeWhatTheyShow() throws {
    let text =
      "# %% <b>\nprint(\"<script>alert(1)</script> & \\\"x\\\"\")  # <i>\n# %% [md]\n# # T <script>x</script>\n# [a](javascript:alert(1)) `<b>` **bold**\n"
    let book = try #require(Self.run(Self.notebook(text)).0)
    let html = HTMLPage.write(book, functions: ["print"])
    #expect(!html.contains("<script") && !html.contains("javascript:"))
    #expect(
      html.contains("&lt;script&gt;alert(1)") && html.contains("<strong>bold</strong>") && html.contains("<span class=\"f\">print</span>"))
    #expect(html.contains("<h3 class=\"title\">&lt;b&gt;</h3>"))
    let page = MarkdownPage.write(book, stem: "n")
    #expect(page.text.contains("```srs\nprint(") && page.pictures.isEmpty)
  }

  @Test func codeFencesAreLongEnough() throws {
    let book = try #require(Self.run(Self.notebook("print(\"```` x\")\n")).0)
    #expect(MarkdownPage.write(book, stem: "n").text.contains("`````text\n```` x\n`````"))
  }

  @Test func picturesAreInline() throws {
    let book = try #require(
      Self.run(Self.notebook("let f = figure() |> line([1, 2], y: [1, 2], label: \"a\")\nshow(f)\nf\n# %%\n{ a: f }\n")).0)
    let pictures = book.results[0].outputs.filter { if case .picture = $0 { true } else { false } }
    #expect(pictures.count == 2)
    let html = HTMLPage.write(book, functions: [])
    #expect(html.components(separatedBy: "<svg").count == 3 && !html.contains("<?xml") && html.contains("p1-") && html.contains("p2-"))
    // Ids must be unique in the whole page.
    let ids = html.matches(of: try Regex("id=['\"]([^'\"]+)['\"]")).map { String($0.output[1].substring ?? "") }
    #expect(Set(ids).count == ids.count)
    let page = MarkdownPage.write(book, stem: "n")
    #expect(page.pictures.map(\.name) == ["n-1.svg", "n-2.svg"] && page.text.contains("![figure 2](n-2.svg)"))
  }

  /// Converted to Jupyter and back, the script is the same except for line endings and empty lines.
  @Test func jupyterAndBack() throws {
    let text = "# %% First\nprint(1)\n\nlet f = 2\n\n# %% [md]\n# # Head\n#\n# text\n\n# %%\nf\n"
    let book = try #require(Self.run(Self.notebook(text)).0)
    let json = Jupyter.write(book)
    let whole = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let cells = try #require(whole["cells"] as? [[String: Any]])
    #expect(whole["nbformat"] as? Int == 4 && whole["nbformat_minor"] as? Int == 5 && cells.count == 3)
    #expect(Set(cells.compactMap { $0["id"] as? String }).count == 3)
    #expect(try Jupyter.script(Data(json.utf8)) == text)
    for bad in ["", "[]", "{}", "{\"nbformat\": 3}", "{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"x\"}]}"] {
      #expect(throws: Jupyter.Problem.self, "\(bad)") { try Jupyter.script(Data(bad.utf8)) }
    }
  }

  /// The project's own notebooks run with small parameters, and their assertions hold.
  @Test(arguments: names)
  func own(name: String) throws {
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: Self.folder + "/" + name)))
    let book = Notebook(SourceFile(name: name, bytes: bytes))
    #expect(book.bytes == bytes)
    let tree = Parser.parse(book.file)
    #expect(Formatter.format(tree).map { Array($0.utf8) } == bytes, "srs fmt notebooks/\(name)")
    let small = ["users": "150", "steps": "6", "every": "3steps", "seeds": "2", "blocks": "3"]
    let known = Set(tree.parameters.map(\.name))
    let (executed, diagnostics) = Self.run(book, parameters: small.filter { known.contains($0.key) })
    #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
    let result = try #require(executed)
    for case .error(let text) in result.results.flatMap(\.outputs) { Issue.record("\(text)") }
    #expect(book.cells.filter(\.isText).count >= 3)
  }

  @Test func notebooksAreFound() { #expect(Self.names.count >= 6) }
}
