import CFiles
import Foundation
import Synchronization

/// Files that are there whole or not at all.
public enum WholeFile {
  public struct Failure: Error {
    public let message: String
    public init(message: String) { self.message = message }
  }

  /// Where the parts of a file go while it is written.
  public struct Sink {
    let descriptor: Int32
    let path: String

    public func put(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
      var rest = bytes
      while !rest.isEmpty {
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { throw Failure(message: "\(path) cannot be written: \(reason())") }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
    }
  }

  public static func write(_ data: Data, to path: String) throws(Failure) { try write([(path, data)]) }

  /// Writes several files; none takes its name before all of them are written and synced.
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

  /// Writes what `body` gives beside the target, syncs, and renames; makes the folders it needs. Where `body` throws,
  /// nothing is left and what was there stays. A device or a FIFO is written to as it is.
  public static func write(to path: String, _ body: (Sink) throws -> Void) throws {
    let draft = try Draft(path)
    try body(draft.sink)
    try draft.sync()
    try draft.publish()
  }

  /// The folder of a path, made where it is not there, and the name in it.
  static func place(of path: String) throws(Failure) -> (Folder, String) {
    guard !path.contains("\0") else { throw Failure(message: "a file's name cannot hold a zero byte") }
    let cut = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = cut.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    guard !name.isEmpty, name != ".", name != ".." else {
      throw Failure(message: "\(path.isEmpty ? "\"\"" : path) cannot be written: it names a folder, not a file")
    }
    let folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    return (try Folder.made(folder), name)
  }

  static func reason() -> String { String(cString: strerror(errno)) }
}

/// A file that is being written. Until it is published its name does not have it; if this value goes before, nothing is
/// left.
final class Draft {
  private let folder: Folder
  private let name: String
  private let path: String
  private let descriptor: Int32
  /// Devices and FIFOs have nothing to replace.
  private let isPlain: Bool
  /// The name it has meanwhile; nil while it has none.
  private var part: String?

  /// Folders that were swept, by device and number: once a process is enough.
  private static let swept = Mutex<Set<[UInt64]>>([])

  var sink: WholeFile.Sink { .init(descriptor: descriptor, path: path) }

  init(_ path: String) throws(WholeFile.Failure) {
    self.path = path
    (folder, name) = try WholeFile.place(of: path)
    var old = stat()
    var rights: mode_t?
    if fstatat(folder.descriptor, name, &old, AT_SYMLINK_NOFOLLOW) == 0 {
      let isLink = old.st_mode & S_IFMT == S_IFLNK
      if isLink, Sandbox.root(of: path) == nil, let open = Self.opened(folder, name) {
        isPlain = true
        descriptor = open
        return
      }
      // A link to a file is replaced; one to a device leads there.
      let isThere = !isLink || fstatat(folder.descriptor, name, &old, 0) == 0
      switch isThere ? old.st_mode & S_IFMT : S_IFREG {
      case S_IFREG: if !isLink { rights = old.st_mode & 0o777 }
      case S_IFCHR, S_IFIFO:
        guard Sandbox.root(of: path) == nil else {
          throw WholeFile.Failure(message: "\(path) is a device or a FIFO; in a sandbox only ordinary files are written")
        }
        isPlain = true
        descriptor = try Self.opened(folder, name, path)
        return
      case S_IFDIR: throw WholeFile.Failure(message: "\(path) cannot be written: it is a folder")
      case S_IFBLK: throw WholeFile.Failure(message: "\(path) cannot be written: it is a disk")
      default: throw WholeFile.Failure(message: "\(path) cannot be written: it is no ordinary file")
      }
    }
    isPlain = false
    var status = stat()
    if fstat(folder.descriptor, &status) == 0,
      Self.swept.withLock({ $0.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted })
    {
      folder.sweep()
    }
    // Without a name nothing is left by a kill; it gets one by way of /proc.
    var (found, itsName) = (Int32(-1), String?.none)
    if access("/proc/self/fd", X_OK) == 0 { found = srs_open_unnamed(folder.descriptor, 0o666) }
    if found < 0 {
      (found, itsName) = try Self.named(folder, path)
    } else {
      _ = flock(found, LOCK_EX | LOCK_NB)
    }
    (descriptor, part) = (found, itsName)
    // A file that is replaced keeps its rights: nobody reads more of it than before.
    if let rights { fchmod(descriptor, rights) }
  }

  deinit {
    close(descriptor)
    if let part { unlinkat(folder.descriptor, part, 0) }
  }

  /// A new file under a random name, with a lock on it.
  private static func named(_ folder: Folder, _ path: String) throws(WholeFile.Failure) -> (Int32, String?) {
    for _ in 0..<100 {
      let name = Folder.partName()
      let descriptor = openat(folder.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      if descriptor < 0 {
        if errno == EEXIST || errno == EINTR { continue }
        break
      }
      _ = flock(descriptor, LOCK_EX | LOCK_NB)
      var status = stat()
      // Someone may have swept it before it had its lock.
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (descriptor, name) }
      close(descriptor)
    }
    throw WholeFile.Failure(message: "\(path) cannot be written: \(WholeFile.reason())")
  }

