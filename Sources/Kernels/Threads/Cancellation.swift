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
  ///   - progress: called by the calling thread, with the share of the running loop that has begun.
  ///   - body: the work.
  /// - Throws: `Cancelled` if iterations were skipped, and any error of `body`.
  public func cancellable<Result>(
    _ isCancelled: @escaping @Sendable () -> Bool, progress: (@Sendable (_ share: Double) -> Void)? = nil,
    _ body: () throws -> Result
  ) throws -> Result {
    let watch = CancellationWatch(isCancelled, progress)
    self.watch.withLock { $0 = watch }
    defer { self.watch.withLock { $0 = nil } }
    let result = try body()
    if watch.leftOut.load(ordering: .relaxed) { throw Cancelled() }
    return result
  }

  /// The watch of the running cancellable work, for iterations that take long; nil if there is none.
  public var cancellation: CancellationWatch? { watch.withLock { $0 } }

  /// Like `forEach`, but skips the remaining iterations once the work is cancelled.
  public func forEachUntilCancelled(_ count: Int, _ body: @escaping @Sendable (_ index: Int, _ worker: Int) -> Void) {
    guard let watch = cancellation else { return forEach(count, body) }
    forEach(count) { index, worker in
      if watch.leavesOut() { return }
      // Worker 0 is the calling thread.
      if worker == 0 { watch.progress?(Double(index) / Double(count)) }
      body(index, worker)
    }
  }
}

/// How to check for cancellation, and whether work was left out.
public final class CancellationWatch: Sendable {
  private let isCancelled: @Sendable () -> Bool
  let progress: (@Sendable (_ share: Double) -> Void)?
  let leftOut = Atomic<Bool>(false)

  init(_ isCancelled: @escaping @Sendable () -> Bool, _ progress: (@Sendable (_ share: Double) -> Void)?) {
    self.isCancelled = isCancelled
    self.progress = progress
  }

  /// Whether the next part of the work is to be left out. From then on the results are incomplete.
  public func leavesOut() -> Bool {
    if leftOut.load(ordering: .relaxed) { return true }
    guard isCancelled() else { return false }
    leftOut.store(true, ordering: .relaxed)
    return true
  }
}
