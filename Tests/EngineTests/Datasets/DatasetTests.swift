import Foundation
import Kernels
import Testing

@testable import Datasets
@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Calls `body` with the path of a temporary file.
@discardableResult
func withFile<Result>(_ text: String, _ name: String = "data.txt", _ body: (String) throws -> Result) throws -> Result {
  try withFile(Data(text.utf8), name, body)
}

@discardableResult
func withFile<Result>(_ data: Data, _ name: String = "data.txt", _ body: (String) throws -> Result) throws -> Result {
  let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let path = folder + "/" + name
  try data.write(to: URL(fileURLWithPath: path))
  return try body(path)
}

@Suite struct ReadingTests {
  static func names(_ histories: Histories) -> [[String]] {
    (0..<histories.count).map { histories.history($0).map { histories.items.name($0) } }
  }

  @Test(arguments: [",", "\t", " "])
  func sequenceFiles(separator: String) throws {
    let text = ["0 0 a b", "0 a b c", "b a c d"].map { $0.replacingOccurrences(of: " ", with: separator) }
      .joined(separator: "\n")
    try withFile(text) { path in
      let result = try Histories.read(path)
      #expect(Self.names(result.histories) == [["a", "b"], ["a", "b", "c"], ["b", "a", "c", "d"]])
      #expect(result.histories.items.name(0) == "0")
      #expect(result.histories.lineLength == 4)
      #expect(result.notes.count == 2)
      let set = try result.histories.windows(length: 4)
      #expect(Array(set.sequence(0)).prefix(2) == [0, 0])
    }
  }

  @Test func aZeroBetweenItemsIsAnItem() throws {
    try withFile("0,1,2\n3,0,1\n") { path in
      let names = Self.names(try Histories.read(path, .init(format: .sequences)).histories)
      #expect(names == [["0", "1", "2"], ["3", "0", "1"]])
    }
  }

  @Test func lineEndingsByteOrderMarksAndEmptyLines() throws {
    try withFile("\u{feff}a,b\r\n\r\nb,c") { path in
      let names = Self.names(try Histories.read(path, .init(format: .sequences)).histories)
      #expect(names == [["a", "b"], ["b", "c"]])
    }
  }

  @Test func errorsInSequenceFilesHaveLineAndColumn() throws {
    func problem(_ text: String, _ options: ReadingOptions = .init(format: .sequences)) throws -> DataError? {
      try withFile(text) { path in
        do {
          _ = try Histories.read(path, options)
          return nil
        } catch let error as DataError {
          return error
        }
      }
    }
    let missing = try #require(try problem("a,b\na,,b\n"))
    #expect(missing.line == 2 && missing.column == 3)
    let short = try #require(try problem("0,0,a\n0,b,a\na,b\n"))
    #expect(short.line == 3 && short.message.contains("2 items"))
    let named = try #require(try problem("x,a\na,b,c\n", .init(format: .sequences, pad: "x")))
    #expect(named.line == 2)
    // Padding between items would be read as items.
    let behind = try #require(try problem("a,0,0\n0,0,b\n"))
    #expect(behind.line == 1 && behind.message.contains("pad"))
    let blanks = try #require(try problem("1,2,3\n4 5 6\n"))
    #expect(blanks.line == 2 && blanks.message.contains("commas"))
    // Four columns without a header are not sequences.
    let table = try #require(try problem("196\t242\t3\t881250949\n", .init()))
    #expect(table.message.contains("table"))
    #expect(try problem("0,a\n", .init(format: .sequences, user: "u"))?.argument == "user")
    let bytes = try withFile(Data([0x61, 0x2c, 0xff, 0x0a])) { path in
      #expect(throws: DataError.self) { try Histories.read(path, .init(format: .sequences)) }
    }
    _ = bytes
    #expect(throws: DataError.self) { try Histories.read("/no/such/file.csv") }
    #expect(throws: DataError.self) { try Histories.read("/tmp") }
    try withFile("") { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    try withFile(Data([0x1f, 0x8b, 8, 0])) { path in #expect(throws: DataError.self) { try Histories.read(path) } }
  }

  @Test func movieLensRatings() throws {
    try withFile("1::10::5::300\n1::20::3::100\n2::10::4::50\n", "ratings.dat") { path in
      let histories = try Histories.read(path).histories
      #expect(Self.names(histories) == [["20", "10"], ["10"]])
      #expect(histories.times == [100, 300, 50])
      #expect(histories.users.names == ["1", "2"])
    }
    try withFile("7\t10\t3\t300\n7\t20\t3\t100\n8\t10\t4\t50\n", "u.data") { path in
      let result = try Histories.read(path)
      #expect(result.notes == ["\(path) read as format: movielens"] && result.histories.ratings == [3, 3, 4])
      #expect(result.histories.times == [100, 300, 50] && result.histories.users.names == ["7", "8"])
    }
    try withFile("7\t10\t3\n", "u.data") { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    try withFile("1::10::5\n", "ratings.dat") { path in #expect(throws: DataError.self) { try Histories.read(path) } }
    try withFile("1::10::5::soon\n", "ratings.dat") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.column == 11 }
    }
    try withFile("userId,movieId,rating,timestamp\n1,10,5,300\n1,20,5,100\n", "ratings.csv") { path in
      let names = Self.names(try Histories.read(path).histories)
      #expect(names == [["20", "10"]])
    }
  }

  @Test func tables() throws {
    let text = "time\tcustomer\tsku\tnote\n5\tu1\t\"a\tb\"\tx\n3\tu1\tc\t\"\"\n"
    try withFile(text) { path in
      let result = try Histories.read(path)
      #expect(Self.names(result.histories) == [["c", "a\tb"]])
    }
    try withFile("who,what\nu,a\nu,b\n") { path in
      #expect(throws: DataError.self) { try Histories.read(path, .init(format: .table)) }
      let named = try Histories.read(path, .init(format: .table, user: "who", item: "what"))
      #expect(Self.names(named.histories) == [["a", "b"]])
      #expect(throws: DataError.self) { try Histories.read(path, .init(format: .table, user: "whom", item: "what")) }
    }
    try withFile("user,item\nu,a\nu\n") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.line == 3 }
    }
  }
}

