import Builtins
import Foundation
import Interpreter
import Syntax
import Testing

/// The running time of expensive calls, and that an interrupt ends them.
@Suite struct CostTests {
  /// A host that reports an interrupt after a number of checks.
  private final class ImpatientHost: InterpreterHost {
    var checksLeft = Int.max
    var isInterrupted: Bool {
      checksLeft -= 1
      return checksLeft < 0
    }
    var outputFolder: String?
    init(folder: String) { outputFolder = folder }
    let isBatch = false
    let resumes = false
    let width = 80
    let isTerminal = false
    let showsLiveProgress = false
    let threads = 1
    let seed = 0
    let sandbox: String? = nil
    let runDatabase: String? = nil
    let script = (name: "test", hash: "")
    let version = "test"
    func write(_ text: String) {}
    func note(_ text: String) {}
    func progress(_ line: String?) {}
    func milestone(_ line: String) {}
  }

  /// A single call with large arguments ends soon after the fourth check for an interrupt.
  @Test(arguments: [
    "unique(xs)", "sort(xs)", "sort(xs, descending: true)", "contains(xs, -1)", "index_of(xs, -1)", "zip(xs, xs)", "enumerate(xs)",
    "flatten(rows)", "transpose(rows)", "join(xs)", "text(xs)", "print(xs)", "\"a {xs}\"", "to_json(xs)", "from_json(json)",
    "write_json(xs, \"out/x.json\")", "write_csv(rows, \"out/x.csv\")", "read_csv(\"out/in.csv\")",
    "read_csv(\"out/in.csv\", header: false)",
    "read_json(\"out/in.json\")", "read(\"/dev/zero\")", "read_json(\"/dev/zero\")", "contains(long, \"x\")",
    "replace(long, \"a\", \"bb\")", "split_text(long, by: \"b\")", "map(xs, abs)", "count(xs, is_nan)", "find(xs, is_nan)",
    "some(xs, is_nan)", "every(xs, y => true)", "reduce(xs, get_first, from: 0)", "group(xs, by: abs)", "max_by(xs, abs)",
    "min_by(xs, abs)", "abs(xs)", "format_date(date(0), pattern)", "assert false, \"{xs}\"",
  ])
  func callsCanBeInterrupted(call: String) throws {
    let folder = NSTemporaryDirectory() + "stackrec-cost-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let host = ImpatientHost(folder: folder)
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    func run(_ text: String) throws {
      let (program, diagnostics) = interpreter.compile(SourceFile(name: "t", text: text))
      #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
      if let program { try interpreter.run(program) }
    }
    try run(
      """
      let xs = map(1..20000, x => x)
      let rows = chunks(xs, 4)
      let json = to_json(xs)
      let long = join(xs, with: "ab")
      let pattern = long
      let get_first = min_of
      fn min_of(a, b) = a
      write_csv(rows, "out/in.csv")
      write_json(xs, "out/in.json")
      """.replacingOccurrences(of: "let get_first = min_of\nfn min_of(a, b) = a", with: "fn get_first(a, b) = a"))
    host.checksLeft = 4
    let error = #expect(throws: Diagnostic.self) { try run(call) }
    #expect(error?.code == .interrupted, "\(error?.message ?? "")")
  }

  /// Work on many points, windows or bytes of a file ends soon after the fourth check for an interrupt, and leaves no file.
  @Test func workOfTheEngineEnds() throws {
    let folder = NSTemporaryDirectory() + "stackrec-cost-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let host = ImpatientHost(folder: folder)
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    func run(_ text: String) throws {
      let (program, diagnostics) = interpreter.compile(SourceFile(name: "t", text: text))
      #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
      if let program { try interpreter.run(program) }
    }
    try run(
      """
      let xs = map(1..20000, x => mod(x * 7919, 20011))
      let events = synthetic(users: 10_000, items: 200, seed: 1)
      let sequences = window(events, length: 20, stride: 2)
      let fig = figure() |> line(xs, y: xs)
      let spots = figure() |> line(xs, y: xs, style: points)
      let boxes = figure() |> boxplot({ a: map(xs, x => if mod(x, 9) == 0 { x * 1000 } else { 1 }) })
      """)
    for call in [
      "line(figure(), xs, y: xs)", "histogram(figure(), xs)", "boxplot(figure(), { a: xs })", "save(fig, \"f.svg\")",
      "save(fig, \"f.tex\")", "save(spots, \"f.png\")", "save(boxes, \"f.pdf\")", "show(fig)", "vlines(figure(), xs) |> save(\"f.svg\")",
      "window(events, length: 20, stride: 1)", "split(sequences, by: leave_last_out)", "save(sequences, \"s.npy\")",
      "save(sequences, \"s.csv\")", "save(events, \"e.csv\")", "save(events, \"e.inter\")",
    ] {
      host.checksLeft = 4
      let error = #expect(throws: Diagnostic.self, "\(call)") { try run(call) }
      #expect(error?.code == .interrupted, "\(call): \(error?.message ?? "")")
      // Soon: not after a check for each of the elements.
      #expect(host.checksLeft > -30, "\(call): \(host.checksLeft)")
      host.checksLeft = Int.max
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// The processor time of a script in seconds, its output and its errors.
  private func cost(_ text: String) -> (seconds: Double, output: String, errors: [Diagnostic]) {
    var start = timespec()
    var end = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start)
    let result = runScript(SourceFile(name: "t", text: text), folder: NSTemporaryDirectory())
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end)
    let seconds = Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
    return (seconds, result.output, result.diagnostics)
  }

