import Foundation

/// Ctrl-C and SIGTERM, as a flag that long work looks at.
enum Interrupt {
  /// Written by the signal handler, so it is plain memory that lives for ever.
  nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
    flag.initialize(to: 0)
    return flag
  }()

  static var isSet: Bool { flag.pointee != 0 }
  static func clear() { flag.pointee = 0 }

  /// Without SA_RESTART: a read at the prompt ends, so that the entry can be cleared.
  static func install() {
    clear()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in Interrupt.flag.pointee = 1 }
    sigemptyset(&action.sa_mask)
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
    // Whoever started us may have had them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // A closed pipe shows as an error of the write.
    signal(SIGPIPE, SIG_IGN)
  }
}
