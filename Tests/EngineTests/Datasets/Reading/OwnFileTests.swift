import Foundation
import Testing

@testable import Datasets

/// Files that the program writes are read back without options and with the same values. Padding is detected at both ends.
@Suite struct OwnFileTests {
  private static func rows(_ set: SequenceSet) -> [[String]] {
    (0..<set.count).map { row in
      [set.userNames.name(set.user(row))] + set.sequence(row).map { $0 == 0 ? "PAD" : set.items.name($0) }
    }
  }

  private static func written(_ body: (_ put: ([UInt8]) throws -> Void) throws -> Void) rethrows -> String {
    var bytes: [UInt8] = []
    try body { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A table in which each of `users` users has each of `items` items.
  private static func table(_ users: Int, _ items: Int) -> String {
    var text = "user,item\n"
    for u in 0..<users { for i in 0..<items { text += "u\(u),i\(i)\n" } }
    return text
  }

  /// A table, the window length and the stride.
  private static let tables: [(String, Int, Int?)] = [
    (table(3, 6), 4, nil),
    // Windows without padding.
    (table(3, 8), 4, nil),
    // "0" is an item here, so the padding needs another name.
    ("user,item\n1,0\n1,0\n1,5\n2,0\n2,0\n2,0\n2,7\n", 4, nil), ("user,item\n1,0\n1,0\n2,0\n2,3\n", 2, nil),
    ("user,item\n\" a \",\" x\"\n\" a \",\" x \"\n\" a \",\"say \"\"hi\"\"\"\n", 3, nil),
    ("user,item\n1,2\n1,3\n1,4\n1,5\n2,2\n2,3\n", 3, 1),
    ("user,item\nitem_1,user\nitem_1,item_2\nitem_1,b\n", 3, nil), ("user,item\n日本,é\n日本,e\u{301}\n日本,😀\n", 5, nil),
    ("user,item\nu,<pad>\nu,a\nu,b\n", 5, nil),
  ]

  /// Windows that are written and read keep their users, items and padding.
  @Test(arguments: tables)
  func windows(_ text: String, _ length: Int, _ stride: Int?) throws {
    let set = try withFile(text) { try Histories.read($0).histories.windows(length: length, stride: stride) }
    let file = try Self.written { put in try DataWriter.write(set, put: put) }
    for options in [ReadingOptions(), .init(format: .userSequences)] {
      try withFile(file, "w.csv") { path in
        let again = try Histories.read(path, options).histories
        #expect(again.lineLength == length && again.hasUsers)
        #expect(Self.rows(try again.windows(length: length)) == Self.rows(set))
        #expect(again.items.count == Set(set.tokens.filter { $0 != 0 }).count + 1)
        // Writing what was read gives the same file.
        let windows = try again.windows(length: length)
        #expect(try Self.written { put in try DataWriter.write(windows, put: put) } == file)
      }
    }
    try withFile(file, "w.csv") { path in
      #expect { try Histories.read(path, .init(format: .sequences)) } throws: { ($0 as? DataError)?.argument == "format" }
    }
  }

  @Test func windowsWithoutUsers() throws {
    for (text, pad) in [("0,0,a,b\n0,a,b,c\n", "0"), ("a,b,c,d\nb,a,d,c\n", nil), ("x,5,7\n0,0,7\n", "x")] {
      let set = try withFile(text) {
        let histories = try Histories.read($0, .init(format: .sequences, pad: pad)).histories
        return try histories.windows(length: histories.lineLength ?? 0)
      }
      let file = try Self.written { put in try DataWriter.write(set, put: put) }
      try withFile(file, "w.csv") { path in
        let again = try Histories.read(path).histories
        let windows = try again.windows(length: set.length)
        #expect(!again.hasUsers && again.lineLength == set.length && Self.rows(windows) == Self.rows(set))
      }
    }
  }

  @Test func linesMustHaveTheLengthOfTheHeader() throws {
    try withFile("user,item_1,item_2\nu,a,b\nu,a\n", "w.csv") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.line == 3 }
    }
    #expect(SequenceHeader("user,item_1") == nil && SequenceHeader("item_2,item_1") == nil && SequenceHeader("user,item_1,item_3") == nil)
    #expect(SequenceHeader("item_1[pad=]],item_2")?.pad == "]")
  }

