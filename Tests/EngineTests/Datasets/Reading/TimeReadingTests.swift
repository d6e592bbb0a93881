import Foundation
import Testing

@testable import Datasets

/// Fractions of a second and the units of times.
@Suite struct TimeReadingTests {
  private static func read(_ times: [String], _ options: ReadingOptions = .init()) throws -> (
    items: [String], histories: Histories, notes: [String]
  ) {
    let text = "user,item,time\n" + times.enumerated().map { "u,\($0),\($1)\n" }.joined()
    return try withFile(text) { path in
      let result = try Histories.read(path, options)
      return (result.histories.history(0).map { result.histories.items.name($0) }, result.histories, result.notes)
    }
  }

  private static func problem(_ times: [String], _ options: ReadingOptions = .init()) throws -> DataError? {
    do {
      _ = try read(times, options)
      return nil
    } catch let error as DataError {
      return error
    }
  }

  private static let written: [([String], [String], [Int64], Int64)] = [
    (["1609459200.4", "1609459200.1"], ["1", "0"], [1_609_459_200_100, 1_609_459_200_400], 1000),
    (["1.5", "1.4999"], ["1", "0"], [1_499_900, 1_500_000], 1_000_000),
    (["-0.5", "-0.75", "0"], ["1", "0", "2"], [-750, -500, 0], 1000),
    (["2020-01-01T00:00:00.5Z", "\"2020-01-01 00:00:00,25\""], ["1", "0"], [1_577_836_800_250, 1_577_836_800_500], 1000),
    (
      ["2020-01-01T00:00:00.000000002", "2020-01-01T00:00:00.000000001"], ["1", "0"],
      [1_577_836_800_000_000_001, 1_577_836_800_000_000_002], 1_000_000_000
    ),
    (["1.6094592005e9", "1609459200.25"], ["1", "0"], [1_609_459_200_250, 1_609_459_200_500], 1000),
    (["12.0", "11.000", "+3"], ["2", "1", "0"], [3, 11, 12], 1), (["5", "3.", ".5"], ["2", "1", "0"], [500, 3000, 5000], 1000),
    (["3", "3", "1", "3"], ["2", "0", "1", "3"], [1, 3, 3, 3], 1),
  ]

  @Test(arguments: written)
  func fractions(_ times: [String], _ items: [String], _ ticks: [Int64], _ perSecond: Int64) throws {
    let read = try Self.read(times)
    #expect(read.items == items && read.histories.ticksPerSecond == perSecond)
    #expect(read.histories.times.map(Array.init) == ticks)
  }

  /// Times that differ by less than a nanosecond are ordered by all their digits; the stored time is rounded down.
  @Test func timesAreOrderedByAllDigits() throws {
    let read = try Self.read(["0.12345678901234567", "0.12345678901234566", "0.1234567890"])
    #expect(read.items == ["2", "1", "0"] && read.histories.times.map(Array.init) == [123_456_789, 123_456_789, 123_456_789])
    // A time this large does not fit into 64 bits as nanoseconds.
    let far = try Self.read(["99999999999.00000002", "99999999999.00000001"])
    #expect(far.items == ["1", "0"] && far.histories.ticksPerSecond == 1_000_000)
  }

  private static let sizes: [(String, TimeUnit, Int64, Int64)] = [
    ("1609459200123", TimeUnit.milliseconds, 1_609_459_200_123, 1000), ("1609459200000", .milliseconds, 1_609_459_200, 1),
    ("1609459200123456", .microseconds, 1_609_459_200_123_456, 1_000_000), ("1609459200120000", .microseconds, 1_609_459_200_120, 1000),
    ("1609459200123456789", .nanoseconds, 1_609_459_200_123_456_789, 1_000_000_000),
    ("1609459200000000000", .nanoseconds, 1_609_459_200, 1), ("1609459200123.5", .milliseconds, 1_609_459_200_123_500, 1_000_000),
    ("1.609459200123e12", .milliseconds, 1_609_459_200_123, 1000),
  ]

  @Test(arguments: sizes)
  func unitsAreDetectedBySize(_ text: String, _ unit: TimeUnit, _ ticks: Int64, _ perSecond: Int64) throws {
    let read = try Self.read([text])
    #expect(read.histories.times.map(Array.init) == [ticks] && read.histories.ticksPerSecond == perSecond)
    #expect(read.notes.contains { $0.contains("times are read as \(unit.rawValue), from 2021-01-01") })
    #expect(read.histories.timeRange?.first.hasPrefix("2021-01-01") == true)
    // A time of 0 is no evidence of a unit.
    #expect(try Self.read([text, "0"]).histories.times?.last == ticks)
  }

  @Test func secondsStayAsTheyAre() throws {
    let read = try Self.read(["100000000000", "99999999999", "-100000000000", "0"])
    #expect(read.histories.times.map(Array.init) == [-100_000_000_000, 0, 99_999_999_999, 100_000_000_000])
    #expect(read.histories.ticksPerSecond == 1 && !read.notes.contains { $0.contains("times are read as") })
  }

