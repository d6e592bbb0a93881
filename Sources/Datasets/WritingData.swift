/// Data as text that `load` and other programs read.
public enum DataWriter {
  public enum Format: Sendable {
    /// A table with a header: user, item and what there is of rating and time, separated by this byte.
    case table(UInt8)
    /// RecBole's atomic file.
    case inter
  }

  private static let full = 1 << 20

  /// Interactions, user by user, oldest first; `put` gets the text in pieces.
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
    let users = fields(histories.users, separator)
    let items = fields(histories.items, separator)
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
          text += "\(times[e])".utf8
        }
        text.append(0x0a)
      }
      if text.count > full {
        try put(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    try put(text)
  }

  /// Sequences, one a line, padded in front with the pad's name; the user in front of each where the data has users.
  public static func write(_ set: SequenceSet, put: ([UInt8]) throws -> Void) throws {
    var text: [UInt8] = []
    for name in set.items.names + (set.hasUsers ? set.userNames.names : []) where name.utf8.contains(0x2c) || name.utf8.contains(0x0a) {
      throw DataError("\"\(name)\" holds a comma or a line break, which a file of sequences cannot have", argument: "value")
    }
    let items = set.items.names.map { Array($0.utf8) }
    for index in 0..<set.count {
      if set.hasUsers {
        text += set.userNames.name(set.user(index)).utf8
        text.append(0x2c)
      }
      for (place, item) in set.sequence(index).enumerated() {
        if place > 0 { text.append(0x2c) }
        text += items[Int(item)]
      }
      text.append(0x0a)
      if text.count > full {
        try put(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    if let fault = set.fault { throw fault }
    try put(text)
  }

  /// Sequences as RecBole's benchmark files have them: a user, the items he had, and the one to predict.
  public static func writeInter(_ set: SequenceSet, put: ([UInt8]) throws -> Void) throws {
    var text = Array("user_id:token\titem_id_list:token_seq\titem_id:token\n".utf8)
    // The items of a list stand apart by blanks, so a name must not hold one.
    for name in set.items.names.dropFirst() where name.contains(where: { $0 == " " || $0 == "\t" || $0.isNewline }) {
      throw DataError("\"\(name)\" holds a blank, which RecBole's lists of items cannot have", argument: "value")
    }
    for index in 0..<set.count {
      let items = set.sequence(index).drop { $0 == 0 }
      text += set.userNames.name(set.user(index)).utf8
      text.append(0x09)
      text += items.dropLast().map { set.items.name($0) }.joined(separator: " ").utf8
      text.append(0x09)
      if let last = items.last { text += set.items.name(last).utf8 }
      text.append(0x0a)
      if text.count > full {
        try put(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    if let fault = set.fault { throw fault }
    try put(text)
  }

  /// Names as fields: in quotes where they hold a separator, a quote or a line break.
  private static func fields(_ names: Vocabulary, _ separator: UInt8) -> [[UInt8]] {
    names.names.map { name in
      let bytes = Array(name.utf8)
      guard bytes.contains(where: { $0 == separator || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }) || name.first == " " || name.last == " "
      else {
        return bytes
      }
      return [0x22] + bytes.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] } + [0x22]
    }
  }
}
