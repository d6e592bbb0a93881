/// Finds the occurrences of a text in another one, comparing characters, in time proportional to the sum of their lengths.
enum TextSearch {
  /// Calls `found` with each occurrence of `part` from left to right, without overlaps, until it returns false. `part` must not
  /// be empty.
  static func matches(
    of part: String, in text: String, _ work: Work, _ found: (Range<String.Index>) throws -> Bool
  ) throws {
    // In ASCII a character is a byte, except that a carriage return and a line feed together are one character.
    func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 && $0 != 0x0d } }
    if isPlain(text) && isPlain(part) {
      try matches(of: Array(part.utf8), in: text.utf8, work, found)
    } else {
      try matches(of: Array(part), in: text, work, found)
    }
  }

  /// The search of Knuth, Morris and Pratt (1977).
  private static func matches<Text: Collection>(
    of part: [Text.Element], in text: Text, _ work: Work, _ found: (Range<Text.Index>) throws -> Bool
  ) throws where Text.Element: Equatable {
    // For each prefix of `part`, the length of its longest proper prefix that is also a suffix.
    var borders = [0]
    var border = 0
    for element in part.dropFirst() {
      try work.step()
      while border > 0 && element != part[border] { border = borders[border - 1] }
      if element == part[border] { border += 1 }
      borders.append(border)
    }
    var matched = 0
    // A ring buffer with the start indices of the last `part.count` characters.
    var begins = [Text.Index](repeating: text.startIndex, count: part.count)
    var number = 0
    var index = text.startIndex
    while index < text.endIndex {
      try work.step()
      let element = text[index]
      begins[number % part.count] = index
      number += 1
      text.formIndex(after: &index)
      while matched > 0 && element != part[matched] { matched = borders[matched - 1] }
      if element == part[matched] { matched += 1 }
      if matched == part.count {
        guard try found(begins[number % part.count]..<index) else { return }
        matched = 0
      }
    }
  }
}