  /// Each of these once took minutes or forever. The test passes if they end with the right output.
  @Test(arguments: [
    ("print(len(unique(map(1..60000, i => { a: i, b: \"x\" }))))", "60000"),
    ("print(len(unique(map(1..60000, i => { b: \"x\", a: mod(i, 100) }))))", "100"),
    ("print(len(unique(map(1..60000, i => [1, 2, 3, 4, 5, 6, 7, 8, 9, i]))))", "60000"),
    ("print(len(unique(map(1..60000, i => [[[[i]]]]))))", "60000"),
    ("print(len(group(map(1..60000, i => i * 1s), by: x => x)))", "60000"),
    ("let a = [1]\nfor i in 1..100 { let a = [a, a] }\nprint(len(text(a)), a == a, len(unique([a, [a], a])))", "4604 true 2"),
    (
      "let a = { x: 1, y: 2 }\nlet b = { y: 2, x: 1 }\nfor i in 1..200 {\n  let a = { l: a, r: a }\n  let b = { r: b, l: b }\n}\nprint(a == b)",
      "true"
    ),
    ("let a = [1]\nlet b = [1]\nfor i in 1..200 {\n  let a = [a, a]\n  let b = [[..b], b]\n}\nprint(a == b)", "true"),
    ("let a = [-1]\nfor i in 1..200 { let a = [a, a] }\nprint(abs(a) == abs(a), abs(a) == a)", "true false"),
    ("let a = [1]\nfor i in 1..60 { let a = [a, a] }\nprint(try { to_json(a) } else e => e.code)", "E0406"),
    ("let a = [1]\nfor i in 1..60 { let a = { l: a, r: a } }\nprint(try { to_json(a, indent: 2) } else e => e.code)", "E0406"),
    (
      "let a = [1]\nfor i in 1..9 { let a = repeat(a, 100) }\nprint(try { text(a) } else e => e.code, try { \"{a}\" } else e => e.code)",
      "E0406 E0406"
    ),
    (
      "let a = [1]\nfor i in 1..9 { let a = repeat(a, 100) }\nprint(try { join([a]) } else e => e.code, try { write_csv([[a]], \"x.csv\") } else e => e.code)",
      "E0406 E0406"
    ),
    (
      "let a = { x: 1 }\nfor i in 1..60 { let a = { l: [a, a], r: a } }\nprint(try { upper(a) } else e => e.message)",
      "`text` of upper is a text, not a record"
    ),
    ("print(try { flatten(repeat(repeat(1, 1000000), 1000)) } else e => e.code)", "E0406"),
    ("print(try { transpose(repeat(repeat(1, 1000000), 1000)) } else e => e.code)", "E0406"),
    ("let x = repeat(1, 1000000)\nlet n = 0\nprint(try { while true { let x = [..x, ..x] } } else e => e.code)", "E0406"),
    ("let s = \"ab\"\nprint(try { while true { let s = \"{s}{s}\" } } else e => e.code)", "E0406"),
    (
      "let s = join(repeat(\"a\", 300000), with: \"\")\nprint(contains(s, s + \"b\"), contains(s, slice(s, 0, 99999) + \"b\"), len(replace(s, slice(s, 0, 99999), \"b\")))",
      "false false 3"
    ),
    (
      "let s = join(repeat(\"\\u{e9}\", 100000), with: \"\")\nprint(len(split_text(s, by: slice(s, 0, 49999))), contains(s, slice(s, 0, 49999) + \"b\"))",
      "3 false"
    ),
  ])
  func endsSoon(script: String, output: String) {
    let result = cost(script)
    #expect(result.output == output + "\n")
    #expect(result.errors.isEmpty, "\(result.errors.map(\.message))")
    // The processor time includes other tests that run at the same time, so the limit is generous.
    #expect(result.seconds < 120)
  }

