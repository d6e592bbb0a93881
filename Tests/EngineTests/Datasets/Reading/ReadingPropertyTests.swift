import Foundation
import Testing

@testable import Datasets

/// Every reader is compared with a slow reader simple enough to be evidently correct, on generated files: any ids,
/// quotes, separators, escapes, fractions of seconds, compression. The seeds are fixed.
@Suite struct ReadingPropertyTests {
  typealias Bytes = [UInt8]

  /// A row as the slow reader returns it. Texts are bytes, since `String` equates different Unicode forms of an id.
  struct Row: Equatable {
    var user: Bytes
    var item: Bytes
    /// As written in the file.
    var time: String?
  }

  enum Kind: CaseIterable {
    case comma, tab, semicolon, numbered, inter, colons, data, pairs, sessions, lines, sequences, userSequences, lists
  }

  // MARK: Generating

  struct Source {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state &* 0x2545_f491_4f6c_dd1d >> 11
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
  }

  private static let pieces = [
    "a", "B", "7", "0", "é", "e\u{301}", "日本", "😀", "\u{200b}", " ", "  ", "\t", ",", ";", "|", "\"", "'", "\\", "/", ":", "{", "]", "=",
    "-", "_",
    "<pad>", "null", "\\u0041", "\u{7f}", "ß", "\u{a0}",
  ]

