import Foundation
import Testing

@testable import Downloads

/// Downloads from a server on loopback.
@Suite struct DownloadTests {
  let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
  static let ratings = Array((0..<40_000).map { "\($0 % 97)::\($0 % 89)::5::\($0)\n" }.joined().utf8)
  static let archive = zip("ml-1m/ratings.dat", ratings)

  /// A zip archive of one file without compression.
  static func zip(_ name: String, _ content: [UInt8]) -> [UInt8] {
    func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    var crc: UInt32 = .max
    for byte in content {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    let common =
      number(20 as UInt16) + number(0 as UInt16) + number(0 as UInt16) + number(0 as UInt32) + number(~crc) + number(UInt32(content.count))
      + number(UInt32(content.count)) + number(UInt16(name.utf8.count)) + number(0 as UInt16)
    let local = number(0x0403_4b50 as UInt32) + common + Array(name.utf8) + content
    let central =
      number(0x0201_4b50 as UInt32) + number(20 as UInt16) + common + number(0 as UInt16) + number(0 as UInt16) + number(0 as UInt16)
      + number(0 as UInt32) + number(0 as UInt32) + Array(name.utf8)
    return local + central + number(0x0605_4b50 as UInt32) + number(0 as UInt32) + number(1 as UInt16) + number(1 as UInt16)
      + number(UInt32(central.count)) + number(UInt32(local.count)) + number(0 as UInt16)
  }

  private func data(_ archive: [UInt8] = Self.archive) throws -> PublicData {
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).zip"
    try Data(archive).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    return PublicData(name: "ml-1m", address: "", md5: Download.md5(path), megabytes: 1, file: "ml-1m/ratings.dat", terms: "")
  }

  private func fetch(_ server: LoopbackServer, _ data: PublicData, watch: @escaping Download.Watch = { _, _ in true }) throws -> (
    path: String, notes: [String]
  ) {
    var notes: [String] = []
    let download = Download(data, into: folder, mirror: server.address, pauses: [0, 0, 0])
    let path = try download(watch: watch) { notes.append($0) }
    return (path, notes)
  }

  private var left: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

  @Test func fetchesOnceAndUnpacks() throws {
    let server = try LoopbackServer(Self.archive, [.whole])
    defer { server.stop() }
    let path = try fetch(server, data()).path
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Self.ratings)
    #expect(left == ["ml-1m"])
    #expect(try fetch(server, data()).path == path && server.starts == [0])
  }

  @Test func resumesAfterAnInterruption() throws {
    let server = try LoopbackServer(Self.archive, [.cut(100_000), .status(503), .cut(50_000), .whole])
    defer { server.stop() }
    let (path, notes) = try fetch(server, data())
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Self.ratings)
    #expect(server.starts.count == 4 && server.starts[1] > 0 && server.starts[3] > server.starts[1] && notes.count == 3)
    let dead = try LoopbackServer(Self.archive, [.status(503)])
    defer { dead.stop() }
    try FileManager.default.removeItem(atPath: folder)
    let error = #expect(throws: DownloadError.self) { try fetch(dead, data()) }
    #expect(error?.message.contains("after 4 attempts") == true && dead.starts.count == 4)
  }

  /// If a server does not support ranges, the whole file is downloaded again.
  @Test func startsAgainIfRangesAreNotSupported() throws {
    let server = try LoopbackServer(Self.archive, [.cut(100_000), .fromTheStart])
    defer { server.stop() }
    let path = try fetch(server, data()).path
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Self.ratings)
  }

  @Test func wrongContentsAreRejected() throws {
    var wrong = Self.archive
    wrong[1000] ^= 1
    let server = try LoopbackServer(wrong, [.whole])
    defer { server.stop() }
    let error = #expect(throws: DownloadError.self) { try fetch(server, data()) }
    #expect(error?.message.contains("its MD5 is") == true && error?.message.contains("it was deleted") == true)
    #expect(!FileManager.default.fileExists(atPath: folder + "/ml-1m/ratings.dat"))
    // The rest of a failed download does not affect the next attempt.
    let good = try LoopbackServer(Self.archive, [.whole])
    defer { good.stop() }
    try Data(wrong.prefix(5000)).write(to: URL(fileURLWithPath: folder + "/ml-1m.zip.part"))
    let (path, notes) = try fetch(good, data())
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Self.ratings)
    #expect(notes.contains { $0.contains("is damaged") })
  }

  @Test func refusalsAreReportedAtOnce() throws {
    let server = try LoopbackServer(Self.archive, [.status(404)])
    defer { server.stop() }
    let error = #expect(throws: DownloadError.self) { try fetch(server, data()) }
    #expect(error?.message.contains("404") == true && server.starts.count == 1)
    let empty = Self.zip("other.txt", [1, 2, 3])
    let other = try LoopbackServer(empty, [.whole])
    defer { other.stop() }
    let missing = #expect(throws: DownloadError.self) { try fetch(other, data(empty)) }
    #expect(missing?.message.contains("has no file ml-1m/ratings.dat") == true)
  }

  @Test func stopsAndResumes() throws {
    let server = try LoopbackServer(Self.archive, [.whole])
    defer { server.stop() }
    #expect(throws: DownloadStopped.self) { try fetch(server, data()) { now, _ in now == 0 } }
    #expect(left == ["ml-1m", "ml-1m.zip.part"])
    let path = try fetch(server, data()).path
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == Self.ratings)
  }
}
