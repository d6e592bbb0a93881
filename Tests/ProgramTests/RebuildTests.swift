import Foundation
import Models
import Testing

/// A saved model must give the same scores in an independent program that was written only from docs/models.md. Skipped
/// unless Python has numpy and safetensors; `SRS_PYTHON` names another Python.
@Suite struct RebuildTests {
  static let root = ArrowsTests.root

  static let python: String? = {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }
    let candidates = [environment["SRS_PYTHON"]].compactMap { $0 } + folders
    guard let python = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return nil }
    return run(python, ["-c", "import numpy, safetensors"]) == 0 ? python : nil
  }()

  @discardableResult
  static func run(_ program: String, _ arguments: [String]) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = FileHandle(forReadingAtPath: "/dev/null")
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
    process.standardError = FileHandle(forWritingAtPath: "/dev/null")
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test(
    .enabled(if: python != nil, "needs python3 with numpy and safetensors"),
    arguments: Registry.samples(.init(items: 41, length: 12, users: 60, width: 16)).compactMap { sample in
      // Saved sequences have no times.
      (try? sample.network(blocks: 2)).flatMap { $0.timeReference == nil ? ResumeTests.call($0) : nil }
    })
  func anotherProgramGetsTheSameScores(model: String) throws {
    let folder = NSTemporaryDirectory() + "stackrec-rebuild-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // A block that adds to its normalised input, or has no residual path, cannot preserve the scores.
    let carry = model.contains("norm: query") || model.hasPrefix("gru4rec") ? "all" : "preserving"
    let script = """
      let data = synthetic(users: 60, items: 40, seed: 7) |> window(length: 12, stride: 7, min_length: 3) |> split(seed: 1)
      let opt = { batch: 64, eval_every: 10steps, optimizer: adam(lr: 1e-2) }
      let run = \(model) |> stackrec(data, ..opt, phases: [phase(run: 20steps), phase(to: 4, carry: \(carry), run: 10steps)])
      save(run, "m.safetensors")
      save(data.test, "t.npy")
      save(scores(run, data.test), "s.npy")
      let tuned = run |> finetune(synthetic_target(data, items: 12, seed: 2), batch: 16, run: 10steps)
      save(tuned, "fm.safetensors")
      let target = synthetic_target(data, items: 12, seed: 2)
      save(target.test, "ft.npy")
      save(scores(tuned, target.test), "fs.npy")
      """
    let result = try Srs.run(script, ["--out", folder, "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    let program = Self.root.appendingPathComponent("Tests/Fixtures/rebuild/rebuild.py").path
    for name in ["", "f"] {
      let files = ["\(name)m.safetensors", "\(name)t.npy", "\(name)s.npy"].map { "\(folder)/\($0)" }
      let users = FileManager.default.fileExists(atPath: "\(folder)/\(name)t.users.npy") ? ["--users", "\(folder)/\(name)t.users.npy"] : []
      #expect(Self.run(Self.python ?? "", [program] + files + users) == 0)
    }
    // The safetensors package of PyPI can read it too.
    let read = "from safetensors.numpy import load_file as f; import sys; sys.exit('item_embedding' not in ' '.join(f(sys.argv[1])))"
    #expect(Self.run(Self.python ?? "", ["-c", read, "\(folder)/m.safetensors"]) == 0)
  }

  /// The scripts that reproduce the scenarios of the paper pass `srs check`.
  @Test func scriptsPassTheCheck() throws {
    let folder = Self.root.appendingPathComponent("scripts").path
    let scripts = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".srs") }
    #expect(scripts.count >= 13)
    let result = try Srs(["check"] + scripts.sorted().map { "\(folder)/\($0)" })
    #expect(result.status == 0, "\(result.errors)")
  }
}
