/// An immutable array of values, in its own memory or in a mapped file.
///
/// `@unchecked Sendable`: nothing changes the values.
public struct Column<Element: BitwiseCopyable & Sendable>: RandomAccessCollection, @unchecked Sendable {
  private let base: UnsafePointer<Element>
  public let count: Int
  /// Owns the memory of the values.
  private let owner: AnyObject

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  private final class Memory {
    let values: UnsafeMutablePointer<Element>
    init(_ capacity: Int) { values = .allocate(capacity: Swift.max(1, capacity)) }
    deinit { values.deallocate() }
  }

  /// A column in a mapped file.
  init(_ base: UnsafePointer<Element>, count: Int, of owner: MappedFile) {
    self.base = base
    self.count = count
    self.owner = owner
  }

  /// A column whose values `fill` initialises in place. `fill` sets the number of values.
  public init(
    unsafeUninitializedCapacity capacity: Int, initializingWith fill: (UnsafeMutableBufferPointer<Element>, inout Int) throws -> Void
  )
    rethrows
  {
    let memory = Memory(capacity)
    var count = 0
    try fill(UnsafeMutableBufferPointer(start: memory.values, count: capacity), &count)
    base = UnsafePointer(memory.values)
    self.count = count
    owner = memory
  }

  public init(_ values: some Collection<Element>) {
    self.init(unsafeUninitializedCapacity: values.count) { buffer, count in
      count = buffer.initialize(fromContentsOf: values)
    }
  }

  public subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "outside of a column")
      return base[index]
    }
  }

  public func withContiguousStorageIfAvailable<Result>(_ body: (UnsafeBufferPointer<Element>) throws -> Result) rethrows -> Result? {
    try body(UnsafeBufferPointer(start: base, count: count))
  }

  public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Element>) throws -> Result) rethrows -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(start: base, count: count))
  }

  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
  }
}

extension Column: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Element...) { self.init(elements) }
}

extension Column: Equatable where Element: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.base == b.base && a.count == b.count || a.elementsEqual(b) }
}
