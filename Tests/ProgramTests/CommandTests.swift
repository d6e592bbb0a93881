import Foundation
import Testing

/// The program as it is called from a shell.
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
    // Files, not pipes: nothing can fill up.
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
    // A limit on the size of files may have cut them inside of a character.
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

  /// A file is read once, then opened from the cache under the name of its content; a cache that is damaged is made anew.
  @Test func whatWasReadIsKeptInTheCache() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = folder + "/log.csv"
    try "user,item\na,x\na,y\nb,x\n".write(toFile: file, atomically: true, encoding: .utf8)
    func load(_ arguments: [String] = []) throws -> Srs {
      try Srs.run(
        "let e = load(\"\(file)\", cache: true)\nprint(e.interactions)", arguments, environment: ["SRS_CACHE": folder + "/cache"])
    }
    let first = try load()
    #expect(first.output == "3\n" && first.errors.contains("read as format: table") && first.errors.contains("kept in the cache"))
    let second = try load()
    #expect(second.output == "3\n" && second.errors.contains("opened from the cache"))
    let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: folder + "/cache/data").first)
    let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/cache/data/\(kept)"))
    try handle.truncate(atOffset: 100)
    let third = try load()
    #expect(third.output == "3\n" && third.errors.contains("is damaged") && third.errors.contains("kept in the cache"))
    try "user,item\na,x\n".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try load().output == "1\n")
    let inside = folder + "/box"
    try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: file, toPath: inside + "/log.csv")
    let boxed = try Srs.run(
      "load(\"\(inside)/log.csv\", cache: true)", ["--sandbox", inside], environment: ["SRS_CACHE": folder + "/cache"])
    #expect(boxed.status != 0 && boxed.errors.contains("lies outside of the sandbox"))
  }

  /// `--cached` runs what changed and what that needs, and takes trainings from where they are kept; `--watch` does so
  /// whenever the notebook is saved.
  @Test func exportsAgainOnlyWhatChanged() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (file, page, note) = (folder + "/n.srs", folder + "/n.html", folder + "/note.txt")
    @Sendable func write(_ last: String) throws {
      try """
      # %% [md]
      # Text
      # %% data
      let data = synthetic(users: 60, items: 40, seed: 7) |> window(length: 10) |> split(seed: 1)
      # %% training
      let run = nextitnet(data, dim: 8, blocks: 1) |> train(data, run: 20steps)
      print("trained {run.steps}")
      # %% a file
      print(read("\(note)"))
      # %% last
      \(last)
      """.write(toFile: file, atomically: true, encoding: .utf8)
    }
    func export(_ before: String = "", _ argument: String = "--cached") throws -> Srs {
      try Srs(shell: "cd '\(folder)' && \(before) '\(Srs.path)' export n.srs -o n.html \(argument)")
    }
    func shown() throws -> String { try String(contentsOfFile: page, encoding: .utf8) }
    try "first".write(toFile: note, atomically: true, encoding: .utf8)
    try write("print(run.steps + 1)")
    let first = try export()
    #expect(first.errors.contains("0 of 4 cells as before") && first.errors.contains("ran to its end"), "\(first.errors)")
    let before = try shown()
    #expect(try export().errors.contains("4 of 4 cells as before"))
    #expect(try shown().contains("trained 20") && before.contains("trained 20"))
    // The last cell needs the training, which is not done again; the file's cell is as it was.
    try write("print(run.steps + 2)")
    let third = try export()
    #expect(third.errors.contains("1 of 4 cells as before") && !third.errors.contains("ran to its end"), "\(third.errors)")
    #expect(try shown().contains(">22") || shown().contains("22\n"))
    try "second".write(toFile: note, atomically: true, encoding: .utf8)
    #expect(try export().errors.contains("3 of 4 cells as before"))
    #expect(try shown().contains("second"))
    // What a cell writes and a later one reads, and what is imported, are not shown as they were.
    let helper = folder + "/helper.srs"
    func pair(_ text: String, _ answer: Int) throws -> String {
      try "fn answer() = \(answer)".write(toFile: helper, atomically: true, encoding: .utf8)
      try """
      # %% write
      write("\(text)", "\(folder)/made.txt")
      # %% read
      print(read("\(folder)/made.txt"))
      # %% use
      import "helper.srs"
      print(answer())
      """.write(toFile: folder + "/pair.srs", atomically: true, encoding: .utf8)
      let made = try Srs(shell: "cd '\(folder)' && '\(Srs.path)' export pair.srs -o pair.html --cached")
      #expect(made.status == 0, "\(made.errors)")
      return try String(contentsOfFile: folder + "/pair.html", encoding: .utf8)
    }
    // A file that is written twice, a counter, a file that was not there, and a cell that is edited behind an import.
    func cells(_ name: String, _ text: String) throws -> String {
      try text.write(toFile: "\(folder)/\(name).srs", atomically: true, encoding: .utf8)
      let made = try Srs(shell: "cd '\(folder)' && '\(Srs.path)' export \(name).srs -o \(name).md --cached")
      #expect(made.status == 0, "\(made.errors)")
      return try String(contentsOfFile: "\(folder)/\(name).md", encoding: .utf8).components(separatedBy: "\n").filter { Int($0) != nil }
        .joined(separator: " ")
    }
    let twice = "# %% a\nwrite(\"1\", \"f\")\n# %% b\nprint(read(\"f\"))\n# %% c\nwrite(\"2\", \"f\")\n# %% d\nprint(read(\"f\"))\n"
    for _ in 0..<3 { #expect(try cells("twice", twice) == "1 2") }
    try "1".write(toFile: folder + "/count", atomically: true, encoding: .utf8)
    let counter = "# %% a\nlet n = number(trim(read(\"count\")))\n# %% b\nprint(n)\nwrite(\"{n + 1}\", \"count\")\n"
    for n in 1...3 { #expect(try cells("counter", counter) == "\(n)") }
    let absent = "# %% a\nprint(try { read(\"absent\") } else { \"0\" })\n"
    #expect(try cells("absent", absent) == "0")
    try "5".write(toFile: folder + "/absent", atomically: true, encoding: .utf8)
    #expect(try cells("absent", absent) == "5")
    try "let j = k * 2".write(toFile: folder + "/lib.srs", atomically: true, encoding: .utf8)
    func behind(_ k: Int, _ use: String) -> String { "# %% a\nlet k = \(k)\n# %% b\nimport \"lib.srs\"\n# %% c\nprint(\(use))\n" }
    #expect(
      try cells("behind", behind(1, "j")) == "2" && cells("behind", behind(5, "j")) == "10" && cells("behind", behind(5, "j + 1")) == "11")
    let (one, two, three) = (try pair("alpha", 4711), try pair("beta", 4711), try pair("beta", 4712))
    #expect(one.components(separatedBy: "alpha").count == 3 && two.components(separatedBy: "beta").count == 3 && two.contains("4711"))
    #expect(three.contains("4712") && !three.contains("4711"))
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 1.5)
      try? write("print(\"saved while it was watched\")")
    }
    let watched = try export("timeout -s INT 4", "--watch")
    #expect(watched.errors.components(separatedBy: "wrote ").count == 3, "\(watched.errors)")
    #expect(try shown().contains("saved while it was watched"))
  }

  /// docs/man/srs.1 knows every command and option that the program has: scripts/docs writes it.
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

  /// Terms come before bytes: where nobody can be asked, nothing is fetched without `accept_licence`.
  @Test func termsAreAcceptedBeforeAnythingIsFetched() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let environment = ["SRS_CACHE": folder, "SRS_MIRROR": "http://127.0.0.1:9"]
    let asked = try Srs.run("download(\"ml-1m\")", environment: environment)
    #expect(asked.status == 1 && asked.errors.contains("redistributed") && asked.errors.contains("accept_licence: true"))
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(try Srs.run("download(\"ml-2m\")", environment: environment).errors.contains("is one of \"ml-100k\", \"ml-1m\""))
    try FileManager.default.createDirectory(atPath: folder + "/downloads/ml-1m", withIntermediateDirectories: true)
    try "1::2::5::100\n1::3::4::200\n".write(toFile: folder + "/downloads/ml-1m/ratings.dat", atomically: true, encoding: .utf8)
    let there = try Srs.run("print((download(\"ml-1m\") |> load).interactions)", environment: environment)
    #expect(there.output == "2\n" && there.status == 0)
  }

  /// Damage that only shows when the file is read far behind its beginning: no function gives a result of it.
  private func damageFarInside() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let made = try Srs.run(
      "save(synthetic(users: 8_000, items: 200, seed: 7), \"e.srsd\")\nsave(synthetic(users: 8_000, items: 200, seed: 7) |> window(length: 20) |> split(seed: 1), \"whole.inter\")",
      ["--out", folder])
    #expect(made.status == 0, "\(made.errors)")
    let path = folder + "/e.srsd"
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    // The events end two thirds before the times do.
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: size / 3 - 50_000)
    let byte = try #require(try handle.read(upToCount: 1)?.first)
    try handle.seek(toOffset: size / 3 - 50_000)
    try handle.write(contentsOf: Data([byte ^ 1]))
    try handle.close()
    let head = "let w = load(\"\(path)\") |> window(length: 20)\nlet d = w |> split(seed: 1)\n"
    for (number, use) in [
      "save(w, \"a.csv\")", "save(w, \"a.npy\")", "save(d, \"a.inter\")", "baseline(d, kind: markov)",
      "parts(train: d.train, valid: d.valid, test: d.test)",
      "nextitnet(d, dim: 4, blocks: 1) |> recommend(w, k: 2)", "compare({ popular: baseline(d, kind: popular) }, on: d.train)",
    ].enumerated() {
      let result = try Srs.run(head + use, ["--out", "\(folder)/\(number)"])
      #expect(result.status == 1 && result.errors.contains("is damaged"), "\(use): \(result.errors)")
      let left = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(number)")) ?? []
      #expect(!left.contains { $0.hasPrefix("a.c") || $0.hasPrefix("a.n") || $0.hasPrefix("a.train") }, "\(left)")
    }
  }

  /// A .srsd file opens at once; what is wrong inside is an error where it is first used, in training and in judging.
  @Test func damagedDataEndsWithAnError() throws {
    try damageFarInside()

    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let made = try Srs.run("save(synthetic(users: 400, items: 40, seed: 7), \"e.srsd\")", ["--out", folder])
    #expect(made.status == 0, "\(made.errors)")
    let handle = try #require(FileHandle(forUpdatingAtPath: folder + "/e.srsd"))
    let size = try handle.seekToEnd()
    // Inside of the events: times are behind them, names before.
    try handle.seek(toOffset: size / 2 - 2000)
    try handle.write(contentsOf: Data([0xff, 0xff, 0xff]))
    try handle.close()
    let parts = "let e = load(\"\(folder)/e.srsd\")\nprint(e.users)\nlet d = e |> window(length: 20) |> split(seed: 1)\n"
    let trained = try Srs.run(parts + "let m = nextitnet(d, dim: 8, blocks: 1) |> train(d, run: 5steps)")
    #expect(trained.status == 1 && trained.errors.contains("is damaged: its bytes"), "\(trained.errors)")
    let judged = try Srs.run(parts + "print(evaluate(baseline(d, kind: popular), on: d.test))")
    #expect(judged.status == 1 && judged.errors.contains("is damaged"), "\(judged.errors)")
    let described = try Srs.run("describe(load(\"\(folder)/e.srsd\"))")
    #expect(described.status == 1 && described.errors.contains("is damaged"))
  }

  @Test func exitStatusTellsWhatHappened() throws {
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

  /// A notebook's page in a browser: nothing is wider than the window, wide or narrow.
  @Test func pagesFit() throws {
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

  @Test func exportsAndFails() throws {
    let folder = NSTemporaryDirectory() + "stackrec-export-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("# %% A\nprint(1)\n1 / 0\n# %% B\nprint(2)\n".utf8).write(to: URL(fileURLWithPath: folder + "/n.srs"))
    func export(_ arguments: [String]) throws -> Srs { try Srs(["export", folder + "/n.srs", "--quiet", "--no-record"] + arguments) }
    let failed = try export(["-o", folder + "/n.html"])
    #expect(failed.status == 1 && failed.errors.contains("E0406"))
    #expect(try String(contentsOfFile: folder + "/n.html", encoding: .utf8).contains("not run: a cell before it failed"))
    #expect(try export(["-o", folder + "/n.md", "--keep-going"]).status == 1)
    #expect(try String(contentsOfFile: folder + "/n.md", encoding: .utf8).contains("```text\n2\n```"))
    #expect(try export(["-o", folder + "/n.pdf"]).status == 2)
    #expect(try export(["-o", folder + "/n.ipynb"]).status == 1)
    let back = try Srs(["export", folder + "/n.ipynb", "-o", folder + "/back.srs", "--quiet"])
    #expect(back.status == 0)
    #expect(try String(contentsOfFile: folder + "/back.srs", encoding: .utf8) == "# %% A\nprint(1)\n1 / 0\n\n# %% B\nprint(2)\n")
  }

  /// The engine is of use without the language.
  @Test func theExampleInSwift() throws {
    let program = URL(fileURLWithPath: Srs.path).deletingLastPathComponent().appendingPathComponent("stack-in-swift").path
    let result = try Srs(shell: program)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("stacked 2 -> 4 blocks") && result.output.contains("test MRR@5: "))
  }

  /// The page of the reference is that of the declarations.
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

  @Test func quietSaysNothing() throws {
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

  /// Values that hold each other millions of times: an error, no crash.
  @Test func valuesWithoutBottom() throws {
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

  /// Reads and writes stay in the folder, links and `..` included.
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

  /// Trainings are written down, listed, compared, exported and taken out.
  @Test func runsAreWrittenDown() throws {
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
    // Whoever does not want it leaves no file.
    #expect(try Srs.run(script, ["--out", folder + "/2", "--quiet", "--no-record"]).output.hasPrefix("0"))
    #expect(!FileManager.default.fileExists(atPath: folder + "/2/runs/runs.sqlite"))
  }

  /// A table as LaTeX compiles, whatever its names hold.
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

  /// The main job, small: trained, stacked, raced, table, figure.
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
