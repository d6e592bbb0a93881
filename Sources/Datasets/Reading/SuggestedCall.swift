/// A suggested call of `load` for a table, derived from the names and contents of its columns.
struct SuggestedCall {
  let path: String
  private let member: String?
  /// Columns by number, from 0.
  private(set) var user: Int?
  private(set) var item: Int?
  private(set) var time: Int?
  private let names: [String]?

  /// Names of user columns in public data sets and shops, the most certain first. Only letters and digits count, in lower
  /// case.
  private static let users = [
    "user", "userid", "reviewerid", "customerid", "customer", "visitorid", "uid", "username", "memberid", "accountid", "clientid",
    "buyerid",
    "profileid", "playerid", "readerid", "listenerid", "useridx", "usr", "kunde", "kundennummer", "kundenid", "kundennr", "nutzer",
    "nutzerid",
    "benutzer", "benutzerid", "utilisateur", "client", "usuario", "cliente", "用户", "用户id", "用户编号", "用户名", "会员", "会员id", "顾客", "客户",
    "客户id", "sessionid", "session", "sid",
  ]
  /// Names of item columns. The id of a product comes before the ids of its variants and its title.
  private static let items = [
    "item", "itemid", "parentasin", "asin", "movieid", "movie", "productid", "product", "sku", "stockcode", "isbn", "businessid", "videoid",
    "newsid", "articleid", "trackid", "songid", "artistid", "venueid", "locationid", "poiid", "placeid", "appid", "gameid", "bookid",
    "animeid",
    "recipeid", "beerid", "goodsid", "merchantid", "adid", "iid", "mid", "pid", "filmid", "showid", "docid", "contentid", "itemname",
    "track",
    "song", "artist", "game", "book", "artikel", "artikelnummer", "artikelid", "artikelnr", "produkt", "produktid", "produktnummer", "film",
    "filmid", "article", "produit", "producto", "articulo", "商品", "商品id", "商品编号", "物品", "物品id", "电影", "电影id", "产品", "产品id", "sid",
  ]
  private static let times = [
    "timestamp", "unixreviewtime", "unixtime", "timestampms", "datetime", "time", "ts", "date", "eventtime", "eventdate", "createdat",
    "created", "invoicedate", "orderdate", "purchasedate", "reviewtime", "reviewdate", "checkintime", "visittime", "clicktime", "utctime",
    "playedat", "localtime", "when", "tm", "datum", "zeit", "zeitstempel", "uhrzeit", "zeitpunkt", "bestelldatum", "kaufdatum", "fecha",
    "heure",
    "时间", "时间戳", "日期", "购买时间", "下单时间", "评论时间",
  ]
  /// Names of columns that are neither a user, an item nor a time, whatever they contain.
  private static let others = [
    "rating", "stars", "score", "overall", "bookrating", "price", "unitprice", "quantity", "country", "description", "weight", "title",
    "event", "behaviortype", "behavior", "actiontype", "action", "category", "categoryid", "catid", "brandid", "sellerid", "invoiceno",
    "invoice", "orderid", "transactionid", "reviewid", "age", "gender", "location", "latitude", "longitude", "helpful", "summary",
    "reviewtext",
    "preis", "menge", "anzahl", "land", "bewertung", "评分", "价格", "数量", "类别", "行为",
  ]

