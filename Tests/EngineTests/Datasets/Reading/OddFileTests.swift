import Foundation
import Testing

@testable import Datasets

/// The table of docs/data.md, "Invalid and unusual input", row by row.
@Suite struct OddFileTests {
  private static func read(_ text: String, _ options: ReadingOptions = .init(), _ name: String = "data.txt") throws -> (
    rows: [String], notes: [String]
  ) {
    try withFile(text, name) { path in
      let result = try Histories.read(path, options)
      let histories = result.histories
      let rows = (0..<histories.count).map { h in
        ([histories.users.name(histories.owners[h])] + histories.history(h).map { histories.items.name($0) }).joined(separator: " ")
      }
      return (rows, result.notes)
    }
  }

  private static let broken: [(String, Int, Int, String)] = [
    ("user,item\n1,2\n1\n", 3, 1, "expected 2 fields"), ("user,item\n1,2,3\n", 2, 1, "found 3 fields"),
    ("user,item\n,2\n", 2, 1, "the user is missing"),
    ("user,item\n1,\n", 2, 3, "the item is missing"), ("user,item,time\n1,2,soon\n", 2, 5, "expected a time"),
    ("user,item\n1,\"2\n", 2, 3, "not closed"),
    ("user,item\n1,\"2\"3\n", 2, 6, "after a closing quote"), ("user,item\n1,\"2\n3\"\n", 2, 3, "not closed"),
    ("1::2::x::4\n", 1, 7, "expected"),
    ("{\"user\":1,\"item\":\"\\q\"}\n", 1, 18, "escape"),
  ]

  /// An invalid line is an error with its line and column; with `on_error: skip` it is skipped and counted.
  @Test(arguments: broken) func invalidLines(_ text: String, _ line: Int, _ column: Int, _ message: String) throws {
    let format: DataFormat = text.contains("::") ? .movielens : text.hasPrefix("{") ? .jsonl : .table
    #expect {
      try Self.read(text, .init(format: format))
    } throws: {
      guard let error = $0 as? DataError else { return false }
      return error.line == line && error.column == column && error.message.contains(message)
    }
    let good =
      format == .movielens ? "8::9::5::4\n" : format == .jsonl ? "{\"user\":8,\"item\":9}\n" : text.contains("time") ? "8,9,4\n" : "8,9\n"
    let rest = try Self.read(text + good, .init(format: format, skipsErrors: true))
    #expect(rest.rows.contains("8 9") && rest.notes.contains { $0.contains("left out; the first is line \(line)") })
  }

  @Test func bytesThatAreNotUTF8() throws {
    for (head, tail) in [("user,item\n1,", "\n"), ("user,item\n", ",1\n"), ("{\"user\":1,\"item\":\"", "\"}\n")] {
      let data = Data(head.utf8) + Data([0xe9]) + Data(tail.utf8)
      try withFile(data) { path in
        #expect { try Histories.read(path) } throws: { ($0 as? DataError)?.message.contains("not UTF-8") == true }
      }
    }
  }

  @Test func ratingsThatAreNotNumbers() throws {
    let text = "user,item,rating\n1,2,good\n1,3,4\n"
    let read = try Self.read(text)
    #expect(read.rows == ["1 2 3"] && read.notes.contains("ratings are not kept: 1 of them are not numbers"))
    #expect { try Self.read(text, .init(rating: "rating")) } throws: { ($0 as? DataError)?.line == 2 }
  }

  /// A column that is only called a rating may hold something else; the ratings of ratings.dat and u.data are ratings.
  @Test func ratingsOfTheFormats() throws {
    for (text, name) in [
      ("user_id:token\titem_id:token\trating:float\n1\t2\tgood\n1\t3\t4\n", "x.inter"),
      ("userId,movieId,rating,timestamp\n1,2,good,1\n1,3,4,2\n", "ratings.csv"),
      ("{\"user\":1,\"item\":2,\"rating\":\"good\"}\n{\"user\":1,\"item\":3,\"rating\":4}\n", "x.jsonl"),
    ] {
      let read = try Self.read(text, .init(), name)
      #expect(read.rows == ["1 2 3"] && read.notes.contains("ratings are not kept: 1 of them are not numbers"), "\(name)")
    }
    for (text, name) in [("1::2::3::4\n1::3::good::5\n", "ratings.dat"), ("1\t2\t3\t4\n1\t3\tgood\t5\n", "u.data")] {
      #expect { try Self.read(text, .init(), name) } throws: { ($0 as? DataError)?.line == 2 }
      #expect(try Self.read(text, .init(skipsErrors: true), name).rows == ["1 2"], "\(name)")
    }
  }

  /// `on_error: skip` leaves out lines, not what is wrong with the whole file.
  @Test func whatIsNeverSkipped() throws {
    for (text, line) in [
      ("0,0,a,b\na,b,c\n", 2), ("<pad>,a,b\nb,a,c\na,<pad>,b\n", 3), ("<pad>,a\n<pad>,b\na\n", 3), ("0,0,a,b\na,b,0,0\n", 2),
    ] {
      #expect { try Self.read(text, .init(format: .sequences, skipsErrors: true)) } throws: { ($0 as? DataError)?.line == line }
    }
    let packed = try FormatTests.packed("user,item\n1,2\n")
    for bytes in [packed.dropLast(), packed + Data([1]), packed + packed.dropLast(3)] {
      try withFile(bytes) { path in
        #expect { try Histories.read(path, .init(skipsErrors: true)) } throws: {
          guard let message = ($0 as? DataError)?.message else { return false }
          return message.contains("cut off") || message.contains("damaged")
        }
      }
    }
  }

  /// A byte order mark, CR LF, empty lines anywhere, and a missing newline at the end do not change what is read.
  @Test func byteOrderMarksLineEndingsAndEmptyLinesAreIgnored() throws {
    for text in [
      "\u{feff}user,item\n1,2\n", "user,item\r\n1,2\r\n", "\n\nuser,item\n\n1,2\n\n", "user,item\n1,2",
      "\r\n\u{feff}".dropLast() + "user,item\r\n\r\n1,2",
    ] {
      #expect(try Self.read(String(text)).rows == ["1 2"], "\(text.debugDescription)")
    }
    #expect(try Self.read("\n\nuser,item_1,item_2\nu,a,b\n").rows == ["u a b"])
    #expect(try Self.read("\nuser_id:token\titem_id_list:token_seq\titem_id:token\nu\ta\tb\n").rows == ["u a b"])
    #expect(try Self.read("\n{\"user\":1,\"item\":2}\n").rows == ["1 2"])
  }

  @Test func duplicatesAreKept() throws { #expect(try Self.read("user,item\n1,2\n1,2\n").rows == ["1 2 2"]) }

  @Test func sessionsWithoutEventsAreIgnored() throws {
    let read = try Self.read("{\"session\":1,\"events\":[]}\n{\"session\":2,\"events\":[{\"aid\":3,\"ts\":4}]}\n")
    #expect(read.rows == ["2 3"])
  }

  @Test(arguments: ["", "\n\n", "user,item\n", "{\"session\":1,\"events\":[]}\n", "a\0b\n"]) func filesWithoutInteractions(_ text: String)
    throws
  {
    #expect(throws: DataError.self) { try Self.read(text) }
  }
}