  /// A second descriptor of what a name like /dev/stdout or /dev/fd/63 stands for, something that is open already; nil
  /// for other names, and for files that the program itself has open.
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

  /// A device or FIFO, to write to as it is.
  private static func opened(_ folder: Folder, _ name: String, _ path: String) throws(WholeFile.Failure) -> Int32 {
    let descriptor = openat(folder.descriptor, name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw WholeFile.Failure(
        message: errno == ENXIO
          ? "\(path) cannot be written: it is a FIFO that nobody reads from" : "\(path) cannot be written: \(WholeFile.reason())")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT) else {
      close(descriptor)
      throw WholeFile.Failure(message: "\(path) cannot be written: it was changed meanwhile")
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  func sync() throws(WholeFile.Failure) {
    guard !isPlain, fsync(descriptor) != 0 else { return }
    throw WholeFile.Failure(message: "\(path) cannot be written: \(WholeFile.reason())")
  }

  /// Gives it its name, in place of what had it.
  func publish() throws(WholeFile.Failure) {
    guard !isPlain else { return }
    if part == nil {
      // A name that is taken cannot be linked to, so there it goes by way of a random one.
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
      throw WholeFile.Failure(message: "\(path) cannot be written: \(WholeFile.reason())")
    }
    part = nil
    syncFolder()
  }

  private func link(_ name: String) -> Bool {
    linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", folder.descriptor, name, Int32(AT_SYMLINK_FOLLOW)) == 0
  }

  /// The new name survives a power cut only when its folder is written too.
  private func syncFolder() { fsync(folder.descriptor) }
}

/// Files that are read as a whole.
public enum InputFile {
  /// What is in a file.
  ///
  /// - Parameters:
  ///   - sandbox: the folder it must lie in, without links; nil: anywhere.
  ///   - isInterrupted: looked at while a FIFO is waited for.
  /// - Throws: `WholeFile.Failure` for what is not there, is a folder, or cannot be read.
  public static func contents(_ path: String, inside sandbox: String? = nil, isInterrupted: () -> Bool = { false })
    throws(WholeFile.Failure) -> Data
  {
    guard !path.contains("\0") else { throw WholeFile.Failure(message: "a file's name cannot hold a zero byte") }
    var descriptor: Int32
    repeat {
      if sandbox != nil {
        guard let real = realpath(path, nil) else { throw missing(path) }
        defer { free(real) }
        guard let (root, rest) = Sandbox.root(of: String(cString: real)) else {
          throw WholeFile.Failure(message: "\(path) leads out of the sandbox")
        }
        descriptor = srs_open_beneath(root.descriptor, rest.isEmpty ? "." : rest, O_RDONLY | O_NONBLOCK, 0)
      } else {
        // A FIFO that nobody writes to must not be waited for here, where nothing can end it.
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
      }
      if descriptor < 0 && errno == EINTR && isInterrupted() { throw WholeFile.Failure(message: "\(path) was waited for in vain") }
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw missing(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw missing(path) }
    if status.st_mode & S_IFMT == S_IFDIR { throw WholeFile.Failure(message: "\(path) is a folder; a file was expected") }
    if sandbox != nil {
      if let problem = Sandbox.problem(status) { throw WholeFile.Failure(message: "\(path) \(problem)") }
    }
    if srs_is_process_descriptor(descriptor) { throw WholeFile.Failure(message: "\(path) \(ofProcesses)") }
    return try bytes(descriptor, path, isInterrupted: isInterrupted)
  }

  /// Why files of /proc are not read: among them are the environment and the memory of processes.
  public static let ofProcesses = "is a file about processes, and scripts cannot read those"

  /// Is it a file of /proc, wherever that is mounted?
  public static func isOfProcesses(_ path: String) -> Bool { srs_is_process_file(path) }

  private static func missing(_ path: String) -> WholeFile.Failure {
    .init(message: errno == ENOENT ? "there is no file \(path) that can be read" : "\(path) cannot be read: \(WholeFile.reason())")
  }

  /// Bytes that are read at most.
  private static let largest = 1 << 30

  static func bytes(_ descriptor: Int32, _ path: String, isInterrupted: () -> Bool = { false }) throws(WholeFile.Failure) -> Data {
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    func tooLarge() -> WholeFile.Failure { .init(message: "\(path) has more than 1 GiB, which is too much for one text") }
    guard !isKnown || status.st_size <= largest else { throw tooLarge() }
    // One byte more than it has, to see its end.
    var buffer = [UInt8](repeating: 0, count: isKnown ? max(65_536, Int(status.st_size) + 1) : 65_536)
    var filled = 0
    while true {
      if isInterrupted() { throw WholeFile.Failure(message: "\(path) was waited for in vain") }
      if !isKnown {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 100) > 0 else { continue }
      }
      if filled == buffer.count {
        guard filled <= largest else { throw tooLarge() }
        buffer += [UInt8](repeating: 0, count: buffer.count)
      }
      let count = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled) }
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      guard count >= 0 else { throw WholeFile.Failure(message: "\(path) cannot be read: \(WholeFile.reason())") }
      if count == 0 { return Data(buffer[..<filled]) }
      filled += count
    }
  }
}
