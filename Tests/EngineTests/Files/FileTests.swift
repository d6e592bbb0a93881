import CFiles
import Foundation
import Testing

@testable import Files

/// Atomic writing of files, and confinement to a folder.
@Suite struct FileTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path + "/stackrec-files-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func names(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
  private func permissions(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  private func problem(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch let failure as AtomicFile.Failure {
      return failure.message
    } catch {
      return "\(error)"
    }
  }

  @Test func filesAreWrittenAtomically() throws {
    try inFolder { folder in
      let path = folder + "/a/b/c.txt"
      try AtomicFile.write(Data("one".utf8), to: path)
      try AtomicFile.write(Data("two".utf8), to: path)
      #expect(try text(path) == "two")
      struct Stop: Error {}
      #expect(throws: Stop.self) {
        try AtomicFile.write(to: path) { sink in
          try Array("thr".utf8).withUnsafeBytes { try sink.put($0) }
          // While it is written, the new file has no name.
          #expect(try names(folder + "/a/b") == ["c.txt"])
          throw Stop()
        }
      }
      #expect(try text(path) == "two" && names(folder + "/a/b") == ["c.txt"])
      // If one of several files fails, none appears.
      #expect(
        problem { try AtomicFile.write([(folder + "/x", Data("x".utf8)), (folder + "/a", Data("y".utf8))]) }.contains("it is a folder"))
      #expect(try names(folder) == ["a"])
    }
  }

  /// Links with predictable temporary names are neither followed nor replaced.
  @Test func plantedLinksAreNotFollowed() throws {
    try inFolder { folder in
      try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/victim"))
      for name in ["out.csv.part-\(getpid())", ".out-\(getpid()).svg", ".srs-part-0000000000000000"] {
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: folder + "/victim")
      }
      try AtomicFile.write(Data("new".utf8), to: folder + "/out.csv")
      #expect(try text(folder + "/victim") == "mine" && text(folder + "/out.csv") == "new")
      // A link at the file's own path is replaced; its target is not written to.
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/victim")
      try AtomicFile.write(Data("new".utf8), to: folder + "/link")
      #expect(try text(folder + "/victim") == "mine" && text(folder + "/link") == "new")
    }
  }

  @Test func permissionsComeFromTheUmaskOrTheReplacedFile() throws {
    try inFolder { folder in
      let path = folder + "/a"
      let mask = umask(0o027)
      defer { umask(mask) }
      try AtomicFile.write(Data(), to: path)
      #expect(try permissions(path) == 0o640)
      chmod(path, 0o600)
      try AtomicFile.write(Data("x".utf8), to: path)
      #expect(try permissions(path) == 0o600)
    }
  }

  /// Temporary files of ended processes are deleted; those of running processes and all other files remain.
  @Test func staleTemporaryFilesAreDeleted() throws {
    try inFolder { folder in
      let (stale, alive) = (folder + "/.srs-part-0123456789abcdef", folder + "/.srs-part-fedcba9876543210")
      for path in [stale, alive, folder + "/.srs-part-mine", folder + "/.srs-part-0123456789abcdeF"] {
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      }
      try FileManager.default.createDirectory(atPath: folder + "/.srs-part-00000000000000aa", withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: folder + "/.srs-part-00000000000000aa/picture.tex"))
      let lock = open(alive, O_RDONLY)
      #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
      defer { close(lock) }
      try AtomicFile.write(Data("new".utf8), to: folder + "/out")
      // Writing sweeps each folder once per process and knows folders by inode number, which an earlier test's folder
      // may have had.
      try #require(Folder(folder)).sweep()
      #expect(try names(folder) == [".srs-part-0123456789abcdeF", ".srs-part-fedcba9876543210", ".srs-part-mine", "out"])
    }
  }

  @Test func manyWritersOfOneFileDoNotMix() async throws {
    let folder = NSTemporaryDirectory() + "stackrec-files-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/a"
    try AtomicFile.write(Data(repeating: 0x30, count: 100_000), to: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in UInt8(0x31)...0x34 {
        group.addTask { for _ in 0..<25 { try AtomicFile.write(Data(repeating: writer, count: 100_000), to: path) } }
      }
      group.addTask {
        for _ in 0..<100 {
          let data = try InputFile.contents(path)
          #expect(data.count == 100_000 && Set(data).count == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(try names(folder) == ["a"])
  }

  /// Only regular files are replaced. Devices and FIFOs are written to; anything else is an error.
  @Test func devicesAreNotReplaced() throws {
    try inFolder { folder in
      try AtomicFile.write(Data("x".utf8), to: "/dev/null")
      var status = stat()
      #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
      #expect(problem { try AtomicFile.write(Data("x".utf8), to: "/dev/full") }.contains("No space left"))
      try FileManager.default.createSymbolicLink(atPath: folder + "/null", withDestinationPath: "/dev/null")
      try AtomicFile.write(Data("x".utf8), to: folder + "/null")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/null") == "/dev/null")
      let fifo = folder + "/fifo"
      #expect(mkfifo(fifo, 0o600) == 0)
      #expect(problem { try AtomicFile.write(Data("x".utf8), to: fifo) }.contains("no process reads from"))
      let reader = open(fifo, O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      try AtomicFile.write(Data("through".utf8), to: fifo)
      var bytes = [UInt8](repeating: 0, count: 20)
      #expect(read(reader, &bytes, 20) == 7 && String(decoding: bytes[..<7], as: UTF8.self) == "through")
      #expect(problem { try AtomicFile.write(Data(), to: folder) }.contains("it is a folder"))
      for path in ["", "/", folder + "/", folder + "/..", "a\0b"] {
        #expect(problem { try AtomicFile.write(Data(), to: path) } != "", "\(path)")
      }
    }
  }

  /// Both implementations of opening below a folder follow no links and cannot leave the folder.
  @Test func pathsCannotLeaveAFolder() throws {
    try inFolder { folder in
      let inside = folder + "/in"
      try FileManager.default.createDirectory(atPath: inside + "/sub", withIntermediateDirectories: true)
      try Data("secret".utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
      try Data("plain".utf8).write(to: URL(fileURLWithPath: inside + "/sub/plain"))
      try FileManager.default.createSymbolicLink(atPath: inside + "/out", withDestinationPath: folder)
      try FileManager.default.createSymbolicLink(atPath: inside + "/file", withDestinationPath: folder + "/secret")
      try FileManager.default.createSymbolicLink(atPath: inside + "/near", withDestinationPath: "sub")
      let root = open(inside, O_RDONLY | O_DIRECTORY)
      defer { close(root) }
      for way in [srs_open_beneath, srs_walk_beneath] {
        func opens(_ path: String) -> Bool {
          let descriptor = way(root, path, O_RDONLY, 0)
          if descriptor >= 0 { close(descriptor) }
          return descriptor >= 0
        }
        for path in ["sub/plain", "sub//plain", "sub", "."] { #expect(opens(path), "\(path)") }
        for path in ["", "../secret", "sub/../../secret", "out/secret", "file", "near/plain", "/etc/passwd", folder + "/secret", "none"] {
          #expect(!opens(path), "\(path)")
        }
      }
      #expect(Sandbox.open(inside))
      #expect(problem { try AtomicFile.write(Data(), to: inside + "/out/new") }.contains("is a link"))
      try AtomicFile.write(Data("x".utf8), to: inside + "/new/deep/file")
      #expect(try text(inside + "/new/deep/file") == "x")
      #expect(problem { _ = try InputFile.contents(inside + "/file", inside: inside) }.contains("leads out"))
      #expect(try InputFile.contents(inside + "/near/plain", inside: inside) == Data("plain".utf8))
      #expect(link(folder + "/secret", inside + "/hard") == 0)
      #expect(problem { _ = try InputFile.contents(inside + "/hard", inside: inside) }.contains("hard link"))
      #expect(mkfifo(inside + "/fifo", 0o600) == 0)
      #expect(problem { try AtomicFile.write(Data(), to: inside + "/fifo") }.contains("in a sandbox"))
    }
  }

  @Test func filesOfProcAreDetected() throws {
    for path in ["/proc/self/environ", "/proc/1/environ", "/proc/self/task/../environ", "/proc/version"] {
      #expect(InputFile.isOfProcesses(path), "\(path)")
      #expect(problem { _ = try InputFile.contents(path) } != "", "\(path)")
    }
    #expect(!InputFile.isOfProcesses("/etc/passwd") && !InputFile.isOfProcesses("/none"))
    #expect(problem { _ = try InputFile.contents("/etc") }.contains("is a folder"))
    #expect(problem { _ = try InputFile.contents("/none") }.contains("there is no file /none"))
  }
}
