import Foundation
import Synchronization

/// Writes to pipes, terminals and devices, whose reader may be slow or stopped. Waiting for the reader ends after an interrupt.
public enum PatientWrite {
  public enum Outcome: Equatable {
    case done
    /// The error number of the system.
    case failed(Int32)
    case interrupted
  }

  private static let check = Mutex<@Sendable () -> Bool>({ false })

  /// Sets what tells whether an interrupt has arrived.
  public static func watch(_ isInterrupted: @escaping @Sendable () -> Bool) { check.withLock { $0 = isInterrupted } }

  /// Writes all bytes. For an ordinary file this is `write`.
  public static func put(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Outcome {
    var status = stat()
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    var rest = bytes
    while !rest.isEmpty {
      if !isFile {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        if poll(&ready, 1, 100) <= 0 {
          if check.withLock({ $0 })() { return .interrupted }
          continue
        }
      }
      // A pipe that is ready takes 4096 bytes without blocking.
      let count = write(descriptor, rest.baseAddress, isFile ? rest.count : min(rest.count, 4096))
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      if count <= 0 { return .failed(errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return .done
  }
}
