import Foundation
import Kernels
import Testing

@testable import Datasets

/// All data formats: reading, errors and writing.
@Suite struct FormatTests {
  private static let pool = WorkerPool(threads: 2)

  /// The item names of each user, oldest first.
  private static func content(_ histories: Histories) -> [String: [String]] {
    var content: [String: [String]] = [:]
    for h in 0..<histories.count {
      content[histories.users.name(histories.owners[h]), default: []] += histories.history(h).map { histories.items.name($0) }
    }
    return content
  }

  private static func read(_ text: String, _ name: String = "data.txt", _ options: ReadingOptions = .init()) throws -> [String: [String]] {
    try withFile(text, name) { path in content(try Histories.read(path, options).histories) }
  }

  private static func problem(_ text: String, _ name: String = "data.txt", _ options: ReadingOptions = .init()) throws -> DataError? {
    try withFile(text, name) { path in
      do {
        _ = try Histories.read(path, options)
        return nil
      } catch let error as DataError {
        return error
      }
    }
  }

  static func packed(_ text: String) throws -> Data { try packed(Data(text.utf8)) }

  static func packed(_ data: Data) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = ["-c"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: data)
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return data
  }

  @Test func recBole() throws {
    let text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu1\ti2\t3\t200\nu1\ti1\t4.5\t100.0\n\"u 2\"\ti2\t1\t5\n"
    #expect(try Self.read(text, "ml.inter") == ["u1": ["i1", "i2"], "u 2": ["i2"]])
    #expect(try Self.read(text, "ml.txt") == ["u1": ["i1", "i2"], "u 2": ["i2"]])
    #expect(try Self.read(text, "ml.inter", .init(user: "item_id", item: "user_id")) == ["i1": ["u1"], "i2": ["u 2", "u1"]])
    let broken = try #require(try Self.problem(text + "u3\ti1\t1\n", "ml.inter"))
    #expect(broken.line == 5 && broken.message.contains("expected 4 fields as in the header, found 3"))
    #expect(try Self.problem("a:token\tb:token\nx\ty\n", "x.inter")?.message == "no column looks like the user")
  }

  @Test func pairs() throws {
    #expect(try Self.read("1 10\n1 20\n2 10\n1 10\n") == ["1": ["10", "20", "10"], "2": ["10"]])
    #expect(try Self.read("1\t10\n1\t20\n2\t10\n") == ["1": ["10", "20"], "2": ["10"]])
    let broken = try #require(try Self.problem("1 10\n1 20 3\n", "p.txt", .init(format: .pairs)))
    #expect(broken.line == 2 && broken.message.contains("found 3"))
  }

  @Test func sessions() throws {
    let text = """
      {"session": 11, "events": [{"aid": 59625, "ts": 1661724000278, "type": "clicks"}, {"aid": 7, "ts": 1661724000100, "type": "carts"}]}
      {"events":[{"ts":1661724000000,"aid":"a b","more":{"x":[1,{"y":null}]}}],"session":"s\\"2","other":true}

      {"session": 12, "events": []}
      """
    try withFile(text, "otto.jsonl") { path in
      let result = try Histories.read(path)
      #expect(Self.content(result.histories) == ["11": ["7", "59625"], "s\"2": ["a b"]])
      #expect(result.histories.times == [1_661_724_000_100, 1_661_724_000_278, 1_661_724_000_000])
      #expect(result.histories.ticksPerSecond == 1000)
      #expect(result.notes.contains { $0.contains("milliseconds") })
    }
    for (line, message) in [
      ("{\"session\": 1}", "no list \"events\""), ("{\"events\": []}", "no user"),
      ("{\"session\": 1, \"events\": [{\"aid\": 1}]}", "no time"),
      ("{\"session\": 1, \"events\": [{\"aid\": 1, \"ts\": \"soon\"}]}", "expected a time"),
      ("{\"session\": 1, \"events\": [", "expected `{`"),
      ("{\"session\": {}, \"events\": []}", "expected a number or a text"), ("{\"session\": 1, \"events\": []} x", "expected the end"),
      ("{\"session\": \"a, \"events\": []}", "expected `,` or `}`"), (String(repeating: "{\"x\":", count: 200), "nested too deeply"),
    ] {
      let broken = try #require(try Self.problem("{\"session\": 1, \"events\": [{\"aid\": 1, \"ts\": 2}]}\n\(line)\n"), "\(line)")
      #expect(broken.line == 2 && broken.message.contains(message), "\(line): \(broken.message)")
    }
  }

  @Test func columnsByNumberAndSeparators() throws {
    let text = "7|x|a|2020-01-02\n7|y|b|2020-01-01\n"
    #expect(try Self.read(text, "t.txt", .init(user: 1, item: 3, time: 4)) == ["7": ["b", "a"]])
    #expect(try Self.read("h|h|h|h\n" + text, "t.txt", .init(user: 1, item: 3, time: 4, header: true)) == ["7": ["b", "a"]])
    #expect(try Self.read("user;item\n1;2\n1;3\n") == ["1": ["2", "3"]])
    #expect(try Self.read("user item\n1 2\n1 3\n", "t.txt", .init(format: .table)) == ["1": ["2", "3"]])
    #expect(try Self.read("user!item\n1!2\n", "t.txt", .init(format: .table, separator: 0x21)) == ["1": ["2"]])
    #expect(try Self.problem(text, "t.txt", .init(user: 1, item: 9))?.message.contains("no column 9") == true)
    #expect(try Self.problem(text, "t.txt", .init(user: "who", item: "a", header: false))?.message.contains("no column \"who\"") == true)
    #expect(try Self.problem("user,item\n1,2\n", "t.txt", .init(user: "item"))?.argument == "item")
    #expect(try Self.problem("1::2::3::4\n", "r.dat", .init(user: "u"))?.message.contains("no column \"u\"") == true)
  }

  @Test func quotes() throws {
    let text = "user,item\n\"a,b\",\"say \"\"hi\"\"\"\n\"a,b\", c d \n"
    #expect(try Self.read(text) == ["a,b": ["say \"hi\"", " c d "]])
    let open = try #require(try Self.problem("user,item\n1,\"open\n2,3\n"))
    #expect(open.line == 2 && open.column == 3 && open.message.contains("quote"))
  }

  @Test(arguments: [
    ("2020-02-29", 1_582_934_400), ("2020-02-29 10:30", 1_582_972_200), ("2020-02-29T10:30:15.000Z", 1_582_972_215),
    ("2020-02-29T10:30:15+02:00", 1_582_965_015), ("1969-12-31", -86400), ("-5", -5), ("12.0", 12), ("1e3", 1000), ("0", 0),
  ])
  func times(_ text: String, _ seconds: Int64) throws {
    let times = try withFile("user,item,time\nu,i,\(text)\n") { try Histories.read($0).histories.times }
    #expect(times == [seconds])
  }

  @Test(arguments: ["soon", "2020-13-01", "2021-02-29", "2020-01-01 25:00", "99999999999999999999", "1e30", "nan", ""])
  func textsThatAreNotTimes(_ text: String) throws {
    let problem = try #require(try Self.problem("user,item,time\nu,i,\(text)\n"))
    #expect(problem.line == 2 && problem.column == 5 && problem.message.contains("expected a time"))
  }

  @Test func equalAndNegativeTimesKeepTheOrderOfTheFile() throws {
    #expect(try Self.read("user,item,time\nu,a,5\nu,b,-5\nu,c,5\nu,d,-5\n") == ["u": ["b", "d", "a", "c"]])
    #expect(try Self.read("user,item,time\nu,a,9000000000000000\nu,b,-9000000000000000\n") == ["u": ["b", "a"]])
  }

  @Test func byteOrderMarksLineEndingsAndEmptyLines() throws {
    #expect(try Self.read("\u{feff}user,item\r\n\r\n1,2\r\n\n1,2\r\n1,é") == ["1": ["2", "2", "é"]])
  }

  /// Ids are texts: an id that looks like a number is read without changes.
  @Test func identifiersStayAsTheyAre() throws {
    let items = ["7", "007", "0", "00", "-7", "7.0", "1234567890123456789", "999999999999999999", "+7", "x", "日本", "7"]
    let text = "user,item\n" + items.map { "u,\($0)\n" }.joined()
    try withFile(text) { path in
      let histories = try Histories.read(path).histories
      #expect(histories.history(0).map { histories.items.name($0) } == items)
      #expect(histories.items.count == 12)
    }
  }

  @Test func gzip() throws {
    let text = "user,item,time\n" + (0..<5000).map { "\($0 % 70),\($0 % 13),\($0)\n" }.joined()
    let data = try Self.packed(text)
    let plain = try Self.read(text)
    for whole in [data, try Self.packed("user,item,time\n") + (try Self.packed(String(text.dropFirst(15))))] {
      let content = try withFile(whole, "t.csv.gz") { Self.content(try Histories.read($0).histories) }
      #expect(content == plain)
    }
    try withFile(data.prefix(data.count / 2), "t.csv.gz") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.message.contains("cut off") ?? false }
    }
    var damaged = data
    damaged[data.count / 2] ^= 0xff
    try withFile(damaged, "t.csv.gz") { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    let lines = try withFile(try Self.packed("0,0,a\n0,b,a\n"), "s.csv.gz") {
      Self.content(try Histories.read($0, .init(format: .sequences)).histories)
    }
    #expect(lines == ["line 1": ["a"], "line 2": ["b", "a"]])
  }

  @Test func linesWithErrors() throws {
    let text = "user,item,time\n1,2,3\n1,2\n,5,6\n1,4,5\n1,6,soon\n"
    let problem = try #require(try Self.problem(text))
    #expect(problem.line == 3 && problem.message.contains("2 more lines cannot be read either"))
    #expect(problem.help?.contains("on_error: skip") == true)
    try withFile(text) { path in
      let result = try Histories.read(path, .init(skipsErrors: true))
      #expect(Self.content(result.histories) == ["1": ["2", "4"]])
      #expect(result.notes.contains { $0.contains("3 lines of") && $0.contains("line 3") })
    }
    #expect(try Self.problem("user,item\n1\n", "t.csv", .init(skipsErrors: true))?.message == "the file has no interactions")
  }

  /// Several threads give the same result as one thread, including errors and their lines.
  @Test func blocksAreWholeLines() throws {
    var text = "user,item,time,rating\n"
    var rows: [(String, String)] = []
    for i in 0..<420_000 {
      let (user, item) = ("user\(i * 7919 % 3001)", "\(i * 104_729 % 5003)")
      text += "\(user),\(item),\(1_000_000_000 + i * 31 % 1_000_003),\(i % 5 + 1)\n"
      rows.append((user, item))
    }
    #expect(text.utf8.count > 2 * BlockReader.blockSize)
    try withFile(text) { path in
      let one = try Histories.read(path).histories
      let two = try Histories.read(path, .init(pool: Self.pool)).histories
      #expect(one.events == two.events && one.times == two.times && one.ratings == two.ratings)
      #expect(one.items == two.items && one.users == two.users && one.offsets == two.offsets)
      #expect(one.events.count == rows.count && one.items.count == 5004)
      // The expected result: grouped by user, sorted by time with a stable sort.
      let times = rows.indices.map { 1_000_000_000 + $0 * 31 % 1_000_003 }
      let first = rows.indices.filter { rows[$0].0 == "user0" }.sorted { (times[$0], $0) < (times[$1], $1) }
      #expect(one.history(0).map { one.items.name($0) } == first.map { rows[$0].1 })
    }
    try withFile(text + "broken\n") { path in
      #expect { try Histories.read(path, .init(pool: Self.pool)) } throws: { ($0 as? DataError)?.line == 420_002 }
    }
  }

  @Test func readingCanBeStopped() throws {
    let text = "user,item\n" + String(repeating: "1,2\n", count: 10)
    try withFile(text) { path in #expect(throws: ReadingStopped.self) { try Histories.read(path) { _, _ in false } } }
  }

  @Test func radixSortAgreesWithTheStandardSort() {
    var sort = TimeSort()
    var state: UInt64 = 3
    for count in [1, 2, 5, 63, 64, 65, 1000, 5000] {
      for range in [1, 10, 300, 70_000, 5_000_000_000, Int64.max / 2] {
        let times = (0..<count).map { _ -> Int64 in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int64(bitPattern: state >> 1) % range - range / 2
        }
        var rows = (0..<Int32(count)).map { $0 }
        rows.withUnsafeMutableBufferPointer { rows in times.withUnsafeBufferPointer { sort.sort(rows, by: $0) } }
        #expect(rows == (0..<Int32(count)).sorted { (times[Int($0)], $0) < (times[Int($1)], $1) })
      }
    }
  }

  // MARK: Writing

  private static func written(_ body: (_ put: ([UInt8]) throws -> Void) throws -> Void) rethrows -> String {
    var bytes: [UInt8] = []
    try body { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func writtenDataIsReadBack() throws {
    let text = "user,item,rating,time\n\"a,b\",\"x\"\"y\",4.5,7\n\"a,b\",z w,1,5\nc,é,3,-1\n"
    try withFile(text, "t.csv") { path in
      let histories = try Histories.read(path).histories
      for (format, name) in [(DataWriter.Format.table(0x2c), "o.csv"), (.table(0x09), "o.tsv"), (.inter, "o.inter")] {
        let again = try Self.written { put in try DataWriter.write(histories, format, put: put) }
        try withFile(again, name) { path in
          let read = try Histories.read(path).histories
          #expect(Self.content(read) == Self.content(histories), "\(name)")
          #expect(read.times == histories.times && read.ratings == histories.ratings, "\(name)")
        }
      }
    }
    try withFile("0,0,a,b\n0,a,b,c\n") { path in
      let set = try Histories.read(path, .init(pad: "0")).histories.windows(length: 4)
      let again = try Self.written { put in try DataWriter.write(set, put: put) }
      #expect(again == "item_1[pad=0],item_2,item_3,item_4\n0,0,a,b\n0,a,b,c\n")
      let inter = try Self.written { put in try DataWriter.writeInter(set, put: put) }
      #expect(inter == "user_id:token\titem_id_list:token_seq\titem_id:token\nline 1\ta\tb\nline 2\ta b\tc\n")
    }
  }

  // MARK: Filters and splits

  @Test func filters() throws {
    let text = "user,item,rating,time\nu,a,5,10\nu,b,2,20\nu,a,4,30\nu,c,3,40\nv,a,5,50\n"
    try withFile(text) { path in
      let data = try Histories.read(path).histories
      func kept(_ filter: EventFilter, minUser: Int = 0) throws -> [String: [String]] {
        Self.content(try data.filtered(minUser: minUser, minItem: 0, filter))
      }
      #expect(try kept(.init(minRating: 3)) == ["u": ["a", "a", "c"], "v": ["a"]])
      #expect(try kept(.init(from: 20, before: 40)) == ["u": ["b", "a"]])
      #expect(try kept(.init(repeats: .first)) == ["u": ["a", "b", "c"], "v": ["a"]])
      #expect(try kept(.init(minRating: 3, repeats: .first), minUser: 2) == ["u": ["a", "c"]])
      let times = try data.filtered(minUser: 0, minItem: 0, .init(minRating: 3)).times
      #expect(times == [10, 30, 40, 50])
    }
    try withFile("user,item\nu,a\n") { path in
      let data = try Histories.read(path).histories
      #expect { try data.filtered(minUser: 0, minItem: 0, .init(minRating: 3)) } throws: { ($0 as? DataError)?.argument == "min_rating" }
      #expect { try data.filtered(minUser: 0, minItem: 0, .init(from: 3)) } throws: { ($0 as? DataError)?.argument == "from" }
    }
  }

  @Test func windowsFromTheStart() throws {
    let data = ProcessingTests.histories([[1, 2, 3, 4, 5, 6, 7]], items: 8)
    let set = try data.windows(WindowOptions(length: 3, from: .start))
    #expect((0..<set.count).map { Array(set.sequence($0)) } == [[1, 2, 3], [4, 5, 6]])
    let moved = try data.windows(WindowOptions(length: 3, stride: 2, from: .start))
    #expect((0..<moved.count).map { Array(moved.sequence($0)) } == [[1, 2, 3], [3, 4, 5], [5, 6, 7]])
  }

  /// Cancelled, windows of no further history are made, in memory and in a mapped file.
  @Test func windowsCanBeCancelled() throws {
    let data = ProcessingTests.histories((0..<100).map { _ in [1, 2, 3, 4, 5, 6, 7] }, items: 8)
    var bytes = Data()
    try data.writeBinary { bytes.append(contentsOf: $0) }
    try withFile(bytes, "e.srsd") { path in
      for histories in [data, try Histories.read(path).histories] {
        var calls = 0
        let set = try histories.windows(WindowOptions(length: 3, stride: 1)) {
          calls += 1
          return calls > 20
        }
        #expect(set.count <= 20 * 5)
        calls = 0
        let split = try? histories.leaveLastOut(WindowOptions(length: 3, stride: 1)) {
          calls += 1
          return calls > 20
        }
        #expect(split?.train.count ?? 0 <= 20 * 3 && calls < 30)
        #expect(try histories.windows(WindowOptions(length: 3, stride: 1)).count == 500)
      }
    }
  }

  @Test func leaveLastOut() throws {
    let data = ProcessingTests.histories([[1, 2, 3, 4, 5], [1, 2, 3], [1, 2]], items: 6)
    let split = try data.leaveLastOut(WindowOptions(length: 4))
    func rows(_ set: SequenceSet) -> [[Int32]] { (0..<set.count).map { Array(set.sequence($0)) } }
    #expect(rows(split.train) == [[0, 1, 2, 3], [0, 0, 1, 2]])
    #expect(rows(split.valid) == [[1, 2, 3, 4], [0, 0, 1, 2]])
    #expect(rows(split.test) == [[2, 3, 4, 5], [0, 1, 2, 3]])
    #expect(split.test.users == [0, 1])
  }

  @Test func splitsByTimeAndUser() throws {
    var data = ProcessingTests.histories((0..<50).map { _ in [1, 2, 3, 4] }, items: 5)
    #expect(throws: DataError.self) { try data.windows(length: 4).splitByTime(train: 0.8, valid: 0.1, test: 0.1) }
    // Ten days of five histories each.
    data.times = Column((0..<200).map { Int64($0 / 20) })
    let split = try data.windows(length: 4).splitByTime(train: 0.75, valid: 0.1, test: 0.15)
    let times = [split.train, split.valid, split.test].map { Set($0.times ?? []) }
    #expect(times[0] == Set(0...7) && times[1] == [8] && times[2] == [9])
    let users = try data.windows(length: 2).split(train: 0.8, valid: 0.1, test: 0.1, seed: 1, byUser: true)
    #expect(Set(users.train.users).isDisjoint(with: users.test.users) && users.rule.contains("by user"))
  }

  /// With `order: time` a share of the training part is the oldest one.
  @Test func sharesByTimeAreTheOldest() throws {
    var data = ProcessingTests.histories((0..<200).map { _ in [1, 2, 3, 4] }, items: 5)
    data.times = Column((0..<800).map { Int64($0 / 4 * 7919 % 211) })
    let split = try data.windows(length: 4).split(train: 0.8, valid: 0.1, test: 0.1, seed: 1, oldestFirst: true)
    let all = try #require(split.train.times)
    for share in [0.1, 0.25, 0.5] {
      let part = split.fraction(share, label: "a share")
      let times = try #require(part.train.times)
      #expect(Array(times) == Array(all.sorted().prefix(Int(160 * share))), "\(share)")
      #expect(part.test.count == split.test.count)
    }
  }

  @Test func splitsFromThreeDataSets() throws {
    let train = try withFile("0,a,b\nb,c,a\n") { try Histories.read($0, .init(pad: "0")).histories.windows(length: 3) }
    let test = try withFile("x,d,b\nx,b,a\n") { try Histories.read($0, .init(format: .sequences, pad: "x")).histories.windows(length: 3) }
    let split = try Split(train: train, valid: test, test: test)
    #expect(split.test.items.names == ["0", "a", "b", "c", "d"])
    #expect(split.test.tokens == [0, 4, 2, 0, 2, 1] && split.train.tokens == [0, 1, 2, 2, 3, 1])
    let short = try withFile("a,b\n") { try Histories.read($0, .init(format: .sequences)).histories.windows(length: 2) }
    #expect(throws: DataError.self) { try Split(train: train, valid: train, test: short) }
  }

  /// Real data, if its folder exists, has the counts of its description.
  @Test func realData() throws {
    let folder = Fixture.root.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared/data").path
    guard FileManager.default.fileExists(atPath: folder) else {
      print("skipped: the folder of real data is not there")
      return
    }
    let retail = try Histories.read(folder + "/online-retail/interactions.csv.gz", .init(pool: Self.pool)).histories
    #expect(retail.events.count == 397_924)
    let windows = try retail.filtered(minUser: 5, minItem: 5).windows(length: 20, minimum: 5)
    #expect(windows.count == 21_092)
  }
}
