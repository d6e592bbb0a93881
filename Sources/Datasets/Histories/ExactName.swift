/// The name of an item or a user, compared by its bytes.
///
/// Swift compares strings by canonical equivalence. Two ids that differ only in their Unicode normal form ("é" as one scalar or
/// as two) are different ids in a file, and must stay different.
public struct ExactName: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  public static func == (a: Self, b: Self) -> Bool {
    a.text.utf8.count == b.text.utf8.count && a.text.utf8.elementsEqual(b.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

/// Numbers by name.
public struct NameNumbers: Sendable {
  private let numbers: [ExactName: Int32]

  /// Of equal names the first one counts.
  init(_ names: [String]) {
    numbers = Dictionary(names.enumerated().map { (ExactName($1), Int32($0)) }, uniquingKeysWith: { first, _ in first })
  }

  public subscript(name: String) -> Int32? { numbers[ExactName(name)] }
}
