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

  /// Where the parts of a file go while it is written.
  public struct Sink {
    fileprivate let descriptor: Int32
    fileprivate let path: String

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

  public static func write(_ data: Data, to path: String) throws(Failure) {
    do {
      try write(to: path) { sink in
        var problem: Failure?
        data.withUnsafeBytes { bytes in
          do throws(Failure) { try sink.put(bytes) } catch { problem = error }
        }
        if let problem { throw problem }
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(message: "\(path) cannot be written: \(error)")
    }
  }

  /// Writes what `body` gives beside the target, syncs, and renames; makes the folders it needs. Where `body` throws,
  /// nothing is left and what was there stays.
  public static func write(to path: String, _ body: (Sink) throws -> Void) throws {
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
    do {
      try body(Sink(descriptor: descriptor, path: path))
      guard fsync(descriptor) == 0 else { throw Failure(message: "\(path) cannot be written: \(reason())") }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    close(descriptor)
    guard rename(temporary, path) == 0 else {
      let why = reason()
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

  fileprivate static func reason() -> String { String(cString: strerror(errno)) }
}
