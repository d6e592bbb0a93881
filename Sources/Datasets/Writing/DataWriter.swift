/// Writes data as text that `load` and other programs can read.
public enum DataWriter {
  public enum Format: Sendable {
    /// A table with a header, separated by this byte: user, item, and if present rating and time.
    case table(UInt8)
    /// An atomic file of RecBole.
    case inter
  }

  /// A piece of text is passed on when it is longer than this, in bytes.
  private static let pieceSize = 1 << 20

  /// Writes interactions, grouped by user, oldest first. `put` receives the text in pieces.
  ///
  /// - Throws: `DataError` for names that the format cannot represent and for a damaged file; errors of `put`.
  public static func write(_ histories: Histories, _ format: Format, put: ([UInt8]) throws -> Void) throws {
    let histories = try histories.checked()
    let separator: UInt8
    var text: [UInt8] = []
    switch format {
    case .table(let byte):
      separator = byte
      let names = ["user", "item"] + (histories.ratings == nil ? [] : ["rating"]) + (histories.times == nil ? [] : ["time"])
      text += names.joined(separator: String(decoding: [byte], as: UTF8.self)).utf8
    case .inter:
      separator = 0x09
      text += "user_id:token\titem_id:token".utf8
      if histories.ratings != nil { text += "\trating:float".utf8 }
      if histories.times != nil { text += "\ttimestamp:float".utf8 }
    }
    text.append(0x0a)
    // Entry 0 is the pad, which is not an item.
    let users = try fields(histories.users.names, separator)
    let items = [[]] + (try fields(Array(histories.items.names.dropFirst()), separator))
    for h in 0..<histories.count {
      for e in histories.offsets[h]..<histories.offsets[h + 1] {
        text += users[Int(histories.owners[h])]
        text.append(separator)
        text += items[Int(histories.events[e])]
        if let ratings = histories.ratings {
          text.append(separator)
          text += "\(ratings[e])".utf8
        }
        if let times = histories.times {
          text.append(separator)
          text += TimeText.seconds(times[e], perSecond: histories.ticksPerSecond).utf8
        }
        text.append(0x0a)
        if text.count > pieceSize {
          try put(text)
          text.removeAll(keepingCapacity: true)
        }
      }
    }
    try put(text)
  }

  /// Writes one sequence per line, padded in front with the name of the pad. If the data has users, a line begins with its
  /// user. The first line names the columns (`SequenceHeader`).
  ///
  /// - Throws: `DataError` for names that the format cannot represent and for a damaged file; errors of `put`.
  public static func write(_ set: SequenceSet, put: ([UInt8]) throws -> Void) throws {
    let pad = set.items.names.first ?? SequenceHeader.usualPad
    for name in set.items.names + (set.hasUsers ? set.userNames.names : []) {
      if let odd = oddCharacter(name, [0x2c, 0x0a, 0x0d, 0]) {
        throw DataError("\"\(name)\" contains \(odd), which a file of sequences cannot have", argument: "value")
      }
      if name.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
        throw DataError("\"\(name)\" consists of blanks, which a file of sequences cannot have", argument: "value")
      }
    }
    if set.items.names.dropFirst().contains(pad) {
      throw DataError("an item is called \"\(pad)\", like the pad", argument: "value")
    }
    var text = Array((SequenceHeader(hasUsers: set.hasUsers, length: set.length, pad: pad).line + "\n").utf8)
    let items = set.items.names.map { Array($0.utf8) }
    for index in 0..<set.count {
      if set.hasUsers {
        text += set.userNames.name(set.user(index)).utf8
        text.append(0x2c)
      }
      for (position, item) in set.sequence(index).enumerated() {
        if position > 0 { text.append(0x2c) }
        text += items[Int(item)]
      }
      text.append(0x0a)
      if text.count > pieceSize {
        try put(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    if let fault = set.fault { throw fault }
    try put(text)
  }

  /// Writes sequences as a benchmark file of RecBole: a user, a list of items, and the item that follows.
  ///
  /// - Throws: `DataError` for names that the format cannot represent and for a damaged file; errors of `put`.
  public static func writeInter(_ set: SequenceSet, put: ([UInt8]) throws -> Void) throws {
    // If an item has a usual name of the pad, a column has the length of each list, so that no item is read as padding.
    let saysLength = set.items.names.dropFirst().contains { (SequenceHeader.foreignPads + [SequenceHeader.usualPad]).contains($0) }
    var text = Array("user_id:token\titem_id_list:token_seq\titem_id:token\(saysLength ? "\titem_length:float" : "")\n".utf8)
    // The items of a list are separated by blanks, so a name must not contain one.
    for name in set.items.names.dropFirst() {
      if let odd = oddCharacter(name, [0x20, 0x09, 0x0a, 0x0d, 0]) {
        throw DataError("\"\(name)\" contains \(odd), which RecBole's lists of items cannot have", argument: "value")
      }
    }
    let users = try fields(set.userNames.names, 0x09)
    for index in 0..<set.count {
      let items = set.sequence(index).drop { $0 == 0 }
      text += users[Int(set.user(index))]
      text.append(0x09)
      text += quoted(Array(items.dropLast().map { set.items.name($0) }.joined(separator: " ").utf8), 0x09)
      text.append(0x09)
      if let last = items.last { text += quoted(Array(set.items.name(last).utf8), 0x09) }
      if saysLength { text += "\t\(items.count - 1)".utf8 }
      text.append(0x0a)
      if text.count > pieceSize {
        try put(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    if let fault = set.fault { throw fault }
    try put(text)
  }

  /// A description of the first of these bytes in a name; nil if it has none.
  private static func oddCharacter(_ name: String, _ bytes: [UInt8]) -> String? {
    let found = name.utf8.first { bytes.contains($0) }
    return found.map { [0x20: "a blank", 0x09: "a tab", 0x2c: "a comma", 0: "a zero byte"][$0] ?? "a line break" }
  }

  /// The names as fields. A name is quoted if it contains a separator or a quote, or begins or ends with a blank.
  ///
  /// - Throws: `DataError` for names with a line break, because every row is one line.
  private static func fields(_ names: [String], _ separator: UInt8) throws(DataError) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    fields.reserveCapacity(names.count)
    for name in names {
      if let odd = oddCharacter(name, [0x0a, 0x0d, 0]) {
        throw DataError(
          "\"\(name)\" contains \(odd), which a table cannot have", help: "save it as .srsd", argument: "value")
      }
      fields.append(quoted(Array(name.utf8), separator))
    }
    return fields
  }

  private static func quoted(_ bytes: [UInt8], _ separator: UInt8) -> [UInt8] {
    let ends = [bytes.first, bytes.last]
    guard bytes.contains(where: { $0 == separator || $0 == 0x22 }) || ends.contains(0x20) || ends.contains(0x09) else { return bytes }
    return [0x22] + bytes.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] } + [0x22]
  }
}
