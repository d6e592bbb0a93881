import CFiles
import Foundation

/// A folder that is held open. Names in it are looked up in this very folder, whatever is put in its place meanwhile.
public final class Folder: Sendable {
  public let descriptor: Int32
  /// For messages.
  public let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Opens a folder; nil, with errno, for what is none or cannot be opened.
  init?(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
    self.path = path
  }

  /// A folder below this one, without a link on the way; nil with errno.
  func folder(_ path: String) -> Folder? {
    let found = srs_open_beneath(descriptor, path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY, 0)
    return found < 0 ? nil : Folder(descriptor: found, path: self.path + "/" + path)
  }

  /// The folder of that path, made where it is not there, its parents too. Of a path in a sandbox no part may be a link.
  ///
  /// - Throws: `WholeFile.Failure` where it cannot be made or is no folder.
  static func made(_ path: String) throws(WholeFile.Failure) -> Folder {
    guard let (root, rest) = Sandbox.root(of: path) else {
      do {
        try FileManager.default.createDirectory(atPath: path.isEmpty ? "." : path, withIntermediateDirectories: true)
      } catch {
        throw WholeFile.Failure(message: "the folder \(path) cannot be made: \(WholeFile.reason())")
      }
      guard let folder = Folder(path.isEmpty ? "." : path) else {
        throw WholeFile.Failure(message: "the folder \(path) cannot be opened: \(WholeFile.reason())")
      }
      return folder
    }
    var folder = root
    for part in rest.split(separator: "/").map(String.init) {
      var next = folder.folder(part)
      if next == nil && errno == ENOENT {
        if mkdirat(folder.descriptor, part, 0o777) != 0 && errno != EEXIST {
          throw WholeFile.Failure(message: "the folder \(path) cannot be made: \(WholeFile.reason())")
        }
        next = folder.folder(part)
      }
      guard let next else {
        throw WholeFile.Failure(
          message: [ELOOP, EXDEV].contains(errno)
            ? "\(path) leads out of the sandbox: \(part) is a link"
            : "the folder \(path) cannot be opened: \(WholeFile.reason())")
      }
      folder = next
    }
    return folder
  }

  // MARK: Parts

  /// How names of files begin that are being written. They end in a random number, so that nobody can put something in
  /// their place, and two processes never share one.
  static let partPrefix = ".srs-part-"

  static func partName() -> String {
    let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    return partPrefix + String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func isPart(_ name: String) -> Bool {
    name.hasPrefix(partPrefix) && name.utf8.count == partPrefix.utf8.count + 16
      && name.utf8.dropFirst(partPrefix.utf8.count).allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
  }

  /// Takes away parts that killed processes left. Whoever writes one holds a lock on it, which ends with the process.
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

/// A folder for the files that another program writes, beside the place they go to. It goes when this value does.
public final class PrivateFolder {
  private let parent: Folder
  private let name: String
  /// Held open and locked, so that nobody sweeps it.
  public let descriptor: Int32

  /// - Parameter path: what is written at last; the folder is made beside it.
  /// - Throws: `WholeFile.Failure` where that cannot be.
  public init(beside path: String) throws(WholeFile.Failure) {
    let (place, _) = try WholeFile.place(of: path)
    parent = place
    name = Folder.partName()
    guard mkdirat(parent.descriptor, name, 0o700) == 0 else {
      throw WholeFile.Failure(message: "\(path) cannot be written: \(WholeFile.reason())")
    }
    descriptor = srs_open_beneath(parent.descriptor, name, O_RDONLY | O_DIRECTORY, 0)
    guard descriptor >= 0 else {
      unlinkat(parent.descriptor, name, Int32(AT_REMOVEDIR))
      throw WholeFile.Failure(message: "\(path) cannot be written: \(WholeFile.reason())")
    }
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  deinit {
    guard descriptor >= 0 else { return }
    Self.empty(descriptor)
    unlinkat(parent.descriptor, name, Int32(AT_REMOVEDIR))
    close(descriptor)
  }

  /// What is in a file of it; nil for what is not there.
  public func contents(_ name: String) -> Data? {
    let file = srs_open_beneath(descriptor, name, O_RDONLY, 0)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return try? InputFile.bytes(file, name)
  }

  /// Takes the files in it away.
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
