import CFiles
import Foundation
import Synchronization

/// The sandbox: folders that scripts must stay in.
///
/// The caller checks the paths of a script first (`FileAccess`). The sandbox also protects against changes of the folders
/// after that check: every file is opened relative to the descriptor of the sandbox's folder, without following symbolic
/// links. Where the system has Landlock, it enforces the same for libraries that open files themselves.
public enum Sandbox {
  private static let folders = Mutex<[String: Folder]>([:])
  private static let helper = Mutex<UnconfinedThread?>(nil)

  /// Opens a folder as a sandbox and keeps it open. Returns false if it does not exist.
  ///
  /// - Parameter path: An absolute path without symbolic links.
  @discardableResult
  public static func open(_ path: String) -> Bool {
    folders.withLock { folders in
      if folders[path] == nil { folders[path] = Folder(path) }
      return folders[path] != nil
    }
  }

  /// The sandbox folder that contains a path, and the path relative to it; nil if the path is in no sandbox.
  static func root(of path: String) -> (Folder, String)? {
    folders.withLock { folders in
      for (root, folder) in folders {
        if path == root { return (folder, "") }
        let start = root.hasSuffix("/") ? root : root + "/"
        if path.hasPrefix(start) { return (folder, String(path.utf8.dropFirst(start.utf8.count)) ?? "") }
      }
      return nil
    }
  }

  /// Why a file with this status must not be read in a sandbox; nil if it may be read.
  static func problem(_ status: stat) -> String? {
    if status.st_mode & S_IFMT == S_IFREG && status.st_nlink > 1 {
      return "has another name (a hard link), which may be outside of the sandbox; copy it to read it here"
    }
    return nil
  }

  /// Why the file at this path must not be read in a sandbox; nil if it may be read.
  public static func problem(of path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? problem(status) : nil
  }

  /// Confines this thread, and everything that it starts, to a folder by Landlock. Returns false where the system cannot do
  /// that. The program uses `outside` for work of its own that needs other files, such as running gnuplot.
  public static func enter(_ path: String) -> Bool {
    guard open(path), let folder = folders.withLock({ $0[path] }), let helper = UnconfinedThread() else { return false }
    self.helper.withLock { $0 = helper }
    // Libraries that are loaded on first use, time zones, host names and certificates for `download`, information about the
    // system.
    let readable = [
      "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf",
      "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/ssl", "/etc/ca-certificates", "/proc", "/sys/devices/system", "/dev/null",
      "/dev/tty", "/dev/urandom", "/dev/zero",
    ]
    let texts = readable.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    return texts.map { UnsafePointer($0) }.withUnsafeBufferPointer { srs_confine(folder.descriptor, $0.baseAddress, $0.count) == 0 }
  }

  /// Runs work of the program itself, not of the script, on a thread that is not confined to the sandbox.
  public static func outside<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let helper = helper.withLock({ $0 }), !helper.isHere else { return try body() }
    func run(_ body: () throws -> Result, _ rethrow: (any Error) throws -> Result) rethrows -> Result {
      var result: Swift.Result<Result, any Error>?
      helper.run { result = Swift.Result { try body() } }
      switch result {
      case .success(let value): return value
      case .failure(let error): return try rethrow(error)
      case nil: return try body()
      }
    }
    return try run(body) { throw $0 }
  }
}

/// A thread that was started before the sandbox was entered and is therefore not confined. It runs closures for other threads,
/// one at a time.
private final class UnconfinedThread: @unchecked Sendable {
  private let requested = DispatchSemaphore(value: 0)
  private let finished = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var work: (() -> Void)?
  private var thread = pthread_t()

  var isHere: Bool { pthread_equal(pthread_self(), thread) != 0 }

  /// Nil if the system cannot start a thread.
  init?() {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 8 << 20)
    defer { pthread_attr_destroy(&attributes) }
    // Block all signals on the new thread, so that other threads of the program handle them.
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let this = Unmanaged.passRetained(self)
    let failed = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        let helper = Unmanaged<UnconfinedThread>.fromOpaque(pointer).takeUnretainedValue()
        while true {
          helper.requested.wait()
          helper.work?()
          helper.finished.signal()
        }
      }, this.toOpaque())
    if failed != 0 {
      this.release()
      return nil
    }
  }

  func run(_ body: () -> Void) {
    lock.withLock {
      withoutActuallyEscaping(body) { body in
        work = body
        requested.signal()
        finished.wait()
        work = nil
      }
    }
  }
}
