import Foundation
import Interpreter
import Syntax
import Terminal
import Testing

@testable import Notebooks

/// Untrusted text cannot send commands to the terminal, nor run scripts in a page.
@Suite struct TerminalTextTests {
  /// The code of every character that a terminal may interpret as a command.
  private static let commands: [UInt32] =
    (Array(0..<9) + [11, 12, 13, 27] + Array(14..<32) + Array(0x7f..<0xa0) + [0x61c, 0x200e, 0x200f, 0x2028, 0x2029])
    + Array(0x202a...0x202e) + Array(0x2066...0x2069)

  @Test func controlCharactersAreEscaped() {
    for number in Self.commands {
      guard let scalar = Unicode.Scalar(number) else { continue }
      let text = "a\(scalar)b"
      #expect(TerminalText.safe(text) == "a\\u{\(String(number, radix: 16))}b")
      #expect(!DiagnosticRenderer(colour: false).render(Diagnostic(.badValue, text, at: nil, help: text)).unicodeScalars.contains(scalar))
    }
    #expect(TerminalText.safe("a\tb\nc é 日本 🇩🇪 e\u{301} \u{200d}") == "a\tb\nc é 日本 🇩🇪 e\u{301} \u{200d}")
    #expect(TerminalText.safe("a\r\nb\rc") == "a\nb\\u{d}c")
    #expect(TerminalText.safe("a\tb\nc", keepsLines: false) == "a\\tb\\nc")
  }

  /// All parts of a diagnostic are safe: file names, function names and source lines.
  @Test func diagnosticsAreSafe() {
    let evil = "x\u{1b}]0;t\u{7}\u{9b}31m\u{202e}"
    let file = SourceFile(name: "dir/\(evil).srs", text: "print(\(evil))\n")
    var diagnostic = Diagnostic(.unknownName, evil, at: Span(file, 6..<10), label: evil, help: evil)
    diagnostic.trace = [.init(function: evil, span: Span(file, 0..<3))]
    let text = DiagnosticRenderer(colour: false).render(diagnostic)
    #expect(!text.unicodeScalars.contains(where: TerminalText.isCommand), "\(text.debugDescription)")
    #expect(text.split(separator: "\n").count == 7)
    // The only commands are the renderer's colours.
    let colours = DiagnosticRenderer(colour: true).render(diagnostic).unicodeScalars.filter { TerminalText.isCommand($0) }
    #expect(Set(colours) == ["\u{1b}"])
  }

  @Test func tablesAreSafe() {
    let result = runScript(
      SourceFile(name: "t", text: "print(table([{ name: \"a\\u{1b}[2Jb\\nc\", \"x\\u{9b}\": 1 }], caption: \"c\\u{202e}\"))"))
    #expect(result.output.contains("a\\u{1b}[2Jb\\nc") && result.output.contains("x\\u{9b}") && result.output.contains("c\\u{202e}"))
    #expect(!result.output.unicodeScalars.contains(where: TerminalText.isCommand))
    // The output of `print` is not changed here; the host makes it safe if stdout is a terminal.
    #expect(runScript(SourceFile(name: "t", text: "print(\"a\\u{1b}b\")")).output == "a\u{1b}b\n")
  }

  private static let plain =
    "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width='10'>\n<g fill=\"url(#a)\"><text>a &lt; b</text></g>\n</svg>\n"

  @Test(arguments: [
    "<svg><script>alert(1)</script></svg>", "<svg onload=\"alert(1)\"></svg>", "<svg><g ONCLICK='x()'/></svg>",
    "<svg><a href=\"javascript:alert(1)\"><text>x</text></a></svg>", "<svg><use href=\"https://example.org/x.svg#a\"/></svg>",
    "<svg><use xlink:href=\"java&#115;cript:x\"/></svg>", "<svg><image href=\"data:text/html;base64,AAAA\"/></svg>",
    "<svg><image href=\"https://example.org/a.png\"/></svg>", "<svg></svg><script>alert(1)</script>", "<svg></svg><svg></svg>",
    "<script>alert(1)</script><svg></svg>", "<svg><foreignObject><p>x</p></foreignObject></svg>", "<svg><style>*{}</style></svg>",
    "<svg><g style=\"background:url(https://example.org)\"/></svg>", "<svg><rect fill=\"url(https://example.org)\"/></svg>",
    "<svg><title><image href=\"#a\"/></title></svg>", "<svg><animate attributeName=\"href\" to=\"javascript:x\"/></svg>",
    "<svg><g></svg>", "<svg><g a=b/></svg>", "<svg><g a='<script>'></svg>", "<svg><!-- x --></svg>", "<svg><![CDATA[<script>]]></svg>",
    "<!DOCTYPE svg [<!ENTITY x \"y\">]><svg></svg>", "<svg", "", "text", "<svg><g/onload=alert(1)></g></svg>", "<SVG></SVG>",
    "<svg>\u{0}</svg>",
    "<svg><g style='x:expression(1)'/></svg>", "<svg><p>x</p></svg>", "<?xml-stylesheet href=\"x\"?><svg></svg>",
  ])
  func unsafePictures(svg: String) {
    #expect(PictureCheck.isPlain(Self.plain))
    #expect(!PictureCheck.isPlain(svg))
    // They are not written into a page either.
    let book = Notebook(SourceFile(name: "n.srs", text: "1\n"))
    let result = CellResult(outputs: [.picture(svg), .picture(Self.plain)])
    let page = HTMLPage.write(
      ExecutedNotebook(notebook: book, results: [result], parameters: [], seed: 0, threads: 1, version: "test", seconds: 0), functions: [])
    #expect(page.components(separatedBy: "<svg").count == 2 && page.contains("left out") && !page.contains("alert(1)"))
  }

  /// Pictures from a cache that was changed by others are checked.
  @Test func aHostileCacheIsNotShown() throws {
    let path = NSTemporaryDirectory() + "stackrec-cache-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let cache = CellCache(path: path)
    cache.keep("good", CellResult(outputs: [.picture(Self.plain)]), files: [:])
    cache.keep("bad", CellResult(outputs: [.text("t"), .picture("<svg><script>alert(1)</script></svg>")]), files: [:])
    try cache.save()
    let again = CellCache(path: path)
    #expect(again.result("good")?.outputs == [.picture(Self.plain)])
    #expect(again.result("bad") == nil)
  }

  @Test func anOldHistoryBecomesPrivate() throws {
    let folder = NSTemporaryDirectory() + "stackrec-history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func mode(_ path: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }
    for isRead in [true, false] {
      let path = folder + (isRead ? "/0" : "/1")
      try Data("a\n".utf8).write(to: URL(fileURLWithPath: path))
      for open in [0o644, 0o666, 0o604, 0o640] {
        chmod(path, mode_t(open))
        if isRead { _ = History(path: path).entries() } else { History(path: path).append("b") }
        #expect(try mode(path) == 0o600)
      }
    }
    #expect(History(path: folder + "/0").entries() == ["a"])
  }
}