  /// RecBole's benchmark files: a history is the items of the list, then the target item.
  @Test func benchmarkFiles() throws {
    let users: [(String, String)] = [("u 1", "a b c d e"), ("\"q\"\"\"", "b a"), ("z", "c e a b")]
    var text = "user,item\n"
    for (user, items) in users { for item in items.split(separator: " ") { text += "\(user),\(item)\n" } }
    let set = try withFile(text) { try Histories.read($0).histories.windows(length: 3) }
    let file = try Self.written { put in try DataWriter.writeInter(set, put: put) }
    try withFile(file, "d.train.inter") { path in
      let again = try Histories.read(path)
      #expect(Self.rows(try again.histories.windows(length: 3)) == Self.rows(set))
      #expect(again.histories.lineLength == 3 && again.histories.hasUsers && again.notes.contains { $0.contains("each row is a history") })
    }
    let quoted = "user_id:token\titem_id_list:token_seq\titem_id:token\nu\t\ta\nu\t\"\"\"a b\"\tc\n"
    let one = try withFile(quoted, "x.inter") { try Histories.read($0).histories }
    #expect((0..<one.count).map { one.history($0).map { one.items.name($0) } } == [["a"], ["\"a", "b", "c"]])
    try withFile("user_id:token\titem_id_list:token_seq\titem_id:token\nu\ta b\n", "x.inter") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.line == 2 }
    }
    // "0" is an item if it is one in the data.
    let zeros = try withFile("user,item\n1,0\n1,0\n1,5\n2,0\n2,0\n2,7\n") { try Histories.read($0).histories.windows(length: 3) }
    let lists = try Self.written { put in try DataWriter.writeInter(zeros, put: put) }
    #expect(lists.hasPrefix("user_id:token\titem_id_list:token_seq\titem_id:token\titem_length:float\n1\t0 0\t5\t2\n"))
    let zerosAgain = try withFile(lists, "x.inter") { try Histories.read($0).histories.windows(length: 3) }
    #expect(Self.rows(zerosAgain) == Self.rows(zeros))
    try withFile(lists.replacingOccurrences(of: "\t2\n", with: "\t3\n"), "x.inter") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.message.contains("length is given as \"3\"") == true }
    }
    try withFile(file, "x.inter") { path in
      #expect { try Histories.read(path, .init(time: "timestamp")) } throws: { ($0 as? DataError)?.argument == "time" }
    }
  }

  /// Names that a format cannot represent are an error, since they would be read back as something else.
  @Test(arguments: ["a\nb", "a\rb", "a\0b"]) func namesATableCannotRepresent(_ name: String) throws {
    var histories = try withFile("user,item\nu,a\nu,b\n") { try Histories.read($0).histories }
    histories.items = Vocabulary(["<pad>", name, "b"])
    for format in [DataWriter.Format.table(0x2c), .inter] {
      #expect(throws: DataError.self) { try DataWriter.write(histories, format) { _ in } }
    }
    let set = try histories.windows(length: 2)
    #expect(throws: DataError.self) { try DataWriter.write(set) { _ in } }
    #expect(throws: DataError.self) { try DataWriter.writeInter(set) { _ in } }
  }

  @Test func namesSequencesCannotRepresent() throws {
    for name in ["a,b", " ", "<pad>"] {
      var histories = try withFile("user,item\nu,a\nu,b\n") { try Histories.read($0).histories }
      histories.items = Vocabulary(["<pad>", name, "b"])
      let set = try histories.windows(length: 2)
      #expect(throws: DataError.self, "\(name)") { try DataWriter.write(set) { _ in } }
    }
  }

  /// The items of RecBole's lists are separated by spaces, so an item with a space is refused.
  @Test func namesThatListsCannotHave() throws {
    var histories = try withFile("user,item\nu,a\nu,b\n") { try Histories.read($0).histories }
    for name in ["a b", " a", " "] {
      histories.items = Vocabulary(["<pad>", name, "b"])
      let set = try histories.windows(length: 2)
      #expect(throws: DataError.self, "\(name.debugDescription)") { try DataWriter.writeInter(set) { _ in } }
    }
    histories.items = Vocabulary(["<pad>", "a,b\"", "b"])
    let set = try histories.windows(length: 2)
    let file = try Self.written { put in try DataWriter.writeInter(set, put: put) }
    let again = try withFile(file, "x.inter") { try Histories.read($0).histories.windows(length: 2) }
    #expect(Self.rows(again) == Self.rows(set))
  }

  // MARK: Padding

  private static func padded(_ text: String, _ options: ReadingOptions = .init(format: .sequences)) throws -> [[String]] {
    try withFile(text) { path in
      let set = try Histories.read(path, options).histories
      let windows = try set.windows(length: set.lineLength ?? 0)
      return rows(windows).map { Array($0.dropFirst()) }
    }
  }

  /// Padding after the items is moved in front of them, so that the last position, the target, is an item.
  @Test func trailingPaddingIsNotATarget() throws {
    let moved = [["PAD", "PAD", "a", "b"], ["PAD", "b", "a", "c"], ["c", "b", "a", "d"]]
    #expect(try Self.padded("a,b,0,0\nb,a,c,0\nc,b,a,d\n") == moved)
    #expect(try Self.padded("a,b,0,0\nb,a,c,0\nc,b,a,d\n", .init(format: .sequences, pad: "0")) == moved)
    #expect(try Self.padded("a b <pad> <pad>\nb a c <pad>\nc b a d\n") == moved)
    #expect(try Self.padded("a,b,x,x\nb,a,c,x\nc,b,a,d\n", .init(format: .sequences, pad: "x")) == moved)
    #expect(try Self.padded("u,a,b,0,0\nu,b,a,c,0\nv,c,b,a,d\n", .init(format: .userSequences)) == moved)
    #expect(
      try Self.padded("5,6,7,0,0\n6,5,0,0,0\n7,6,5,6,7\n", .init()) == [
        ["PAD", "PAD", "5", "6", "7"], ["PAD", "PAD", "PAD", "6", "5"], ["7", "6", "5", "6", "7"],
      ])
    let notes = try withFile("a,b,0,0\nb,a,c,0\n") { try Histories.read($0, .init(format: .sequences)).notes }
    #expect(notes.contains { $0.contains("at the end of lines are read as padding") })
  }

  @Test func ambiguousPaddingIsAnError() throws {
    func problem(_ text: String, _ options: ReadingOptions = .init(format: .sequences)) throws -> DataError? {
      try withFile(text) { path in
        do {
          _ = try Histories.read(path, options)
          return nil
        } catch let error as DataError { return error }
      }
    }
    // Padding at the start of some lines and at the end of others.
    #expect(try problem("0,0,a,b\na,b,0,0\n")?.line == 2)
    #expect(try problem("<pad>,a,b\na,b,<pad>\n")?.line == 2)
    #expect(try problem("a,<pad>,b\na,b,c\n")?.line == 1)
    #expect(try problem("<pad>,a,b\na,b\n")?.line == 2)
    // The line at fault is the one that differs from most others.
    #expect(try problem("a,b,0,0\n0,0,a,b\nb,a,c,0\n")?.line == 2)
    #expect(try problem("0,0,a,b\na,b,0,0\n0,b,a,c\n")?.line == 2)
    #expect(try problem("a,b,<pad>\na,<pad>,b\nb,a,<pad>\n")?.line == 2)
    #expect(try problem("<pad>,<pad>,<pad>\na,b,<pad>\n<pad>,a,b\nb,a,<pad>\n")?.line == 3)
    // A single "0" at the end could be an item.
    #expect(try problem("a,b,0\nb,a,c\n")?.message.contains("is it padding, or an item?") == true)
    #expect(try problem("a,b,0\nb,a,c\n", .init(format: .sequences, pad: "0")) == nil)
    #expect(try problem("a,b,0\nb,a,c\n", .init(format: .sequences, pad: "<pad>")) == nil)
    #expect(try problem("a,b,0\nb,0,c\n") == nil)
  }

  /// Padded lines have one length; the error names the line that has another one, and a line that has the usual one.
  @Test(arguments: [
    ("a,0,0\nb,c\n", 2, "2 items, line 1 has 3"), ("b,c\na,0,0\n", 1, "2 items, line 2 has 3"),
    ("0,0,a\nb,c\n", 2, "2 items, line 1 has 3"), ("b,c\n0,0,a\n", 1, "2 items, line 2 has 3"),
    ("a,b\na,0,0\nb,c,0\nc,b,a\n", 1, "2 items, line 2 has 3"), ("\na,0,0\nb,c,0\n\nc,b,a,a\n", 5, "4 items, line 2 has 3"),
    ("a,<pad>\nb,<pad>\na,b,<pad>\n", 3, "3 items, line 1 has 2"),
  ])
  func paddedLinesHaveOneLength(text: String, line: Int, message: String) throws {
    try withFile(text) { path in
      #expect {
        try Histories.read(path, .init(format: .sequences))
      } throws: {
        guard let error = $0 as? DataError else { return false }
        return error.line == line && error.message.contains(message)
      }
    }
  }

  /// A single `0` at the end of a line of a file whose lines have different lengths is an item, as one at the front is.
  @Test(arguments: ["a,b,0\nb,c\n", "0,a,b\nb,c\n"])
  func oneZeroIsAnItem(text: String) throws {
    let read = try withFile(text) { try Histories.read($0, .init(format: .sequences)).histories }
    #expect(read.events.count == 5 && read.items.count == 5)
  }

  @Test func paddedListsOfRecBole() throws {
    let head = "user_id:token\titem_id_list:token_seq\titem_id:token\n"
    for text in ["u\ta b 0 0\tc\nv\tb a c 0\td\n", "u\t0 0 a b\tc\nv\t0 b a c\td\n", "u\ta b <pad> <pad>\tc\nv\tb a c <pad>\td\n"] {
      let histories = try withFile(head + text, "x.inter") { try Histories.read($0).histories }
      #expect(
        (0..<histories.count).map { histories.history($0).map { histories.items.name($0) } } == [["a", "b", "c"], ["b", "a", "c", "d"]])
    }
    try withFile(head + "u\t0 0 a b\tc\nv\tb a 0 0\td\n", "x.inter") { path in
      #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.line == 3 }
    }
  }
}