  /// A name reduced to its letters and digits, in lower case.
  private static func plain(_ name: String) -> String {
    String(name.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil })
  }

  /// Whether this is a known name of a column.
  static func isKnown(_ name: String) -> Bool {
    let name = plain(name)
    return users.contains(name) || items.contains(name) || times.contains(name) || others.contains(name)
  }

  /// - Parameters:
  ///   - path: the path of the file.
  ///   - member: the member of an archive; nil for other files.
  ///   - names: the names of the columns; nil for a table without a header.
  ///   - rows: the fields of some lines, without the header.
  init(_ path: String, member: String? = nil, names: [String]?, rows: [[String]]) {
    self.path = path
    self.member = member
    self.names = names
    let plain = names?.map(Self.plain) ?? []
    func named(_ known: [String], but taken: [Int?]) -> Int? {
      for name in known { if let index = plain.indices.first(where: { plain[$0] == name && !taken.contains($0) }) { return index } }
      return nil
    }
    let width = names?.count ?? rows.first?.count ?? 0
    let rows = rows.filter { $0.count == width }
    func all(_ column: Int, _ test: (String) -> Bool) -> Bool { !rows.isEmpty && rows.allSatisfy { test($0[column]) } }
    time = named(Self.times, but: [])
    // A user column that is mostly empty is a bad choice: prefer, for example, a session column.
    let unknown: [Int?] = plain.indices.filter { column in
      rows.filter { ["", "na", "nan", "null", "none"].contains($0[column].lowercased()) }.count * 2 > rows.count
    }
    user = named(Self.users, but: [time] + unknown) ?? named(Self.users, but: [time])
    item = named(Self.items, but: [time, user])
    if time == nil {
      // Ids can be as large as times, so columns that are the user or the item, or whose name is known, are excluded.
      let possible = (0..<width).filter { column in
        all(column, CellKind.isTime) && column != user && column != item
          && !(plain.indices.contains(column) && Self.others.contains(plain[column]))
      }
      time = possible.first { column in all(column, CellKind.isDate) } ?? possible.last
    }
    let free = (0..<width).filter { column in
      column != time && !(plain.indices.contains(column) && Self.others.contains(plain[column]))
        && !all(column) { CellKind.isFraction($0) || $0.isEmpty }
    }
    if user == nil { user = free.first { $0 != item } }
    if item == nil { item = free.first { $0 != user && ($0 > (user ?? -1) || names != nil) } ?? free.first { $0 != user } }
    // The Amazon reviews of 2018 have the product before the reviewer.
    if names == nil, let first = user, let second = item, all(first, CellKind.isProductNumber), all(second, CellKind.isReviewer) {
      (user, item) = (second, first)
    }
  }

  private func column(_ index: Int?) -> String? {
    guard let index else { return nil }
    return names.map { "\"\($0[index])\"" } ?? "\(index + 1)"
  }

  var text: String {
    let arguments = [
      member.map { "member: \"\($0)\"" }, "user: \(column(user) ?? "\"...\"")", "item: \(column(item) ?? "\"...\"")",
      column(time).map { "time: \($0)" },
    ].compactMap { $0 }
    return "load(\"\(path)\", \(arguments.joined(separator: ", ")))"
  }
}

/// Tests of what a field can be.
enum CellKind {
  static func isWhole(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }

  static func isNumber(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2e || $0 == 0x2d || $0 == 0x2b } && Double(text) != nil
  }

  /// A number with a decimal point, such as 4.5 or -73.98.
  static func isFraction(_ text: String) -> Bool { isNumber(text) && text.contains(".") }

  static func isDate(_ text: String) -> Bool { moment(text)?.isDate ?? false }

  /// A date, or a number that is a Unix time between 1989 and 2100 in some unit.
  static func isTime(_ text: String) -> Bool {
    guard let moment = moment(text) else { return looksLikeDate(text) }
    return moment.isDate || TimeUnit.allCases.contains { (600_000_000..<4_102_444_800).contains(moment.whole / $0.perSecond) }
  }

  /// A date in a format that is not supported, such as `12/1/2010 8:26` or `Tue Apr 03 18:00:09 +0000 2012`.
  private static func looksLikeDate(_ text: String) -> Bool {
    let parts = text.split { "/-. :".contains($0) }
    return parts.count >= 3 && (text.contains("/") || text.contains(":") || text.contains("."))
      && parts.filter { isWhole(String($0)) }.count >= 3 && text.utf8.count <= 40 && Double(text) == nil
  }

  private static func moment(_ text: String) -> Moment? { Array(text.utf8).withUnsafeBufferPointer { Moments.parse($0) } }

  /// A product number of Amazon, which has ten characters.
  static func isProductNumber(_ text: String) -> Bool {
    text.utf8.count == 10 && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5a) }
      && (text.first == "B" || text.first?.isNumber == true)
  }

  /// A reviewer number of Amazon.
  static func isReviewer(_ text: String) -> Bool { text.first == "A" && text.utf8.count >= 11 }

  /// A field that can be an id in a file without quotes: it has no blanks and no signs of sentences or programs.
  static func isPlainID(_ text: String) -> Bool {
    !text.isEmpty && !text.unicodeScalars.contains { $0.properties.isWhitespace || "\"'`{}()[]<>=;,\\|&*!?^~".unicodeScalars.contains($0) }
  }
}
