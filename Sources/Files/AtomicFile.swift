import CFiles
import Foundation
import Synchronization

/// Writes files atomically: a file gets its name only after all its bytes are written and synced.
public enum AtomicFile {
  public struct Failure: Error {
    public let message: String
    public init(message: String) { self.message = message }
  }

  /// Receives the bytes of a file that is being written.
  public struct Sink {
    let descriptor: Int32
    let path: String

    public func put(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
      switch PatientWrite.put(bytes, to: descriptor) {
      case .done: return
      case .failed(let number): throw Failure(message: "\(path) cannot be written: \(String(cString: strerror(number)))")
      case .interrupted: throw Failure(message: "interrupted while \(path) was written, whose reader does not read")
      }
    }
  }

  public static func write(_ data: Data, to path: String) throws(Failure) { try write([(path, data)]) }

  /// Writes several files. None of them gets its name before all are written and synced.
  public static func write(_ files: [(path: String, data: Data)]) throws(Failure) {
    var drafts: [Draft] = []
    for (path, data) in files {
      let draft = try Draft(path)
      var problem: Failure?
      data.withUnsafeBytes { bytes in
        do throws(Failure) { try draft.sink.put(bytes) } catch { problem = error }
      }
      if let problem { throw problem }
      try draft.sync()
      drafts.append(draft)
    }
    for draft in drafts { try draft.publish() }
  }

  /// Writes a file atomically from the bytes that `body` passes to its sink; creates the folders of the path if necessary. If
  /// `body` throws, the target stays as it was and nothing else is left. A device or a FIFO is written to directly.
  public static func write(to path: String, _ body: (Sink) throws -> Void) throws {
    let draft = try Draft(path)
    try body(draft.sink)
    try draft.sync()
    try draft.publish()
  }

  /// Splits a path into its folder, which is created if necessary, and the file name.
  static func split(_ path: String) throws(Failure) -> (Folder, String) {
    guard !path.contains("\0") else { throw Failure(message: "a file name cannot contain a zero byte") }
    let cut = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = cut.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    guard !name.isEmpty, name != ".", name != ".." else {
      throw Failure(message: "\(path.isEmpty ? "\"\"" : path) cannot be written: it names a folder, not a file")
    }
    let folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    return (try Folder.create(folder), name)
  }

  static func reason() -> String { String(cString: strerror(errno)) }
}

/// A file that is being written. It gets its name when it is published; if it is deinitialized before that, nothing is left of
/// it.
final class Draft {
  private let folder: Folder
  private let name: String
  private let path: String
  private let descriptor: Int32
  /// Is it a device, a FIFO or an open descriptor, which is written to directly instead of being replaced?
  private let isPlain: Bool
  /// The temporary name; nil while the file has no name.
  private var part: String?

  /// The folders, by device and inode, whose temporary files of killed processes were removed. Each is swept once per process.
  private static let swept = Mutex<Set<[UInt64]>>([])

  var sink: AtomicFile.Sink { .init(descriptor: descriptor, path: path) }

  init(_ path: String) throws(AtomicFile.Failure) {
    self.path = path
    (folder, name) = try AtomicFile.split(path)
    var old = stat()
    var rights: mode_t?
    if fstatat(folder.descriptor, name, &old, AT_SYMLINK_NOFOLLOW) == 0 {
      let isLink = old.st_mode & S_IFMT == S_IFLNK
      if isLink, Sandbox.root(of: path) == nil, let open = Self.opened(folder, name) {
        isPlain = true
        descriptor = open
        return
      }
      // A symbolic link to an ordinary file is replaced; a link to a device is followed.
      let exists = !isLink || fstatat(folder.descriptor, name, &old, 0) == 0
      switch exists ? old.st_mode & S_IFMT : S_IFREG {
      case S_IFREG: if !isLink { rights = old.st_mode & 0o777 }
      case S_IFCHR, S_IFIFO:
        guard Sandbox.root(of: path) == nil else {
          throw AtomicFile.Failure(message: "\(path) is a device or a FIFO; in a sandbox only ordinary files are written")
        }
        isPlain = true
        descriptor = try Self.opened(folder, name, path)
        return
      case S_IFDIR: throw AtomicFile.Failure(message: "\(path) cannot be written: it is a folder")
      case S_IFBLK: throw AtomicFile.Failure(message: "\(path) cannot be written: it is a disk")
      default: throw AtomicFile.Failure(message: "\(path) cannot be written: it is not an ordinary file")
      }
    }
    isPlain = false
    var status = stat()
    if fstat(folder.descriptor, &status) == 0,
      Self.swept.withLock({ $0.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted })
    {
      folder.sweep()
    }
    // A file without a name disappears if the process is killed. Linking it to its name needs /proc.
    var (found, itsName) = (Int32(-1), String?.none)
    if access("/proc/self/fd", X_OK) == 0 { found = srs_open_unnamed(folder.descriptor, 0o666) }
    if found < 0 {
      (found, itsName) = try Self.named(folder, path)
    } else {
      _ = flock(found, LOCK_EX | LOCK_NB)
    }
    (descriptor, part) = (found, itsName)
    // The new file gets the permissions of the file that it replaces, so that no more users can read it than before.
    if let rights { fchmod(descriptor, rights) }
  }

