import Glibc
import Synchronization

/// A fixed set of threads that run the iterations of one loop at a time.
///
/// Any thread may run any iteration. The engine gives every iteration its own memory to write to, so the results do not
/// depend on the number of threads.
public final class WorkerPool: Sendable {
  public let threads: Int
  private let state: WorkerState
  /// The watch of the running cancellable work; nil if there is none.
  let watch = Mutex<CancellationWatch?>(nil)

  /// - Parameter threads: how many iterations may run at the same time, at least 1. It counts the calling thread.
  public init(threads: Int) {
    // This makes OpenBLAS single-threaded: with threads of its own, it would split a product differently from call to call.
    Matrix.setUp
    self.threads = max(1, threads)
    state = WorkerState(workers: max(1, threads) - 1)
  }

  deinit { state.stop() }

  /// Runs `body(index, worker)` for every index below `count` and returns when all iterations have ended. Iterations must
  /// be independent. `worker` is below `threads`, and no two iterations with the same worker run at the same time. A second
  /// caller waits until the first loop has ended. A body must not start a loop on the same pool.
  public func forEach(_ count: Int, _ body: @escaping @Sendable (_ index: Int, _ worker: Int) -> Void) {
    guard count > 0 else { return }
    state.run(count, body)
  }
}

/// The state that the threads of a pool share. The threads retain this object and not the pool, so the pool can be
/// deallocated, which stops them.
///
/// `@unchecked Sendable`: every field is read and written under `mutex`, except the atomic `next`.
private final class WorkerState: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let started = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Locked from the beginning of a loop to its end.
  private let turn = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var body: (@Sendable (_ index: Int, _ worker: Int) -> Void)?
  private var count = 0
  private var generation = 0
  private var running = 0
  private var stopping = false
  private var handles: [pthread_t] = []
  private let next = Atomic<Int>(0)

  init(workers: Int) {
    pthread_mutex_init(mutex, nil)
    pthread_mutex_init(turn, nil)
    pthread_cond_init(started, nil)
    pthread_cond_init(finished, nil)
    for worker in 0..<workers { start(worker + 1) }
  }

  deinit {
    pthread_cond_destroy(started)
    pthread_cond_destroy(finished)
    pthread_mutex_destroy(mutex)
    pthread_mutex_destroy(turn)
    mutex.deallocate()
    turn.deallocate()
    started.deallocate()
    finished.deallocate()
  }

  func stop() {
    pthread_mutex_lock(mutex)
    stopping = true
    pthread_cond_broadcast(started)
    pthread_mutex_unlock(mutex)
    for handle in handles { pthread_join(handle, nil) }
    handles = []
  }

  func run(_ count: Int, _ body: @escaping @Sendable (Int, Int) -> Void) {
    pthread_mutex_lock(turn)
    defer { pthread_mutex_unlock(turn) }
    if handles.isEmpty || count == 1 {
      for index in 0..<count { body(index, 0) }
      return
    }
    pthread_mutex_lock(mutex)
    self.body = body
    self.count = count
    next.store(0, ordering: .relaxed)
    generation += 1
    running = handles.count
    pthread_cond_broadcast(started)
    pthread_mutex_unlock(mutex)

    drain(body, count, 0)

    pthread_mutex_lock(mutex)
    while running > 0 { pthread_cond_wait(finished, mutex) }
    self.body = nil
    pthread_mutex_unlock(mutex)
  }

  private func drain(_ body: @Sendable (Int, Int) -> Void, _ count: Int, _ worker: Int) {
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      if index >= count { return }
      body(index, worker)
    }
  }

  private final class Start {
    let state: WorkerState
    let worker: Int
    init(_ state: WorkerState, _ worker: Int) {
      self.state = state
      self.worker = worker
    }
  }

  /// Starts one thread. If the system refuses, the pool runs with fewer threads: slower, with the same results.
  private func start(_ worker: Int) {
    let start = Unmanaged.passRetained(Start(self, worker))
    var handle = pthread_t()
    let failed = pthread_create(
      &handle, nil,
      { raw in
        guard let raw else { return nil }
        let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
        // The main thread handles signals, except those that a fault of this thread causes: while these are blocked, a fault
        // ends the program without a message.
        var blocked = sigset_t()
        sigfillset(&blocked)
        for fault in [SIGBUS, SIGSEGV, SIGILL, SIGFPE] { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_BLOCK, &blocked, nil)
        start.state.work(start.worker)
        return nil
      }, start.toOpaque())
    if failed == 0 { handles.append(handle) } else { start.release() }
  }

  private func work(_ worker: Int) {
    var seen = 0
    while true {
      pthread_mutex_lock(mutex)
      while generation == seen && !stopping { pthread_cond_wait(started, mutex) }
      if stopping {
        pthread_mutex_unlock(mutex)
        return
      }
      seen = generation
      let body = self.body
      let count = self.count
      pthread_mutex_unlock(mutex)

      if let body { drain(body, count, worker) }

      pthread_mutex_lock(mutex)
      running -= 1
      if running == 0 { pthread_cond_signal(finished) }
      pthread_mutex_unlock(mutex)
    }
  }
}
