import Synchronization

/// A value behind a mutex: one thread at a time reads or changes it.
public final class Locked<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  public init(_ value: Value) { mutex = Mutex(value) }

  public var value: Value { mutex.withLock { $0 } }

  public func change(_ body: (inout Value) -> Void) {
    mutex.withLock { body(&$0) }
  }
}
