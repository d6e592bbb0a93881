import Foundation
import GRDB
import Synchronization
import Testing

/// Tries to break the promises of SECURITY.md and docs/reliability.md about files.
@Suite struct ContainmentTests {
  private func inFolder(_ body: (_ root: String, _ inside: String) throws -> Void) throws {
    let root = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path + "/stackrec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root + "/in", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try body(root, root + "/in")
  }

  private func names(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

  private static let training = """
    let data = synthetic(users: 60, items: 40, seed: 7) |> window(length: 10) |> split(seed: 1)
    let run = nextitnet(data, dim: 8, blocks: 1) |> train(data, run: 20steps)
    """

  // MARK: The sandbox

  /// The database of runs is not opened if it or its folder is a symbolic link, or if it has a hard link.
  @Test func theDatabaseStaysInTheSandbox() throws {
    try inFolder { root, inside in
      let foreign = root + "/foreign.sqlite"
      let other = try DatabaseQueue(path: foreign)
      try other.write { try $0.execute(sql: "CREATE TABLE mine (x)") }
      try other.close()
      let before = try Data(contentsOf: URL(fileURLWithPath: foreign))
      func check(_ what: String) throws {
        let trained = try Srs.run(Self.training, ["--sandbox", inside])
        #expect(trained.errors.contains("not recorded") || trained.errors.contains("--sandbox"), "\(what): \(trained.errors)")
        // If the folder is a link, the database is not found.
        let listed = try Srs.run("print(runs())", ["--sandbox", inside])
        #expect(listed.errors.contains("E0501") || listed.output.contains("no trainings"), "\(what): \(listed.errors)\(listed.output)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: foreign)) == before, "\(what)")
        try FileManager.default.removeItem(atPath: inside + "/runs")
      }
      try FileManager.default.createDirectory(atPath: inside + "/runs", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: inside + "/runs/runs.sqlite", withDestinationPath: foreign)
      try check("a link")
      try FileManager.default.createDirectory(atPath: inside + "/runs", withIntermediateDirectories: true)
      #expect(link(foreign, inside + "/runs/runs.sqlite") == 0)
      try check("a hard link")
      try FileManager.default.createDirectory(atPath: root + "/far", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: inside + "/runs", withDestinationPath: root + "/far")
      try check("a folder that is a link")
      #expect(try names(root + "/far").isEmpty)
      // Without links, the database is written.
      #expect(try Srs.run(Self.training + "\nfor r in runs() { print(r.id) }", ["--sandbox", inside]).output == "1\n")
    }
  }

  @Test func hardLinksAreNotReadInASandbox() throws {
    try inFolder { root, inside in
      try Data("user,item\na,x\na,y\n".utf8).write(to: URL(fileURLWithPath: root + "/secret.csv"))
      #expect(link(root + "/secret.csv", inside + "/log.csv") == 0)
      for call in ["read(\"log.csv\")", "read_csv(\"log.csv\")", "load(\"log.csv\")", "load_model(\"log.csv\")"] {
        let run = try Srs.run("print(\(call))", ["--sandbox", inside])
        #expect(run.status == 1 && run.errors.contains("hard link") && run.output.isEmpty, "\(call): \(run.errors)")
      }
      #expect(try Srs.run("import \"\(inside)/log.csv\"", ["--sandbox", inside]).errors.contains("hard link"))
    }
  }

  /// The program itself reads checkpoints and files of its cache; in a sandbox, none with a hard link.
  @Test func hardLinksOfItsOwnFilesAreNotReadThere() throws {
    try inFolder { root, inside in
      func link(_ path: String) throws {
        try FileManager.default.moveItem(atPath: path, toPath: root + "/far")
        try FileManager.default.linkItem(atPath: root + "/far", toPath: path)
      }
      let script =
        Self.training.replacingOccurrences(of: "run: 20steps", with: "run: 20steps, checkpoint: 5steps, name: \"one\"")
        + "\nprint(run.steps)"
      #expect(try Srs.run(script, ["--sandbox", inside]).output == "20\n")
      let folder = try #require(try names(inside + "/runs").first { $0.hasPrefix("one-") })
      try link("\(inside)/runs/\(folder)/checkpoint.safetensors")
      // The same training, one that would continue it, and one of the same name with which it is compared.
      for other in [
        script, script.replacingOccurrences(of: "20steps", with: "30steps"), script.replacingOccurrences(of: "dim: 8", with: "dim: 4"),
      ] {
        let run = try Srs.run(other, ["--sandbox", inside, "--resume"])
        #expect(run.status == 1 && run.errors.contains("hard link") && run.output.isEmpty, "\(run.errors)")
      }
      #expect(try Srs.run(script, ["--out", inside, "--resume"]).output == "20\n")
      // Without --resume the checkpoint is not read: a new file replaces its name in the folder.
      let before = try Data(contentsOf: URL(fileURLWithPath: root + "/far"))
      #expect(try Srs.run(script, ["--sandbox", inside]).output == "20\n")
      #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/far")) == before)
      #expect(try Srs.run(script, ["--sandbox", inside, "--resume"]).output == "20\n")

      try FileManager.default.removeItem(atPath: root + "/far")
      try Data("user,item\na,x\na,y\n".utf8).write(to: URL(fileURLWithPath: inside + "/log.csv"))
      let cached = "print(load(\"\(inside)/log.csv\", cache: true).interactions)"
      let environment = ["SRS_CACHE": inside + "/cache"]
      #expect(try Srs.run(cached, ["--sandbox", inside], environment: environment).output == "2\n")
      try link("\(inside)/cache/data/" + (try #require(try names(inside + "/cache/data").first)))
      let run = try Srs.run(cached, ["--sandbox", inside], environment: environment)
      #expect(run.status == 1 && run.errors.contains("hard link") && run.output.isEmpty, "\(run.errors)")
      #expect(try Srs.run(cached, environment: environment).output == "2\n")
    }
  }

  /// A checkpoint in a folder that is a link is not read, and none is written there.
  @Test func checkpointsStayInside() throws {
    try inFolder { root, inside in
      let script =
        Self.training.replacingOccurrences(of: "run: 20steps", with: "run: 20steps, checkpoint: 5steps, name: \"one\"")
        + "\nprint(run.steps)"
      #expect(try Srs.run(script, ["--sandbox", inside]).output == "20\n")
      let folder = try #require(try names(inside + "/runs").first { $0.hasPrefix("one-") })
      try FileManager.default.moveItem(atPath: "\(inside)/runs/\(folder)", toPath: root + "/far")
      try FileManager.default.createSymbolicLink(atPath: "\(inside)/runs/\(folder)", withDestinationPath: root + "/far")
      let before = try Data(contentsOf: URL(fileURLWithPath: root + "/far/checkpoint.safetensors"))
      for arguments in [[], ["--resume"]] {
        let run = try Srs.run(script, ["--sandbox", inside] + arguments)
        #expect(run.status == 1 && run.errors.contains("--sandbox") && run.output.isEmpty, "\(run.errors)")
      }
      #expect(try names(root + "/far") == ["checkpoint.safetensors"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/far/checkpoint.safetensors")) == before)
    }
  }

  /// Another process repeatedly replaces a folder of the sandbox by a link while a script writes, draws and reads.
  @Test func aReplacedFolderDoesNotLeadOutside() throws {
    try inFolder { root, inside in
      try FileManager.default.createDirectory(atPath: root + "/out", withIntermediateDirectories: true)
      try Data("secret".utf8).write(to: URL(fileURLWithPath: root + "/out/x"))
      try FileManager.default.createDirectory(atPath: inside + "/real", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: inside + "/link", withDestinationPath: root + "/out")
      try Data("plain".utf8).write(to: URL(fileURLWithPath: inside + "/real/x"))
      let isDone = Mutex(false)
      let swapper = Thread {
        while !isDone.withLock({ $0 }) {
          rename(inside + "/real", inside + "/d")
          // On a busy machine hardly any run would find the folder, if it were there as briefly as the link.
          usleep(500)
          rename(inside + "/d", inside + "/real")
          rename(inside + "/link", inside + "/d")
          rename(inside + "/d", inside + "/link")
        }
      }
      swapper.start()
      defer { isDone.withLock { $0 = true } }
      var written = 0
      let start = Date()
      // On a busy machine it takes longer until a run finds the folder and not the link.
      while Date().timeIntervalSince(start) < (written > 0 ? 6 : 60) {
        let run = try Srs.run("write(\"new\", \"d/new-{1}\")\nprint(read(\"d/x\"))", ["--sandbox", inside])
        if run.status == 0 { written += 1 }
        #expect(!run.output.contains("secret"))
        #expect(try names(root + "/out") == ["x"], "\(run.errors)")
      }
      #expect(written > 0, "some runs find the folder, not the link")
    }
  }

  /// `export` has a sandbox too. The user names the notebook and its page, so they may be outside of it.
  @Test func notebooksHaveASandbox() throws {
    try inFolder { root, inside in
      try Data("secret".utf8).write(to: URL(fileURLWithPath: root + "/secret.txt"))
      try "# %% one\nwrite(\"x\", \"made.txt\")\nsave(figure() |> line([1, 2], y: [1, 2]), \"f.svg\")\n".write(
        toFile: root + "/good.srs", atomically: true, encoding: .utf8)
      try "# %% one\nprint(read(\"\(root)/secret.txt\"))\n# %% two\nwrite(\"x\", \"../made.txt\")\n".write(
        toFile: root + "/bad.srs", atomically: true, encoding: .utf8)
      let good = try Srs(["export", root + "/good.srs", "-o", root + "/good.html", "--sandbox", inside])
      #expect(good.status == 0, "\(good.errors)")
      #expect(try names(inside) == ["f.dat", "f.gp", "f.svg", "made.txt"])
      let bad = try Srs(["export", root + "/bad.srs", "-o", root + "/bad.html", "--sandbox", inside, "--keep-going"])
      #expect(bad.status == 1 && bad.errors.contains("--sandbox"))
      #expect(try !String(contentsOfFile: root + "/bad.html", encoding: .utf8).contains("secret<"))
      #expect(try names(root) == ["bad.html", "bad.srs", "good.html", "good.srs", "in", "secret.txt"])
    }
  }

  @Test func theEnvironmentIsNotRead() throws {
    for path in ["/proc/self/environ", "/proc/thread-self/environ", "/proc/self/root/proc/self/environ", "/dev/fd/../environ"] {
      for call in ["read", "read_csv", "read_json", "load", "load_model"] {
        let run = try Srs.run("print(\(call)(\"\(path)\"))", environment: ["SRS_SECRET": "hidden"])
        #expect(run.status == 1 && !run.output.contains("hidden") && !run.errors.contains("hidden"), "\(call) \(path)")
      }
    }
    #expect(try Srs.run("import \"/proc/self/environ\"", environment: ["SRS_SECRET": "hidden"]).errors.contains("about processes"))
    // A pipe to stdin does not count as a file of /proc.
    #expect(try Srs(shell: "echo hello | '\(Srs.path)' -e 'read(\"/dev/stdin\")'").output.contains("hello"))
  }

  @Test func standardOutputIsWrittenTo() throws {
    try inFolder { root, _ in
      let run = try Srs(
        shell:
          "cd '\(root)' && echo 'print(1)\nwrite(\"two\\n\", \"/dev/stdout\")\nprint(3)' > a.srs && '\(Srs.path)' run a.srs > out; cat out")
      #expect(run.output == "1\ntwo\n3\n", "\(run.errors)")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/dev/stdout") == "/proc/self/fd/1")
    }
  }

  // MARK: Kills, limits

  /// A kill while files are written leaves no temporary files and no incomplete files.
  @Test func aKillLeavesNoPartialFiles() throws {
    try inFolder { root, inside in
      let script = root + "/s.srs"
      try "let t = join(map(range(1, 300000), i => \"line\"), with: \"\\n\")\nfor i in range(1, 100000) { write(t, \"\(inside)/a.txt\") }"
        .write(
          toFile: script, atomically: true, encoding: .utf8)
      var complete = 0
      for delay in [0.5, 0.65, 0.8, 0.95] {
        _ = try Srs(["run", script], killAfter: delay)
        let left = try names(inside).filter { !$0.hasPrefix(".srs-part-") }
        #expect(left.isEmpty || left == ["a.txt"])
        let size = try? FileManager.default.attributesOfItem(atPath: inside + "/a.txt")[.size] as? Int
        #expect(size == nil || size == 1_499_999)
        if size != nil { complete += 1 }
      }
      #expect(complete > 0)
      #expect(try Srs.run("write(\"x\", \"\(inside)/b.txt\")").status == 0)
      #expect(try names(inside).filter { $0.hasPrefix(".") }.isEmpty)
    }
  }

  /// If a limit on the size of files truncates gnuplot's picture, the previous picture stays and an error is reported.
  @Test func aTruncatedPictureReplacesNothing() throws {
    try inFolder { root, _ in
      let script = "let x = range(0, 2000)\nlet f = figure() |> line(x, y: map(x, i => mod(i, 7)))\n"
      for format in ["svg", "pdf", "png", "eps", "tex", "tikz"] {
        let file = "\(root)/\(format).srs"
        try (script + "save(f, \"\(format)-fig.\(format)\")").write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try Srs(shell: "cd '\(root)' && '\(Srs.path)' run \(format).srs").status == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(format)-fig.\(format)"))
        let cut = try Srs(shell: "cd '\(root)' && ulimit -f 4 && '\(Srs.path)' run \(format).srs")
        #expect(cut.status == 1 && cut.errors.contains("E0604"), "\(format): \(cut.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(format)-fig.\(format)")) == before, "\(format)")
        #expect(try names(root).filter { $0.hasPrefix(".") }.isEmpty)
      }
    }
  }

  /// Waiting for a FIFO without a writer ends at an interrupt.
  @Test func waitingForAFifoCanBeInterrupted() throws {
    try inFolder { root, _ in
      #expect(mkfifo(root + "/fifo", 0o600) == 0)
      for call in ["read", "read_csv", "read_json"] {
        let path = "\(root)/\(call).srs"
        try "print(\(call)(\"\(root)/fifo\"))".write(toFile: path, atomically: true, encoding: .utf8)
        let run = try Srs(["run", path], signal: SIGTERM, after: 0.5)
        #expect(run.status != 0 && run.status != SIGKILL && run.output.isEmpty, "\(run.status) \(run.errors)")
      }
      let piped = try Srs(
        shell: "cd '\(root)' && (echo hello > fifo &) && echo 'print(read(\"fifo\"))' > p.srs && timeout -s KILL 10 '\(Srs.path)' run p.srs"
      )
      #expect(piped.output == "hello\n\n", "\(piped.errors)")
    }
  }

  /// With too little memory or too few threads, the program ends immediately with an error.
  @Test func resourceLimitsAreErrors() throws {
    for limit in ["-v 700000", "-v 600000", "-v 400000", "-v 250000"] {
      let run = try Srs(shell: "ulimit \(limit); timeout -s KILL 10 '\(Srs.path)' --version")
      #expect(run.status == 1 && run.errors.contains("ulimit"), "\(limit): \(run.status) \(run.errors)")
    }
    // Memory that is just enough for the program is enough for a training with fewer threads.
    let least = try Srs(shell: "ulimit -v 400000; '\(Srs.path)' --version 2>&1 | sed 's/.*at least \\([0-9]*\\).*/\\1/'").output
    let kilobytes = try #require(Int(least.trimmingCharacters(in: .whitespacesAndNewlines)))
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).srs"
    try Self.training.write(toFile: path, atomically: true, encoding: .utf8)
    defer { unlink(path) }
    let run = try Srs(shell: "ulimit -v \(kilobytes + 400_000); timeout -s KILL 60 '\(Srs.path)' run '\(path)' --no-record --threads 8")
    #expect(run.status == 0, "\(kilobytes): \(run.status) \(run.errors)")
  }

  /// Waiting for a database that another process has locked ends at an interrupt.
  @Test func waitingForALockedDatabaseCanBeInterrupted() throws {
    try inFolder { root, _ in
      #expect(try Srs.run(Self.training, ["--out", root]).status == 0)
      let locked = try DatabaseQueue(path: root + "/runs/runs.sqlite")
      for script in ["print(runs())", Self.training] {
        let path = root + "/s.srs"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try locked.inDatabase { db in
          try db.execute(sql: "BEGIN EXCLUSIVE")
          let start = Date()
          let run = try Srs(["run", path, "--out", root], signal: SIGINT, after: 1)
          let waited = Date().timeIntervalSince(start)
          #expect(run.status == 130 && waited < 4, "\(waited) s, \(run.status): \(run.errors)")
          let listed = Date()
          let list = try Srs(["runs", "list", "--file", root + "/runs/runs.sqlite"], signal: SIGINT, after: 0.5)
          #expect(list.status == 130 && Date().timeIntervalSince(listed) < 3, "\(list.status): \(list.errors)")
          try db.execute(sql: "ROLLBACK")
        }
      }
    }
  }

  /// Several processes create one database and record in it.
  @Test func processesShareADatabase() throws {
    try inFolder { root, _ in
      try Self.training.write(toFile: root + "/s.srs", atomically: true, encoding: .utf8)
      let all = try Srs(
        shell:
          "cd '\(root)'; for i in 1 2 3 4; do '\(Srs.path)' run s.srs --quiet --out new & all=\"$all $!\"; done; for p in $all; do wait $p || echo failed; done"
      )
      #expect(all.output.isEmpty && all.errors.isEmpty, "\(all.output)\(all.errors)")
      let rows = try DatabaseQueue(path: root + "/new/runs/runs.sqlite").read { db in
        try String.fetchAll(db, sql: "SELECT state FROM run")
      }
      #expect(rows == Array(repeating: "finished", count: 4))
    }
  }

  // MARK: Untrusted files

  // MARK: Untrusted files

  /// Rows that no version of the program writes are reported, and can be removed.
  @Test func damagedRunsAreReported() throws {
    try inFolder { root, _ in
      #expect(try Srs.run(Self.training, ["--out", root]).status == 0)
      let file = root + "/runs/runs.sqlite"
      let database = try DatabaseQueue(path: file)
      func copy(_ change: String) throws {
        try database.write { db in
          let columns = try db.columns(in: "run").map(\.name).filter { $0 != "id" }.joined(separator: ", ")
          try db.execute(sql: "INSERT INTO run (\(columns)) SELECT \(columns) FROM run WHERE id = 1")
          try db.execute(sql: "UPDATE run SET \(change) WHERE id = \(db.lastInsertedRowID)")
        }
      }
      let changes = [
        "started = 1e300", "updated = -1e300", "seconds = 9e999", "state = 'paused'", "best = 9e999", "steps = 1e300", "process = 1e15",
        "name = x'ff00ff'", "started = 'soon'",
      ]
      for change in changes { try copy(change) }
      try copy("history = '[{\"step\": 1e300, \"mrr@5\": 1e300}]', metrics = '{', name = '../x'")
      let list = try Srs(["runs", "list", "--file", file])
      #expect(list.status == 0 && list.output.contains("../x"), "\(list.errors)")
      for id in [2, 3, 4, 5, 6] { #expect(list.errors.contains("run \(id) is left out"), "\(list.errors)") }
      #expect(list.errors.contains("\"paused\"") && list.errors.contains("1e+300"))
      for arguments in [
        ["show", "1"], ["compare", "1", "11"], ["export", "-o", root + "/a.csv"], ["export", "-o", root + "/tb"],
        ["export", "-o", root + "/a.json"],
      ] {
        let run = try Srs(["runs", arguments[0], "--file", file] + arguments.dropFirst())
        #expect(run.status == 0, "\(arguments): \(run.status) \(run.errors)")
      }
      let read = try Srs.run("for r in runs() { print(r.id) }", ["--out", root])
      #expect(read.status == 0 && read.output.hasPrefix("1\n") && read.errors.contains("run 2 is left out"), "\(read.errors)")
      #expect(try Srs(["runs", "rm", "--file", file, "2", "5"]).output == "removed 2\n")
      try database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9')") }
      let newer = try Srs(["runs", "list", "--file", file])
      #expect(newer.status == 1 && newer.errors.contains("newer version"), "\(newer.errors)")
      let foreign = root + "/foreign.sqlite"
      try DatabaseQueue(path: foreign).write { try $0.execute(sql: "CREATE TABLE mine (x)") }
      #expect(try Srs(["runs", "list", "--file", foreign]).errors.contains("database of another program"))
      #expect(try DatabaseQueue(path: foreign).read { try String.fetchAll($0, sql: "SELECT name FROM sqlite_master") } == ["mine"])
    }
  }

  /// Overwriting a .srsd file in place while it is used gives an error or the right result, never a crash.
  @Test func aRewrittenFileIsAnError() throws {
    try inFolder { root, _ in
      let made = try Srs.run("save(synthetic(users: 3_000, items: 100, seed: 7), \"e.srsd\")", ["--out", root])
      #expect(made.status == 0, "\(made.errors)")
      let file = root + "/e.srsd"
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      let script =
        "let e = load(\"\(file)\")\nfor i in range(1, 60) { let d = e |> window(length: 10) |> split(seed: i)\nlet t = d.train }\nprint(e.interactions)"
      let right = try Srs.run(script).output
      #expect(!right.isEmpty)
      for round in 0..<6 {
        let isDone = Mutex(false)
        let writer = Thread {
          var state = UInt64(round + 1)
          let handle = FileHandle(forWritingAtPath: file)
          Thread.sleep(forTimeInterval: 0.05 + Double(round) * 0.02)
          while !isDone.withLock({ $0 }) {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            try? handle?.seek(toOffset: 600 + (state >> 33) % UInt64(whole.count - 5_000))
            handle?.write(Data((0..<4_096).map { UInt8(truncatingIfNeeded: Int(state >> 40) &+ $0 &* 31) }))
            usleep(500)
          }
        }
        writer.start()
        let run = try Srs.run(script)
        isDone.withLock { $0 = true }
        #expect(run.status == 0 && run.output == right || run.status == 1 && run.errors.contains("E0501"), "\(run.status): \(run.errors)")
        Thread.sleep(forTimeInterval: 0.02)
        try whole.write(to: URL(fileURLWithPath: file))
      }
    }
  }

  /// Truncating a .srsd file while it is used ends the program with a message, or the function with an error, whichever thread
  /// reads the file.
  @Test(arguments: [
    "while true { let d = e |> window(length: 10) |> split(seed: 1)\nlet b = baseline(d, kind: markov) }",
    // The threads of the pool read the windows of a step.
    "let d = e |> window(length: 10) |> split(seed: 1)\nnextitnet(d, dim: 8, blocks: 1) |> train(d, run: 1_000_000steps, batch: 256)",
  ])
  func aTruncatedFileIsAnError(work: String) throws {
    try inFolder { root, _ in
      let made = try Srs.run("save(synthetic(users: 20_000, items: 100, seed: 7), \"e.srsd\")", ["--out", root])
      #expect(made.status == 0, "\(made.errors)")
      let file = root + "/e.srsd"
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      let path = root + "/s.srs"
      try "let e = load(\"\(file)\")\n\(work)\n".write(toFile: path, atomically: true, encoding: .utf8)
      for length in [0, 100, 5_000, whole.count / 2] {
        try whole.write(to: URL(fileURLWithPath: file))
        let run = try Srs(
          shell:
            "(sleep 0.5; truncate -s \(length) '\(file)') & exec '\(Srs.path)' run '\(path)' --threads 3 --no-record --timeout 20s")
        #expect(run.status == 1 && run.errors.contains("E0501"), "\(length) bytes: \(run.status) \(run.errors)")
      }
    }
  }
}
