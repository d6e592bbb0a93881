import Foundation
import Kernels
import Synchronization
import Testing

@testable import Datasets

/// Pipes, which can be read only once; waiting for data; compressed files.
@Suite struct PipeTests {
  /// Calls `body` with the path of a named pipe into which another thread writes `data`.
  private static func withPipe<Result>(_ data: Data, pause: Bool = false, _ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    let writer = Thread {
      let descriptor = open(path, O_WRONLY)
      // Written in two pieces with a pause, so that a single `read` does not get everything.
      for piece in [data.prefix(5), data.dropFirst(5)] {
        piece.withUnsafeBytes { bytes in
          var done = 0
          while done < bytes.count {
            let put = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if put <= 0 { break }
            done += put
          }
        }
        if pause { usleep(150_000) }
      }
      close(descriptor)
    }
    writer.start()
    return try body(path)
  }

  private static func content(_ histories: Histories) -> [[String]] {
    (0..<histories.count).map { h in
      [histories.users.name(histories.owners[h])] + histories.history(h).map { histories.items.name($0) }
    }
  }

  private static let piped: [(String, ReadingOptions, [[String]])] = [
    ("1000000001,a,1\n1000000002,b,2\n", ReadingOptions(user: 1, item: 2, time: 3), [["1000000001", "a"], ["1000000002", "b"]]),
    ("user,item\n1,a\n1,b\n", .init(), [["1", "a", "b"]]), ("1 10\n1 20\n2 10\n", .init(), [["1", "10", "20"], ["2", "10"]]),
    ("{\"session\":1,\"events\":[{\"aid\":5,\"ts\":1}]}\n", .init(), [["1", "5"]]),
    ("user,item_1,item_2\nu,<pad>,a\nu,a,b\n", .init(), [["u", "a"], ["u", "a", "b"]]),
    ("0,0,a,b\n0,a,b,c\n", .init(pad: "0"), [["line 1", "a", "b"], ["line 2", "a", "b", "c"]]),
  ]

  @Test(arguments: piped)
  func pipesLoseNothing(_ text: String, _ options: ReadingOptions, _ content: [[String]]) throws {
    for data in [Data(text.utf8), try FormatTests.packed(text)] {
      let read = try Self.withPipe(data) { try Histories.read($0, options).histories }
      #expect(Self.content(read) == content)
    }
    let late = try Self.withPipe(Data(text.utf8), pause: true) { try Histories.read($0, options).histories }
    #expect(Self.content(late) == content)
  }

  @Test func dataLargerThanThePipeBuffer() throws {
    let text = "user,item\n" + (0..<100_000).map { "\($0 % 70),item\($0 % 13)\n" }.joined()
    let read = try Self.withPipe(Data(text.utf8)) { try Histories.read($0).histories }
    #expect(read.events.count == 100_000 && read.users.count == 70 && read.items.count == 14)
  }

  /// Waiting for a pipe into which nobody writes can be stopped.
  @Test func waitingIsInterrupted() throws {
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    for options in [ReadingOptions(), .init(format: .table), .init(format: .sequences)] {
      var asked = 0
      let start = ContinuousClock.now
      #expect(throws: ReadingStopped.self) {
        try Histories.read(path, options) { _, _ in
          asked += 1
          return asked < 4
        }
      }
      #expect(ContinuousClock.now - start < .seconds(5))
    }
    #expect { try Histories.cacheKey(path, .init()) } throws: { ($0 as? DataError)?.argument == "cache" }
    #expect(Histories.columnNames(path).isEmpty)
    #expect { try Histories.read(path, .init(format: .srsd)) } throws: {
      ($0 as? DataError)?.message.contains("not a regular file") == true
    }
  }

  /// Reading a long file can be stopped before its end.
  @Test func longReadingsAreInterrupted() throws {
    let text = (0..<400_000).map { "\($0 % 7),\($0 % 11),3,4,5\n" }.joined()
    try withFile(text) { path in
      var asked = 0
      #expect(throws: ReadingStopped.self) {
        try Histories.read(path, .init(format: .sequences)) { _, lines in
          asked += 1
          return lines < 100_000
        }
      }
      #expect(asked > 2)
    }
  }

  // MARK: gzip

  private static func problem(_ data: Data) throws -> DataError? {
    try withFile(data, "t.csv.gz") { path in
      do {
        _ = try Histories.read(path)
        return nil
      } catch let error as DataError {
        return error
      }
    }
  }

  /// Damage to any byte of a gzip member is detected, and so are extra bytes between the members and after the last.
  @Test func damageBetweenMembersIsFound() throws {
    let (first, second) = (try FormatTests.packed("user,item\n1,a\n"), try FormatTests.packed("1,b\n2,c\n"))
    let whole = first + second
    #expect(try Self.problem(whole) == nil)
    let read = try withFile(whole, "t.csv.gz") { try Histories.read($0).histories }
    #expect(Self.content(read) == [["1", "a", "b"], ["2", "c"]])
    // The time, flags and system in a member's header do not affect its data. Zeros after the last member are allowed:
    // tapes are padded with them.
    let free = [0, first.count].flatMap { start in (4...9).map { start + $0 } }
    for place in whole.indices where !free.contains(place) && place > 1 {
      var damaged = whole
      damaged[place] ^= 0x41
      let problem = try Self.problem(damaged)
      #expect(problem?.message.contains("damaged") == true || problem?.message.contains("cut off") == true, "byte \(place)")
    }
    for rest in ["more", "\u{1f}", "\0\0x", "1,d\n"] {
      #expect(try Self.problem(whole + Data(rest.utf8)) != nil, "\(rest.debugDescription)")
      #expect(try Self.problem(first + Data(rest.utf8) + second) != nil, "\(rest.debugDescription)")
    }
    #expect(try Self.problem(first + Data([0, 0, 0]) + second)?.message.contains("other bytes follow") == true)
    #expect(try Self.problem(whole + Data(repeating: 0, count: 600_000)) == nil)
    for length in (first.count + 1)..<whole.count {
      #expect(try Self.problem(whole.prefix(length))?.message.contains("cut off") == true, "\(length) bytes")
    }
  }

  @Test(
    arguments: [
      (Array("PAR1xx".utf8), "Parquet"), ([0xff, 0xfe, 0x75, 0], "UTF-16"), ([0x93] + Array("NUMPY\u{1}".utf8), "NumPy"),
      ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4], "7z"),
      // Nothing but the first bytes of a packed file.
      ([0x50, 0x4b, 3, 4, 0, 0], "damaged or cut off"), (Array("BZh9xx".utf8), "damaged or cut off"),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "damaged or cut off"), ([0x28, 0xb5, 0x2f, 0xfd, 0], "damaged or cut off"),
      ([0x04, 0x22, 0x4d, 0x18, 0], "damaged or cut off"), ([0x50, 0x4b, 5, 6] + Array(repeating: 0, count: 18), "without files"),
    ] as [([UInt8], String)])
  func otherFilesAreNamed(_ bytes: [UInt8], _ name: String) throws {
    try withFile(Data(bytes)) { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.message.contains(name) == true }
    }
  }
}
