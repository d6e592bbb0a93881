import Glibc

/// A 64-byte aligned array of `Float` on the heap, filled with zeros at first. Several threads may write to disjoint parts.
///
/// `@unchecked Sendable`: the buffer does no synchronisation. Code that shares it between threads must make sure that one
/// thread at a time writes to each part. The engine does this by cutting work into tiles and lanes.
public final class FloatBuffer: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let count: Int

  /// The pages of a large buffer; nil: allocated on the heap.
  private let pages: UnsafeMutableRawBufferPointer?

  /// From this size on, buffers have pages of their own. The system fills these with zeros when they are first used, by the
  /// thread that uses them, and can make them large, which saves time in address translation.
  private static let paged = 4 << 20
  private static let largePage = 2 << 20

  public init(count: Int) {
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    pages = bytes >= Self.paged ? Self.map(bytes) : nil
    if let start = pages?.baseAddress {
      base = start.alignedUp(toMultipleOf: Self.largePage).bindMemory(to: Float.self, capacity: count)
      return
    }
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memset(raw, 0, bytes)
    base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  /// New pages for this number of bytes from a multiple of `largePage` on; nil if the system refuses.
  private static func map(_ bytes: Int) -> UnsafeMutableRawBufferPointer? {
    let size = bytes + largePage
    guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED else { return nil }
    madvise(start, size, MADV_HUGEPAGE)
    return UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  public convenience init(_ values: some Collection<Float>) {
    self.init(count: values.count)
    for (i, value) in values.enumerated() { base[i] = value }
  }

  deinit {
    if let pages { munmap(pages.baseAddress, pages.count) } else { UnsafeMutableRawPointer(base).deallocate() }
  }

  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  public var values: UnsafeMutableBufferPointer<Float> { .init(start: base, count: count) }

  public var array: [Float] { Array(values) }

  public func zero() { memset(base, 0, count * MemoryLayout<Float>.stride) }

  public func copy() -> FloatBuffer {
    let twin = FloatBuffer(count: count)
    memcpy(twin.base, base, count * MemoryLayout<Float>.stride)
    return twin
  }

  /// Copies all values of `other`. Both buffers must have the same count.
  public func assign(_ other: FloatBuffer) {
    precondition(other.count == count)
    memcpy(base, other.base, count * MemoryLayout<Float>.stride)
  }
}

/// A mutable pointer that the closure of a parallel loop may capture. As with `FloatBuffer`, the caller must make sure that
/// one thread at a time writes to each part.
public struct Shared<Pointee>: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Pointee>
  public init(_ pointer: UnsafeMutablePointer<Pointee>) { self.pointer = pointer }
}
