import Foundation
import Layers
import Models
import Testing

/// Resuming the work of killed processes.
@Suite struct ResumeTests {
  /// A script that prints all results of a run and saves its model.
  private static func script(_ model: String) -> String {
    """
    let data = synthetic(users: 500, items: 150, seed: 7) |> window(length: 16) |> split(seed: 1)
    let run = \(model)
      |> stackrec(data, batch: 64, eval_every: 5steps, checkpoint: 3steps, name: "a run", phases: [
           phase(run: 25steps),
           phase(to: 4, by: cross, carry: [blocks, norm, alpha, output, optimizer], run: 25steps),
           phase(to: 8, by: adjacent, run: 40steps, freeze: old, for: 10steps),
         ])
    save(run, "model.safetensors")
    for h in run.history { print(h.step, h.loss, h["mrr@5"], h["hr@5"], h.blocks) }
    print(run.growths |> map(g => g.step), run.best, run.best_step, run.stop)
    """
  }

  /// Every sample of every model, as created by a script.
  private static let models = Registry.samples(.init(items: 151, length: 16, users: 500, width: 16)).compactMap { sample in
    (try? sample.network(blocks: 2)).map(Self.call)
  }

  /// The call of the builtin that creates such a network.
  static func call(_ network: any Network) -> String {
    "\(network.kind)(data, \(network.options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")), seed: 1)"
  }

  /// The number of kills per model. SRS_KILLS raises it, as for the figures in docs/reliability.md.
  private static let kills = ProcessInfo.processInfo.environment["SRS_KILLS"].flatMap(Int.init) ?? 4

  private struct Place {
    let folder = NSTemporaryDirectory() + "stackrec-resume-\(UUID().uuidString)"
    let script: String

    init(_ text: String) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      script = folder + "/script.srs"
      try Data(text.utf8).write(to: URL(fileURLWithPath: script))
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
    func arguments(_ out: String, resume: Bool) -> [String] {
      ["run", script, "--out", "\(folder)/\(out)", "--quiet"] + (resume ? ["--resume"] : [])
    }
    func model(_ out: String) -> Data? { FileManager.default.contents(atPath: "\(folder)/\(out)/model.safetensors") }
  }

  @Test(arguments: models)
  func killedRunsResumeBitIdentically(model: String) throws {
    let place = try Place(Self.script(model))
    defer { place.remove() }
    let start = Date()
    let whole = try Srs(place.arguments("whole", resume: false))
    let length = Date().timeIntervalSince(start)
    #expect(whole.status == 0, "\(whole.errors)")
    let expected = try #require(place.model("whole"))
    var killed = 0
    var round = 0
    while killed < Self.kills {
      round += 1
      let out = "killed-\(round)"
      var result: Srs?
      // Kill it repeatedly until it finishes.
      for life in 0..<50 {
        let delay = Double.random(in: 0.02...max(0.05, 0.8 * length))
        let last = life == 49 || killed >= Self.kills
        let now = try Srs(place.arguments(out, resume: life > 0), killAfter: last ? nil : delay)
        if now.status == 0 {
          result = now
          break
        }
        #expect(now.status == SIGKILL, "\(now.errors)")
        killed += 1
      }
      #expect(result?.output == whole.output)
      #expect(place.model(out) == expected, "after \(killed) kills")
    }
  }

  @Test func aSignalKeepsTheStateAndHasItsStatus() throws {
    let place = try Place(
      Self.script(Self.models[0]).replacingOccurrences(of: ", checkpoint: 3steps", with: "")
        .replacingOccurrences(of: "run: 40steps", with: "run: 900steps"))
    defer { place.remove() }
    for (signal, status) in [(SIGTERM, 143), (SIGHUP, 129), (SIGINT, 130)] as [(Int32, Int32)] {
      let result = try Srs(Array(place.arguments("\(signal)", resume: false).dropLast()), signal: signal, after: 0.7)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains("--resume"), "\(result.errors)")
      let folders = try FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/\(signal)/runs")
        .filter { $0 != "runs.sqlite" }
      #expect(folders.count == 1 && folders[0].hasPrefix("a-run-"))
    }
  }

  /// A limit on the size of files simulates a full disk: no file is incomplete, the training continues, and a note is written.
  @Test func aFullDiskLosesNothing() throws {
    let place = try Place(Self.script(Self.models[0]).replacingOccurrences(of: "save(run, \"model.safetensors\")", with: ""))
    defer { place.remove() }
    let whole = try Srs(place.arguments("whole", resume: false))
    let arguments = place.arguments("full", resume: false).dropLast().map { "'\($0)'" }.joined(separator: " ")
    let full = try Srs(shell: "ulimit -f 8; exec '\(Srs.path)' \(arguments)")
    #expect(full.status == 0, "\(full.errors)")
    #expect(full.output == whole.output)
    #expect(full.errors.contains("checkpoint not saved, training continues"))
    let left = FileManager.default.enumerator(atPath: "\(place.folder)/full")?.compactMap { $0 as? String } ?? []
    #expect(!left.contains { $0.contains(".part-") || $0.hasSuffix(".safetensors") }, "\(left)")
  }

  /// If a later, larger checkpoint does not fit on the disk, the one before stays, and a resumed training starts there.
  @Test func theLastGoodCheckpointIsKept() throws {
    let place = try Place(
      """
      let data = synthetic(users: 300, items: 100, seed: 7) |> window(length: 12) |> split(seed: 1)
      let run = nextitnet(data, dim: 16, blocks: 2, seed: 1)
        |> stackrec(data, batch: 64, eval_every: 10steps, checkpoint: 10steps, name: "a run", phases: [
             phase(run: 30steps), phase(to: 8, by: adjacent, carry: [blocks, optimizer], run: 30steps),
           ])
      save(run, "model.safetensors")
      print(run.history |> map(h => [h.step, h.loss, h["mrr@5"]]))
      """)
    defer { place.remove() }
    let whole = try Srs(place.arguments("whole", resume: false))
    #expect(whole.status == 0, "\(whole.errors)")
    let arguments = place.arguments("full", resume: false).dropLast().map { "'\($0)'" }.joined(separator: " ")
    // The checkpoint of 2 blocks has about 170 KiB, that of 8 blocks about 460.
    let full = try Srs(shell: "ulimit -f 300; exec '\(Srs.path)' \(arguments)")
    #expect(full.status == 0 && full.output == whole.output, "\(full.errors)")
    #expect(full.errors.contains("checkpoint not saved, training continues"))
    unlink("\(place.folder)/full/model.safetensors")
    let resumed = try Srs(place.arguments("full", resume: true).filter { $0 != "--quiet" })
    #expect(resumed.errors.contains("a run: continues from step 30"), "\(resumed.errors)")
    #expect(resumed.output == whole.output && place.model("full") == place.model("whole") && place.model("full") != nil)
  }

  @Test func aFinishedRunIsLoaded() throws {
    let place = try Place(
      Self.script(Self.models[0]).replacingOccurrences(of: "checkpoint: 3steps", with: "reuse: true"))
    defer { place.remove() }
    let arguments = Array(place.arguments("out", resume: false).dropLast())
    let first = try Srs(arguments)
    let second = try Srs(arguments)
    #expect(first.output == second.output && !first.errors.contains("finished already"))
    #expect(second.errors.contains("already finished"))
    // A damaged checkpoint is an error.
    let folder = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/out/runs").first { !$0.hasPrefix("runs.sqlite") })
    let path = "\(place.folder)/out/runs/\(folder)/checkpoint.safetensors"
    var bytes = try #require(FileManager.default.contents(atPath: path))
    bytes[bytes.count - 9] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))
    let third = try Srs(arguments)
    #expect(third.status == 1 && third.errors.contains("checksum") && third.errors.contains("delete it"), "\(third.errors)")
  }
}

