import Foundation
import Syntax
import Testing

@Suite struct FormatterTests {
  private func format(_ text: String) -> String? { Formatter.format(Parser.parse(SourceFile(name: "t", text: text))) }

  /// Formatting preserves the meaning (or returns nil) and is idempotent.
  @Test(arguments: ScriptTests.scripts)
  func script(name: String) throws {
    let path = ScriptTests.folder.appendingPathComponent(name).path
    let tree = Parser.parse(SourceFile(name: name, bytes: [UInt8](try #require(FileManager.default.contents(atPath: path)))))
    guard tree.diagnostics.isEmpty else {
      #expect(Formatter.format(tree) == nil)
      return
    }
    let once = try #require(Formatter.format(tree))
    #expect(format(once) == once)
  }

  @Test(arguments: [
    ("let a=1", "let a = 1\n"),
    ("a ;b;;c", "a\nb\nc\n"),
    ("f( a,b : 1 , ..r )", "f(a, b: 1, ..r)\n"),
    ("print(-1- -2, [ - x ], not  -y, 2^-1)", "print(-1 - -2, [-x], not -y, 2 ^ -1)\n"),
    ("let r={a:1,\"b c\":2}\nr . a\nr [ \"a\" ]", "let r = { a: 1, \"b c\": 2 }\nr.a\nr[\"a\"]\n"),
    ("for i in 1 .. n+1{ print(i) }", "for i in 1..n + 1 { print(i) }\n"),
    ("fn f(x,y=1)=x+y\nfn g() { let a=1;return a }", "fn f(x, y = 1) = x + y\nfn g() { let a = 1; return a }\n"),
    ("fn g() { let a=1\nreturn a }", "fn g() {\n  let a = 1\n  return a\n}\n"),
    ("if a\n{ b }\nelse\n{\nc\n}", "if a { b }\n  else {\n    c\n  }\n"),
    ("if a {\nb\n}\nelse { c }", "if a {\n  b\n} else { c }\n"),
    ("let x = a\n|> f\n    |> g(y =>\n y)", "let x = a\n  |> f\n  |> g(y =>\n      y)\n"),
    ("f(\na,\nb)\ng(a,\n   b)", "f(\n  a,\n  b\n)\ng(a,\n  b)\n"),
    ("f([ # why\n 1, # one\n  22,# two\n])", "f([  # why\n  1,   # one\n  22,  # two\n])\n"),
    ("\n\n# a\n\n\n\nb\n\n", "# a\n\nb\n"),
    ("a\n# %% Cell\nb", "a\n\n# %% Cell\nb\n"),
    ("if a {\n  # %% no cell\n# %% cell\nb }\n  # %% none", "if a {\n  # %% no cell\n\n# %% cell\n  b\n}\n # %% none\n"),
    ("a\r\nb  # c \r\n", "a\nb  # c\n"),
    ("print(\"a {  x+1 # }\")", nil),
    ("print(\"a {  x+1 }\"  ,'')", nil),
    ("lpet#> \r ", "lpet  #>\n"),
    ("# %% n\" \r ", "# %% n\"\n"),
    ("# %% a \nb", "# %% a\nb\n"),
    ("a\n# c\n ; b\n", "a\n# c\nb\n"),
    ("time{ a }\nassert a ,\"b\"\nlet (a,b)=(1,2)", "time { a }\nassert a, \"b\"\nlet (a, b) = (1, 2)\n"),
    ("r.if(a)\nif (a) { (b) }\nreturn_(a)", "r.if(a)\nif (a) { (b) }\nreturn_(a)\n"),
  ])
  func form(_ text: String, _ wanted: String?) { #expect(format(text) == wanted) }

  /// The project's own scripts are formatted.
  @Test func ownScripts() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("scripts").path
    let scripts = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".srs") }
    #expect(scripts.count > 10)
    for script in scripts {
      let text = try String(contentsOfFile: folder + "/" + script, encoding: .utf8)
      #expect(format(text) == text, "srs fmt scripts/\(script)")
    }
  }
}
