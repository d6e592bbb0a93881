import Foundation
import Testing

/// Long operations of the engine end soon after a signal, with the exit status of the signal.
@Suite struct CancellationTests {
  /// Data on which one evaluation takes many seconds.
  private static let data = """
    let data = synthetic(users: 30_000, items: 4_000, seed: 7) |> window(length: 50) |> split(train: 40%, valid: 30%, test: 30%, seed: 1)
    let model = nextitnet(data, dim: 128, blocks: 24, seed: 1)
    print("ready")

    """

  @Test(arguments: [
    "evaluate(model, on: data.test)", "compare({ m: model }, on: data.test)", "recommend(model, data.test, k: 5)",
    "similarity(model, on: data.test)", "scores(model, data.test)",
    "train(model, data, run: 10steps, batch: 16, eval_every: 1steps)",
  ])
  func aSignalEndsIt(work: String) throws { try Self.check(work, after: Self.data) }

  /// A model whose step, growth and creation take seconds.
  @Test(arguments: [
    ("let model = nextitnet(data, dim: 256, blocks: 24, seed: 1)", "train(model, data, run: 10steps, batch: 2048, eval_every: 10steps)"),
    ("let target = synthetic_target(data, items: 10)", "synthetic_target(data, items: 10_000_000)"),
    ("let both = { A: baseline(data, kind: popular), B: baseline(data, kind: markov) }", "compare(both, on: data.train, test: bootstrap)"),
  ])
  func aSignalEndsLongParts(data: String, work: String) throws {
    let before =
      "let data = synthetic(users: 8_000, items: 1_000, seed: 7) |> window(length: 20) |> split(seed: 1)\n\(data)\nprint(\"ready\")\n"
    try Self.check(work, after: before, wait: 0.7)
  }

  /// Waiting for a reader or a writer ends with the time limit, with its status.
  @Test(arguments: [
    "write(join(repeat(\"x\", 1_000_000), with: \"\"), \"FIFO\")", "print(join(repeat(\"x\", 1_000_000), with: \"\"))", "-",
  ])
  func waitingEndsWithTheTimeLimit(script: String) throws {
    let folder = NSTemporaryDirectory() + "stackrec-wait-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let fifo = folder + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    // A reader that does not read.
    let reader = open(fifo, O_RDWR)
    defer { close(reader) }
    try Data(script.replacingOccurrences(of: "FIFO", with: fifo).utf8).write(to: URL(fileURLWithPath: folder + "/script.srs"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Srs.path)
    process.arguments = ["run", script == "-" ? "-" : folder + "/script.srs", "--quiet", "--timeout", "0.5s"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let start = Date()
    try process.run()
    process.waitUntilExit()
    #expect(Date().timeIntervalSince(start) < 5)
    #expect(process.terminationStatus == 124)
  }

  /// Work that makes many points, many windows or large files.
  @Test(arguments: [
    (
      "let xs = map(range(1, 1_000_000), x => mod(x * 7919, 1000003))\nlet fig = figure() |> line(xs, y: xs)",
      "save(fig, \"w.svg\")"
    ),
    ("let events = synthetic(users: 200_000, items: 5_000, seed: 1)", "window(events, length: 50, stride: 1)"),
    ("let all = synthetic(users: 100_000, items: 5_000, seed: 1) |> window(length: 50, stride: 2)", "save(all, \"w.csv\")"),
  ])
  func aSignalEndsTheMakingOf(data: String, work: String) throws { try Self.check(work, after: data + "\nprint(\"ready\")\n", wait: 0.3) }

  /// Sends SIGTERM to a script whose work takes long.
  ///
  /// - Parameters:
  ///   - work: The work.
  ///   - data: What the script does before, and then prints "ready".
  ///   - wait: The time in seconds from then to the signal.
  private static func check(_ work: String, after data: String, wait: Double = 0.5) throws {
    let script = NSTemporaryDirectory() + "stackrec-cancel-\(UUID().uuidString).srs"
    try Data((data + work + "\nprint(\"done\")\n").utf8).write(to: URL(fileURLWithPath: script))
    defer { unlink(script) }
    let folder = NSTemporaryDirectory() + "stackrec-cancel-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Srs.path)
    process.arguments = ["run", script, "--quiet", "--out", folder]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Wait until the data has been created and the operation has begun.
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "ready\n")
    Thread.sleep(forTimeInterval: wait)
    #expect(process.isRunning, "\(work) is too short for this test")
    let start = Date()
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    // The documentation promises one second; other tests running on the same cores may delay it.
    #expect(Date().timeIntervalSince(start) < 5, "\(work)")
    #expect(process.terminationStatus == 143)
    #expect(!String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("done"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { $0 == "runs" }, "\(work)")
  }
}