  @Test func unitsCanBeGiven() throws {
    #expect(try Self.read(["5000"], .init(timeUnit: .milliseconds)).histories.timeRange?.first == "1970-01-01 00:00:05")
    #expect(try Self.read(["1609459200123"], .init(timeUnit: .seconds)).histories.times.map(Array.init) == [1_609_459_200_123])
    let mixed = try #require(try Self.problem(["1609459200123", "5"]))
    #expect(mixed.message.contains("different sizes, 5 and 1609459200123") && mixed.help?.contains("time_unit: milliseconds") == true)
    #expect(try Self.read(["1609459200123", "5"], .init(timeUnit: .milliseconds)).items == ["1", "0"])
    #expect(try Self.problem(["2020-01-01"], .init(timeUnit: .milliseconds))?.argument == "time_unit")
    #expect(try Self.problem(["2020-01-01", "1609459200123"])?.message.contains("some times are dates") == true)
    // The year 9999 in seconds is as large a number as 1978 in milliseconds.
    #expect(try Self.read(["9999-12-31", "2020-01-01"]).histories.timeRange?.last == "9999-12-31")
    try withFile("user,item\nu,i\n") { path in
      #expect { try Histories.read(path, .init(timeUnit: .seconds)) } throws: { ($0 as? DataError)?.argument == "time_unit" }
    }
  }

  @Test(arguments: ["0x10", "1e", "1e+", "--1", "1.2.3", ".", "e5", "1 2", "9223372036854775808", "1e19"])
  func invalidTimes(_ text: String) throws {
    #expect(try Self.problem([text])?.message.contains("expected a time") == true)
  }

  /// Written times are read back exactly: no digit is lost or added.
  @Test func fractionsAreWrittenAndRead() throws {
    let histories = try Self.read(["-0.25", "3", "1609459200.000000001"]).histories
    for format in [DataWriter.Format.table(0x2c), .table(0x09), .inter] {
      var bytes: [UInt8] = []
      try DataWriter.write(histories, format) { bytes += $0 }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(["-0.25\n", "3\n", "1609459200.000000001\n"].allSatisfy(text.contains))
      try withFile(text, "a.\(format.ending)") { path in
        let again = try Histories.read(path).histories
        #expect(again.times == histories.times && again.ticksPerSecond == 1_000_000_000)
      }
    }
    var bytes = Data()
    try histories.writeBinary { bytes.append(contentsOf: $0) }
    #expect(bytes[8] == 2)
    try withFile(bytes, "a.srsd") { path in
      let again = try Histories.read(path).histories
      #expect(again.times == histories.times && again.ticksPerSecond == 1_000_000_000)
    }
    // Whole seconds still use version 1 of the file format.
    var old = Data()
    try Self.read(["1", "2"]).histories.writeBinary { old.append(contentsOf: $0) }
    #expect(old[8] == 1)
  }

  @Test func filtersCompareFractionsOfSeconds() throws {
    let histories = try Self.read(["10.25", "10.5", "11"]).histories
    func kept(_ from: Double?, _ before: Double?) throws -> Int {
      try histories.filtered(minUser: 0, minItem: 0, .init(from: from, before: before)).events.count
    }
    #expect(try kept(10.5, nil) == 2 && kept(nil, 10.5) == 1 && kept(10, 11) == 2 && kept(10.4, nil) == 2)
  }

  @Test func fractionsInAllFormats() throws {
    for (text, name, options) in [
      ("1::a::5::1.5\n1::b::5::1.25\n", "ratings.dat", ReadingOptions()), ("1\ta\t5\t1.5\n1\tb\t5\t1.25\n", "u.data", .init()),
      ("user_id:token\titem_id:token\ttimestamp:float\n1\ta\t1.5\n1\tb\t1.25\n", "x.inter", .init()),
      ("{\"session\":1,\"events\":[{\"aid\":\"a\",\"ts\":1.5},{\"aid\":\"b\",\"ts\":\"1970-01-01T00:00:01.25\"}]}\n", "x.jsonl", .init()),
      ("{\"user\":1,\"item\":\"a\",\"time\":1.5}\n{\"user\":1,\"item\":\"b\",\"time\":1.25}\n", "y.jsonl", .init()),
    ] {
      try withFile(text, name) { path in
        let histories = try Histories.read(path, options).histories
        #expect(histories.history(0).map { histories.items.name($0) } == ["b", "a"], "\(name)")
        #expect(histories.times.map(Array.init) == [1250, 1500], "\(name)")
      }
    }
  }
}

extension DataWriter.Format {
  /// The file name extension of the format.
  var ending: String {
    switch self {
    case .table(0x09): "tsv"
    case .table: "csv"
    case .inter: "inter"
    }
  }
}
