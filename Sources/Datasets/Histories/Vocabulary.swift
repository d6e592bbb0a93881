/// A list of names, which are numbered from 0. In a vocabulary of items, number 0 is the pad; in one of users, it is a user.
public struct Vocabulary: Sendable, Equatable {
  private let storage: Storage

  private enum Storage: Sendable {
    case names([String])
    case packed(PackedNames)
  }

  public init(_ names: [String]) { storage = .names(names) }

  init(_ packed: PackedNames) { storage = .packed(packed) }

  public var count: Int {
    switch storage {
    case .names(let names): names.count
    case .packed(let packed): packed.count
    }
  }

  public func name(_ id: Int32) -> String {
    switch storage {
    case .names(let names): names[Int(id)]
    case .packed(let packed): packed.name(Int(id))
    }
  }

  /// All names. For a mapped file, every call creates them again.
  public var names: [String] {
    switch storage {
    case .names(let names): names
    case .packed(let packed): (0..<packed.count).map(packed.name)
    }
  }

  public static func == (a: Self, b: Self) -> Bool {
    switch (a.storage, b.storage) {
    case (.names(let a), .names(let b)): same(a, b)
    case (.packed(let a), .packed(let b)) where a.file === b.file && a.count == b.count && a.first == b.first: true
    default: a.count == b.count && same(a.names, b.names)
    }
  }

  private static func same(_ a: [String], _ b: [String]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { ExactName($0) == ExactName($1) }
  }

  /// This vocabulary followed by the new names of another one, from number `first` on.
  func adding(_ other: Vocabulary, from first: Int) -> Vocabulary {
    let known = numbers()
    return Vocabulary(names + other.names.dropFirst(first).filter { known[$0] == nil })
  }

  /// A name for the pad that none of these items has: `<pad>`, or `<<pad>>` and so on.
  static func padName(beside names: [String]) -> String {
    var name = "<pad>"
    while names.contains(name) { name = "<\(name)>" }
    return name
  }

  /// The numbers by name. Every call creates the dictionary again, so store it for several look-ups.
  public func numbers() -> NameNumbers { NameNumbers(names) }
}

/// Assigns numbers to byte strings in the order of their first occurrence. It is an open-addressing hash table over one array
/// of bytes, so that reading millions of rows creates no strings.
struct Interner {
  private var arena: [UInt8] = []
  private var ends: [Int] = []
  private var table: [Int32]
  private var mask: Int

  init() {
    table = Array(repeating: -1, count: 1024)
    mask = 1023
  }

  var count: Int { ends.count }

  /// The number of a byte string.
  mutating func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
    var slot = Self.hash(bytes) & mask
    while true {
      let found = table[slot]
      if found < 0 { break }
      if equals(Int(found), bytes) { return found }
      slot = (slot + 1) & mask
    }
    let number = Int32(ends.count)
    arena.append(contentsOf: bytes)
    ends.append(arena.count)
    table[slot] = number
    if ends.count * 2 > table.count { grow() }
    return number
  }

  /// The bytes of one name.
  func withBytes<Result>(_ number: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let start = number == 0 ? 0 : ends[number - 1]
    return arena.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start..<ends[number]])) }
  }

  /// All names in the order of their numbers. The readers have checked that the bytes are UTF-8.
  func names() -> [String] {
    var start = 0
    return ends.map { end in
      defer { start = end }
      return String(decoding: arena[start..<end], as: UTF8.self)
    }
  }

  private func equals(_ number: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = number == 0 ? 0 : ends[number - 1]
    guard ends[number] - start == bytes.count else { return false }
    for i in 0..<bytes.count where arena[start + i] != bytes[i] { return false }
    return true
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var h: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { h = (h ^ UInt64(byte)) &* 0x100_0000_01b3 }
    h ^= h >> 29
    return Int(truncatingIfNeeded: h &* 0xbf58_476d_1ce4_e5b9 >> 1)
  }

  private mutating func grow() {
    let old = ends
    table = Array(repeating: -1, count: table.count * 2)
    mask = table.count - 1
    var start = 0
    for (number, end) in old.enumerated() {
      let hash = arena.withUnsafeBufferPointer { Self.hash(UnsafeBufferPointer(rebasing: $0[start..<end])) }
      var slot = hash & mask
      while table[slot] >= 0 { slot = (slot + 1) & mask }
      table[slot] = Int32(number)
      start = end
    }
  }
}
