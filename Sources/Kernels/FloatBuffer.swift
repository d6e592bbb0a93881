import Glibc

/// A 64-byte aligned array of `Float` on the heap, filled with zeros at first. Several threads may write to disjoint parts.
///
/// `@unchecked Sendable`: the buffer does no synchronisation. Code that shares it between threads must make sure that one
/// thread at a time writes to each part. The engine does this by cutting work into tiles and lanes.
public final class FloatBuffer: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let count: Int

  public init(count: Int) {
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memset(raw, 0, bytes)
    base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  public convenience init(_ values: some Collection<Float>) {
    self.init(count: values.count)
    for (i, value) in values.enumerated() { base[i] = value }
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }

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
