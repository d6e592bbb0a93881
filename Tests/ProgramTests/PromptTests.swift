import Foundation
import Testing

/// The prompt through a pseudo-terminal, as a person has it. `script` is part of every Debian.
@Suite struct PromptTests {
  /// Is there `script`, and a pseudo-terminal for it? A bare container may have none.
  private static let hasTerminal: Bool = {
    let script = "/usr/bin/script"
    guard FileManager.default.isExecutableFile(atPath: script) else { return false }
    return RebuildTests.run(script, ["-qec", "true", "/dev/null"]) == 0
  }()

  /// Types the pieces, each after a pause, and returns all that the terminal showed.
  private func type(_ pieces: [(String, Double)]) throws -> (screen: String, status: Int32) {
    // A `script` that ends early is an error of this test, not the end of all of them.
    signal(SIGPIPE, SIG_IGN)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    process.arguments = ["-qec", "\(Srs.path) --no-history", "/dev/null"]
    process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm", "HOME": "/nonexistent"]) { $1 }
    let input = Pipe()
    let path = NSTemporaryDirectory() + "stackrec-screen-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    defer { unlink(path) }
    process.standardInput = input
    process.standardOutput = FileHandle(forWritingAtPath: path)
    process.standardError = FileHandle.nullDevice
    try process.run()
    for (text, pause) in pieces {
      try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
      Thread.sleep(forTimeInterval: pause)
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    return (String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self), process.terminationStatus)
  }

  @Test func typingCompletingAndLeaving() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([
      ("let xs = [1, 2, 3]\n", 0.4), ("xs |> su\t\n", 0.4), ("print(\"grüße {xs[0]}\")\n", 0.4), ("\u{4}", 0.5),
    ])
    #expect(result.screen.contains("srs> "))
    // The Tab made `sum` of `su`.
    #expect(result.screen.contains("l6\r") && result.screen.contains("grüße 1"))
    #expect(result.status == 0)
  }

  /// A pasted cell is one entry and runs once; a long line, wide characters, a vanished shell command do no harm.
  @Test func pastingAndShell() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([
      ("\u{1b}[200~let a = 1\rprint(\"é {a}\")\rfn f(x) {\r  return x + a\r}\rprint(f(41))\u{1b}[201~", 0.8),
      ("%history\n", 0.4), ("!echo from-the-shell\n", 0.6), ("print(len(\"\(String(repeating: "x", count: 3000))\"))\n", 1.2),
      ("\u{4}", 0.5),
    ])
    #expect(result.screen.contains("é 1") && result.screen.contains("42"), "\(result.screen)")
    #expect(result.screen.contains("1: let a = 1") && !result.screen.contains("2: "), "\(result.screen)")
    #expect(result.screen.contains("lfrom-the-shell\r") && result.screen.contains("3000"))
    #expect(result.status == 0)
  }

  /// Ctrl-C stops a training, its run is kept, and the session goes on.
  @Test func interruptingATraining() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([
      ("let data = synthetic(users: 300, items: 120, seed: 1) |> window(length: 20) |> split(seed: 1)\n", 1),
      ("let run = nextitnet(data, dim: 16, blocks: 2, seed: 1) |> train(data, run: 100_000steps, eval_every: 50_000steps)\n", 2),
      ("\u{3}", 1.5), ("print(\"kept {run.steps > 0}, {run.stop}\")\n", 0.6), ("\u{4}", 0.5),
    ])
    #expect(result.screen.contains("kept true, interrupted"), "\(result.screen.suffix(2000))")
  }
}
