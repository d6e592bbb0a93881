import CFiles
import Foundation

/// Reads whole files.
public enum InputFile {
  /// The contents of a file.
  ///
  /// - Parameters:
  ///   - sandbox: A folder (a path without symbolic links) that must contain the file; nil: no restriction.
  ///   - isInterrupted: Whether the user wants to stop; called while waiting for a FIFO.
  /// - Throws: `AtomicFile.Failure` if the file does not exist, is a folder, has more than 1 GiB, or cannot be read.
  public static func contents(_ path: String, inside sandbox: String? = nil, isInterrupted: () -> Bool = { false })
    throws(AtomicFile.Failure) -> Data
  {
    guard !path.contains("\0") else { throw AtomicFile.Failure(message: "a file name cannot contain a zero byte") }
    var descriptor: Int32
    repeat {
      if sandbox != nil {
        guard let real = realpath(path, nil) else { throw missing(path) }
        defer { free(real) }
        guard let (root, rest) = Sandbox.root(of: String(cString: real)) else {
          throw AtomicFile.Failure(message: "\(path) leads out of the sandbox")
        }
        descriptor = srs_open_beneath(root.descriptor, rest.isEmpty ? "." : rest, O_RDONLY | O_NONBLOCK, 0)
      } else {
        // Without O_NONBLOCK, opening a FIFO without a writer would block, and Ctrl-C could not end it.
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
      }
      if descriptor < 0 && errno == EINTR && isInterrupted() { throw AtomicFile.Failure(message: "reading \(path) was interrupted") }
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw missing(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw missing(path) }
    if status.st_mode & S_IFMT == S_IFDIR { throw AtomicFile.Failure(message: "\(path) is a folder; a file was expected") }
    if sandbox != nil {
      if let problem = Sandbox.problem(status) { throw AtomicFile.Failure(message: "\(path) \(problem)") }
    }
    if srs_is_process_descriptor(descriptor) { throw AtomicFile.Failure(message: "\(path) \(ofProcesses)") }
    return try bytes(descriptor, path, isInterrupted: isInterrupted)
  }

  /// The message for files of /proc. Reading them is an error, because they include the environment and the memory of
  /// processes.
  public static let ofProcesses = "is a file about processes, and scripts cannot read those"

  /// Is the file part of a proc file system, wherever that is mounted?
  public static func isOfProcesses(_ path: String) -> Bool { srs_is_process_file(path) }

  private static func missing(_ path: String) -> AtomicFile.Failure {
    .init(message: errno == ENOENT ? "there is no file \(path) that can be read" : "\(path) cannot be read: \(AtomicFile.reason())")
  }

  /// The largest number of bytes that is read from a file.
  private static let largest = 1 << 30

  static func bytes(_ descriptor: Int32, _ path: String, isInterrupted: () -> Bool = { false }) throws(AtomicFile.Failure) -> Data {
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    func tooLarge() -> AtomicFile.Failure { .init(message: "\(path) has more than 1 GiB, which is too much for one text") }
    guard !isKnown || status.st_size <= largest else { throw tooLarge() }
    // One byte more than the file has, so that the read after the last byte reports the end.
    var buffer = [UInt8](repeating: 0, count: isKnown ? max(65_536, Int(status.st_size) + 1) : 65_536)
    var filled = 0
    while true {
      if isInterrupted() { throw AtomicFile.Failure(message: "reading \(path) was interrupted") }
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
      guard count >= 0 else { throw AtomicFile.Failure(message: "\(path) cannot be read: \(AtomicFile.reason())") }
      if count == 0 { return Data(buffer[..<filled]) }
      filled += count
    }
  }
}
