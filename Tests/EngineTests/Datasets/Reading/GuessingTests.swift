import Foundation
import Testing

@testable import Datasets

/// The format of a file is detected where it is clear; otherwise an error suggests the explicit call.
@Suite struct GuessingTests {
  private static func problem(_ text: String, _ name: String, _ options: ReadingOptions = .init()) throws -> DataError? {
    try withFile(text, name) { path in
      do {
        _ = try Histories.read(path, options)
        return nil
      } catch let error as DataError {
        return error
      }
    }
  }

  /// The reading options and the column names of the `load` call that an error's help suggests.
  private static func suggested(_ help: String) throws -> (options: ReadingOptions, columns: [String]) {
    let call = try #require(help.firstMatch(of: /load\("[^"]*", ([^)]*)\)/)).1
    var options = ReadingOptions()
    var columns: [String] = []
    for part in call.split(separator: ", ") {
      let (name, value) = (part.split(separator: ": ")[0], part.split(separator: ": ")[1])
      columns.append(value.trimmingCharacters(in: CharacterSet(charactersIn: "\"")))
      let column = Int(value).map { ColumnName.number($0) } ?? .name(columns[columns.count - 1])
      switch name {
      case "user": options.user = column
      case "item": options.item = column
      case "time": options.time = column
      default: Issue.record("\(part)")
      }
    }
    return (options, columns)
  }

  /// First lines of public data sets, the correct user, item and time columns, and the user and item of one row.
  static let tables: [(name: String, text: String, columns: [String], content: [String])] = [
    (
      "retail.csv",
      "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n536365,85123A,\"HEART, WHITE\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n",
      ["CustomerID", "StockCode", "InvoiceDate"], ["17850", "85123A"]
    ),
    (
      "retail2.csv",
      "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n489434,85048,LIGHTS,12,2009-12-01 07:45:00,6.95,13085,United Kingdom\n",
      ["Customer ID", "StockCode", "InvoiceDate"], ["13085", "85048"]
    ),
    (
      "short.csv", "InvoiceNo,StockCode,CustomerID,InvoiceDate\n536365,85123A,17850,2010-12-01\n",
      ["CustomerID", "StockCode", "InvoiceDate"], ["17850", "85123A"]
    ),
    ("a.csv", "uid,sid,ts\n1,5,1609459200\n2,6,1609459201\n", ["uid", "sid", "ts"], ["1", "5"]),
    ("b.csv", "User ID,Item ID,Timestamp\n1,5,1609459200\n", ["User ID", "Item ID", "Timestamp"], ["1", "5"]),
    (
      "amazon.csv", "reviewerID,asin,overall,unixReviewTime\nA1YJEY40YUW4SE,B000FA64PA,5.0,1365811200\n",
      ["reviewerID", "asin", "unixReviewTime"], ["A1YJEY40YUW4SE", "B000FA64PA"]
    ),
    (
      "amazon23.csv", "user_id,parent_asin,rating,timestamp\nAFKZ,B01CUPMQZE,4.0,1588687728923\n", ["user_id", "parent_asin", "timestamp"],
      ["AFKZ", "B01CUPMQZE"]
    ),
    (
      "ratings_Books.csv", "AH2L9G3DQHHAJ,0000000116,4.0,1019865600\nA2IIIDRK3PRRZY,0000000116,1.0,1395619200\n", ["1", "2", "4"],
      ["AH2L9G3DQHHAJ", "0000000116"]
    ),
    (
      "Books18.csv", "0001713353,A1C6M8LCIX4M6M,5.0,1123804800\n0001713353,A1REUF3A1YCPHM,5.0,1112140800\n", ["2", "1", "4"],
      ["A1C6M8LCIX4M6M", "0001713353"]
    ),
    (
      "yelp.csv", "review_id,user_id,business_id,stars,date\nxQY8,u-1,b_9,4.0,2018-07-07 22:09:11\n", ["user_id", "business_id", "date"],
      ["u-1", "b_9"]
    ),
    (
      "yoochoose-clicks.dat", "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n", ["1", "3", "2"],
      ["1", "214536502"]
    ),
    (
      "diginetica.csv", "sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n",
      ["sessionId", "itemId", "eventdate"], ["1", "81766"]
    ),
    (
      "BX-Book-Ratings.csv", "\"User-ID\";\"ISBN\";\"Book-Rating\"\n\"276725\";\"034545104X\";\"0\"\n", ["User-ID", "ISBN"],
      ["276725", "034545104X"]
    ),
    ("UserBehavior.csv", "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,pv,1511561733\n", ["1", "2", "5"], ["1", "2268318"]),
    (
      "tmall.csv", "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n328862,323294,833,2882,2661,829,0\n",
      ["user_id", "item_id", "time_stamp"], ["328862", "323294"]
    ),
    (
      "kuairec.csv",
      "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n14,148,4381,6067,2020-07-05 05:27:48.378,20200705,1593898068.378,0.72\n",
      ["user_id", "video_id", "timestamp"], ["14", "148"]
    ),
    ("user_artists.dat", "userID\tartistID\tweight\n2\t51\t13883\n", ["userID", "artistID"], ["2", "51"]),
    (
      "gowalla.txt",
      "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n0\t2010-10-18T22:17:43Z\t30.2691029532\t-97.7493953705\t420315\n",
      ["1", "5", "2"], ["0", "22847"]
    ),
    (
      "lastfm.tsv",
      "user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep Dish\t\tFuck Me\nuser_000001\t2009-05-04T13:54:10Z\ta7f7df4a\t坂本龍一\t\tComposition\n",
      ["1", "3", "2"], ["user_000001", "f1b1cf71"]
    ),
    (
      "steam.csv", "151603712,\"The Elder Scrolls V Skyrim\",purchase,1.0,0\n151603712,\"Fallout 4\",play,87.0,0\n", ["1", "2"],
      ["151603712", "The Elder Scrolls V Skyrim"]
    ),
    ("zh.csv", "用户,商品,时间\n1,5,2020-01-01\n", ["用户", "商品", "时间"], ["1", "5"]),
    ("de.csv", "Kundennummer;Artikelnummer;Datum\nK1;A5;2020-02-01\n", ["Kundennummer", "Artikelnummer", "Datum"], ["K1", "A5"]),
    ("any.csv", "foo,bar\nu1,i1\nu2,i2\n", ["foo", "bar"], ["u1", "i1"]),
    ("blank.txt", "uid iid\n1 2\n1 3\n2 2\n", ["uid", "iid"], ["1", "2"]),
  ]

