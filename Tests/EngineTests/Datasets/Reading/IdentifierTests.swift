import Foundation
import Testing

@testable import Datasets

/// Ids are read exactly as they were written, whatever quoting or escaping the format uses.
@Suite struct IdentifierTests {
  private static func items(_ text: String, _ options: ReadingOptions = .init(), _ name: String = "data.txt") throws -> [String] {
    try withFile(text, name) { path in
      let histories = try Histories.read(path, options).histories
      return histories.history(0).map { histories.items.name($0) }
    }
  }

  private static func problem(_ text: String, _ options: ReadingOptions = .init()) throws -> DataError? {
    try withFile(text) { path in
      do {
        _ = try Histories.read(path, options)
        return nil
      } catch let error as DataError {
        return error
      }
    }
  }

  private static let escapes: [(String, String)] = [
    (#"caf\u00e9"#, "café"), (#"caf\u00E9"#, "café"), (#"a\/b"#, "a/b"), (#"say \"hi\""#, "say \"hi\""), (#"a\tb"#, "a\tb"),
    (#"back\\slash"#, #"back\slash"#), (#"\\u00e9"#, #"\u00e9"#), (#"\ud83d\ude00"#, "😀"), (#"\uD834\uDD1Ex"#, "𝄞x"),
    (#"a\nb\r\b\f"#, "a\nb\r\u{8}\u{c}"), (#"\u4f60\u597d"#, "你好"), (#"\u0061id"#, "aid"), (#" a "#, " a "), (#"]},{"#, "]},{"),
  ]

  @Test(arguments: escapes)
  func escapesOfJSON(_ written: String, _ meant: String) throws {
    let sessions = #"{"session": "\#(written)", "events": [{"aid": "\#(written)", "ts": 1}, {"aid": "x", "ts": 2}]}"# + "\n"
    try withFile(sessions) { path in
      let histories = try Histories.read(path).histories
      #expect(histories.items.names.dropFirst().map { Array($0.utf8) } == [meant, "x"].map { Array($0.utf8) })
      #expect(Array(histories.users.name(0).utf8) == Array(meant.utf8))
    }
    let lines = #"{"user_id": "\#(written)", "item_id": "\#(written)", "timestamp": 1}"# + "\n"
    try withFile(lines) { path in
      let histories = try Histories.read(path).histories
      #expect(Array(histories.items.name(1).utf8) == Array(meant.utf8) && Array(histories.users.name(0).utf8) == Array(meant.utf8))
    }
  }

  /// Two spellings of an id, escaped and plain, are the same item. Keys may be escaped as well.
  @Test func escapedAndPlainIdsAreTheSameItem() throws {
    let text = #"{"s\u0065ssion":1,"ev\u0065nts":[{"aid":"\u00e9","ts":1},{"\u0061id":"é","ts":2},{"aid":7,"ts":3},{"aid":"7","ts":4}]}"#
    #expect(try Self.items(text) == ["é", "é", "7", "7"])
    #expect(try withFile(text) { try Histories.read($0).histories.items.count } == 3)
  }

  @Test(arguments: [#"\x"#, #"\u12"#, #"\u12g4"#, #"\ud83d"#, #"\ud83dx"#, #"\ud83d\u0041"#, #"\ude00"#])
  func invalidEscapes(_ written: String) throws {
    let good = #"{"session": 1, "events": [{"aid": 1, "ts": 1}]}"# + "\n"
    let problem = try #require(try Self.problem(good + #"{"session": 1, "events": [{"aid": "\#(written)", "ts": 1}]}"# + "\n"))
    #expect(problem.line == 2 && problem.column == 35 && problem.message.contains("escape"))
  }

  @Test func blanksBelongToIds() throws {
    let text = "user,item,time\n1,\" a\",1\n1,a,2\n1, a,3\n1,\"a \",4\n1,a\t,5\n1,\" \",6\n1,b  c,7\n"
    #expect(try Self.items(text) == [" a", "a", " a", "a ", "a\t", " ", "b  c"])
    try withFile(text) { path in
      let notes = try Histories.read(path).notes
      #expect(notes.contains { $0.hasPrefix("4 of the items begin or end with a blank, as \" a\"") })
    }
    #expect(try Self.items("user\titem\n 1\t x\n") == [" x"])
    #expect(try Self.items("user_id:token\titem_id:token\nu\t x y \n", .init(), "a.inter") == [" x y "])
    #expect(try Self.items("1:: a::5::3\n", .init(), "ratings.dat") == [" a"])
    // Blanks between a separator and a quote are ignored, and so are blanks around times and ratings.
    #expect(try Self.items("user,item,time\n1, \"a,b\" , 2 \n") == ["a,b"])
  }

  @Test func unquotedBlankIdsAreMissing() throws {
    for text in ["user,item\n1, \n", "user,item\n1,\t\n", "user,item\n1,\"\"\n", "user,item\n1,\n"] {
      #expect(try Self.problem(text)?.message == "the item is missing here", "\(text)")
    }
    #expect(try Self.problem("user,item\n  ,a\n")?.message == "the user is missing here")
  }

  @Test func textAfterAClosingQuoteIsAnError() throws {
    let problem = try #require(try Self.problem("user,item\n1,\"a\"b\n"))
    #expect(problem.line == 2 && problem.column == 6 && problem.message.contains("after a closing quote"))
    #expect(try Self.items("user,item\n1,5\" nail\n") == ["5\" nail"])
  }

  /// If every separator is followed by a blank, the blank belongs to the separator.
  @Test func blanksBetweenItemsOfSequences() throws {
    let spaced = ReadingOptions(format: .sequences)
    #expect(try Self.items("0, 0, a, b\n0, c, d, e\n", spaced) == ["a", "b"])
    #expect(try Self.items("a, b,c\n", spaced) == ["a", " b", "c"])
    #expect(try Self.items("a,b ,c \n", spaced) == ["a", "b ", "c "])
    #expect(try Self.items("u, x, y\n", .init(format: .userSequences)) == ["x", "y"])
    #expect(try Self.problem("a, ,b\n", spaced)?.column == 3)
  }

  @Test func anItemMayBeCalledPad() throws {
    try withFile("user,item\nu,<pad>\nu,a\n") { path in
      let histories = try Histories.read(path).histories
      #expect(histories.items.names == ["<<pad>>", "<pad>", "a"])
    }
  }
}
