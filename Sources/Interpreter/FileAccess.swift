import Foundation
import Syntax

/// Which files a script may touch, and where its relative paths lead.
public enum FileAccess {
  /// Does a path, with links and `..` resolved, lie in a folder? The folder is resolved already.
  ///
  /// What does not exist yet is judged by the nearest folder above it that does; behind that no `..` may stand.
  public static func lies(_ path: String, inside folder: String) -> Bool {
    guard !path.contains("\0") else { return false }
    var existing = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    var missing: [String] = []
    while true {
      var status = stat()
      if lstat(existing, &status) == 0 { break }
      var parts = existing.split(separator: "/")
      guard let last = parts.popLast() else { return false }
      missing.append(String(last))
      existing = "/" + parts.joined(separator: "/")
    }
    guard !missing.contains(".."), let real = resolved(existing) else { return false }
    return folder == "/" || real == folder || real.hasPrefix(folder + "/")
  }

  /// The path without links, `.` and `..`; nil for what does not exist.
  public static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

extension Interpreter {
  /// Does the sandbox keep a script from a file?
  public func refuses(_ path: String) -> Bool { refusal(path) != nil }

  /// What keeps a script from a file; nil: nothing does.
  func refusal(_ path: String) -> String? {
    guard let folder = host.sandbox, !FileAccess.lies(path, inside: folder) else { return nil }
    return "\(path) lies outside of \(folder), and this script runs with --sandbox"
  }
}

extension Builtin.Call {
  /// Where a relative output path leads.
  ///
  /// - Parameter isInternal: a file that the script does not name, such as a checkpoint.
  /// - Throws: E0501 for a place outside of the sandbox.
  public func outputPath(_ path: String, argument: String = "file", isInternal: Bool = false) throws -> String {
    precondition(isInternal || !builtin.effects.isEmpty, "\(builtin.name) names files and does not say so: effects")
    let given = (path as NSString).expandingTildeInPath
    let whole = given.hasPrefix("/") ? given : interpreter.host.outputFolder.map { $0 + "/" + given } ?? given
    if let problem = interpreter.refusal(whole) { throw error(.file, problem, argument: argument) }
    return whole
  }

  /// Where a file to read is: as given, or where this run wrote it.
  ///
  /// - Throws: E0501 for a place outside of the sandbox.
  public func inputPath(_ path: String, argument: String = "file") throws -> String {
    precondition(builtin.effects.contains(.reads), "\(builtin.name) reads files and does not say so: effects")
    let given = (path as NSString).expandingTildeInPath
    if !given.hasPrefix("/"), let folder = interpreter.host.outputFolder, !FileManager.default.fileExists(atPath: given),
      FileManager.default.fileExists(atPath: folder + "/" + given)
    {
      let path = try outputPath(given, argument: argument)
      interpreter.host.didRead(path)
      return path
    }
    if let problem = interpreter.refusal(given) { throw error(.file, problem, argument: argument) }
    interpreter.host.didRead(given)
    return given
  }
}