  /// The time of checking grows linearly with the length of the text.
  @Test(
    arguments: [
      { n in "let r = { " + (0..<n).map { "f\($0): \($0)" }.joined(separator: ", ") + " }" },
      { n in
        "fn f(" + (0..<n).map { "f\($0)" }.joined(separator: ", ") + ") = f1\nf(" + (0..<n).map { "f\($0): 1" }.joined(separator: ", ")
          + ")"
      },
      { n in "let (" + (0..<n).map { "f\($0)" }.joined(separator: ", ") + ") = 1..\(n)" },
      { n in (0..<n).map { "print(nmae_\($0))\n" }.joined() },
      { n in (0..<n).map { "let name_\($0) = 1\n" }.joined() + (0..<n).map { "print(nmae_\($0))\n" }.joined() },
      { n in "let a\(String(repeating: "b", count: 20 * n)) = 1\nprint(a\(String(repeating: "b", count: 20 * n - 1)))" },
    ] as [@Sendable (Int) -> String])
  func checkingGrowsWithTheText(make: @Sendable (Int) -> String) {
    func seconds(_ n: Int) -> Double {
      let file = SourceFile(name: "t", text: make(n))
      var start = timespec()
      var end = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
      _ = checkScript(file)
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
      return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
    }
    let short = (0..<3).map { _ in seconds(8000) }.min() ?? 0
    let long = seconds(64_000)
    #expect(long < 24 * short + 0.1, "\(short) s, then \(long) s")
  }

  @Test func uniqueFindsEqualValues() {
    let script = """
      let nan = number("1e308") * 1 - 0
      print(unique([1min, 60s, 0.5, 50%, 0, -0, [1, 2], [1, 2], { a: 1, b: [2] }, { b: [2], a: 1 }, 1..2, [1, 2]]))
      print(unique(["\\u{e9}", "e\\u{301}", nil, false, [], {}, [], {}]))
      let inf = 1 / 1e-308 + 1e308 * 1.7 + 1e308 * 1.7
      let none = inf - inf
      let own = [none]
      print(len(unique([none, none, own, own, [none], { n: none }, { n: none }])))
      """
    let result = runScript(SourceFile(name: "t", text: script))
    #expect(
      result.output
        == "[1min, 0.5, 0, [1, 2], { a: 1, b: [2] }, 1..2]\n[\"\u{e9}\", nil, false, [], {}]\n6\n", "\(result)")
  }

  /// Describing the type of a value does not visit all its elements.
  @Test func kindsOfSharedValues() {
    var value = Value.list([.number(1)])
    for _ in 0..<100 { value = .list([value, .record(Record([("a", value), ("b", value)]))]) }
    #expect(value.type.name == "a list" && value.described == "a list")
    #expect(Value.list([.number(1), .number(2)]).type.name == "a list of numbers")
    #expect(Value.record(Record([("a", value)])).type.name == "a record")
  }

  @Test func spellingSuggestionsAreLimited() {
    #expect(Spelling.nearest("lenn", in: ["len", "map"]) == "len")
    #expect(Spelling.nearest(String(repeating: "a", count: 1_000_000), in: [String(repeating: "a", count: 999_999)]) == nil)
    #expect(Spelling.nearest("lenn", in: ["len"] + (0..<3000).map { "x\($0)" }) == nil)
    #expect(Spelling.nearest("abcdefgh", in: ["badcfehg", "abdcefhg", "abcdxfgh"]) == "abcdxfgh")
    #expect(Spelling.list((0..<100).map { "n\($0)" }).hasSuffix("n19 and 80 more"))
  }

  @Test func readingWaitsForAPipe() throws {
    let folder = NSTemporaryDirectory() + "stackrec-pipe-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(mkfifo(folder + "/pipe", 0o600) == 0)
    let writer = Thread {
      usleep(200_000)
      try? Data("a,b\n1,2\n".utf8).write(to: URL(fileURLWithPath: folder + "/pipe"), options: [])
    }
    writer.start()
    let result = runScript(SourceFile(name: "t", text: "print(read_csv(\"\(folder)/pipe\"))"))
    #expect(result.output == "[{ a: 1, b: 2 }]\n", "\(result.diagnostics)")
  }

  @Test func twoBuiltinsWithOneNameAreAnError() async {
    // The program's own library has no duplicates.
    #expect(StackRecLibrary.library.builtins.count > 100)
    await #expect(processExitsWith: .failure) {
      let one = Builtin("one", "One.", topic: "Maths", returns: .number, example: "one()") { _ in { _ in .number(1) } }
      let other = Builtin("one", "Another.", topic: "Texts", returns: .text, example: "one()") { _ in { _ in .text("1") } }
      _ = Library([one, other], metrics: [])
    }
  }
}
