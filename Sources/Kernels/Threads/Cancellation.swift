import Synchronization

/// Thrown if work ended early because it was cancelled.
public struct Cancelled: Error, Equatable {
  public init() {}
}

extension WorkerPool {
  /// Runs work that can be cancelled: loops by `forEachUntilCancelled` inside of it skip the iterations that have not begun
  /// once `isCancelled` returns true. Their results are then incomplete and must not be used.
  ///
  /// - Parameters:
  ///   - isCancelled: called by every thread before each iteration; must be cheap.
  ///   - body: the work.
  /// - Throws: `Cancelled` if iterations were skipped, and any error of `body`.
  public func cancellable<Result>(_ isCancelled: @escaping @Sendable () -> Bool, _ body: () throws -> Result) throws -> Result {
    let watch = Watch(isCancelled)
    self.watch.withLock { $0 = watch }
    defer { self.watch.withLock { $0 = nil } }
    let result = try body()
    if watch.leftOut.load(ordering: .relaxed) { throw Cancelled() }
    return result
  }

  /// Like `forEach`, but skips the remaining iterations once the work is cancelled.
  public func forEachUntilCancelled(_ count: Int, _ body: @escaping @Sendable (_ index: Int, _ worker: Int) -> Void) {
    guard let watch = watch.withLock({ $0 }) else { return forEach(count, body) }
    forEach(count) { index, worker in
      if watch.leftOut.load(ordering: .relaxed) { return }
      if watch.isCancelled() { return watch.leftOut.store(true, ordering: .relaxed) }
      body(index, worker)
    }
  }

  /// How to check for cancellation, and whether iterations were skipped.
  final class Watch: Sendable {
    let isCancelled: @Sendable () -> Bool
    let leftOut = Atomic<Bool>(false)

    init(_ isCancelled: @escaping @Sendable () -> Bool) { self.isCancelled = isCancelled }
  }
}
