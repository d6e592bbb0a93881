import Foundation
import GRDB
import Testing

/// What docs/checkpoints.md says about the files of a training, for programs that read them.
@Suite struct CheckpointPageTests {
  private static let script = """
    let data = synthetic(users: 300, items: 100, seed: 7) |> window(length: 12) |> split(seed: 1)
    let run = nextitnet(data, dim: 16, blocks: 2, seed: 1)
      |> stackrec(data, batch: 64, eval_every: 10steps, name: "a run: 1/2", optimizer: adam(lr: 0.002), phases: [
           phase(run: 20steps), phase(to: 4, by: adjacent, carry: [blocks, optimizer], run: 20steps),
         ])
    """

  private func object(_ text: String?) throws -> [String: Any] {
    let text = try #require(text)
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func canonical(_ value: Any?) throws -> String {
    let value = try #require(value)
    return String(decoding: try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys]), as: UTF8.self)
  }

  /// The folder, the tensors, the metadata and the row of a training with a growth.
  @Test func theFileIsThatOfThePage() throws {
    let folder = NSTemporaryDirectory() + "stackrec-page-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let page = try String(contentsOfFile: ArrowsTests.root.path + "/docs/checkpoints.md", encoding: .utf8)
    let run = try Srs.run(
      Self.script.replacingOccurrences(of: "eval_every", with: "checkpoint: 15steps, eval_every"), ["--out", folder, "--quiet"])
    #expect(run.status == 0, "\(run.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/runs").filter { $0 != "runs.sqlite" }
    let name = try #require(names.first)
    let fingerprint = name.suffix(16)
    #expect(names.count == 1 && name.hasPrefix("a-run--1-2-") && fingerprint.allSatisfy { "0123456789abcdef".contains($0) })
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/runs/\(name)") == ["checkpoint.safetensors"])

    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/runs/\(name)/checkpoint.safetensors"))
    let length = Int(bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    var header = try object(String(decoding: bytes[8..<(8 + length)], as: UTF8.self))
    let metadata = try #require(header.removeValue(forKey: "__metadata__") as? [String: String])
    let groups = Set(header.keys.map { $0.hasPrefix("training/") ? String($0.split(separator: "/")[1]) : "" })
    #expect(groups == ["", "current", "first", "second", "best_first", "best_second", "fallback"])
    for group in ["", "training/current/", "training/first/", "training/best_second/"] {
      #expect(header["\(group)blocks.3.conv1.weight"] != nil && header["\(group)output.bias"] != nil, "\(group)")
    }
    // The network before the growth.
    #expect(header["training/fallback/blocks.1.conv1.weight"] != nil && header["training/fallback/blocks.2.conv1.weight"] == nil)

    let model: Set = ["kind", "configuration", "seed", "items"]
    #expect(
      Set(metadata.keys) == model.union(["format", "version", "fingerprint", "identity", "training", "checksum"]), "\(metadata.keys)")
    #expect(metadata["format"] == "stackrec-checkpoint" && metadata["version"] == "1" && metadata["fingerprint"] == String(fingerprint))
    for key in ["format", "version", "fingerprint", "identity", "training", "checksum"] { #expect(page.contains("`\(key)`")) }

    let training = try object(metadata["training"])
    for key in training.keys { #expect(page.contains("`\(key)`"), "\(key) is not on the page") }
    #expect(training["isFinished"] as? Bool == true && training["step"] as? Int == 40 && training["ties"] as? String == "expectation")
    #expect((training["stop"] as? [String: Any])?["reason"] as? String == "finished")
    let points = try #require(training["history"] as? [[String: Any]])
    #expect(points.contains { $0["rate"] as? Double == 0.002 && $0["step"] as? Int == 40 && $0["blocks"] as? Int == 4 })
    let growth = try #require((training["growths"] as? [[String: Any]])?.first)
    #expect(
      growth["step"] as? Int == 20 && growth["from"] as? Int == 2 && growth["to"] as? Int == 4 && growth["by"] as? String == "adjacent")

    let text = try #require(metadata["identity"])
    let identity = try object(text)
    #expect(Set(identity.keys) == ["model", "data", "recipe"])
    #expect(Set((identity["model"] as? [String: Any] ?? [:]).keys) == ["kind", "configuration", "seed", "values"])
    #expect(Set((identity["data"] as? [String: Any] ?? [:]).keys) == ["train", "valid"])
    let recipe = try #require(identity["recipe"] as? [String: Any])
    // What equals its default is left out.
    #expect(Set(recipe.keys) == ["batch", "eval_every", "optimizer", "phases", "version"])
    let optimizer = try #require(recipe["optimizer"] as? [String: Any])
    #expect(optimizer.count == 2 && optimizer["kind"] as? String == "adam" && optimizer["lr"] as? Double == 0.002)
    for key in recipe.keys { #expect(page.contains("`\(key)`"), "\(key) is not on the page") }

    let parameters = try DatabaseQueue(path: folder + "/runs/runs.sqlite").read { db in
      try String.fetchAll(db, sql: "SELECT parameters FROM run WHERE fingerprint = ?", arguments: [String(fingerprint)])
    }
    #expect(parameters.count == 1)
    #expect(try canonical(object(parameters.first)["recipe"]) == canonical(recipe))
  }

  /// A short training that nobody asked to keep leaves no file, not even at its growth.
  @Test func unaskedForThereIsNoFile() throws {
    let folder = NSTemporaryDirectory() + "stackrec-page-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try Srs.run(Self.script, ["--out", folder, "--quiet"]).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/runs") == ["runs.sqlite"])
    // `reuse` asks for it, and reads it without `--resume`.
    let reusing = Self.script.replacingOccurrences(of: "eval_every", with: "reuse: true, eval_every")
    #expect(try Srs.run(reusing, ["--out", folder, "--quiet"]).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/runs").count == 2)
    #expect(try Srs.run(reusing, ["--out", folder]).errors.contains("a run: 1/2: already finished"))
  }
}
