import CFiles
import Foundation

/// An open folder. File names are looked up in this folder even if another folder gets its path meanwhile.
public final class Folder: Sendable {
  public let descriptor: Int32
  /// The path, for messages.
  public let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Opens a folder. Nil, with errno set, if the path is not a folder or cannot be opened.
  init?(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
    self.path = path
  }

  /// Opens a folder beneath this one whose path contains no symbolic link. Nil, with errno set, on failure.
  func folder(_ path: String) -> Folder? {
    let found = srs_open_beneath(descriptor, path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY, 0)
    return found < 0 ? nil : Folder(descriptor: found, path: self.path + "/" + path)
  }

  /// Opens the folder at a path and creates it, and its parents, if necessary. In a sandbox, no part of the path may be a
  /// symbolic link.
  ///
  /// - Throws: `AtomicFile.Failure` if the folder cannot be created or opened.
  static func create(_ path: String) throws(AtomicFile.Failure) -> Folder {
    guard let (root, rest) = Sandbox.root(of: path) else {
      do {
        try FileManager.default.createDirectory(atPath: path.isEmpty ? "." : path, withIntermediateDirectories: true)
      } catch {
        throw AtomicFile.Failure(message: "the folder \(path) cannot be created: \(AtomicFile.reason())")
      }
      guard let folder = Folder(path.isEmpty ? "." : path) else {
        throw AtomicFile.Failure(message: "the folder \(path) cannot be opened: \(AtomicFile.reason())")
      }
      return folder
    }
    var folder = root
    for part in rest.split(separator: "/").map(String.init) {
      var next = folder.folder(part)
      if next == nil && errno == ENOENT {
        if mkdirat(folder.descriptor, part, 0o777) != 0 && errno != EEXIST {
          throw AtomicFile.Failure(message: "the folder \(path) cannot be created: \(AtomicFile.reason())")
        }
        next = folder.folder(part)
      }
      guard let next else {
        throw AtomicFile.Failure(
          message: [ELOOP, EXDEV].contains(errno)
            ? "\(path) leads out of the sandbox: \(part) is a link"
            : "the folder \(path) cannot be opened: \(AtomicFile.reason())")
      }
      folder = next
    }
    return folder
  }

  // MARK: Temporary names

  /// The prefix of the names of files that are being written. The names end in a random number, so that no other program can
  /// predict them and no two processes share one.
  static let partPrefix = ".srs-part-"

  static func partName() -> String {
    let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    return partPrefix + String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func isPart(_ name: String) -> Bool {
    name.hasPrefix(partPrefix) && name.utf8.count == partPrefix.utf8.count + 16
      && name.utf8.dropFirst(partPrefix.utf8.count).allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
  }

  /// Removes temporary files that killed processes have left. The process that writes such a file has a lock on it, which ends
  /// with the process.
  func sweep() {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return }
    guard let listing = fdopendir(copy) else {
      close(copy)
      return
    }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard Self.isPart(name) else { continue }
      let part = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard part >= 0 else { continue }
      defer { close(part) }
      var status = stat()
      guard fstat(part, &status) == 0, status.st_uid == geteuid(), flock(part, LOCK_EX | LOCK_NB) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        PrivateFolder.empty(part)
        unlinkat(descriptor, name, Int32(AT_REMOVEDIR))
      } else if status.st_mode & S_IFMT == S_IFREG {
        unlinkat(descriptor, name, 0)
      }
    }
  }
}

/// A temporary folder for files that another program writes, in the same folder as their destination. Deinitialization
/// removes it.
public final class PrivateFolder {
  private let parent: Folder
  private let name: String
  /// Open and locked, so that `Folder.sweep` of another process does not remove the folder.
  public let descriptor: Int32

  /// - Parameter path: The destination; the temporary folder is created in the same folder.
  /// - Throws: `AtomicFile.Failure` if the folder cannot be created.
  public init(beside path: String) throws(AtomicFile.Failure) {
    let (folder, _) = try AtomicFile.split(path)
    parent = folder
    name = Folder.partName()
    guard mkdirat(parent.descriptor, name, 0o700) == 0 else {
      throw AtomicFile.Failure(message: "\(path) cannot be written: \(AtomicFile.reason())")
    }
    descriptor = srs_open_beneath(parent.descriptor, name, O_RDONLY | O_DIRECTORY, 0)
    guard descriptor >= 0 else {
      unlinkat(parent.descriptor, name, Int32(AT_REMOVEDIR))
      throw AtomicFile.Failure(message: "\(path) cannot be written: \(AtomicFile.reason())")
    }
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  deinit {
    guard descriptor >= 0 else { return }
    Self.empty(descriptor)
    unlinkat(parent.descriptor, name, Int32(AT_REMOVEDIR))
    close(descriptor)
  }

  /// The contents of a file in the folder; nil if it does not exist or cannot be read.
  public func contents(_ name: String) -> Data? {
    let file = srs_open_beneath(descriptor, name, O_RDONLY, 0)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return try? InputFile.bytes(file, name)
  }

  /// Removes the files in a folder.
  static func empty(_ folder: Int32) {
    let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return }
    guard let listing = fdopendir(copy) else {
      close(copy)
      return
    }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      withUnsafePointer(to: &entry.pointee.d_name) {
        _ = $0.withMemoryRebound(to: CChar.self, capacity: 256) { unlinkat(folder, $0, 0) }
      }
    }
  }
}
