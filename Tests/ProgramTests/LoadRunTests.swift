import Foundation
import Testing

/// Runs that are read back from the database of trainings, and trained again with another seed.
@Suite struct LoadRunTests {
  private static let data =
    "let data = synthetic(users: 60, items: 40, seed: 7) |> window(length: 8) |> split(by: leave_last_out)\n"
  private static let training = """
    let run = nextitnet(data, dim: 8, blocks: 1, seed: SEED)
      |> stackrec(data, batch: 32, eval_every: 5steps, seed: SEED, name: "deep", reuse: true, phases: [phase(run: 10steps), phase(to: 2, run: 10steps)])

    """

  @Test func comesBackWithEverything() throws {
    let folder = NSTemporaryDirectory() + "stackrec-load-run-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func run(_ script: String) throws -> Srs { try Srs.run(script, ["--out", folder, "--quiet"]) }
    let shown =
      "print(run.best, run.steps, run.growths |> map(g => g.step), len(run.history), evaluate(run, on: data.test, metrics: [hr@5]))\n"
    let first = try run(Self.data + Self.training.replacingOccurrences(of: "SEED", with: "3") + shown)
    #expect(first.status == 0, "\(first.errors)")
    for reference in ["1", "\"deep\""] {
      let again = try run(Self.data + "let run = load_run(\(reference), data)\n" + shown)
      #expect(again.status == 0 && again.output == first.output, "\(again.errors)")
    }
    // Trained again with another seed it is what the script gives with that seed, and with its own seed it is itself.
    let other = try run(Self.data + "let run = rerun(1, data, seed: 4)\n" + shown)
    let expected = try run(
      Self.data + Self.training.replacingOccurrences(of: "SEED", with: "4").replacingOccurrences(of: ", reuse: true", with: "") + shown)
    #expect(other.status == 0 && other.output == expected.output && other.output != first.output, "\(other.errors)")
    #expect(try run(Self.data + "let run = rerun(1, data, seed: 3)\n" + shown).output == first.output)
  }

  @Test func whatCannotComeBackIsSaid() throws {
    let folder = NSTemporaryDirectory() + "stackrec-load-run-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func errors(_ script: String) throws -> String { try Srs.run(Self.data + script, ["--out", folder, "--quiet"]).errors }
    #expect(try errors("load_run(1, data)\n").contains("no training is recorded here"))
    let plain = Self.training.replacingOccurrences(of: "SEED", with: "3").replacingOccurrences(of: ", reuse: true", with: "")
    #expect(try errors(plain).isEmpty)
    #expect(try errors("load_run(1, data)\n").contains("its model was not kept"))
    #expect(try errors("load_run(\"none\", data)\n").contains("there is no run called \"none\""))
    #expect(try errors("load_run(1.5, data)\n").contains("a whole number from 1"))
    #expect(try errors(Self.training.replacingOccurrences(of: "SEED", with: "3")).isEmpty)
    #expect(
      try errors("load_run(2, synthetic(users: 60, items: 40, seed: 8) |> window(length: 8) |> split(by: leave_last_out))\n")
        .contains("was trained on other data"))
    let tuned = "let run = load_run(2, data) |> train(data, batch: 32, eval_every: 5steps, run: 5steps, reuse: true, name: \"more\")\n"
    #expect(try errors(tuned).isEmpty)
    #expect(try errors("rerun(\"more\", data, seed: 9)\n").contains("did not begin with a new model"))
  }
}
