import Foundation

/// The end of the interpreter's stack, told as an error.
///
/// Calls of functions are counted and refused long before it. What is not counted is how deeply values hold each
/// other: a list in a list in a list, five million times, is taken apart by as many calls inside each other.
enum StackGuard {
  /// Where the stack of the thread that installed it ends, to within the room that is left at its ends.
  nonisolated(unsafe) private static var end: UInt = 0
  private static let vicinity: UInt = 256 << 10

  /// For the calling thread, from its first function. Its handler runs on a stack of its own.
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
      let place = UInt(bitPattern: info?.pointee._sifields._sigfault.si_addr)
      if place < StackGuard.end + StackGuard.vicinity && place + StackGuard.vicinity >= StackGuard.end {
        StackGuard.tell(
          "error[E0405]: the stack is used up: values hold each other too deeply, a list in a list and so on, millions of times\n")
        _exit(1)
      }
      // A mapped file has become shorter than it was.
      if signal == SIGBUS {
        StackGuard.tell("error[E0501]: a file was cut off, or could not be read, while it was in use\n")
        _exit(1)
      }
      Foundation.signal(signal, SIG_DFL)
      raise(signal)
    }
    sigemptyset(&action.sa_mask)
    sigaction(SIGSEGV, &action, nil)
    sigaction(SIGBUS, &action, nil)
  }

  /// Without allocating: anything may have been going on.
  private static func tell(_ text: StaticString) {
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }
}