/// `--resume` when there are checkpoints of other trainings.
@Suite struct ResumeOtherTests {
  private static func script(steps: Int, _ more: String = "") -> String {
    """
    let data = synthetic(users: 300, items: 100, seed: 7) |> window(length: 12) |> split(seed: 1)
    let run = nextitnet(data, dim: 16, blocks: 2, seed: 1)
      |> train(data, batch: 64, eval_every: 5steps, checkpoint: 4steps, name: "one", run: \(steps)steps\(more))
    save(run, "model.safetensors")
    print(run.history |> map(h => [h.step, h.loss, h["mrr@5"]]))
    """
  }

  /// A longer run with the same settings continues from the end of a shorter one, with bit-identical results.
  @Test func aLongerRunContinues() throws {
    let folder = NSTemporaryDirectory() + "stackrec-longer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let short = try Srs.run(Self.script(steps: 20), ["--out", folder + "/a"])
    #expect(short.status == 0, "\(short.errors)")
    let long = try Srs.run(Self.script(steps: 40), ["--out", folder + "/a", "--resume"])
    #expect(long.errors.contains("one: continues from step 20"), "\(long.errors)")
    let whole = try Srs.run(Self.script(steps: 40), ["--out", folder + "/b"])
    #expect(long.output == whole.output && long.status == 0)
    let models = ["a", "b"].map { FileManager.default.contents(atPath: "\(folder)/\($0)/model.safetensors") }
    #expect(models[0] == models[1] && models[0] != nil)
  }

  /// Any other difference is reported, and the training starts from the beginning.
  @Test func differencesAreReported() throws {
    let folder = NSTemporaryDirectory() + "stackrec-differs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Srs.run(Self.script(steps: 10), ["--out", folder])
    let other = try Srs.run(Self.script(steps: 10, ", optimizer: adam(lr: 0.002)"), ["--out", folder, "--resume"])
    #expect(other.status == 0)
    #expect(
      other.errors.contains("one: starts from the beginning; the checkpoint")
        && other.errors.contains("optimizer.lr (default) there, 0.002 here"),
      "\(other.errors)")
    let same = try Srs.run(Self.script(steps: 10), ["--out", folder, "--resume"])
    #expect(same.errors.contains("already finished") && !same.errors.contains("starts from the beginning"), "\(same.errors)")
  }
}

/// Runs of version 0.1, whose fingerprint was a hash of Swift's descriptions of structs, are still found.
@Suite struct OldRunTests {
  private static let fixture = ArrowsTests.root.appendingPathComponent("Tests/Fixtures/runs-0.1")

  @Test func runsOfVersionOneAreFound() throws {
    let folder = NSTemporaryDirectory() + "stackrec-old-runs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.fixture.appendingPathComponent("kept").path, toPath: folder + "/runs")
    let script = Self.fixture.appendingPathComponent("script.srs").path
    let result = try Srs(["run", script, "--out", folder, "--resume"], signal: SIGTERM, after: 2)
    #expect(
      result.errors.contains("finished: already finished, read from \(folder)/runs/finished-18b6786743e78760"), "\(result.errors)")
    #expect(result.output.contains("30 0.330196"))
    #expect(result.errors.contains("underway: continues from step"), "\(result.errors)")
    #expect(result.status == 143)
  }
}
