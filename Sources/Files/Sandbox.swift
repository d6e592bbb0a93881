import CFiles
import Foundation
import Synchronization

/// Folders that scripts must stay in.
///
/// Paths are checked by whoever takes them from a script. Here is what holds when someone changes the folders after that:
/// every file below such a folder is opened by way of the folder's own handle, without a link on the way; and where the
/// system has Landlock, it refuses whatever leads elsewhere, also to libraries that open files themselves.
public enum Sandbox {
  private static let held = Mutex<[String: Folder]>([:])
  private static let office = Mutex<Office?>(nil)

  /// Holds a folder from now on; false where there is no such folder. The path is without links.
  @discardableResult
  public static func hold(_ path: String) -> Bool {
    held.withLock { held in
      if held[path] == nil { held[path] = Folder(path) }
      return held[path] != nil
    }
  }

  /// The folder that is held and has this path below it, and the rest of the path; nil where there is none.
  static func root(of path: String) -> (Folder, String)? {
    held.withLock { held in
      for (root, folder) in held {
        if path == root { return (folder, "") }
        let start = root.hasSuffix("/") ? root : root + "/"
        if path.hasPrefix(start) { return (folder, String(path.utf8.dropFirst(start.utf8.count)) ?? "") }
      }
      return nil
    }
  }

  /// What is wrong with an ordinary file for a sandbox; nil: nothing.
  static func problem(_ status: stat) -> String? {
    if status.st_mode & S_IFMT == S_IFREG && status.st_nlink > 1 {
      return "has another name (a hard link), which may lie outside of the sandbox; copy it to read it here"
    }
    return nil
  }

  /// What keeps a file of the sandbox from being read; nil: nothing.
  public static func problem(of path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? problem(status) : nil
  }

  /// Has the system hold this thread, and all it starts, in a folder; false where it cannot. What it does not know of the
  /// sandbox, such as gnuplot, is run by `outside`.
  public static func enter(_ path: String) -> Bool {
    guard hold(path), let folder = held.withLock({ $0[path] }), let office = Office() else { return false }
    self.office.withLock { $0 = office }
    // Libraries that are loaded late, time zones, names of hosts and certificates for `download`, what the system says of
    // itself.
    let readable = [
      "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf",
      "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/ssl", "/etc/ca-certificates", "/proc", "/sys/devices/system", "/dev/null",
      "/dev/tty", "/dev/urandom", "/dev/zero",
    ]
    let texts = readable.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    return texts.map { UnsafePointer($0) }.withUnsafeBufferPointer { srs_confine(folder.descriptor, $0.baseAddress, $0.count) == 0 }
  }

  /// Runs what the program does for itself, not for the script, on a thread that is not held in the sandbox.
  public static func outside<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let office = office.withLock({ $0 }), !office.isHere else { return try body() }
    func run(_ body: () throws -> Result, _ rethrow: (any Error) throws -> Result) rethrows -> Result {
      var result: Swift.Result<Result, any Error>?
      office.run { result = Swift.Result { try body() } }
      switch result {
      case .success(let value): return value
      case .failure(let error): return try rethrow(error)
      case nil: return try body()
      }
    }
    return try run(body) { throw $0 }
  }
}

/// A thread that was started before the sandbox was entered, and works for others one at a time.
private final class Office: @unchecked Sendable {
  private let asked = DispatchSemaphore(value: 0)
  private let answered = DispatchSemaphore(value: 0)
  private let turn = NSLock()
  private var work: (() -> Void)?
  private var thread = pthread_t()

  var isHere: Bool { pthread_equal(pthread_self(), thread) != 0 }

  /// nil where the system gives no thread.
  init?() {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 8 << 20)
    defer { pthread_attr_destroy(&attributes) }
    // Signals are for the thread that asks.
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let this = Unmanaged.passRetained(self)
    let failed = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        let office = Unmanaged<Office>.fromOpaque(pointer).takeUnretainedValue()
        while true {
          office.asked.wait()
          office.work?()
          office.answered.signal()
        }
      }, this.toOpaque())
    if failed != 0 {
      this.release()
      return nil
    }
  }

  func run(_ body: () -> Void) {
    turn.withLock {
      withoutActuallyEscaping(body) { body in
        work = body
        asked.signal()
        answered.wait()
        work = nil
      }
    }
  }
}
