import Files
import Foundation
import Syntax

/// Which files a script may read and write, and how its paths are resolved.
public enum FileAccess {
  /// Is a path, after resolving symbolic links and `..`, inside a folder? The folder must be resolved already.
  public static func isPath(_ path: String, inside folder: String) -> Bool {
    guard let real = resolvedOrNew(path) else { return false }
    return folder == "/" || real == folder || real.hasPrefix(folder + "/")
  }

  /// The path without symbolic links, `.` and `..`. Nil for a dangling link and for an invalid path.
  ///
  /// The file need not exist. Then the nearest existing folder above it is resolved, and the rest of the path must not contain
  /// `..`.
  static func resolvedOrNew(_ path: String) -> String? {
    guard !path.contains("\0") else { return nil }
    var existing = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    var missing: [String] = []
    while true {
      var status = stat()
      if lstat(existing, &status) == 0 { break }
      var parts = existing.split(separator: "/")
      guard let last = parts.popLast() else { return nil }
      missing.append(String(last))
      existing = "/" + parts.joined(separator: "/")
    }
    guard !missing.contains(".."), let real = resolved(existing) else { return nil }
    return missing.isEmpty ? real : (real == "/" ? "" : real) + "/" + missing.reversed().joined(separator: "/")
  }

  /// The path without symbolic links, `.` and `..`; nil if the file does not exist.
  public static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

extension Interpreter {
  /// Does the sandbox refuse access to a file?
  public func refuses(_ path: String) -> Bool { refusal(path) != nil }

  /// Why the script must not access a file; nil if it may.
  public func refusal(_ path: String) -> String? {
    guard let folder = host.sandbox else { return nil }
    guard FileAccess.isPath(path, inside: folder) else {
      return "\(path) is outside of \(folder), and this script runs with --sandbox"
    }
    return Sandbox.open(folder) ? nil : "the folder of the sandbox, \(folder), does not exist any more"
  }

  /// Why the script must not read a file; nil if it may.
  public func readingRefusal(_ path: String) -> String? {
    if let problem = refusal(path) { return problem }
    if InputFile.isOfProcesses(path) { return "\(path) \(InputFile.ofProcesses)" }
    if host.sandbox != nil, let problem = Sandbox.problem(of: path) { return "\(path) \(problem)" }
    return nil
  }

  /// The contents of a file. The caller has checked `readingRefusal`.
  ///
  /// - Throws: `OutputFile.Failure`.
  public func contents(_ path: String) throws(OutputFile.Failure) -> [UInt8] {
    [UInt8](try InputFile.contents(path, inside: host.sandbox, isInterrupted: { host.isInterrupted }))
  }
}

extension Builtin.Call {
  /// Resolves the path of a file to write. Relative paths start from the output folder. In a sandbox, no folder of the result
  /// is a symbolic link.
  ///
  /// - Parameter isInternal: Whether this is a file that the script does not name, such as a checkpoint.
  /// - Throws: E0501 for a path outside of the sandbox.
  public func outputPath(_ path: String, argument: String = "file", isInternal: Bool = false) throws -> String {
    precondition(isInternal || !builtin.effects.isEmpty, "\(builtin.name) writes files, but does not declare effects")
    let given = (path as NSString).expandingTildeInPath
    let whole = given.hasPrefix("/") ? given : interpreter.host.outputFolder.map { $0 + "/" + given } ?? given
    if let problem = interpreter.refusal(whole) { throw error(.file, problem, argument: argument) }
    // Writing replaces a symbolic link at the end of the path, so only the folders are resolved.
    guard interpreter.host.sandbox != nil, let cut = whole.lastIndex(of: "/") else { return whole }
    let name = whole[whole.index(after: cut)...]
    guard !name.isEmpty, name != ".", name != "..",
      let folder = FileAccess.resolvedOrNew(cut == whole.startIndex ? "/" : String(whole[..<cut]))
    else { throw error(.file, "\(whole) names a folder, not a file", argument: argument) }
    return folder + "/" + name
  }

  /// Resolves the path of a file to read: the path as given, or, if that does not exist, the path relative to the output
  /// folder, where this run may have written it.
  ///
  /// - Throws: E0501 for a path outside of the sandbox, and for files of /proc.
  public func inputPath(_ path: String, argument: String = "file") throws -> String {
    precondition(builtin.effects.contains(.reads), "\(builtin.name) reads files, but does not declare effects")
    let given = (path as NSString).expandingTildeInPath
    if !given.hasPrefix("/"), let folder = interpreter.host.outputFolder, !FileManager.default.fileExists(atPath: given),
      FileManager.default.fileExists(atPath: folder + "/" + given)
    {
      let path = try outputPath(given, argument: argument)
      if let problem = interpreter.readingRefusal(path) { throw error(.file, problem, argument: argument) }
      interpreter.host.didRead(path)
      return path
    }
    if let problem = interpreter.readingRefusal(given) { throw error(.file, problem, argument: argument) }
    interpreter.host.didRead(given)
    return given
  }

  /// The contents of a file at an `inputPath`.
  ///
  /// - Throws: E0501 if the file does not exist or cannot be read.
  func contents(_ path: String, argument: String = "file") throws -> [UInt8] {
    do {
      return try interpreter.contents(path)
    } catch {
      try work.checkInterrupt()
      throw self.error(.file, error.message, argument: argument)
    }
  }
}