  /// A random id without the given characters and not only of blanks, which some formats would read as a missing id.
  static func id(_ source: inout Source, without: [String]) -> String {
    if source.chance(40) { return "\(source.below(30))" }
    if source.chance(10) { return source.pick(["007", "7.0", "-1", "+3", "1e3", "999999999999999999", "12345678901234567890"]) }
    let allowed = pieces.filter { piece in !without.contains { piece.contains($0) } }
    while true {
      let text = (0...source.below(4)).map { _ in source.pick(allowed) }.joined()
      if !text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return text }
    }
  }

  /// Times of one unit, in different notations.
  static func times(_ source: inout Source, _ count: Int) -> [String] {
    let kind = source.below(7)
    return (0..<count).map { _ in
      let second = 1_600_000_000 + source.below(50)
      let digits = source.chance(50) ? "\(source.below(10))" : "\(source.below(1000))"
      switch kind {
      case 0: return "\(second)"
      case 1: return "\(second).\(digits)"
      case 2: return "\(source.chance(50) ? "-" : "")\(source.below(5)).\(digits)"
      case 3: return "\(second)\(String(1000 + source.below(1000)).dropFirst())"
      case 4: return "\(second)\(String(1_000_000 + source.below(3)).dropFirst())"
      case 5: return "\(second)\(String(1_000_000_000 + source.below(3)).dropFirst())"
      default:
        let (minute, clock) = (source.below(3), source.below(60))
        let whole = "2024-02-29T10:\(minute + 10):\(clock < 10 ? "0" : "")\(clock)"
        return whole + (source.chance(50) ? ".\(digits)" : "") + source.pick(["", "Z", "+01:00"])
      }
    }
  }

  private static func quoted(_ text: String, _ separator: String, _ source: inout Source) -> String {
    let needs = text.contains("\"") || text.utf8.contains(where: { separator.utf8.contains($0) })
    guard needs || source.chance(20) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  private static func escaped(_ text: String, _ source: inout Source) -> String {
    var out = "\""
    for unit in text.unicodeScalars {
      switch unit {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\t": out += source.chance(50) ? "\\t" : "\\u0009"
      case "/": out += source.chance(50) ? "\\/" : "/"
      default:
        if source.chance(30) {
          for half in String(unit).utf16 {
            let hex = String(half, radix: 16, uppercase: source.chance(50))
            out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
          }
        } else {
          out.unicodeScalars.append(unit)
        }
      }
    }
    return out + "\""
  }

  /// A random file of a kind, and the name and options needed to read it.
  static func file(_ kind: Kind, _ source: inout Source) -> (text: String, name: String, options: ReadingOptions) {
    let count = 1 + source.below(40)
    let times = times(&source, count)
    func ids(_ number: Int, _ without: [String]) -> [String] { (0..<number).map { _ in id(&source, without: without) } }
    let end = source.chance(30) ? "\r\n" : "\n"
    var lines: [String] = []
    var options = ReadingOptions()
    var name = "data.txt"
    switch kind {
    case .comma, .tab, .semicolon, .numbered:
      let separator = kind == .tab ? "\t" : kind == .semicolon ? ";" : ","
      let hasTime = source.chance(80)
      if kind != .numbered { lines.append((hasTime ? ["time", "user", "note", "item"] : ["user", "item"]).joined(separator: separator)) }
      if kind == .numbered { options = .init(user: hasTime ? 2 : 1, item: hasTime ? 4 : 2, time: hasTime ? 1 : nil) }
      if kind != .numbered { options.format = .table }
      let (users, items) = (ids(5, []), ids(9, []))
      for time in times {
        let (user, item) = (quoted(source.pick(users), separator, &source), quoted(source.pick(items), separator, &source))
        lines.append((hasTime ? [quoted(time, separator, &source), user, "x", item] : [user, item]).joined(separator: separator))
      }
      options.separator = separator.utf8.first
    case .inter:
      name = "data.inter"
      lines.append("user_id:token\titem_id:token\ttimestamp:float")
      let (users, items) = (ids(5, ["\t"]), ids(9, ["\t"]))
      for time in times {
        lines.append("\(quoted(source.pick(users), "\t", &source))\t\(quoted(source.pick(items), "\t", &source))\t\(time)")
      }
    case .colons, .data:
      name = kind == .data ? "u.data" : "ratings.dat"
      let separator = kind == .data ? "\t" : "::"
      options.format = .movielens
      let (users, items) = (ids(5, [":", "\t"]), ids(9, [":", "\t"]))
      // The first line shows which of the two formats it is.
      for time in times { lines.append([source.pick(users), source.pick(items), "\(source.below(5))", time].joined(separator: separator)) }
    case .pairs:
      options.format = .pairs
      let (users, items) = (ids(5, [" ", "\t"]), ids(9, [" ", "\t"]))
      for _ in times { lines.append([source.pick(users), source.pick(items)].joined(separator: source.pick([" ", "\t", "   ", " \t "]))) }
    case .sessions:
      for _ in 0...source.below(5) {
        let events = (0..<source.below(5)).map { _ in
          "{\"aid\": \(escaped(id(&source, without: []), &source)),\"type\":\"x\",\"ts\":\(escaped(source.pick(times), &source))}"
        }
        lines.append("{\"session\": \(escaped(id(&source, without: []), &source)), \"events\": [\(events.joined(separator: ", "))]}")
      }
      lines.append("{\"events\":[{\"ts\":\(escaped(times[0], &source)),\"aid\":5}],\"session\":12}")
      options.format = .sessions
    case .lines:
      let (users, items) = (ids(5, []), ids(9, []))
      for time in times {
        lines.append(
          "{\"user\":\(escaped(source.pick(users), &source)), \"more\":[1,{\"a\":\"}\"}], \"item\":\(escaped(source.pick(items), &source)),\"time\":\(escaped(time, &source))}"
        )
      }
      options.format = .jsonl
    case .sequences, .userSequences:
      let separator = source.pick([",", "\t", " ", ";"])
      // An item in quotes is an error, which has a test of its own.
      let others = [",", "\t", ";", "<pad>", "\""] + (separator == " " ? [" "] : [])
      let items = ids(9, others)
      // At least two items a line, so that the first line has the separator.
      for _ in times {
        var line = (0..<(2 + source.below(5))).map { _ in source.pick(items) }
        if kind == .userSequences { line.insert(id(&source, without: others), at: 0) }
        lines.append(line.joined(separator: separator))
      }
      // "0" is an item here, not padding.
      options = .init(format: kind == .sequences ? .sequences : .userSequences, pad: "<pad>")
    case .lists:
      name = "data.train.inter"
      lines.append("user_id:token\titem_id_list:token_seq\titem_id:token")
      let (users, items) = (ids(5, ["\t"]), ids(9, ["\t", " ", "<pad>"]))
      for _ in times {
        let list = (0..<source.below(5)).map { _ in source.pick(items) }.joined(separator: " ")
        lines.append([source.pick(users), list, source.pick(items)].map { quoted($0, "\t", &source) }.joined(separator: "\t"))
      }
    }
    if source.chance(20) { lines.insert("", at: source.below(lines.count + 1)) }
    return ((source.chance(20) ? "\u{feff}" : "") + lines.joined(separator: end) + (source.chance(80) ? end : ""), name, options)
  }

  // MARK: The slow reader

  private static func slowLines(_ text: String) -> [Bytes] {
    var bytes = Array(text.utf8)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    return bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
      .map { $0.last == 0x0d ? Array($0.dropLast()) : Array($0) }.filter { !$0.isEmpty }
  }

  /// A quote opens a quoted field only at the beginning of the field.
  private static func slowFields(_ line: Bytes, _ separator: UInt8) -> [Bytes] {
    var fields: [Bytes] = [[]]
    var (isInside, wasQuote, isFresh) = (false, false, true)
    for byte in line {
      if isInside {
        if byte == 0x22 { (isInside, wasQuote) = (false, true) } else { fields[fields.count - 1].append(byte) }
      } else if byte == 0x22, wasQuote {
        fields[fields.count - 1].append(byte)
        (isInside, wasQuote) = (true, false)
      } else if byte == 0x22, isFresh {
        (isInside, isFresh) = (true, false)
      } else if byte == separator {
        fields.append([])
        (wasQuote, isFresh) = (false, true)
      } else {
        fields[fields.count - 1].append(byte)
        (wasQuote, isFresh) = (false, false)
      }
    }
    return fields
  }

  private static func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

  private static func slowJSON(_ value: Any?) -> Bytes {
    if let text = value as? String { return Array(text.utf8) }
    return Array("\(value as? NSNumber ?? 0)".utf8)
  }

  /// The rows of a file, in the order of the file.
  static func slow(_ kind: Kind, _ file: String, _ options: ReadingOptions) throws -> [Row] {
    let lines = slowLines(file)
    switch kind {
    case .comma, .tab, .semicolon, .numbered:
      let rows = lines.map { slowFields($0, options.separator ?? 0) }
      let data = kind == .numbered ? rows[...] : rows.dropFirst()
      return data.map { $0.count == 4 ? Row(user: $0[1], item: $0[3], time: text($0[0])) : Row(user: $0[0], item: $0[1]) }
    case .inter:
      return lines.dropFirst().map { slowFields($0, 0x09) }.map { Row(user: $0[0], item: $0[1], time: text($0[2])) }
    case .colons:
      return lines.map { text($0).components(separatedBy: "::") }.map { Row(user: Array($0[0].utf8), item: Array($0[1].utf8), time: $0[3]) }
    case .data:
      return lines.map { $0.split(separator: 0x09) }.map { Row(user: Array($0[0]), item: Array($0[1]), time: text(Array($0[3]))) }
    case .pairs:
      return lines.map { line in
        let words = line.split { $0 == 0x20 || $0 == 0x09 }
        return Row(user: Array(words[0]), item: Array(words[1]))
      }
    case .sessions:
      return try lines.flatMap { line -> [Row] in
        let session = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        let events = try #require(session["events"] as? [[String: Any]])
        return events.map { Row(user: slowJSON(session["session"]), item: slowJSON($0["aid"]), time: $0["ts"] as? String) }
      }
    case .lines:
      return try lines.map { line in
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        return Row(user: slowJSON(object["user"]), item: slowJSON(object["item"]), time: object["time"] as? String)
      }
    case .sequences, .userSequences:
      let separators: [UInt8] = [0x2c, 0x09, 0x3b, 0x20]
      let separator = try #require(separators.first { lines[0].contains($0) })
      let isSpaced =
        separator != 0x20
        && lines.allSatisfy { line in
          line.split(separator: separator, omittingEmptySubsequences: false).dropFirst().allSatisfy { $0.first == 0x20 }
        }
      return lines.enumerated().flatMap { number, line -> [Row] in
        var fields = line.split(separator: separator, omittingEmptySubsequences: separator == 0x20).map(Array.init)
        if isSpaced { fields = fields.enumerated().map { $0 > 0 ? Array($1.dropFirst()) : $1 } }
        let user = kind == .userSequences ? fields.removeFirst() : Array("line \(number + 1)".utf8)
        return fields.map { Row(user: user, item: $0) }
      }
    case .lists:
      return lines.dropFirst().flatMap { line -> [Row] in
        let fields = slowFields(line, 0x09)
        return (fields[1].split(separator: 0x20).map(Array.init) + [fields[2]]).map { Row(user: fields[0], item: $0) }
      }
    }
  }

  /// Seconds, in decimal arithmetic without rounding.
  static func seconds(_ text: String, unit: Decimal) throws -> Decimal {
    guard text.contains("T") else { return try #require(Decimal(string: text)) / unit }
    // 2024-02-29T10:mm:ss[.f][zone]
    let clock = text.dropFirst(11)
    let zone: Decimal = text.hasSuffix("+01:00") ? 3600 : 0
    let second = clock.dropFirst(6).prefix { $0.isNumber || $0 == "." }
    let hour = try #require(Decimal(string: String(clock.prefix(2)))),
      minute = try #require(Decimal(string: String(clock.dropFirst(3).prefix(2))))
    return 1_709_164_800 + hour * 3600 + minute * 60 + (try #require(Decimal(string: String(second)))) - zone
  }

  /// Histories by user, in the order of first appearance; events sorted by time, ties in the order of the file.
  static func histories(_ rows: [Row]) throws -> [(user: Bytes, events: [(item: Bytes, time: Decimal?)])] {
    let sizes = rows.compactMap { $0.time }.filter { !$0.contains("T") }.compactMap { Decimal(string: $0) }.map { abs($0) }
    let largest = sizes.max() ?? 0
    let unit: Decimal =
      largest > 100_000_000_000_000_000 ? 1_000_000_000 : largest > 100_000_000_000_000 ? 1_000_000 : largest > 100_000_000_000 ? 1000 : 1
    var users: [Bytes] = []
    var events: [Bytes: [(item: Bytes, time: Decimal?, place: Int)]] = [:]
    for (place, row) in rows.enumerated() {
      if events[row.user] == nil { users.append(row.user) }
      events[row.user, default: []].append((row.item, try row.time.map { try seconds($0, unit: unit) }, place))
    }
    return users.map { user in
      let sorted = (events[user] ?? []).sorted { a, b in
        guard let x = a.time, let y = b.time, x != y else { return a.place < b.place }
        return x < y
      }
      return (user, sorted.map { ($0.item, $0.time) })
    }
  }

  /// The histories of the reader in the same form. Several histories of one user are joined.
  static func histories(_ read: Histories) -> [(user: Bytes, events: [(item: Bytes, time: Decimal?)])] {
    var users: [Int32] = []
    var events: [Int32: [(item: Bytes, time: Decimal?)]] = [:]
    for h in 0..<read.count {
      if events[read.owners[h]] == nil { users.append(read.owners[h]) }
      for e in read.offsets[h]..<read.offsets[h + 1] {
        let time = read.times.map { Decimal($0[e]) / Decimal(read.ticksPerSecond) }
        events[read.owners[h], default: []].append((Array(read.items.name(read.events[e]).utf8), time))
      }
    }
    return users.map { (Array(read.users.name($0).utf8), events[$0] ?? []) }
  }

  private static func same(
    _ a: [(user: Bytes, events: [(item: Bytes, time: Decimal?)])], _ b: [(user: Bytes, events: [(item: Bytes, time: Decimal?)])]
  ) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { x, y in
        x.user == y.user && x.events.count == y.events.count
          && zip(x.events, y.events).allSatisfy { $0.item == $1.item && $0.time == $1.time }
      }
  }

  // MARK: Comparison

  /// The number of files of each kind. `SRS_READER_SEEDS=100000 scripts/test --filter ReadingPropertyTests` searches for hours.
  private static let seeds = ProcessInfo.processInfo.environment["SRS_READER_SEEDS"].flatMap { UInt64($0) } ?? 40

  @Test(arguments: Kind.allCases) func readersAgree(_ kind: Kind) throws {
    for seed in 1...Self.seeds {
      var source = Source(seed)
      let (text, name, options) = Self.file(kind, &source)
      let expected = try Self.histories(try Self.slow(kind, text, options))
      var data = Data(text.utf8)
      if seed % 8 == 0 {
        // Two gzip members, split at a random byte.
        let cut = source.below(data.count)
        data = try FormatTests.packed(data.prefix(cut)) + FormatTests.packed(data.dropFirst(cut))
      }
      let read = try withFile(data, name) { try Histories.read($0, options).histories }
      let found = Self.histories(read)
      #expect(Self.same(found, expected), "\(kind), seed \(seed):\n\(text)\nread: \(found)\nexpected: \(expected)")
      #expect(Set(read.items.names.map { Array($0.utf8) }).count == read.items.count, "\(kind), seed \(seed): an item has two indices")
      try Self.expectSameAgain(read, found, "\(kind), seed \(seed)")
    }
  }

  /// The histories are written in every format that can represent them, and read back.
  private static func expectSameAgain(
    _ read: Histories, _ found: [(user: Bytes, events: [(item: Bytes, time: Decimal?)])], _ what: String
  ) throws {
    for format in [DataWriter.Format.table(0x2c), .table(0x09), .inter] {
      var bytes = Data()
      try DataWriter.write(read, format) { bytes.append(contentsOf: $0) }
      let again = try withFile(bytes, "again.\(format.ending)") { try Histories.read($0).histories }
      #expect(same(histories(again), found), "\(what), written as .\(format.ending)")
    }
    var binary = Data()
    try read.writeBinary { binary.append(contentsOf: $0) }
    let mapped = try withFile(binary, "again.srsd") { histories(try Histories.read($0).histories) }
    #expect(same(mapped, found), "\(what), as .srsd")
    let set = try read.windows(length: 4)
    try expectSameLists(set, what)
    var bytes = Data()
    do { try DataWriter.write(set) { bytes.append(contentsOf: $0) } } catch is DataError {
      // The format cannot represent ids with commas or of blanks only.
      return
    }
    guard set.count > 0 else { return }
    let again = try withFile(bytes, "again.csv") { try Histories.read($0).histories.windows(length: 4) }
    #expect(rows(again) == rows(set), "\(what), windows")
  }

  private static func rows(_ set: SequenceSet) -> [[Bytes]] {
    (0..<set.count).map { row in set.sequence(row).map { $0 == 0 ? [] : Array(set.items.name($0).utf8) } }
  }

  /// The same for RecBole's benchmark files.
  private static func expectSameLists(_ set: SequenceSet, _ what: String) throws {
    var bytes = Data()
    do { try DataWriter.writeInter(set) { bytes.append(contentsOf: $0) } } catch is DataError {
      // The format cannot represent ids with blanks.
      return
    }
    guard set.count > 0 else { return }
    let again = try withFile(bytes, "again.inter") { try Histories.read($0).histories.windows(length: 4) }
    #expect(rows(again) == rows(set), "\(what), lists")
  }
}
