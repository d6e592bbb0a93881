/// A fast 64-bit hash over words of eight bytes, the same on every machine. It detects accidental changes; it does not
/// resist attacks.
public struct WordHash: Sendable {
  public private(set) var value: UInt64 = 0x9ae1_6a3b_2f90_404f

  public init() {}

  public mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 32
  }

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    add(UInt64(bytes.count))
    addWords(bytes)
  }

  /// Adds a part of many bytes whose number was added before. Every part but the last has a multiple of eight bytes.
  public mutating func addWords(_ bytes: UnsafeRawBufferPointer) {
    let words = bytes.count / 8
    for i in 0..<words { add(bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)) }
    for i in (8 * words)..<bytes.count { add(UInt64(bytes[i])) }
  }

  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  /// The value as 16 hexadecimal digits.
  public var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
