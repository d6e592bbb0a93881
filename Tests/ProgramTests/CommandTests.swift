import Foundation
import Testing

/// The program as called from a shell.
struct Srs {
  let status: Int32
  let output: String
  let errors: String

  static let path: String = {
    // The tests and the program are built into the same folder.
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("srs").path
  }()

  init(_ arguments: [String], input: String = "", environment: [String: String] = [:], interruptAfter: Double? = nil) throws {
    try self.init(
      Self.path, arguments, input: input, environment: environment, signal: interruptAfter.map { (SIGINT, $0) })
  }

  init(_ arguments: [String], killAfter: Double?) throws {
    try self.init(Self.path, arguments, signal: killAfter.map { (SIGKILL, $0) })
  }

  init(_ arguments: [String], signal: Int32, after seconds: Double) throws {
    try self.init(Self.path, arguments, signal: (signal, seconds))
  }

  init(shell: String) throws { try self.init("/bin/bash", ["-c", shell]) }

  private init(
    _ path: String, _ arguments: [String], input: String = "", environment: [String: String] = [:],
    signal: (number: Int32, after: Double)? = nil
  ) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let folder = NSTemporaryDirectory() + "stackrec-command-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // Files instead of pipes, which could fill up.
    func file(_ name: String, _ text: String = "") throws -> FileHandle {
      _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data(text.utf8))
      return try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(name)"))
    }
    process.standardInput = try file("in", input)
    process.standardOutput = try file("out")
    process.standardError = try file("err")
    try process.run()
    if let signal {
      Thread.sleep(forTimeInterval: signal.after)
      kill(process.processIdentifier, signal.number)
    }
    process.waitUntilExit()
    status = process.terminationStatus
    // A limit on the size of files may truncate them inside a character.
    output = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/out")), as: UTF8.self)
    errors = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/err")), as: UTF8.self)
  }

  /// Runs a script given as text.
  static func run(_ script: String, _ arguments: [String] = [], environment: [String: String] = [:], interruptAfter: Double? = nil) throws
    -> Srs
  {
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).srs"
    try Data(script.utf8).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    return try Srs(["run", path] + arguments, environment: environment, interruptAfter: interruptAfter)
  }
}

@Suite struct CommandTests {
  @Test func runsAScript() throws {
    let result = try Srs.run("param n = 2  # how many\nprint(\"{n} blocks\")", ["--set", "n=16"])
    #expect(result.output == "16 blocks\n" && result.errors.isEmpty && result.status == 0)
    let piped = try Srs(["run", "-"], input: "print(1 + 1)")
    #expect(piped.output == "2\n" && piped.status == 0)
    let prompt = try Srs([], input: "print(3)\n")
    #expect(prompt.output == "3\n" && prompt.status == 0)
  }