@Suite struct ProcessingTests {
  static func histories(_ lists: [[Int32]], items: Int) -> Histories {
    var offsets = [0]
    for list in lists { offsets.append(offsets[offsets.count - 1] + list.count) }
    return Histories(
      items: Vocabulary((0..<items).map { "\($0)" }), users: Vocabulary(lists.indices.map { "u\($0)" }),
      owners: Column(lists.indices.map { Int32($0) }), offsets: Column(offsets), events: Column(lists.flatMap { $0 }), hasUsers: true,
      source: "by hand")
  }

  /// Dropping item 3 makes user 2 too short, which makes item 2 too rare, which makes user 1 too short.
  @Test func filteringRepeatsUntilTheCoreIsStable() throws {
    let data = Self.histories([[1, 1, 1], [1, 2], [2, 3]], items: 4)
    let kept = try data.filtered(minUser: 2, minItem: 2)
    #expect(ReadingTests.names(kept) == [["1", "1", "1"]])
    #expect(kept.items.names == ["0", "1"])
    #expect(kept.users.names == ["u0"])
  }

  @Test func windowsAreCutFromTheEnd() throws {
    let data = Self.histories([[1, 2, 3, 4, 5, 6, 7], [1], [1, 2]], items: 8)
    let set = try data.windows(length: 3)
    let rows = (0..<set.count).map { Array(set.sequence($0)) }
    #expect(rows == [[5, 6, 7], [2, 3, 4], [0, 1, 2]])
    let overlapping = try data.windows(length: 3, stride: 1)
    #expect((0..<overlapping.count).map { Array(overlapping.sequence($0)) }.prefix(3) == [[5, 6, 7], [4, 5, 6], [3, 4, 5]])
    #expect(throws: DataError.self) { try data.windows(length: 1) }
    #expect(throws: DataError.self) { try data.windows(length: 3, minimum: 4) }
  }

  @Test func splitPartsAreDisjointAndComplete() throws {
    let set = SequenceSet.fixed(length: 2, tokens: (0..<2000).map { Int32($0 + 1) }, items: 2001)
    let split = try set.split(train: 0.8, valid: 0.1, test: 0.1, seed: 3)
    #expect(split.train.count == 800 && split.valid.count == 100 && split.test.count == 100)
    #expect(Set(split.train.tokens + split.valid.tokens + split.test.tokens).count == 2000)
    let again = try set.split(train: 0.8, valid: 0.1, test: 0.1, seed: 3)
    #expect(again.train.tokens == split.train.tokens)
    #expect(try set.split(train: 0.8, valid: 0.1, test: 0.1, seed: 4).train.tokens != split.train.tokens)
    // A larger share contains every smaller one.
    #expect(split.train.fraction(0.2).tokens == Array(split.train.fraction(0.4).tokens.prefix(320)))
    #expect(throws: DataError.self) { try set.split(train: 0.9, valid: 0.1, test: 0.1, seed: 1) }
    #expect(throws: DataError.self) { try set.split(train: 0, valid: 0.5, test: 0.5, seed: 1) }
  }

  /// The authors' test part has int(0.2 n) sequences; here it has at least one.
  @Test func referenceSplitRoundsTheTestPartDown() throws {
    for (count, test) in [(2, 1), (4, 1), (9, 1), (13, 2), (14, 2), (15, 3), (1004, 200)] {
      let set = SequenceSet.fixed(length: 2, tokens: (0..<2 * count).map { Int32($0 + 1) }, items: 2 * count + 1)
      let split = try set.referenceSplit(seed: 3)
      #expect(split.test.count == test && split.train.count == count - test)
      #expect(Set(split.train.tokens + split.test.tokens).count == 2 * count)
    }
  }

