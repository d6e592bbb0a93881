/// Finds a text in a text, letter by letter, in a time that grows with both together.
enum TextSearch {
  /// Calls `found` with each place of `part`, which is not empty, from left to right and none inside of another; until it
  /// gives false.
  static func places(
    of part: String, in text: String, _ work: Work, _ found: (Range<String.Index>) throws -> Bool
  ) throws {
    // A letter of ASCII is a byte; a carriage return may be half of a line break.
    func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 && $0 != 0x0d } }
    if isPlain(text) && isPlain(part) {
      try places(of: Array(part.utf8), in: text.utf8, work, found)
    } else {
      try places(of: Array(part), in: text, work, found)
    }
  }

  /// Knuth, Morris and Pratt's search.
  private static func places<Text: Collection>(
    of part: [Text.Element], in text: Text, _ work: Work, _ found: (Range<Text.Index>) throws -> Bool
  ) throws where Text.Element: Equatable {
    // Of each beginning of the part, how much of it stands at its end again.
    var borders = [0]
    var border = 0
    for element in part.dropFirst() {
      try work.step()
      while border > 0 && element != part[border] { border = borders[border - 1] }
      if element == part[border] { border += 1 }
      borders.append(border)
    }
    var matched = 0
    // Begins of the last letters, as many as the part has.
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
