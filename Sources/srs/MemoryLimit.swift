import Foundation

/// Checks the limit on the address space of the process (`ulimit -v`) before the program does any work.
///
/// OpenBLAS starts a thread per processor, and each thread repeats the allocation of its buffer until it succeeds. With too
/// little memory the program would therefore hang instead of failing, even at its end.
enum MemoryLimit {
  /// The size of the buffer that OpenBLAS allocates per thread, in bytes, rounded up.
  private static let buffer = 130 << 20

  /// An error message if the limit is too low; nil if it is high enough or there is no limit.
  ///
  /// - Parameter stackSize: The stack size of the interpreter's thread, in bytes.
  static func problem(stackSize: Int) -> String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let asked = ProcessInfo.processInfo.environment["OPENBLAS_NUM_THREADS"].flatMap { Int($0) } ?? processors
    let threads = max(1, min(processors, asked))
    // Threads of OpenBLAS that have allocated their buffers already are counted twice, which errs on the safe side.
    let needed = used + stackSize + (threads + 1) * buffer
    guard Int(limit.rlim_cur) < needed else { return nil }
    return "a limit on memory (ulimit -v \(limit.rlim_cur >> 10)) leaves too little: srs needs at least \(needed >> 10), "
      + "most of which it only reserves; limit what is really used by a cgroup instead"
  }

  /// The address space in use, in bytes.
  private static var used: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.prefix { $0 != " " }) ?? 100_000) * Int(getpagesize())
  }
}
