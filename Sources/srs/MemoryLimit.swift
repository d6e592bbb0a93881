import Foundation

/// A limit on the memory of the process (`ulimit -v`), held against what the program takes before it does anything.
///
/// OpenBLAS starts a thread for each processor, and each of its threads asks for its buffer again and again until it gets
/// one, so too little is not an error to it but an endless wait, at the program's end too.
enum MemoryLimit {
  /// What OpenBLAS keeps for each thread, with some room.
  private static let buffer = 130 << 20

  /// Why there is too little; nil: there is enough, or no limit.
  ///
  /// - Parameter stackSize: of the interpreter's thread, in bytes.
  static func problem(stackSize: Int) -> String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let asked = ProcessInfo.processInfo.environment["OPENBLAS_NUM_THREADS"].flatMap { Int($0) } ?? processors
    let threads = max(1, min(processors, asked))
    // Some of OpenBLAS's own may have theirs already: those count twice, which errs on the safe side.
    let needed = used + stackSize + (threads + 1) * buffer
    guard Int(limit.rlim_cur) < needed else { return nil }
    return "a limit on memory (ulimit -v \(limit.rlim_cur >> 10)) leaves too little: srs needs at least \(needed >> 10), "
      + "most of which it only reserves; limit what is really used by a cgroup instead"
  }

  /// Bytes of address space in use.
  private static var used: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.prefix { $0 != " " }) ?? 100_000) * Int(getpagesize())
  }
}
