import Foundation

/// Ctrl-C, SIGTERM, SIGHUP and the end of `--timeout`, as a number that long work looks at.
enum Interrupt {
  /// The signal that came, or 0. Written by the signal handler, so it is plain memory that lives for ever.
  nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 2)
    flag.initialize(repeating: 0, count: 2)
    return flag
  }()

  static var isSet: Bool { flag.pointee != 0 }
  static func clear() { flag.pointee = 0 }

  /// How a program that a signal ended leaves; one that ran out of time as timeout(1) has it.
  static var status: Int32 { isTimeout ? 124 : 128 + Int32(flag.pointee == 0 ? SIGINT : flag.pointee) }

  /// Was it the end of `--timeout`?
  static var isTimeout: Bool { flag.pointee == SIGALRM }

  /// Interrupts once so much time has gone by.
  static func after(_ seconds: Double) {
    var timer = itimerval()
    timer.it_value.tv_sec = Int(seconds)
    timer.it_value.tv_usec = Int((seconds - seconds.rounded(.down)) * 1e6)
    // A timer of nothing would never go off.
    if timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0 { timer.it_value.tv_usec = 1 }
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  /// In a script a second Ctrl-C does not wait for the step: it ends the program at once.
  static var isForcedBySecond: Bool {
    get { flag[1] != 0 }
    set { flag[1] = newValue ? 1 : 0 }
  }

  /// Without SA_RESTART: a read at the prompt ends, so that the entry can be cleared.
  static func install() {
    clear()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      if signal == SIGINT && Interrupt.flag.pointee == SIGINT && Interrupt.flag[1] != 0 { _exit(130) }
      Interrupt.flag.pointee = sig_atomic_t(signal)
    }
    sigemptyset(&action.sa_mask)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGALRM] {
      // nohup had SIGHUP ignored: it stays so.
      var before = sigaction()
      sigaction(signal, nil, &before)
      if signal == SIGHUP && unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        continue
      }
      sigaction(signal, &action, nil)
      sigaddset(&signals, signal)
    }
    // Whoever started us may have had them blocked.
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // A closed pipe shows as an error of the write.
    signal(SIGPIPE, SIG_IGN)
    // A file that outgrows its limit likewise.
    signal(SIGXFSZ, SIG_IGN)
  }
}
