/// Assigns numbers to the names of users or items, in the order of their first occurrence.
///
/// Most names are whole numbers. They are looked up by their value, which is fast; other names are looked up by their bytes.
struct Identifiers {
  private static let byText: UInt64 = 1 << 63

  /// By number of the name: the whole number, or the index in `texts` with the highest bit set.
  private var keys: [UInt64] = []
  private var table = [Int32](repeating: -1, count: 256)
  private var texts = Interner()
  private var numberOfText: [Int32] = []
  private var last: (key: UInt64, number: Int32) = (Self.byText, -1)

  var count: Int { keys.count }

  /// The number of a name.
  mutating func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
    if let whole = Self.whole(bytes) { return number(whole: whole) }
    let text = texts.number(bytes)
    if Int(text) < numberOfText.count { return numberOfText[Int(text)] }
    let number = Int32(keys.count)
    keys.append(Self.byText | UInt64(text))
    numberOfText.append(number)
    return number
  }

  /// The whole number that a text is the canonical form of; nil for any other text, such as 007.
  @inline(__always)
  private static func whole(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
    guard bytes.count > 0, bytes.count <= 18, bytes[0] != 0x30 || bytes.count == 1 else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      let digit = byte &- 0x30
      if digit > 9 { return nil }
      value = value &* 10 &+ UInt64(digit)
    }
    return value
  }

  private mutating func number(whole: UInt64) -> Int32 {
    // Rows are often grouped by user, so the last number is likely to occur again.
    if whole == last.key { return last.number }
    let mask = table.count - 1
    var slot = Self.slot(whole, mask)
    while true {
      let found = table[slot]
      if found < 0 { break }
      if keys[Int(found)] == whole {
        last = (whole, found)
        return found
      }
      slot = (slot + 1) & mask
    }
    let number = Int32(keys.count)
    keys.append(whole)
    table[slot] = number
    if (keys.count - numberOfText.count) * 2 > table.count { grow() }
    last = (whole, number)
    return number
  }

  @inline(__always)
  private static func slot(_ key: UInt64, _ mask: Int) -> Int {
    let mixed = key &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed ^ (mixed >> 32)) & mask
  }

  private mutating func grow() {
    table = Array(repeating: -1, count: table.count * 4)
    let mask = table.count - 1
    for (number, key) in keys.enumerated() where key & Self.byText == 0 {
      var slot = Self.slot(key, mask)
      while table[slot] >= 0 { slot = (slot + 1) & mask }
      table[slot] = Int32(number)
    }
  }

  /// Adds the names of another table. Returns, for each number there, the number here.
  mutating func merge(_ other: Identifiers) -> [Int32] {
    other.keys.map { key in
      key & Self.byText == 0 ? number(whole: key) : other.texts.withBytes(Int(key & ~Self.byText)) { number($0) }
    }
  }

  func names() -> [String] {
    let names = texts.names()
    return keys.map { $0 & Self.byText == 0 ? String($0) : names[Int($0 & ~Self.byText)] }
  }
}
