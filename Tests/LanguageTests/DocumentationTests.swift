import Foundation
import Syntax
import Testing

/// A block of code in a page of the documentation.
struct CodeBlock: CustomTestStringConvertible, Sendable {
  let page: String
  let line: Int
  let language: String
  let text: String

  var testDescription: String { "\(page):\(line)" }

  /// All blocks of README.md and docs/.
  static let all: [CodeBlock] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let pages =
      ["README.md"]
      + ((try? FileManager.default.contentsOfDirectory(atPath: root.path + "/docs")) ?? []).filter { $0.hasSuffix(".md") }.sorted()
      .map { "docs/\($0)" }
    return pages.flatMap { page in
      blocks(of: (try? String(contentsOfFile: root.path + "/" + page, encoding: .utf8)) ?? "", page)
    }
  }()

  private static func blocks(of text: String, _ page: String) -> [CodeBlock] {
    var blocks: [CodeBlock] = []
    var open: (line: Int, language: String, lines: [Substring])?
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if let block = open {
        if line == "```" {
          blocks.append(
            CodeBlock(page: page, line: block.line, language: block.language, text: block.lines.joined(separator: "\n") + "\n"))
          open = nil
        } else {
          open?.lines.append(line)
        }
      } else if line.hasPrefix("```") {
        open = (index + 1, String(line.dropFirst(3)), [])
      }
    }
    return blocks
  }
}

/// The scripts in the documentation do what their comments say. ```srs blocks are run, ```srs check blocks only checked.
@Suite struct DocumentationTests {
  @Test(arguments: CodeBlock.all.filter { $0.language == "srs" })
  func script(block: CodeBlock) throws {
    let folder = NSTemporaryDirectory() + "stackrec-page-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = SourceFile(name: "block.srs", text: block.text)
    let result = runScript(file, folder: folder)
    Expectations(block.text).compare(result.output, result.diagnostics)
  }

  @Test(arguments: CodeBlock.all.filter { $0.language == "srs check" })
  func checkedScript(block: CodeBlock) {
    let diagnostics = checkScript(SourceFile(name: "block.srs", text: block.text))
    #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
  }

  @Test func everyBlockHasAKind() {
    let known = ["srs", "srs check", "console", "text", "ebnf", "swift", "bash", "json", "python"]
    #expect(CodeBlock.all.count > 50)
    for block in CodeBlock.all { #expect(known.contains(block.language), "\(block.testDescription): \(block.language)") }
  }

  /// Every error code has a section in the specification with a script that causes the error.
  @Test func everyCodeIsSpecified() throws {
    let blocks = CodeBlock.all.filter { $0.page == "docs/language.md" }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOfFile: root.path + "/docs/language.md", encoding: .utf8)
    for code in Diagnostic.Code.allCases {
      #expect(page.contains("\n### \(code.rawValue)\n"), "\(code.rawValue)")
      let needle = code == .badParameter || code == .interrupted ? "error[\(code.rawValue)]" : "#! \(code.rawValue)"
      #expect(blocks.contains { $0.text.contains(needle) }, "\(code.rawValue)")
    }
  }
}
