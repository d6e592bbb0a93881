import Foundation
import Testing

/// The prompt on a pseudo-terminal, by the program `script`, which is part of every Debian system.
@Suite struct PromptTests {
  /// Are `script` and pseudo-terminals available? A minimal container may have none.
  private static let hasTerminal: Bool = {
    let script = "/usr/bin/script"
    guard FileManager.default.isExecutableFile(atPath: script) else { return false }
    return RebuildTests.run(script, ["-qec", "true", "/dev/null"]) == 0
  }()

  /// Types the pieces, each after a pause, and returns everything that the terminal showed.
  private func type(_ pieces: [(String, Double)], home: String? = nil, settings: [String: String] = [:]) throws -> (
    screen: String, status: Int32
  ) {
    // If `script` ends early, SIGPIPE must not end the test process.
    signal(SIGPIPE, SIG_IGN)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    process.arguments = ["-qec", "\(Srs.path)\(home == nil ? " --no-history" : "")", "/dev/null"]
    let own = ["TERM": "xterm", "HOME": home ?? "/nonexistent", "XDG_STATE_HOME": (home ?? "/nonexistent") + "/state"]
    process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "NO_COLOR" }.merging(own) { $1 }.merging(settings) { $1 }
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
    #expect(result.screen.contains("srs 1> "))
    // The Tab key completed `su` to `sum`.
    #expect(result.screen.contains("l6\r") && result.screen.contains("grüße 1"))
    #expect(result.status == 0)
  }

  /// A pasted cell is one entry and runs once. A long line, wide characters and a failing shell command do no harm.
  @Test func pastingAndShell() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([
      ("\u{1b}[200~let a = 1\rprint(\"é {a}\")\rfn f(x) {\r  return x + a\r}\rprint(f(41))\u{1b}[201~", 0.8), ("\n", 0.4),
      ("%history\n", 0.4), ("!echo from-the-shell\n", 0.6), ("print(len(\"\(String(repeating: "x", count: 3000))\"))\n", 1.2),
      ("\u{4}", 0.5),
    ])
    #expect(result.screen.contains("é 1") && result.screen.contains("42"), "\(result.screen)")
    #expect(result.screen.contains("1: let a = 1") && !result.screen.contains("2: "), "\(result.screen)")
    #expect(result.screen.contains("lfrom-the-shell\r") && result.screen.contains("3000"))
    #expect(result.status == 0)
  }

  /// A settings file of the line editor with overlong lines is ignored; other settings files are used.
  @Test func settingsOfTheLineEditorDoNotCrash() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let home = NSTemporaryDirectory() + "stackrec-home-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    let texts = [
      String(repeating: "x", count: 1 << 20), String(repeating: "bind ", count: 200_000), String(repeating: "bind -v\n", count: 130_000),
      "bind \"" + String(repeating: "\\M-x", count: 900) + "\" ed-insert\n", String(repeating: "\"", count: 4_000),
    ]
    for text in texts {
      try Data(text.utf8).write(to: URL(fileURLWithPath: home + "/.editrc"))
      let result = try type([("", 0.6), ("print(40 + 2)\n", 0.5), ("\u{4}", 0.4)], home: home)
      #expect(result.screen.contains("42"), "\(text.prefix(10)): \(result.screen.suffix(300))")
    }
  }

  /// On a terminal the output of `print` and the names in notes send no commands; in a pipe `print` changes nothing.
  @Test func printIsSafeOnATerminal() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let folder = NSTemporaryDirectory() + "stackrec-terminal-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "user,item\n1,a\n".write(toFile: folder + "/e\u{1b}[31m.csv", atomically: true, encoding: .utf8)
    try "print(\"a\\u{1b}[31mb\\u{9b}c\\u{202e}d\")\nlet e = load(\"e\\u{1b}[31m.csv\")".write(
      toFile: folder + "/p.srs", atomically: true, encoding: .utf8)
    let shown = try Srs(shell: "cd '\(folder)' && script -qec \"'\(Srs.path)' run p.srs\" /dev/null < /dev/null")
    #expect(shown.output.contains("a\\u{1b}[31mb\\u{9b}c\\u{202e}d"), "\(shown.output.debugDescription)")
    #expect(shown.output.contains("e\\u{1b}[31m.csv read as format: table"), "\(shown.output.debugDescription)")
    let piped = try Srs(shell: "cd '\(folder)' && '\(Srs.path)' run p.srs")
    #expect(piped.output == "a\u{1b}[31mb\u{9b}c\u{202e}d\n" && piped.errors.contains("e\\u{1b}[31m.csv read as"))
  }

  /// Ctrl-C stops a training; its run is kept and the session continues.
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
    // The interrupt ends the training only, and not the entry after it.
    #expect(result.screen.components(separatedBy: "srs 3> \u{1b}[?2004l\r\n\u{1b}[?2004hsrs 3> ").count == 1)
  }

  /// Ctrl-C clears an entry, also one of several lines, although the threads of OpenBLAS may take the signal.
  @Test(arguments: ["1", "2", "4"])
  func ctrlCClearsAnEntry(threads: String) throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type(
      [
        ("", 0.5), ("let abc = 5", 0.3), ("\u{3}", 0.6), ("1 + 1\n", 0.6), ("let f = [1,\n", 0.4), ("\u{3}", 0.6), ("2 + 40\n", 0.6),
        ("%who\n", 0.5), ("\u{4}", 0.5),
      ], settings: ["OPENBLAS_NUM_THREADS": threads])
    #expect(result.screen.contains("l2\r") && result.screen.contains("l42\r"), "\(result.screen.debugDescription)")
    #expect(result.screen.contains("no variables yet"), "\(result.screen.debugDescription)")
  }

  /// Keys in the encodings of several terminals. Each entry is 42 only if its keys do what they are for; keys without a meaning
  /// do nothing.
  @Test(arguments: [
    "12\u{1b}[1;5D30 + \n", "12\u{1b}[1;3D30 + \n", "12\u{1b}b30 + \n", "+ 12\u{1b}[1~30 \n", "+ 12\u{1b}[7~30 \n", "+ 12\u{1b}OH30 \n",
    "+ 12\u{1b}[H30 \n", "30 + 1\u{1b}[H\u{1b}[4~2\n", "30 + 1\u{1b}[H\u{1b}[8~2\n", "30 + 1\u{1b}[H\u{1b}OF2\n",
    "6 * 7\u{1b}[15~\u{1b}[99;99x\n",
    "6 * 7\u{1b}[97;5u\u{1b}[I\u{1b}[Z\n", "6 * 78\u{1f}\n", "x6 * 7\u{1b}[H\u{1b}[3~\n", "abc 6 * 7\u{1b}[H\u{1b}[3;5~\n",
    "let z =\u{1b}\r42\nz\n", "\u{1b}[200~srs 3> 40 +\r\n.....>   2\u{1b}[201~\n", "\u{1b}[200~6 *\r7\u{1b}[201~\n",
    "6 * 7\u{1b}x\n",
    "print(\"4a👍🏽\u{7f}\u{7f}2\")\n",
  ])
  func keysDoWhatTheyAreFor(keys: String) throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([("", 0.4), (keys, 0.7), ("\u{4}", 0.4)])
    #expect(result.screen.contains("l42\r"), "\(result.screen.debugDescription)")
  }

  /// Pasted lines wait for Enter. Up and Down move between their lines. The editor of the user changes them.
  @Test func linesWaitAndCanBeChanged() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let waiting = try type([
      ("", 0.4), ("\u{1b}[200~let q = 1\rlet r = 2\u{1b}[201~", 0.5), ("\u{3}", 0.5), ("%who\n", 0.5), ("\u{4}", 0.4),
    ])
    #expect(waiting.screen.contains("no variables yet"), "\(waiting.screen.debugDescription)")
    let moved = try type([
      ("", 0.4), ("\u{1b}[200~let q = 4\rlet r = 2\u{1b}[201~", 0.5), ("\u{1b}[A0", 0.3), ("\u{1b}[B\n", 0.4), ("q + r\n", 0.5),
      ("\u{4}", 0.4),
    ])
    #expect(moved.screen.contains("l42\r"), "\(moved.screen.debugDescription)")
    // Of a pasted session the prompts and the outputs are left out, and each entry shows its value.
    let session = try type([
      ("", 0.4), ("\u{1b}[200~srs 1> let a = 40\rsrs 2> a\r40\rsrs 3> a +\r.....>  2\r42\r\u{1b}[201~", 0.5), ("\n", 0.6), ("\u{4}", 0.4),
    ])
    #expect(session.screen.contains("l40\r\n42\r\n"), "\(session.screen.debugDescription)")
    let editor = NSTemporaryDirectory() + "stackrec-editor-\(UUID().uuidString)"
    try Data("#!/bin/sh\nsed -i 's/7/21/' \"$1\"\n".utf8).write(to: URL(fileURLWithPath: editor))
    chmod(editor, 0o755)
    defer { unlink(editor) }
    let edited = try type(
      [("", 0.4), ("2 * 7", 0.3), ("\u{18}\u{5}", 0.9), ("\n", 0.5), ("\u{4}", 0.4)], settings: ["EDITOR": editor, "VISUAL": editor])
    #expect(edited.screen.contains("l42\r"), "\(edited.screen.debugDescription)")
  }

  /// Code is coloured while it is typed, and an earlier entry is suggested in grey; the right arrow takes it. NO_COLOR turns both
  /// off.
  @Test func coloursAndSuggestions() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let keys = [("", 0.4), ("let value = 41\n", 0.5), ("let v", 0.5), ("\u{1b}[C\n", 0.5), ("value + 1\n", 0.5), ("\u{4}", 0.4)]
    let result = try type(keys)
    #expect(
      result.screen.contains("\u{1b}[1;35mlet\u{1b}[0m") && result.screen.contains("\u{1b}[90malue = 41"),
      "\(result.screen.debugDescription)")
    #expect(result.screen.contains("l42\r"))
    let plain = try type(keys, settings: ["NO_COLOR": "1"])
    #expect(!plain.screen.contains("\u{1b}[90m") && !plain.screen.contains("\u{1b}[1;35m"))
  }

  /// A block is indented while it is typed, and its closing brace is unindented.
  @Test func blocksAreIndented() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let result = try type([
      ("fn f(x) {\n", 0.4), ("return x + 1\n", 0.4), ("}\n", 0.4), ("f(41)\n", 0.4), ("%history\n", 0.4), ("\u{4}", 0.5),
    ])
    #expect(result.screen.contains("42"), "\(result.screen)")
    #expect(result.screen.contains("1: fn f(x) {\r\n     return x + 1\r\n   }"), "\(result.screen)")
  }

  /// Ctrl-R finds an entry of an earlier session; the window may be resized; a line may have ten thousand characters.
  @Test func searchingResizingAndLongLines() throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let home = NSTemporaryDirectory() + "stackrec-home-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    _ = try type([("let answer = 40 + 2\n", 0.4), ("\"something else\"\n", 0.4), ("\u{4}", 0.5)], home: home)
    let long = String(repeating: "x", count: 10_000)
    let result = try type(
      [
        ("", 1), ("\u{12}answer", 0.6), ("\n", 0.4), ("answer\n", 0.4), ("!stty cols 40 rows 12\n", 0.6),
        ("\"a text that is wider than the window is now\"\n", 0.6),
        ("len(\"\(long)\")\n", 2.5), ("1 + 1\n", 0.4), ("\u{4}", 0.5),
      ], home: home)
    #expect(result.screen.contains("42") && result.screen.contains("10000"), "\(result.screen.suffix(600))")
    #expect(result.status == 0)
    let kept = try String(contentsOfFile: home + "/state/srs/history", encoding: .utf8).split(separator: "\n")
    #expect(kept.count { $0 == "let answer = 40 + 2" } == 2 && kept.contains("len(\"\(long)\")") && kept.last == "1 + 1")
  }

  /// Two sessions that append to the history at the same time lose no entries.
  @Test func twoSessionsShareAHistory() async throws {
    guard Self.hasTerminal else {
      print("skipped: there is no script(1), or no pseudo-terminal for it")
      return
    }
    let home = NSTemporaryDirectory() + "stackrec-home-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    async let one = type((0..<20).map { ("\"one \($0)\"\n", 0.03) } + [("\u{4}", 1)], home: home)
    async let two = type((0..<20).map { ("\"two \($0)\"\n", 0.03) } + [("\u{4}", 1)], home: home)
    let statuses = try await [one.status, two.status]
    #expect(statuses == [0, 0])
    let kept = try String(contentsOfFile: home + "/state/srs/history", encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(Set(kept) == Set((0..<20).flatMap { ["\"one \($0)\"", "\"two \($0)\""] }) && kept.count == 40, "\(kept)")
    #expect(kept.filter { $0.hasPrefix("\"one") } == (0..<20).map { "\"one \($0)\"" })
  }
}
