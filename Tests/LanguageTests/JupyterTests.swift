import Foundation
import Interpreter
import Syntax
import Testing

@testable import Notebooks

/// Jupyter notebooks are converted to scripts and back without loss, for any text.
@Suite struct JupyterTests {
  struct Cell: Equatable, CustomStringConvertible {
    var kind: String
    var title = ""
    var source: String
    /// Compares bytes, because Swift strings are equal if only the encoding of a combined character differs.
    static func == (a: Cell, b: Cell) -> Bool {
      a.kind == b.kind && Array(a.title.utf8) == Array(b.title.utf8) && Array(a.source.utf8) == Array(b.source.utf8)
    }
    var description: String { "\(kind) \(title.debugDescription) \(source.debugDescription)" }
  }

  private static func file(_ cells: [Cell], asLines: Bool) throws -> Data {
    let entries: [[String: Any]] = cells.map { cell in
      let source: Any = asLines ? [cell.source.prefix(3), cell.source.dropFirst(3)].map(String.init) : cell.source
      return ["cell_type": cell.kind, "metadata": cell.title.isEmpty ? [:] : ["title": cell.title], "source": source]
    }
    return try JSONSerialization.data(withJSONObject: ["nbformat": 4, "nbformat_minor": 4, "metadata": [:], "cells": entries])
  }

  /// The Jupyter notebook of a script that was not run.
  private static func written(_ script: String) -> String {
    let book = Notebook(SourceFile(name: "n.srs", text: script))
    return Jupyter.write(
      ExecutedNotebook(
        notebook: book, results: book.cells.map { _ in CellResult() }, parameters: [], seed: 0, threads: 1, version: "test", seconds: 0))
  }

