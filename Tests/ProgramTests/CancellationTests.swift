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
  func aSignalEndsIt(work: String) throws {
    let script = NSTemporaryDirectory() + "stackrec-cancel-\(UUID().uuidString).srs"
    try Data((Self.data + work + "\nprint(\"done\")\n").utf8).write(to: URL(fileURLWithPath: script))
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
    Thread.sleep(forTimeInterval: 0.5)
    #expect(process.isRunning, "\(work) is too short for this test")
    let start = Date()
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    // The documentation promises one second; other tests running on the same cores may delay it.
    #expect(Date().timeIntervalSince(start) < 5, "\(work)")
    #expect(process.terminationStatus == 143)
    #expect(!String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("done"))
  }
}