  deinit {
    close(descriptor)
    if let part { unlinkat(folder.descriptor, part, 0) }
  }

  /// Creates a file under a random name and locks it.
  private static func named(_ folder: Folder, _ path: String) throws(AtomicFile.Failure) -> (Int32, String?) {
    for _ in 0..<100 {
      let name = Folder.partName()
      let descriptor = openat(folder.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      if descriptor < 0 {
        if errno == EEXIST || errno == EINTR { continue }
        break
      }
      _ = flock(descriptor, LOCK_EX | LOCK_NB)
      var status = stat()
      // Another process may have removed it in `sweep` before it was locked.
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (descriptor, name) }
      close(descriptor)
    }
    throw AtomicFile.Failure(message: "\(path) cannot be written: \(AtomicFile.reason())")
  }

  /// A duplicate of the open descriptor that a name such as /dev/stdout or /dev/fd/63 refers to. Nil for other names, and for
  /// files that the program itself has opened.
  private static func opened(_ folder: Folder, _ name: String) -> Int32? {
    var buffer = [CChar](repeating: 0, count: 64)
    let length = readlinkat(folder.descriptor, name, &buffer, buffer.count)
    guard length > 0 else { return nil }
    let target = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let prefix = "/proc/self/fd/"
    let number =
      srs_is_process_descriptor(folder.descriptor) ? Int32(name) : target.hasPrefix(prefix) ? Int32(target.dropFirst(prefix.count)) : nil
    var status = stat()
    guard let number, fstat(number, &status) == 0, number <= 2 || [S_IFIFO, S_IFCHR].contains(status.st_mode & S_IFMT) else { return nil }
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    return copy < 0 ? nil : copy
  }

  /// Opens a device or FIFO to write to it directly.
  private static func opened(_ folder: Folder, _ name: String, _ path: String) throws(AtomicFile.Failure) -> Int32 {
    let descriptor = openat(folder.descriptor, name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw AtomicFile.Failure(
        message: errno == ENXIO
          ? "\(path) cannot be written: it is a FIFO that no process reads from" : "\(path) cannot be written: \(AtomicFile.reason())")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT) else {
      close(descriptor)
      throw AtomicFile.Failure(message: "\(path) cannot be written: it was changed meanwhile")
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  func sync() throws(AtomicFile.Failure) {
    guard !isPlain, fsync(descriptor) != 0 else { return }
    throw AtomicFile.Failure(message: "\(path) cannot be written: \(AtomicFile.reason())")
  }

  /// Gives the file its name and replaces the file that has this name.
  func publish() throws(AtomicFile.Failure) {
    guard !isPlain else { return }
    if part == nil {
      // linkat cannot replace an existing file, so the file then gets a random name first, and is renamed.
      if link(name) {
        syncFolder()
        return
      }
      for _ in 0..<100 where part == nil {
        let other = Folder.partName()
        if link(other) { part = other } else if errno != EEXIST { break }
      }
    }
    guard let old = part, renameat(folder.descriptor, old, folder.descriptor, name) == 0 else {
      throw AtomicFile.Failure(message: "\(path) cannot be written: \(AtomicFile.reason())")
    }
    part = nil
    syncFolder()
  }

  private func link(_ name: String) -> Bool {
    linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", folder.descriptor, name, Int32(AT_SYMLINK_FOLLOW)) == 0
  }

  /// Syncs the folder, because without that a power cut could lose the new name.
  private func syncFolder() { fsync(folder.descriptor) }
}