  /// A window of one part could contain the target of another part, so all windows of a user stay in one part.
  @Test func overlappingWindowsAreSplitByUser() throws {
    let data = Self.histories((0..<40).map { u in (0..<9).map { Int32(($0 + u) % 7 + 1) } }, items: 8)
    let split = try data.windows(length: 4, stride: 1).split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)
    let users = [split.train, split.valid, split.test].map { Set($0.users) }
    #expect(users[0].isDisjoint(with: users[1]) && users[0].isDisjoint(with: users[2]) && users[1].isDisjoint(with: users[2]))
    #expect(users[0].count + users[1].count + users[2].count == 40)
    #expect(split.rule.contains("by user"))
  }

  /// Users are shuffled; the sequences of a user keep their order. Fingerprints of trainings depend on it.
  @Test func wholeUsersAreShuffled() throws {
    let lists = (0..<40).map { user -> [Int32] in
      let length: Int = 4 + user % 5
      return (0..<length).map { Int32(($0 + user) % 7 + 1) }
    }
    let set = try Self.histories(lists, items: 8).windows(length: 4, stride: 1)
    var numbers = RandomStream(seed: 3, "split").numbers()
    let place = numbers.permutation(40)
    var order: [Int] = []
    for user in place { order += (0..<set.count).filter { set.user($0) == Int32(user) } }
    let split = try set.split(train: 0.6, valid: 0.2, test: 0.2, seed: 3)
    #expect(split.train.count + split.valid.count + split.test.count == set.count)
    var tokens: [Int32] = split.train.tokens
    tokens += split.valid.tokens
    tokens += split.test.tokens
    #expect(tokens == set.selecting(order).tokens)
  }

  /// Real data, if its folder exists, has the counts of its description.
  @Test func realData() throws {
    let folder = Fixture.root.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared/data").path
    guard FileManager.default.fileExists(atPath: folder) else {
      print("skipped: the folder of real data is not there")
      return
    }
    let retail = try Histories.read(folder + "/online-retail/sequences20.csv").histories
    #expect(retail.count == 21_092 && retail.items.count == 3_193)
    let tweets = try Histories.read(folder + "/movietweetings/ratings.dat").histories
    #expect(tweets.events.count == 141_695 && tweets.count == 21_081 && tweets.items.count - 1 == 12_611)
  }
}

@Suite struct SyntheticTests {
  @Test func probabilitiesMatchTheDraws() {
    let process = InterestProcess(items: 80, seed: 3)
    let history: [Int32] = [4, 17, 4, 33, 60, 4]
    let p = process.probabilities(after: history)
    #expect(abs(p.reduce(0, +) - 1) < 1e-12)
    #expect(p.allSatisfy { $0 >= 0 })
  }

  /// The events have the probabilities of the process: the log-likelihood is much higher than that of a uniform
  /// distribution, and the frequency of the most likely item agrees with its probability.
  @Test func oracleIsCalibrated() throws {
    let made = try SyntheticProcess.histories(users: 2000, items: 80, seed: 1)
    let process = try #require(made.process)
    var expected = 0.0
    var hits = 0.0
    for user in 0..<2000 {
      let history = Array(made.history(user))
      for time in stride(from: 3, to: history.count, by: 5) {
        let p = process.probabilities(user: user, time: time)
        let top = p.indices.max { p[$0] < p[$1] } ?? 0
        expected += p[top]
        if Int(history[time]) - 1 == top { hits += 1 }
      }
    }
    #expect(abs(hits - expected) < 4 * expected.squareRoot())
    #expect(expected > 0)
  }

  @Test func sameSeedSameHistories() throws {
    let a = try SyntheticProcess.histories(users: 30, items: 90, seed: 5)
    #expect(a.events == (try SyntheticProcess.histories(users: 30, items: 90, seed: 5)).events)
    #expect(a.events != (try SyntheticProcess.histories(users: 30, items: 90, seed: 6)).events)
    #expect(throws: DataError.self) { try SyntheticProcess.histories(users: 0, items: 90, seed: 5) }
    #expect(throws: DataError.self) { try SyntheticProcess.histories(users: 5, items: 1, seed: 5) }
  }

  /// The oracle gives the right probabilities after filtering and windowing.
  @Test func oracleBeatsEveryBaseline() throws {
    let split = try SyntheticProcess.histories(users: 600, items: 200, seed: 2)
      .filtered(minUser: 5, minItem: 5).windows(length: 20).split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)
    let pool = NextItNetTests.pool
    let metric = Metric(.mrr, 5)
    let oracle = try #require(Oracle(split.test))
    let best = metric.mean(Ranking.ranks(oracle, on: split.test, pool: pool))
    let markov = metric.mean(Ranking.ranks(Baseline(.markov, train: split.train), on: split.test, pool: pool))
    let popular = metric.mean(Ranking.ranks(Baseline(.popular, train: split.train), on: split.test, pool: pool))
    #expect(best > markov && markov > popular)
  }
}