  private static func cells(_ json: String) throws -> [Cell] {
    func text(_ value: Value?) -> String? { if case .text(let text)? = value { text } else { nil } }
    guard case .record(let whole) = try JSON.parse(Array(json.utf8)), case .list(let cells)? = whole["cells"] else { return [] }
    return try cells.map { cell in
      guard case .record(let cell) = cell, case .list(let source)? = cell["source"] else { throw Jupyter.Problem(message: "no cell") }
      var title: String?
      if case .record(let metadata)? = cell["metadata"] { title = text(metadata["title"]) }
      return Cell(
        kind: try #require(text(cell["cell_type"])), title: title ?? "", source: try source.map { try #require(text($0)) }.joined())
    }
  }

  private struct Random {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    mutating func text(_ pieces: [String], _ most: Int) -> String {
      (0..<below(most + 1)).map { _ in pieces[below(pieces.count)] }.joined()
    }
  }

  private static let pieces = [
    "\n", "\n", "\n", "\r\n", "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}", " ", "  ", "\t", "#", "# ", "#\\", "#\\ ", "\\",
    "\\r",
    "\\u{d}", "\\u{", "# %%", "# %% x", "#\\ %%", "#\\\\ %% y", " # %%", "%%", "%% a", "%%\t", "[md]", "[raw]", "a", "print(1)", "é",
    "e\u{301}",
    "\u{301}", "\"", "\"%%", "```", "🇩🇪", "\u{feff}", "\u{1b}[31m", "\u{9b}", "\u{7f}", "\u{200f}", "---", "\n\n", "x = 1",
  ]

  @Test(arguments: 0..<400)
  func cellsSurviveARoundTrip(seed: Int) throws {
    var random = Random(state: UInt64(seed))
    let cells = (0..<random.below(5)).map { _ in
      let kind = ["markdown", "raw", "code"][random.below(3)]
      // Scripts must not contain these characters, so only text cells get them.
      let pieces = Self.pieces + (kind == "code" ? [] : ["\u{202e}", "\u{2066}", "\u{0}"])
      return Cell(
        kind: kind, title: random.below(2) == 0 ? "" : random.text(Self.pieces + ["\u{202e}", "\u{0}"], 4), source: random.text(pieces, 12))
    }
    let script = try Jupyter.script(Self.file(cells, asLines: seed % 2 == 0))
    let back = try Self.cells(Self.written(script))
    #expect(back == cells, "\(script.debugDescription)\n\(cells)\n\(back)")
    // Cells that are not code become comments, which do not run.
    let tree = Lexer(SourceFile(name: "n.srs", text: try Jupyter.script(Self.file(cells.filter { $0.kind != "code" }, asLines: false))))
    #expect(tree.tokens.count == 1 && tree.diagnostics.isEmpty)
    // The script is restored byte by byte.
    #expect(try Array(Jupyter.script(Data(Self.written(script).utf8)).utf8) == Array(script.utf8))
  }

  @Test(arguments: 0..<400)
  func scriptsSurviveARoundTrip(seed: Int) throws {
    var random = Random(state: UInt64(seed) &+ 99)
    let lines = [
      "# %%", "# %% Title", "# %% [md]", "# %% [md] T", "# %% [raw]", "# %% [markdown] \\x", "# %% \\[md] x", "#", "# text", "# # Head",
      "#text",
      "  # text", "#\\ a\\r", "#\\ %%", "#\\\\ %% z", "let a = 1", "print(\"# %%\")", "", "", "  ", "# %%x", "# trailing  ", "code  ",
    ]
    let end = seed % 3 == 0 ? "\r\n" : "\n"
    let script = (0..<random.below(14)).map { _ in lines[random.below(lines.count)] + end }.joined()
    let before = try Self.cells(Self.written(script))
    let back = try Jupyter.script(Data(Self.written(script).utf8))
    #expect(try Self.cells(Self.written(back)) == before, "\(script.debugDescription) became \(back.debugDescription)")
    #expect(try Array(Jupyter.script(Data(Self.written(back).utf8)).utf8) == Array(back.utf8))
    // The code is the same, token by token.
    func tokens(_ text: String) -> [String] {
      let file = SourceFile(name: "n.srs", text: text)
      let book = Notebook(file)
      return book.cells.filter { !$0.isText }.flatMap { cell in
        Lexer(file).tokens.filter { cell.body.contains($0.range.lowerBound) }.map { file.text($0.range) }
      }
    }
    #expect(tokens(back) == tokens(script))
  }

  @Test func textsAreReadable() throws {
    let text = try Jupyter.script(
      Self.file(
        [
          Cell(kind: "markdown", source: "one\r\ntwo\r\nthree"), Cell(kind: "raw", title: "T", source: "%% x\n\n# y"),
          Cell(kind: "code", source: "# %% a\nprint(1)\n"),
        ], asLines: false))
    #expect(text == "# %% [md]\n# one\r\n# two\r\n# three\n\n# %% [raw] T\n#\\ %% x\n#\n# # y\n\n# %%\n#\\ %% a\nprint(1)\n\n")
    // Windows line endings belong to the file, not to the text.
    #expect(
      try Self.cells(Self.written("# %% [md]\r\n# a\r\n#\r\n# b\r\n\r\n# %%\r\nf\r\n\r\n# %%\r\n"))
        == [Cell(kind: "markdown", source: "a\n\nb"), Cell(kind: "code", source: "f"), Cell(kind: "code", source: "")])
    // Raw text is shown as it is.
    let book = Notebook(SourceFile(name: "n.srs", text: "# %% [raw]\n# **a** <b>\n"))
    let executed = ExecutedNotebook(
      notebook: book, results: [CellResult()], parameters: [], seed: 0, threads: 1, version: "test", seconds: 0)
    #expect(HTMLPage.write(executed, functions: []).contains("<pre>**a** &lt;b&gt;</pre>"))
    #expect(MarkdownPage.write(executed, stem: "n").text.contains("```text\n**a** <b>\n```"))
  }

  @Test(arguments: [
    ("[{\"cell_type\": \"code\", \"source\": \"\\u202e\"}]", "cell 1 contains the character U+202E"),
    ("[{\"cell_type\": \"raw\"}, {\"cell_type\": \"code\", \"source\": 5}]", "source of cell 2"),
    ("[{\"cell_type\": \"he\\u001bading\", \"source\": \"\"}]", "cell 1 has the type"),
    ("[{\"source\": \"\"}]", "cell 1 has the type none"),
  ])
  func invalidNotebooks(cells: String, message: String) {
    let error = #expect(throws: Jupyter.Problem.self) {
      try Jupyter.script(Data("{\"nbformat\": 4, \"cells\": \(cells)}".utf8))
    }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }
}
