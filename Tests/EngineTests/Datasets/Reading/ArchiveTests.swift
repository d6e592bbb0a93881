import Foundation
import Testing

@testable import Datasets

/// Compressed files and archives. `Tests/Fixtures/archives` was made by the usual programs from one table of 400 lines.
@Suite struct ArchiveTests {
  private static let folder = Fixture.root.appendingPathComponent("archives")

  private static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private static func content(_ path: String, _ options: ReadingOptions = ReadingOptions()) throws -> [[String]] {
    ReadingTests.names(try Histories.read(path, options).histories)
  }

  private static let plain: [[String]] = {
    (try? content(path("ratings.csv"))) ?? []
  }()

  @Test(arguments: ["ratings.csv.xz", "ratings.csv.bz2", "ratings.csv.zst", "ratings.csv.lz4", "one.zip", "many.zip", "stored.zip"])
  func everyKind(name: String) throws {
    #expect(Self.plain.count == 40)
    #expect(try Self.content(Self.path(name)) == Self.plain)
  }

  /// The format is guessed from the name inside, a note says what was chosen, and another member can be named.
  @Test func members() throws {
    let result = try Histories.read(Self.path("many.zip"))
    #expect(result.notes.first?.contains("read set/ratings.csv of 3 files") == true)
    var options = ReadingOptions()
    options.member = "set/other.csv"
    #expect(try Self.content(Self.path("many.zip"), options) == [["x", "y"]])
    options.member = "set/none.csv"
    let missing = #expect(throws: DataError.self) { try Histories.read(Self.path("many.zip"), options) }
    #expect(missing?.help?.contains("set/README.txt, set/ratings.csv, set/other.csv") == true && missing?.argument == "member")
    options.member = "a.csv"
    #expect(throws: DataError.self) { try Histories.read(Self.path("ratings.csv"), options) }
    #expect(throws: DataError.self) { try Histories.read(Self.path("ratings.csv.xz"), options) }
    let unclear = #expect(throws: DataError.self) { try Histories.read(Self.path("unclear.zip")) }
    #expect(unclear?.message.contains("a.csv, b.csv") == true && unclear?.help?.contains("member: \"a.csv\"") == true)
  }

  /// Names that are not ASCII, archives in archives, and kinds that are not supported.
  @Test func namesAndKinds() throws {
    let result = try Histories.read(Self.path("names.zip"))
    #expect(result.notes.first?.contains("read données/ratings.csv of 2 files") == true)
    var options = ReadingOptions()
    options.member = "données/été.csv"
    #expect(try Self.content(Self.path("names.zip"), options) == [["x", "y"]])
    let twice = #expect(throws: DataError.self) { try Histories.read(Self.path("twice.zip")) }
    #expect(twice?.message.contains("packed twice") == true)
    let tar = #expect(throws: DataError.self) { try Histories.read(Self.path("ratings.tar.xz")) }
    #expect(tar?.message.contains("tar archive") == true)
    #expect(try Self.content(Self.path("skip.csv.zst")) == Self.plain)
    options = ReadingOptions()
    options.unpackLimit = 1 << 30
    #expect(throws: DataError.self) { try Histories.read(Self.path("ratings.csv"), options) }
  }

  /// Without its end, a zip archive is cut off, in a file and in a pipe.
  @Test func zipWithoutItsEnd() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path("one.zip")))
    try withFile(whole.dropLast(22), "cut.zip") { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).fifo"
    #expect(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    let writer = Thread { try? whole.dropLast(22).write(to: URL(fileURLWithPath: path), options: []) }
    writer.start()
    #expect(throws: DataError.self) { try Histories.read(path) }
  }

  @Test func encryptedAndEmpty() {
    let encrypted = #expect(throws: DataError.self) { try Histories.read(Self.path("encrypted.zip")) }
    #expect(encrypted?.message.contains("is encrypted") == true)
    #expect(throws: DataError.self) {
      try withFile(Data([0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18)), "e.zip") { try Histories.read($0) }
    }
  }

  /// A file that is cut off anywhere, followed by other bytes, or has a changed byte in its data, is an error and never part of the
  /// data.
  @Test(arguments: ["ratings.csv.xz", "ratings.csv.bz2", "ratings.csv.zst", "ratings.csv.lz4", "one.zip", "stored.zip"])
  func damage(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
    for cut in stride(from: 10, to: whole.count - (name.hasSuffix(".zip") ? 80 : 1), by: max(1, whole.count / 23)) {
      try withFile(whole.prefix(cut), name) { path in #expect(throws: DataError.self, "cut at \(cut)") { try Histories.read(path) } }
    }
    if !name.hasSuffix(".zip") {
      try withFile(whole + Data("user,item\n".utf8), name) { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    }
    for place in stride(from: whole.count / 4, to: whole.count * 3 / 4, by: max(1, whole.count / 11)) {
      var bad = whole
      bad[place] ^= 0x10
      try withFile(bad, name) { path in
        if let read = try? Self.content(path) { #expect(read == Self.plain, "byte \(place)") }
      }
    }
  }

  /// Archives in a pipe are read once, in order.
  @Test(arguments: ["one.zip", "ratings.csv.xz", "many.zip"])
  func pipes(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path(name)))
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).fifo"
    #expect(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    func read(_ options: ReadingOptions = ReadingOptions()) throws -> [[String]] {
      let writer = Thread { try? whole.write(to: URL(fileURLWithPath: path), options: []) }
      writer.start()
      return try Self.content(path, options)
    }
    if name == "many.zip" {
      var options = ReadingOptions()
      options.member = "set/ratings.csv"
      #expect(try read(options) == Self.plain)
    } else {
      #expect(try read() == Self.plain)
    }
  }

  /// 40 MB of one line that pack into a few kilobytes: more than the given limit is an error that says how to allow it.
  @Test func bombs() throws {
    var options = ReadingOptions()
    options.unpackLimit = 1 << 20
    for name in ["bomb.csv.xz", "bomb.csv.gz", "bomb.zip"] {
      let error = #expect(throws: DataError.self) { try Histories.read(Self.path(name), options) }
      #expect(error?.argument == "unpack_limit" && error?.message.contains("more than 1 MB") == true, "\(name)")
    }
  }
}
