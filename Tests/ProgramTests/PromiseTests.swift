import Foundation
import Testing

/// Promises of SECURITY.md and docs/data.md that no other test holds.
@Suite struct PromiseTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "stackrec-promise-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  /// "The data cache gets the permissions of the umask."
  @Test func theCacheFollowsTheUmask() throws {
    try inFolder { folder in
      try Data("user,item,time\na,x,1\na,y,2\n".utf8).write(to: URL(fileURLWithPath: folder + "/d.csv"))
      try Data("load(\"d.csv\", cache: true)".utf8).write(to: URL(fileURLWithPath: folder + "/s.srs"))
      for (umask, mode) in [("027", 0o640), ("077", 0o600)] {
        let cache = folder + "/cache-\(umask)"
        let run = try Srs(shell: "cd '\(folder)' && umask \(umask) && SRS_CACHE='\(cache)' '\(Srs.path)' run s.srs -q")
        #expect(run.status == 0, "\(run.errors)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: cache).filter { $0.hasSuffix(".srsd") }
        #expect(files.count == 1)
        for file in files {
          let found = try FileManager.default.attributesOfItem(atPath: cache + "/" + file)[.posixPermissions] as? Int
          #expect(found == mode, "umask \(umask)")
        }
      }
    }
  }

  /// "The memory of a training does not grow with" a mapped file: what a process has for itself, without pages of files.
  @Test func aMappedFileIsNotCopied() throws {
    try inFolder { folder in
      func own(users: Int) throws -> (own: Int, file: Int) {
        let made = try Srs(
          shell: "cd '\(folder)' && '\(Srs.path)' -e 'save(synthetic(users: \(users), items: 500, seed: 1), \"e-\(users).srsd\")'")
        #expect(made.status == 0, "\(made.errors)")
        let script = """
          let data = load("\(folder)/e-\(users).srsd") |> window(length: 20) |> split(seed: 1)
          let run = nextitnet(data, dim: 16, blocks: 1, seed: 1) |> train(fraction(data, 5%), run: 20steps, eval_every: 100steps, batch: 64)
          print("ready")
          while true { let x = 1 }
          """
        let path = folder + "/run-\(users).srs"
        try Data(script.utf8).write(to: URL(fileURLWithPath: path))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Srs.path)
        process.arguments = ["run", path, "-q", "--no-record", "--threads", "1", "--timeout", "120s"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
          process.terminate()
          process.waitUntilExit()
        }
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "ready\n")
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        let kilobytes = try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) })
        let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/e-\(users).srsd")[.size] as? Int
        return (kilobytes * 1024, try #require(size))
      }
      let (small, large) = (try own(users: 2_000), try own(users: 100_000))
      #expect(large.file > 20 << 20)
      // Names of users and items are in memory while the file is open; sequences are not.
      #expect(
        large.own - small.own < large.file / 2,
        "\(large.own >> 20) MB for a file of \(large.file >> 20) MB, \(small.own >> 20) MB for a small one")
    }
  }
}