  /// `srs new` makes a folder whose script runs as it stands. It never writes into a folder that has files.
  @Test func startsAnExperiment() throws {
    let folder = NSTemporaryDirectory() + "stackrec-new-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let made = try Srs(["new", folder])
    #expect(made.status == 0 && made.output.contains("srs run experiment.srs"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [".gitignore", "data", "experiment.srs"])
    let run = try Srs(
      shell:
        "cd '\(folder)' && '\(Srs.path)' check experiment.srs && '\(Srs.path)' fmt --check experiment.srs && '\(Srs.path)' run experiment.srs --set steps=2 --set dim=4 --set blocks=2 -q"
    )
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("From scratch") && FileManager.default.fileExists(atPath: folder + "/out/convergence.pdf"))
    let again = try Srs(["new", folder])
    #expect(again.status == 2 && again.errors.contains("is not empty"))
  }

  /// A script runs without `run`; a command that does not exist is not taken for an argument of the prompt.
  @Test func commandsThatAreMeant() throws {
    let script = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).srs"
    try Data("print(1)".utf8).write(to: URL(fileURLWithPath: script))
    defer { unlink(script) }
    #expect(try Srs([script]).output == "1\n")
    let wrong = try Srs(["chekc", script])
    #expect(wrong.status == 2 && wrong.errors.contains("did you mean `check`?"))
    #expect(try Srs(["no-such.srs"]).errors.contains("there is no script no-such.srs"))
  }

  /// docs/man/srs.1, which scripts/docs generates, has every command and option of the program.
  @Test func manualPageIsCurrent() throws {
    let page = try String(contentsOf: ArrowsTests.root.appendingPathComponent("docs/man/srs.1"), encoding: .utf8)
    let help = try Srs(["--experimental-dump-help"]).output
    let command = try #require(try JSONSerialization.jsonObject(with: Data(help.utf8)) as? [String: Any])["command"] as? [String: Any]
    var seen = 0
    func check(_ command: [String: Any]) {
      #expect(page.contains(".Nm \(command["commandName"] ?? "")") || page.contains(".It Em \(command["commandName"] ?? "")"))
      for argument in command["arguments"] as? [[String: Any]] ?? [] where argument["shouldDisplay"] as? Bool == true {
        for name in argument["names"] as? [[String: String]] ?? [] {
          let flag = (name["kind"] == "long" ? "-" : "") + (name["name"] ?? "")
          #expect(page.contains("Fl \(flag)") || page.contains(", \(flag)"), "\(flag)")
          seen += 1
        }
      }
      for inner in command["subcommands"] as? [[String: Any]] ?? [] { check(inner) }
    }
    check(try #require(command))
    #expect(seen > 30)
  }

  @Test func exitStatusDependsOnTheError() throws {
    #expect(try Srs.run("print([1][5])").status == 1)
    #expect(try Srs.run("print(x)").status == 2)
    #expect(try Srs.run("print((1)").status == 2)
    #expect(try Srs(["run", "/no/such/script.srs"]).status == 2)
    #expect(try Srs(["rum", "x.srs"]).status == 2)
    #expect(try Srs(["run"]).status == 2)
    #expect(try Srs(["run", "x.srs", "--bogus"]).status == 2)
    #expect(try Srs.run("", ["--threads", "0"]).status == 2)
    #expect(try Srs(["--help"]).status == 0)
    #expect(try Srs(["--version"]).output == "0.1.0\n")
  }

  @Test func oneClearMessageForEachMistake() throws {
    let missing = try Srs.run("let d = load(\"/no/such/data.csv\")")
    #expect(missing.status == 1 && missing.errors.contains("error[E0501]") && missing.errors.contains("/no/such/data.csv"))
    #expect(missing.errors.contains("^^^^"))

    let data = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).csv"
    try Data("a,b,c\na,,c\n".utf8).write(to: URL(fileURLWithPath: data))
    defer { unlink(data) }
    let broken = try Srs.run("let d = load(\"\(data)\", format: sequences)")
    #expect(broken.status == 1 && broken.errors.contains("\(data):2:3"))

    let misspelt = try Srs.run("print(1)\nlet s = synthetic(usres: 4)")
    #expect(misspelt.status == 2 && misspelt.errors.contains("did you mean `users`?"))
    #expect(misspelt.output.isEmpty, "nothing runs before the whole file is checked")

    let gnuplot = try Srs.run("show(figure() |> line([1, 2], y: [1, 2]))", environment: ["PATH": "/no/such/folder"])
    #expect(gnuplot.status == 1 && gnuplot.errors.contains("sudo apt install gnuplot-nox"))
    for result in [missing, broken, misspelt, gnuplot] {
      #expect(result.errors.components(separatedBy: "error[").count == 2, "one message: \(result.errors)")
    }
  }

  @Test func wrongSettingsAreErrors() throws {
    let script = "param steps = 10\nparam name = \"x\"\nparam share = 80%\nprint(steps, name, share)"
    #expect(try Srs.run(script, ["--set", "steps=20", "--set", "name=20"]).output == "20 20 80%\n")
    for bad in ["step=1", "steps=many", "steps=", "share=3", "steps"] {
      #expect(try Srs.run(script, ["--set", bad]).status == 2, "--set \(bad)")
    }
  }

  @Test func errorsAsData() throws {
    let result = try Srs.run("print(\n  lenn([1]))", ["--json"])
    #expect(result.errors.contains("\"code\":\"E0201\"") && result.errors.contains("\"line\":2"))
    #expect(result.errors.contains("\"column\":3"))
  }

  /// In a browser, nothing in a notebook page is wider than the window, be it wide or narrow.
  @Test func pagesFitTheWindow() throws {
    guard FileManager.default.fileExists(atPath: "/usr/bin/chromium") else {
      print("skipped: there is no Chromium")
      return
    }
    let folder = NSTemporaryDirectory() + "stackrec-page-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let notebook = ArrowsTests.root.appendingPathComponent("notebooks/06-figures-and-tables.srs").path
    let small = ["users=150", "steps=6", "seeds=2", "out=\(folder)/out"].flatMap { ["--set", $0] }
    let made = try Srs(["export", notebook, "-o", folder + "/page.html", "--no-record", "--quiet"] + small)
    #expect(made.status == 0, "\(made.errors)")
    let page = try String(contentsOfFile: folder + "/page.html", encoding: .utf8)
    #expect(!page.contains("<script"))
    let probe = "<script>document.title = 'overflow ' + (document.documentElement.scrollWidth > window.innerWidth)</script></body>"
    try Data(page.replacingOccurrences(of: "</body>", with: probe).utf8).write(to: URL(fileURLWithPath: folder + "/probe.html"))
    for width in [500, 1400] {
      let flags = "--headless --no-sandbox --disable-gpu --user-data-dir=\(folder)/chromium --window-size=\(width),900"
      let browser = try Srs(shell: "timeout 60 chromium \(flags) --dump-dom file://\(folder)/probe.html 2>/dev/null")
      #expect(browser.output.contains("<title>overflow false</title>"), "\(width): \(browser.output.prefix(300))")
    }
  }

  /// The engine can be used without the language.
  @Test func theSwiftExampleRuns() throws {
    let program = URL(fileURLWithPath: Srs.path).deletingLastPathComponent().appendingPathComponent("stack-in-swift").path
    let result = try Srs(shell: program)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("stacked 2 -> 4 blocks") && result.output.contains("test MRR@5: "))
  }

  /// docs/reference.md matches the declarations.
  @Test func referenceIsCurrent() throws {
    let page = try String(contentsOfFile: ArrowsTests.root.path + "/docs/reference.md", encoding: .utf8)
    #expect(try Srs(["docs"]).output == page, "srs docs > docs/reference.md")
  }

  @Test func oneText() throws {
    #expect(try Srs(["-e", "[1, 2] |> sum"]).output == "3\n")
    #expect(try Srs(["-e", "let a = 1"]).output.isEmpty)
    #expect(try Srs(["-e", "nope"]).status == 2)
    #expect(try Srs(["-e", "1 / 0"]).status == 1)
    #expect(try Srs(["-i", "x.srs"], input: "").status == 2)
  }

  @Test func scriptsHaveHelp() throws {
    let result = try Srs.run("param steps = 1_000  # how long\nparam out = \"x\"", ["--help"])
    #expect(result.status == 0 && result.output.contains("steps = 1_000") && result.output.contains("how long"))
  }

  /// Names of files, defaults and comments of a script cannot send commands to the terminal.
  @Test func helpIsSafeOnATerminal() throws {
    let folder = NSTemporaryDirectory() + "stackrec-help-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (script, shown) in [
      (
        "param a = 1  # red \u{1b}[31m, title \u{1b}]0;t\u{7}, \u{9b}2J, \u{202e}back\nparam b = \"x\u{200f}y\"  # two\n",
        "red \\u{1b}[31m, title \\u{1b}]0;t\\u{7}, \\u{9b}2J, \\u{202e}back\n"
      ),
      ("print(1)\n", "has no params"),
    ] {
      let path = "\(folder)/a\u{1b}[2Jb.srs"
      try Data(script.utf8).write(to: URL(fileURLWithPath: path))
      let result = try Srs(["run", path, "--help"])
      #expect(
        result.status == 0 && result.output.contains(shown) && result.output.contains("a\\u{1b}[2Jb.srs"),
        "\(result.output.debugDescription)")
      let commands = result.output.unicodeScalars.filter {
        $0.properties.generalCategory == .control && $0 != "\n" || $0.properties.generalCategory == .format
      }
      #expect(commands.isEmpty, "\(result.output.debugDescription)")
    }
  }

  @Test func quietPrintsNoNotes() throws {
    let script = """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1) |> train(data, run: 4steps, eval_every: 2steps, batch: 32)
      """
    let quiet = try Srs.run(script, ["--quiet"])
    #expect(quiet.output.isEmpty && quiet.errors.isEmpty && quiet.status == 0)
    let plain = try Srs.run(script)
    #expect(plain.errors.contains("step 2/4") && plain.errors.contains("MRR@5"))
  }

  @Test func anInterruptStopsCleanly() throws {
    let result = try Srs.run("let i = 0\nwhile true { let i = i + 1 }", interruptAfter: 0.6)
    #expect(result.status == 130 && result.errors.contains("E0801"))
  }

  /// Values that are nested millions of levels deep give an error, not a crash.
  @Test func deeplyNestedValuesAreAnError() throws {
    let result = try Srs.run("let x = []\nfor i in 1..5_000_000 { let x = [x] }\nprint(len(x))\n")
    #expect(result.status == 1)
    #expect(result.output == "1\n")
    #expect(result.errors.contains("error[E0405]: the stack is used up"))
  }

  @Test func aTimeoutStopsCleanly() throws {
    let result = try Srs.run("try { while true { } } else e => print(\"caught\")", ["--timeout", "0.3s"])
    #expect(result.status == 124 && result.errors.contains("E0801") && result.errors.contains("--timeout") && result.output.isEmpty)
    #expect(try Srs.run("print(1)", ["--timeout", "1h"]).status == 0)
    for bad in ["0", "-1s", "3epochs", "soon", "1s 2s"] { #expect(try Srs.run("", ["--timeout", bad]).status == 2, "\(bad)") }
  }

  /// Reads and writes stay in the folder, also for paths with links and `..`.
  @Test func aSandboxKeepsFilesInside() throws {
    let root = NSTemporaryDirectory() + "stackrec-sandbox-\(UUID().uuidString)"
    let inside = root + "/in"
    try FileManager.default.createDirectory(atPath: inside + "/sub", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try Data("secret".utf8).write(to: URL(fileURLWithPath: root + "/secret.txt"))
    try Data("plain".utf8).write(to: URL(fileURLWithPath: inside + "/plain.txt"))
    try FileManager.default.createSymbolicLink(atPath: inside + "/link", withDestinationPath: root)
    try FileManager.default.createSymbolicLink(atPath: inside + "/gone", withDestinationPath: root + "/not-yet")
    func run(_ script: String) throws -> Srs { try Srs.run(script, ["--sandbox", inside]) }
    let fine = try run("write(\"x\", \"sub/new/out.txt\")\nprint(read(\"sub/new/out.txt\"), read(\"\(inside)/plain.txt\"))")
    #expect(fine.output == "x plain\n", "\(fine.errors)")
    #expect(FileManager.default.fileExists(atPath: inside + "/sub/new/out.txt"))
    for path in ["\(root)/secret.txt", "\(inside)/../secret.txt", "\(inside)/link/secret.txt", "/etc/passwd", "~/x"] {
      let read = try run("print(read(\"\(path)\"))")
      #expect(read.status == 1 && read.errors.contains("--sandbox") && read.output.isEmpty, "\(path): \(read.errors)")
    }
    for path in ["\(root)/new.txt", "../new.txt", "link/new.txt", "gone", "gone/x", "no/../../new.txt", "/tmp/srs-sandbox-new.txt"] {
      let written = try run("write(\"x\", \"\(path)\")")
      #expect(written.status == 1 && written.errors.contains("--sandbox"), "\(path): \(written.errors)")
    }
    for statement in [
      "load(\"\(root)/secret.txt\")", "save(figure() |> line([1, 2], y: [1, 2]), \"\(root)/f.svg\")", "read_json(\"\(root)/secret.txt\")",
      "write_csv([[1]], \"\(root)/t.csv\")", "load_model(\"\(root)/secret.txt\")",
    ] {
      #expect(try run(statement).errors.contains("--sandbox"), "\(statement)")
    }
    #expect(try run("import \"\(root)/secret.txt\"").errors.contains("--sandbox"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["in", "secret.txt"])
    #expect(try Srs.run("", ["--sandbox", root + "/none"]).status == 2)
  }

  @Test func formatsScripts() throws {
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).srs"
    try Data("let a=1;print( a )# one".utf8).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o750)
    defer { unlink(path) }
    let check = try Srs(["fmt", "--check", path])
    #expect(check.status == 1 && check.output == path + "\n")
    #expect(try Srs(["fmt", path]).status == 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "let a = 1\nprint(a)  # one\n")
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o750)
    #expect(try Srs(["fmt", "--check", path]).status == 0)
    #expect(try Srs(["fmt", "-"], input: "a  ;b").output == "a\nb\n")
    let broken = try Srs(["fmt", "-"], input: "let = 1")
    #expect(broken.status == 2 && broken.errors.contains("E0105") && broken.output.isEmpty)
  }

  /// Trainings are recorded, listed, compared, exported and removed.
  @Test func runsAreRecorded() throws {
    let folder = NSTemporaryDirectory() + "stackrec-record-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      fn net(s) = nextitnet(data, dim: 8, blocks: 1, seed: s)
      for s in 1..2 { let run = net(s) |> train(data, run: 4steps, eval_every: 2steps, batch: 32, seed: s, name: "seed {s}", checkpoint: 2steps) }
      try { train(net(1), data, run: 4steps, batch: 32, optimizer: adam(lr: 1e30), eval_every: 2steps, name: "wild") } else e => nil
      let found = runs(name: "seed")
      print(len(found.rows))
      for row in found { print(row.state, row.seed, row.steps, ends_with(row.checkpoint, "checkpoint.safetensors")) }
      """
    let run = try Srs.run(script, ["--out", folder, "--quiet"])
    #expect(run.output == "2\nfinished 1 4 true\nfinished 2 4 true\n", "\(run.errors)")
    let file = folder + "/runs/runs.sqlite"
    let list = try Srs(["runs", "--file", file])
    #expect(list.status == 0 && list.output.contains("seed 1") && list.output.contains("wild") && list.output.contains("diverged"))
    #expect(try Srs(["runs", "list", "--file", file, "--state", "diverged"]).output.contains("seed 1") == false)
    #expect(try Srs(["runs", "compare", "--file", file, "1", "2"]).output.contains("seed: 1 | 2"))
    #expect(try Srs(["runs", "show", "--file", file, "1"]).output.contains("\"mrr@5\""))
    for (name, word) in [("r.csv", "parameters"), ("r.json", "\"history\""), ("board", "")] {
      #expect(try Srs(["runs", "export", "--file", file, "-o", "\(folder)/\(name)"]).status == 0)
      if !word.isEmpty { #expect(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).contains(word)) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/board").count == 3)
    #expect(try Srs(["runs", "rm", "--file", file, "3"]).output == "removed 1\n")
    for wrong in [["show", "9"], ["list", "--state", "sad"], ["list", "--sort", "x"], ["export", "-o", "x.pdf"], ["rm"]] {
      #expect(try Srs(["runs", wrong[0], "--file", file] + wrong.dropFirst()).status == 2, "\(wrong)")
    }
    #expect(try Srs(["runs", "--file", folder + "/none"]).status == 2)
    // With --no-record there is no database.
    #expect(try Srs.run(script, ["--out", folder + "/2", "--quiet", "--no-record"]).output.hasPrefix("0"))
    #expect(!FileManager.default.fileExists(atPath: folder + "/2/runs/runs.sqlite"))
  }

  /// With `--guard` exported runs have no cell that a spreadsheet would take for a formula; without it nothing is changed.
  @Test func exportedRunsGuardFormulas() throws {
    let folder = NSTemporaryDirectory() + "stackrec-guard-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1) |> train(data, run: 2steps, batch: 32, name: "=1+1")
      """
    #expect(try Srs.run(script, ["--out", folder, "--quiet"]).status == 0)
    for (arguments, name) in [([], ",=1+1,"), (["--guard"], ",'=1+1,")] {
      let file = folder + "/runs.csv"
      #expect(try Srs(["runs", "export", "--file", folder + "/runs/runs.sqlite", "-o", file] + arguments).status == 0)
      #expect(try String(contentsOfFile: file, encoding: .utf8).contains(name), "\(arguments)")
    }
  }

  /// A LaTeX table compiles, whatever its names contain.
  @Test func tablesCompile() throws {
    guard FileManager.default.fileExists(atPath: "/usr/bin/pdflatex"), try Srs(shell: "kpsewhich siunitx.sty").status == 0 else {
      print("skipped: there is no TeX with siunitx")
      return
    }
    let folder = NSTemporaryDirectory() + "stackrec-tex-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      fn net(s) = nextitnet(data, dim: 8, blocks: 1, seed: s) |> train(data, run: 4steps, eval_every: 2steps, batch: 32, seed: s)
      let a = [net(1), net(2), net(3)]
      let both = compare({ "50 % & more_$#^~\\\\ \\{ \\}": a, "<b> | 'c'": [net(4), net(5), net(6)] }, on: data.test, test: paired_t, interval: ci95)
      save(both, "a.tex", label: "tab:one")
      save(both, "b.tex", best: none, caption: "100 % _sure_")
      save(compare({ One: net(1), Two: net(2) }, on: data.test, test: wilcoxon), "c.tex")
      save(table([{ name: "x_1", n: 3, share: 0.25, what: nil }, { name: "y", n: -12, share: 100.5, what: "z" }], label: "t:2"), "d.tex")
      save(both, "a.md")
      save(both, "a.html")
      """
    let made = try Srs.run(script, ["--out", folder, "--quiet", "--no-record"])
    #expect(made.status == 0, "\(made.errors)")
    let document = """
      \\documentclass{article}\\usepackage{booktabs,siunitx}\\begin{document}
      \\input{a.tex}\\input{b.tex}\\input{c.tex}\\input{d.tex}
      \\end{document}
      """
    try Data(document.utf8).write(to: URL(fileURLWithPath: folder + "/all.tex"))
    let tex = try Srs(shell: "cd \(folder) && pdflatex -interaction=nonstopmode -halt-on-error all.tex")
    #expect(tex.status == 0, "\(tex.output.suffix(1500))")
    #expect(!tex.output.contains("Overfull") || tex.status == 0)
  }

  /// The quickstart with small parameters: train, stack, compare, table, figure.
  @Test func quickstart() throws {
    let folder = NSTemporaryDirectory() + "stackrec-quickstart-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = ArrowsTests.root.appendingPathComponent("scripts/quickstart.srs").path
    let result = try Srs(["run", script, "--set", "blocks=4", "--set", "steps=12", "--set", "out=\(folder)"])
    #expect(result.status == 0, "\(result.errors)")
    for word in ["synthetic", "StackRec", "Scratch", "most popular", "first-order Markov", "oracle", "speed-up to the same MRR@5"] {
      #expect(result.output.contains(word), "\(word)")
    }
    for name in ["convergence.pdf", "convergence.svg", "convergence.gp", "convergence.dat", "result.tex", "result.csv"] {
      #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
    }
    let table = try String(contentsOfFile: "\(folder)/result.tex", encoding: .utf8)
    #expect(table.contains("\\toprule") && table.contains("\\bfseries"))
  }
}
