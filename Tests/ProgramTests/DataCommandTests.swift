import Foundation
import Testing

/// Loading data: the cache, downloads, damaged files.
@Suite struct DataCommandTests {
  /// A file is parsed once and then opened from the cache by the hash of its contents. A damaged cache is rebuilt.
  @Test func parsedDataIsCached() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = folder + "/log.csv"
    try "user,item\na,x\na,y\nb,x\n".write(toFile: file, atomically: true, encoding: .utf8)
    func load(_ arguments: [String] = []) throws -> Srs {
      try Srs.run(
        "let e = load(\"\(file)\", cache: true)\nprint(e.interactions)", arguments, environment: ["SRS_CACHE": folder + "/cache"])
    }
    let first = try load()
    #expect(first.output == "3\n" && first.errors.contains("read as format: table") && first.errors.contains("stored in the cache"))
    let second = try load()
    #expect(second.output == "3\n" && second.errors.contains("from the cache: "))
    let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: folder + "/cache/data").first)
    let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/cache/data/\(kept)"))
    try handle.truncate(atOffset: 100)
    let third = try load()
    #expect(third.output == "3\n" && third.errors.contains("is damaged") && third.errors.contains("stored in the cache"))
    try "user,item\na,x\n".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try load().output == "1\n")
    let inside = folder + "/box"
    try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: file, toPath: inside + "/log.csv")
    let boxed = try Srs.run(
      "load(\"\(inside)/log.csv\", cache: true)", ["--sandbox", inside], environment: ["SRS_CACHE": folder + "/cache"])
    #expect(boxed.status != 0 && boxed.errors.contains("lies outside the sandbox"))
  }

  /// Without a user to ask, nothing is downloaded unless `accept_licence` is given.
  @Test func licencesAreAcceptedBeforeADownload() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let environment = ["SRS_CACHE": folder, "SRS_MIRROR": "http://127.0.0.1:9"]
    let asked = try Srs.run("download(\"ml-1m\")", environment: environment)
    #expect(asked.status == 1 && asked.errors.contains("redistributed") && asked.errors.contains("accept_licence: true"))
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(try Srs.run("download(\"ml-2m\")", environment: environment).errors.contains("is one of \"ml-100k\", \"ml-1m\""))
    try FileManager.default.createDirectory(atPath: folder + "/downloads/ml-1m", withIntermediateDirectories: true)
    try "1::2::5::100\n1::3::4::200\n".write(toFile: folder + "/downloads/ml-1m/ratings.dat", atomically: true, encoding: .utf8)
    let there = try Srs.run("print((download(\"ml-1m\") |> load).interactions)", environment: environment)
    #expect(there.output == "2\n" && there.status == 0)
  }

  /// Damage far inside a file is detected only when that part is read. No function may return a result then.
  private func damageFarInside() throws {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let made = try Srs.run(
      "save(synthetic(users: 8_000, items: 200, seed: 7), \"e.srsd\")\nsave(synthetic(users: 8_000, items: 200, seed: 7) |> window(length: 20) |> split(seed: 1), \"whole.inter\")",
      ["--out", folder])
    #expect(made.status == 0, "\(made.errors)")
    let path = folder + "/e.srsd"
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    // The events end two thirds before the times do.
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: size / 3 - 50_000)
    let byte = try #require(try handle.read(upToCount: 1)?.first)
    try handle.seek(toOffset: size / 3 - 50_000)
    try handle.write(contentsOf: Data([byte ^ 1]))
    try handle.close()
    let head = "let w = load(\"\(path)\") |> window(length: 20)\nlet d = w |> split(seed: 1)\n"
    for (number, use) in [
      "save(w, \"a.csv\")", "save(w, \"a.npy\")", "save(d, \"a.inter\")", "baseline(d, kind: markov)",
      "parts(train: d.train, valid: d.valid, test: d.test)",
      "nextitnet(d, dim: 4, blocks: 1) |> recommend(w, k: 2)", "compare({ popular: baseline(d, kind: popular) }, on: d.train)",
    ].enumerated() {
      let result = try Srs.run(head + use, ["--out", "\(folder)/\(number)"])
      #expect(result.status == 1 && result.errors.contains("is damaged"), "\(use): \(result.errors)")
      let left = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(number)")) ?? []
      #expect(!left.contains { $0.hasPrefix("a.c") || $0.hasPrefix("a.n") || $0.hasPrefix("a.train") }, "\(left)")
    }
  }

  /// A .srsd file opens without reading all of it; damage is an error at the first use, in training and in evaluation.
  @Test func damagedDataEndsWithAnError() throws {
    try damageFarInside()

    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    let made = try Srs.run("save(synthetic(users: 400, items: 40, seed: 7), \"e.srsd\")", ["--out", folder])
    #expect(made.status == 0, "\(made.errors)")
    let handle = try #require(FileHandle(forUpdatingAtPath: folder + "/e.srsd"))
    let size = try handle.seekToEnd()
    // This is inside the events, which are between the names and the times.
    try handle.seek(toOffset: size / 2 - 2000)
    try handle.write(contentsOf: Data([0xff, 0xff, 0xff]))
    try handle.close()
    let parts = "let e = load(\"\(folder)/e.srsd\")\nprint(e.users)\nlet d = e |> window(length: 20) |> split(seed: 1)\n"
    let trained = try Srs.run(parts + "let m = nextitnet(d, dim: 8, blocks: 1) |> train(d, run: 5steps)")
    #expect(trained.status == 1 && trained.errors.contains("is damaged: the checksum of its bytes"), "\(trained.errors)")
    let evaluated = try Srs.run(parts + "print(evaluate(baseline(d, kind: popular), on: d.test))")
    #expect(evaluated.status == 1 && evaluated.errors.contains("is damaged"), "\(evaluated.errors)")
    let described = try Srs.run("describe(load(\"\(folder)/e.srsd\"))")
    #expect(described.status == 1 && described.errors.contains("is damaged"))
  }
}
