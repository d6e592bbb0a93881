import Foundation
import Testing

@testable import RunStore

@Suite struct RunStoreTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "stackrec-runs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder + "/runs/runs.sqlite")
  }

  @Test func rowsAreKept() throws {
    try inFolder { path in
      var row = try RunDatabase(path).add(RunRow(name: "a", kind: "train", fingerprint: "f"))
      #expect(row.id == 1 && row.state == .running)
      (row.state, row.best, row.history) = (.finished, 0.25, "[{\"step\":1,\"mrr@5\":0.25}]")
      let database = try RunDatabase(path)
      try database.update(row)
      let second = try database.add(RunRow(name: "b", kind: "train", fingerprint: "f"))
      let rows = try RunDatabase(path).all()
      #expect(rows.map(\.name) == ["a", "b"] && rows[0].best == 0.25 && rows[0].state == .finished && rows[1].id == second.id)
      #expect(try database.remove([1]) == 1)
      #expect(try database.all().map(\.name) == ["b"])
      let rights = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(rights == 0o600, "only its owner may read it")
    }
  }

  @Test func crashedRunsAreMarked() throws {
    try inFolder { path in
      let database = try RunDatabase(path)
      var gone = RunRow(name: "gone", kind: "train", fingerprint: "")
      gone.processStart -= 1  // as if another process had reused the process id
      _ = try database.add(gone)
      var elsewhere = gone
      elsewhere.machine = "another machine"
      _ = try database.add(elsewhere)
      _ = try database.add(RunRow(name: "alive", kind: "train", fingerprint: ""))
      #expect(try database.all().map(\.state) == [.died, .running, .running])
      #expect(try RunDatabase(path).all()[0].stop == "its process ended without recording an end")
    }
  }

  /// Several connections write at the same time, and no row is lost.
  @Test func manyWriteAtOnce() async throws {
    let folder = NSTemporaryDirectory() + "stackrec-runs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/runs.sqlite"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<6 {
        group.addTask {
          let database = try RunDatabase(path)
          for i in 0..<20 {
            var row = try database.add(RunRow(name: "\(writer)/\(i)", kind: "train", fingerprint: ""))
            row.steps = i
            try database.update(row)
          }
        }
      }
      try await group.waitForAll()
    }
    let rows = try RunDatabase(path).all()
    #expect(Set(rows.map(\.name)).count == 120 && rows.allSatisfy { Int($0.name.split(separator: "/")[1]) == $0.steps })
  }

  @Test func otherFilesAreNotChanged() throws {
    try inFolder { path in
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
      let text = String(repeating: "this is no database ", count: 100)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect { try RunDatabase(path) } throws: { ($0 as? RunDatabase.Failure)?.message.contains("not a database of runs") ?? false }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }
    #expect(throws: RunDatabase.Failure.self) { try RunDatabase("/proc/none/runs.sqlite") }
  }

  @Test func tensorBoardEvents() throws {
    // The standard check value of CRC-32C.
    #expect(RunExport.checksum(Data("123456789".utf8)) == 0xe306_9283)
    var row = RunRow(name: "a", kind: "train", fingerprint: "")
    row.started = 1000
    row.history = "[{\"step\":5,\"seconds\":2,\"loss\":1.5,\"mrr@5\":0.25}]"
    let data = [UInt8](RunExport.tensorBoard(row))
    var records: [[UInt8]] = []
    var offset = 0
    while offset < data.count {
      let length = Int(data[offset..<(offset + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
      records.append(Array(data[(offset + 12)..<(offset + 12 + length)]))
      offset += 12 + length + 4
    }
    #expect(offset == data.count && records.count == 4)
    let tags = records.dropFirst().map { String(decoding: $0, as: UTF8.self) }
    #expect(tags[0].contains("loss") && tags[1].contains("mrr_at_5") && tags[2].contains("seconds"))
  }

  @Test func exportedJSONIsJSON() throws {
    var row = RunRow(name: "a \"quoted\"", kind: "train", fingerprint: "")
    row.parameters = "{\"lr\":0.001}"
    row.history = "[{\"step\":5}]"
    let parsed = try #require(JSONSerialization.jsonObject(with: Data(RunExport.json([row]).utf8)) as? [[String: Any]])
    #expect(parsed[0]["name"] as? String == "a \"quoted\"")
    #expect((parsed[0]["parameters"] as? [String: Any])?["lr"] as? Double == 0.001)
  }
}
