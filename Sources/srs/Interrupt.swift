import Foundation

/// Ctrl-C, SIGTERM, SIGHUP and the end of `--timeout`, as a flag that long work checks.
enum Interrupt {
  /// The last signal, or 0, and whether a second Ctrl-C ends the program. The signal handler writes it, so it is plain memory
  /// that is never freed.
  nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 2)
    flag.initialize(repeating: 0, count: 2)
    return flag
  }()

  /// The thread that runs the program's work. Signals that arrive on another thread, such as one that OpenBLAS has started, are
  /// passed on to it, because only there they interrupt a read.
  nonisolated(unsafe) private static var worker: pthread_t?

  /// Makes this thread the one that signals interrupt.
  static func workHere() { worker = pthread_self() }

  static var isSet: Bool { flag.pointee != 0 }
  static func clear() { flag.pointee = 0 }

  /// The exit status after an interrupt: 128 plus the signal, or 124 after `--timeout`, as timeout(1) does.
  static var status: Int32 { isTimeout ? 124 : 128 + Int32(flag.pointee == 0 ? SIGINT : flag.pointee) }

  /// Was the last interrupt the end of `--timeout`?
  static var isTimeout: Bool { flag.pointee == SIGALRM }

  /// Interrupts after a time in seconds.
  static func after(_ seconds: Double) {
    var timer = itimerval()
    timer.it_value.tv_sec = Int(seconds)
    timer.it_value.tv_usec = Int((seconds - seconds.rounded(.down)) * 1e6)
    // A timer of 0 would be disarmed.
    if timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0 { timer.it_value.tv_usec = 1 }
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  /// Does a second Ctrl-C end the program immediately, without waiting for the current training step? True for scripts.
  static var isForcedBySecond: Bool {
    get { flag[1] != 0 }
    set { flag[1] = newValue ? 1 : 0 }
  }

  /// Installs the signal handlers. SA_RESTART is not set, so that a signal ends a read at the prompt and the entry can be
  /// cleared.
  static func install() {
    clear()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      if let worker = Interrupt.worker, pthread_equal(worker, pthread_self()) == 0 {
        pthread_kill(worker, signal)
        return
      }
      if signal == SIGINT && Interrupt.flag.pointee == SIGINT && Interrupt.flag[1] != 0 { _exit(130) }
      Interrupt.flag.pointee = sig_atomic_t(signal)
    }
    sigemptyset(&action.sa_mask)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGALRM] {
      // Under nohup, SIGHUP is ignored, and stays ignored.
      var before = sigaction()
      sigaction(signal, nil, &before)
      if signal == SIGHUP && unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        continue
      }
      sigaction(signal, &action, nil)
      sigaddset(&signals, signal)
    }
    // The parent process may have blocked the signals.
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // Ignored, a closed pipe and a file beyond the size limit are errors of `write` instead of ending the program.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }
}
