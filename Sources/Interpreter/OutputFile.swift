import Foundation

/// The part of a path before its last slash; empty where it has none.
public enum FilePath {
  public static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
  }
}

/// Files that are there whole or not at all.
public enum OutputFile {
  public struct Failure: Error {
    public let message: String
  }

  /// Writes beside the target, syncs, and renames; makes the folders it needs.
  public static func write(_ data: Data, to path: String) throws(Failure) {
    let folder = FilePath.folder(of: path)
    if !folder.isEmpty {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw Failure(message: "the folder \(folder) cannot be made: \(reason())")
      }
    }
    let temporary = path + ".part-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure(message: "\(path) cannot be written: \(reason())") }
    let written = data.withUnsafeBytes { bytes -> Bool in
      var rest = bytes
      while !rest.isEmpty {
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
      return fsync(descriptor) == 0
    }
    let problem = written ? "" : reason()
    close(descriptor)
    guard written, rename(temporary, path) == 0 else {
      let why = written ? reason() : problem
      unlink(temporary)
      throw Failure(message: "\(path) cannot be written: \(why)")
    }
    // The new name survives a power cut only when its folder is written too.
    let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
