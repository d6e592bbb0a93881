import Files
import Foundation
import Syntax

/// Which files a script may touch, and where its relative paths lead.
public enum FileAccess {
  /// Does a path, with links and `..` resolved, lie in a folder? The folder is resolved already.
  public static func lies(_ path: String, inside folder: String) -> Bool {
    guard let real = place(path) else { return false }
    return folder == "/" || real == folder || real.hasPrefix(folder + "/")
  }

  /// Where a path leads, without links, `.` and `..`; nil for a link to nowhere and for what cannot be a path.
  ///
  /// What does not exist yet is judged by the nearest folder above it that does; behind that no `..` may stand.
  static func place(_ path: String) -> String? {
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
  public func refusal(_ path: String) -> String? {
    guard let folder = host.sandbox else { return nil }
    guard FileAccess.lies(path, inside: folder) else {
      return "\(path) lies outside of \(folder), and this script runs with --sandbox"
    }
    return Sandbox.hold(folder) ? nil : "the folder of the sandbox, \(folder), is gone"
  }

  /// What keeps a script from reading a file; nil: nothing does.
  public func readingRefusal(_ path: String) -> String? {
    if let problem = refusal(path) { return problem }
    if InputFile.isOfProcesses(path) { return "\(path) \(InputFile.ofProcesses)" }
    if host.sandbox != nil, let problem = Sandbox.problem(of: path) { return "\(path) \(problem)" }
    return nil
  }

  /// The whole of a file that `readingRefusal` lets a script read.
  ///
  /// - Throws: `OutputFile.Failure`.
  public func contents(_ path: String) throws(OutputFile.Failure) -> [UInt8] {
    [UInt8](try InputFile.contents(path, inside: host.sandbox, isInterrupted: { host.isInterrupted }))
  }
}

extension Builtin.Call {
  /// Where a relative output path leads. In a sandbox no folder of it is a link.
  ///
  /// - Parameter isInternal: a file that the script does not name, such as a checkpoint.
  /// - Throws: E0501 for a place outside of the sandbox.
  public func outputPath(_ path: String, argument: String = "file", isInternal: Bool = false) throws -> String {
    precondition(isInternal || !builtin.effects.isEmpty, "\(builtin.name) names files and does not say so: effects")
    let given = (path as NSString).expandingTildeInPath
    let whole = given.hasPrefix("/") ? given : interpreter.host.outputFolder.map { $0 + "/" + given } ?? given
    if let problem = interpreter.refusal(whole) { throw error(.file, problem, argument: argument) }
    // What takes the place of a link is the file, so only the folders are resolved.
    guard interpreter.host.sandbox != nil, let cut = whole.lastIndex(of: "/") else { return whole }
    let name = whole[whole.index(after: cut)...]
    guard !name.isEmpty, name != ".", name != "..", let folder = FileAccess.place(cut == whole.startIndex ? "/" : String(whole[..<cut]))
    else { throw error(.file, "\(whole) names a folder, not a file", argument: argument) }
    return folder + "/" + name
  }

  /// Where a file to read is: as given, or where this run wrote it.
  ///
  /// - Throws: E0501 for a place outside of the sandbox, and for files about processes.
  public func inputPath(_ path: String, argument: String = "file") throws -> String {
    precondition(builtin.effects.contains(.reads), "\(builtin.name) reads files and does not say so: effects")
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

  /// The whole of a file at an `inputPath`.
  ///
  /// - Throws: E0501 for one that is not there or cannot be read.
  func contents(_ path: String, argument: String = "file") throws -> [UInt8] {
    do {
      return try interpreter.contents(path)
    } catch {
      try work.look()
      throw self.error(.file, error.message, argument: argument)
    }
  }
}
