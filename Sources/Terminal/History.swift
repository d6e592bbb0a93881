import Foundation
import Interpreter

/// The entries of earlier sessions, in a file with one line per entry and line breaks written as `\n`.
///
/// Each entry is appended by a single write, so several sessions can append at the same time. When a session starts and the
/// file has more than twice the maximum number of entries, the oldest entries are removed. Only the user can read the file.
public struct History {
  private let path: String
  private static let largest = 5000

  public init(path: String) { self.path = path }

  /// `$XDG_STATE_HOME/srs/history`, or `~/.local/state/srs/history`.
  public static var standardPath: String {
    let environment = ProcessInfo.processInfo.environment
    let state = environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.local/state"
    return state + "/srs/history"
  }

  /// The latest entries, oldest first. Removes old entries from a file that has grown too long.
  public func entries() -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    let existing = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    if existing >= 0 {
      Self.keepPrivate(existing)
      close(existing)
    }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    let kept = lines.suffix(Self.largest)
    if lines.count > 2 * Self.largest {
      let text = kept.joined(separator: "\n") + "\n"
      try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      chmod(path, 0o600)
    }
    return kept.map { Self.decoded(String($0)) }
  }

  public func append(_ entry: String) {
    let folder = FilePath.folder(of: path)
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    Self.keepPrivate(descriptor)
    let bytes = Array((Self.encoded(entry) + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }

  /// Makes the file readable only for its user, if it is not.
  private static func keepPrivate(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 else { return }
    fchmod(descriptor, 0o600)
  }

  static func encoded(_ entry: String) -> String {
    entry.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
  }

  static func decoded(_ line: String) -> String {
    var result = ""
    var escaped = false
    for character in line {
      if escaped {
        result.append(character == "n" ? "\n" : character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
