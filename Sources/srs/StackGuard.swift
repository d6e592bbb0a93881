import Foundation

/// Reports a stack overflow of the interpreter as an error, and so a mapped file that became shorter.
///
/// Nested calls of functions are counted, and too many are an error long before the end of the stack. The depth of
/// nested values is not counted: freeing a list that is nested five million levels deep takes as many nested calls in
/// the Swift runtime.
enum StackGuard {
  /// The approximate end of the stack of the thread that installed the guard.
  nonisolated(unsafe) private static var end: UInt = 0
  private static let vicinity: UInt = 256 << 10

  /// Installs the guard. Call it in the first function of the thread whose stack overflow is to be reported; there, the handler
  /// runs on a stack of its own. The handlers are those of the whole process: other threads, such as those of a `WorkerPool`,
  /// run them on their own stack, which is enough for a mapped file, but not for a stack overflow.
  static func install(stackSize: Int) {
    var here = 0
    end = withUnsafePointer(to: &here) { UInt(bitPattern: $0) } - UInt(stackSize)
    let room = 64 << 10
    var other = stack_t()
    other.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    other.ss_size = room
    guard sigaltstack(&other, nil) == 0 else { return }
    var action = sigaction()
    action.sa_flags = SA_SIGINFO | Int32(bitPattern: UInt32(SA_ONSTACK))
    action.__sigaction_handler.sa_sigaction = { signal, info, _ in
      // SIGBUS means that a mapped file has become shorter or cannot be read. The file may lie directly below the stack.
      if signal == SIGBUS {
        StackGuard.report("error[E0501]: a file became shorter, or could not be read, while it was in use\n")
        _exit(1)
      }
      let address = UInt(bitPattern: info?.pointee._sifields._sigfault.si_addr)
      if address < StackGuard.end + StackGuard.vicinity && address + StackGuard.vicinity >= StackGuard.end {
        StackGuard.report(
          "error[E0405]: the stack is used up: values are nested too deeply, such as lists in lists, millions of levels\n")
        _exit(1)
      }
      Foundation.signal(signal, SIG_DFL)
      raise(signal)
    }
    sigemptyset(&action.sa_mask)
    sigaction(SIGSEGV, &action, nil)
    sigaction(SIGBUS, &action, nil)
  }

  /// Writes to stderr without allocating memory, which is not allowed in a signal handler.
  private static func report(_ text: StaticString) {
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }
}
