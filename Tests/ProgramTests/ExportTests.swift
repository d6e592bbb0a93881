import Foundation
import Testing

/// Exporting notebooks from a shell.
@Suite struct ExportTests {
  /// `--cached` runs only changed cells and the cells they need, and loads finished trainings; `--watch` does so whenever the
  /// notebook is saved.
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
    #expect(first.errors.contains("0 of 4 cells from the cache") && first.errors.contains("ran to its end"), "\(first.errors)")
    let before = try shown()
    #expect(try export().errors.contains("4 of 4 cells from the cache"))
    #expect(try shown().contains("trained 20") && before.contains("trained 20"))
    // The last cell needs the training, which is not repeated. The cell that reads the file comes from the cache.
    try write("print(run.steps + 2)")
    let third = try export()
    #expect(third.errors.contains("1 of 4 cells from the cache") && !third.errors.contains("ran to its end"), "\(third.errors)")
    #expect(try shown().contains(">22") || shown().contains("22\n"))
    try "second".write(toFile: note, atomically: true, encoding: .utf8)
    #expect(try export().errors.contains("3 of 4 cells from the cache"))
    #expect(try shown().contains("second"))
    // Changes of a file that a cell writes and a later one reads, and of an imported file, invalidate the cache.
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
    // A file that is written twice, a counter, a file that did not exist, and a changed cell after an import.
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
}