  /// The error names the columns and suggests a call; that call reads the file correctly.
  @Test(arguments: tables.indices) func tablesWithoutKnownNames(_ index: Int) throws {
    let (name, text, columns, content) = Self.tables[index]
    let problem = try #require(try Self.problem(text, name), "\(name)")
    let help = try #require(problem.help)
    let suggested = try Self.suggested(help)
    #expect(suggested.columns == columns, "\(help)")
    if !columns[0].allSatisfy(\.isNumber) { for column in columns { #expect((problem.message + help).contains(column)) } }
    let options = suggested.options
    let histories = try withFile(text, name) { try Histories.read($0, options).histories }
    let h = try #require((0..<histories.count).first { histories.users.name(histories.owners[$0]) == content[0] })
    #expect(histories.history(h).contains { histories.items.name($0) == content[1] })
  }

  private static let reviews: [(String, [String], [String])] = [
    (
      #"{"reviewerID":"A1","asin":"B0","helpful":[0,1],"reviewText":"x","overall":5.0,"unixReviewTime":1365811200}"#,
      ["reviewerID", "asin", "unixReviewTime"], ["A1", "B0"]
    ),
    (
      #"{"rating":5.0,"title":"t","images":[],"asin":"B00YQ6X8EO","parent_asin":"B00YQ6X8EP","user_id":"AGKH","timestamp":1588687728923,"verified_purchase":true}"#,
      ["user_id", "parent_asin", "timestamp"], ["AGKH", "B00YQ6X8EP"]
    ),
    (
      #"{"review_id":"K","user_id":"mh_","business_id":"XQ","stars":3.0,"useful":0,"text":"a","date":"2018-07-07 22:09:11"}"#,
      ["user_id", "business_id", "date"], ["mh_", "XQ"]
    ),
  ]

  @Test(arguments: reviews)
  func linesOfJSONWithoutKnownNames(_ line: String, _ columns: [String], _ content: [String]) throws {
    let problem = try #require(try Self.problem(line + "\n", "reviews.json"))
    let suggested = try Self.suggested(try #require(problem.help))
    #expect(suggested.columns == columns && columns.allSatisfy(problem.message.contains))
    let result = try withFile(line + "\n", "reviews.json") { try Histories.read($0, suggested.options) }
    #expect(result.histories.users.names == [content[0]] && result.histories.items.names.dropFirst() == [content[1]])
    #expect(result.histories.times?.count == 1 && result.notes.contains { $0.contains("format: jsonl") })
  }

  /// None of these may be read as sequences, although each could be parsed as some format.
  private static let unclear: [(String, String, String)] = [
    ("list.json", "[\n{\"user\":1,\"item\":2},\n{\"user\":1,\"item\":3}\n]\n", "JSON list"),
    ("flat.json", "[[1,2,3],[4,5,6]]\n", "JSON list"),
    ("pretty.json", "{\n  \"user\": 1,\n  \"item\": 2\n}\n", "not a JSON object"),
    ("py.json", "{u'username': u'C', u'product_id': u'7'}\n", "Python"),
    ("odd.txt", "1 10\n1 20\n2 10 7\n2 20\n3 10\n", "one of them has 3"),
    ("code.swift", "import Foundation\n\nlet a = [1, 2, 3]\nprint(a)\n", "not clear"),
    ("code.c", "#include <stdio.h>\nint main(void) { return 0; }\n", "not clear"),
    ("code.py", "import os, sys\nfor x in os.listdir():\n    print(x, sys.argv)\n", "not clear"),
    ("code.cpp", "std::vector<int> a;\nstd::string b;\n", "::"),
    ("prose.txt", "It was the best of times\nit was the worst of times\n", "not clear"),
    ("page.html", "<!DOCTYPE html>\n<html><body>1, 2, 3</body></html>\n", "not clear"), ("one.txt", "a\nb\nc\n", "1 field each"),
    ("two.csv", "1,10\n1,20\n2,10\n", "2 fields each"), ("three.csv", "1,10,5\n1,20,3\n2,10,4\n", "3 fields each"),
    ("zeros.csv", "0,0,pv\n0,3,pv\n0,5,cart\n", "3 fields each"), ("zeros2.csv", "0,0,5\n0,3,4\n1,2,1\n", "3 fields each"),
    ("netflix.txt", "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n", "one of them has 1"),
    ("log.csv", "196,242,3,881250949\n186,302,3,891717742\n", "table without a header"),
    ("quoted.csv", "\"a\",\"b\",\"c\"\n\"b\",\"c\",\"a\"\n\"c\",\"a\",\"b\"\n", "3 fields each"),
  ]

  @Test(arguments: unclear)
  func unclearFormatsAreErrors(_ name: String, _ text: String, _ message: String) throws {
    let problem = try #require(try Self.problem(text, name))
    #expect(problem.message.contains(message), "\(problem.message)")
    #expect(problem.argument == "file")
    let first = text.split(separator: "\n")[0]
    #expect((problem.message + (problem.help ?? "")).contains(first), "the first line is not shown")
  }

  private static let clear: [(String, DataFormat)] = [
    ("0,0,a,b\n0,a,b,c\nb,a,c,d\n", DataFormat.sequences), ("5 9 5 7 9\n7 5 9 5 7\n", .sequences), ("a,b,c\nb,c,a\nc,a,b\n", .sequences),
    ("1,2,3,2,1\n2,1\n3,1,2\n1,3,3,2\n", .sequences), ("<pad>,<pad>,x\n<pad>,y,x\n", .sequences), ("u1,<pad>,x\nu2,y,x\n", .userSequences),
    ("1 10\n1 20\n2 10\n", .pairs), ("u1\ti1\nu1\ti2\nu2\ti1\n", .pairs), ("user,item\n1,2\n", .table),
    ("\"userId\";\"itemId\"\n1;2\n", .table),
    ("{\"session\":1,\"events\":[{\"aid\":1,\"ts\":1}]}\n", .sessions), ("{\"user\":1,\"item\":2,\"time\":3}\n", .jsonl),
    ("{\"user_id\":\"u\",\"item_id\":2}\n", .jsonl), ("1::2::3::4\n", .movielens),
    ("userId,movieId,rating,timestamp\n1,2,3,4\n", .movielens),
    ("user_id:token\titem_id:token\n1\t2\n", .inter), ("timestamp,visitorid,event,itemid,transactionid\n1433221332117,2,view,3,\n", .table),
  ]

  @Test(arguments: clear)
  func clearFormatsAreDetected(_ text: String, _ format: DataFormat) throws {
    let note = try withFile(text) { try Histories.read($0).notes.first }
    #expect(note?.hasSuffix("read as format: \(format.rawValue)") == true, "\(note ?? "")")
  }

  /// The format of a long file is detected from its first lines only.
  @Test func longFiles() throws {
    func long(_ line: (Int) -> String) -> String { (0..<5000).map { line($0) + "\n" }.joined() }
    func format(_ text: String) throws -> String? {
      try withFile(text) { path in
        do {
          return try Histories.read(path).notes.first.map { String($0.split(separator: " ").last ?? "") }
        } catch let error as DataError where error.message.contains("not clear") || error.message.contains("may be a table") { return nil }
      }
    }
    #expect(try format(long { i in (0..<20).map { "\((i * 7 + $0 * $0) % 300 + 1)" }.joined(separator: ",") }) == "sequences")
    #expect(try format(long { i in (0...(i % 7 + 1)).map { "\((i * 7 + $0 * $0) % 300)" }.joined(separator: " ") }) == "sequences")
    #expect(
      try format(long { i in (0..<9).map { $0 < 8 - i % 9 ? "0" : "\((i * 7 + $0 * $0) % 40 + 1)" }.joined(separator: ",") }) == "sequences"
    )
    #expect(
      try format(long { i in (0..<9).map { $0 > i % 9 ? "0" : "\((i * 7 + $0 * $0) % 40 + 1)" }.joined(separator: ",") }) == "sequences")
    #expect(try format(long { "\($0 / 9) \($0 % 700)" }) == "pairs")
    #expect(try format(long { "u\($0),\($0 % 700),\($0 % 20),x,\($0 % 365)" }) == nil)
    // Columns user, item, rating, day and hour: for many users, then for user 0 only.
    #expect(try format(long { "\($0),\($0 * 7919 % 50000),\($0 % 5),\($0 * 31 % 365),\($0 * 7 % 24)" }) == nil)
    #expect(try format(long { "0,\($0),\($0 % 5 + 1),\($0 * 31 % 365),\($0 * 7 % 24)" }) == nil)
    #expect(try format(long { "\($0 / 200),\($0 % 200),\($0 % 5 + 1),\($0 * 31 % 365 + 1),\($0 * 7 % 24 + 1)" }) == nil)
    #expect(try format(long { "\($0 / 9),\($0 % 700),\($0 % 5),\(1_500_000_000 + $0)" }) == nil)
  }

  /// Ambiguous columns are an error: two candidates for one role, or an unknown column whose values look like times.
  @Test func ambiguousColumnsAreErrors() throws {
    let users = try #require(try Self.problem("user_id,session_id,item\n1,2,3\n", "t.csv"))
    #expect(users.message == "several columns look like the user: user_id, session_id" && users.help?.contains("load(") == true)
    #expect(try Self.problem("user,item,date,timestamp\n1,2,2020-01-01,1\n", "t.csv")?.message.contains("look like the time") == true)
    #expect(try Self.problem("user,item,bought\n1,2,2020-01-01\n", "t.csv")?.message.contains("\"bought\" looks like the time") == true)
    #expect(try Self.problem("user,item,bought\n1,2,2020-01-01\n", "t.csv", .init(user: "user", item: "item")) == nil)
    #expect(try Self.problem("{\"user\":1,\"user_id\":2,\"item\":3}\n", "t.jsonl", .init(item: "item"))?.argument == "user")
  }

  /// An option that the format does not use is an error.
  private static let useless: [(String, ReadingOptions, String)] = [
    ("0,0,a\n0,b,a\n", ReadingOptions(format: .sequences, separator: 0x2c), "separator"),
    ("a,b\n", .init(format: .sequences, rating: "r"), "rating"),
    ("a,b\n", .init(format: .sequences, timeUnit: .seconds), "time_unit"), ("1 2\n", .init(format: .pairs, header: true), "header"),
    ("{\"user\":1,\"item\":2}\n", .init(format: .jsonl, separator: 0x2c), "separator"),
    ("{\"user\":1,\"item\":2}\n", .init(format: .jsonl, pad: "0"), "pad"),
  ]

  @Test(arguments: useless)
  func optionsWithoutUse(_ text: String, _ options: ReadingOptions, _ argument: String) throws {
    #expect(try Self.problem(text, "t.txt", options)?.argument == argument)
  }

  @Test func duplicateColumnNamesAreErrors() throws {
    let text = "user,item,user\n1,2,3\n"
    #expect(try Self.problem(text, "t.csv", .init(user: "user", item: "item"))?.message == "several columns are called \"user\"")
    let users = try withFile(text) { try Histories.read($0, .init(user: 3, item: 2, header: true)).histories.users.names }
    #expect(users == ["3"])
  }

  @Test func aSeparatorOrAHeaderMeansATable() throws {
    let items = try withFile("user!item\n1!2\n") { try Histories.read($0, .init(separator: 0x21)).histories.items.names }
    #expect(items == ["<pad>", "2"])
    let numbered = try withFile("{a,b\n{a,c\n") { try Histories.read($0, .init(user: 1, item: 2)).histories.items.names }
    #expect(numbered == ["<pad>", "b", "c"])
  }

  @Test func linesOfInteractions() throws {
    let text =
      "{\"user\":\"a\",\"item\":7,\"rating\":4.5,\"time\":5,\"more\":{\"x\":[null,true]}}\n\n{\"time\":3,\"item\":\"8\",\"user\":\"a\",\"rating\":1}\r\n"
    try withFile(text, "t.jsonl") { path in
      let histories = try Histories.read(path).histories
      #expect(histories.history(0).map { histories.items.name($0) } == ["8", "7"])
      #expect(histories.times.map(Array.init) == [3, 5] && histories.ratings.map(Array.init) == [1, 4.5])
    }
    for (line, column, message) in [
      ("{\"user\":\"b\",\"item\":9,\"rating\":1}", 1, "the time is missing"),
      ("{\"user\":\"b\",\"time\":9,\"rating\":1}", 1, "the item is missing"),
      ("{\"user\":\"\",\"item\":1,\"time\":9}", 10, "the user is missing"),
      ("{\"user\":null,\"item\":1,\"time\":9}", 9, "expected a number or a text"),
      ("{\"user\":1,\"item\":1x,\"time\":9}", 18, "expected a number or a text"),
      ("{\"user\":1,\"item\":1,\"time\":\"soon\"}", 28, "expected a time"),
      ("{\"user\":1,\"item\":1,\"time\":9},", 29, "expected the end"), ("[1]", 1, "expected `{`"),
    ] {
      let problem = try #require(try Self.problem(text + line + "\n", "t.jsonl"), "\(line)")
      #expect(problem.line == 4 && problem.column == column && problem.message.contains(message), "\(line): \(problem)")
    }
  }
}
