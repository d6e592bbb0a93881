import Foundation
import Syntax

// Texts and files.
extension Builtin {
  static let texts: [Builtin] = [print, format, join, upper, lower, read, write, help]

  static let print = Builtin(
    "print", "Writes values, separated by blanks, and a line break.", topic: "Texts", returns: .nothing,
    example: "print(\"depth\", 2 * 8)  #> depth 16"
  ) { d in
    let values = d.rest("values", "what to write")
    return { call in
      let texts = try call[values].map(\.printed)
      call.interpreter.host.write(texts.joined(separator: " ") + "\n")
      return .nothing
    }
  }

  static let format = Builtin(
    "format", "A number as text with so many digits after the point, thousands grouped if asked.", topic: "Texts",
    returns: .text, example: "print(format(0.12345, digits: 3), format(12000, grouped: true))  #> 0.123 12,000"
  ) { d in
    let value = d.positional("number", .number, "what to write")
    let digits = d.optional("digits", .whole(from: 0, to: 17), "digits after the point")
    let grouped = d.named("grouped", .bool, default: false, "false", "commas between thousands")
    return { call in
      let number = try call[value]
      let text = try call[digits].map { NumberFormat.fixed(number, digits: $0) } ?? NumberFormat.text(number)
      guard try call[grouped], number.isFinite, abs(number) < 1e15 else { return .text(text) }
      let point = text.firstIndex(of: ".") ?? text.endIndex
      guard let whole = Int(text[..<point]) else { return .text(text) }
      let sign = text.hasPrefix("-") && whole == 0 ? "-" : ""
      return .text(sign + NumberFormat.grouped(whole) + text[point...])
    }
  }

  static let join = Builtin(
    "join", "The elements of a list as one text.", topic: "Texts", returns: .text,
    example: "print(join([1, 2, 3], with: \"-\"))  #> 1-2-3"
  ) { d in
    let list = d.positional("list", .sequence, "what to join")
    let separator = d.named("with", .text, default: ", ", "\", \"", "what stands between")
    return { call in .text((try call[list]).map(\.printed).joined(separator: try call[separator])) }
  }

  static let upper = Builtin(
    "upper", "A text in capitals.", topic: "Texts", returns: .text, example: "print(upper(\"mrr\"))  #> MRR"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in .text((try call[text]).uppercased()) }
  }

  static let lower = Builtin(
    "lower", "A text in small letters.", topic: "Texts", returns: .text, example: "print(lower(\"MRR\"))  #> mrr"
  ) { d in
    let text = d.positional("text", .text, "the text")
    return { call in .text((try call[text]).lowercased()) }
  }

  static let read = Builtin(
    "read", "The whole of a text file.", topic: "Texts", returns: .text,
    example: "write(\"hello\", \"out/hello.txt\")\nprint(read(\"out/hello.txt\"))  #> hello"
  ) { d in
    let path = d.positional("file", .text, "its path")
    return { call in
      let name = call.inputPath(try call[path])
      guard let data = FileManager.default.contents(atPath: name) else {
        throw call.error(.file, "there is no file \(name) that can be read", argument: "file")
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw call.error(.file, "\(name) is not UTF-8 text", argument: "file")
      }
      return .text(text)
    }
  }

  static let write = Builtin(
    "write", "Writes a text to a file, whole or not at all; folders are made.", topic: "Texts", returns: .nothing,
    example: "write(\"a line\\n\", \"out/note.txt\")"
  ) { d in
    let text = d.positional("text", .text, "what to write")
    let path = d.positional("file", .text, "its path")
    return { call in
      let name = call.outputPath(try call[path])
      do {
        try OutputFile.write(Data((try call[text]).utf8), to: name)
      } catch let error as OutputFile.Failure {
        throw call.error(.file, error.message, argument: "file")
      }
      return .nothing
    }
  }

  static let help = Builtin(
    "help", "The page of a function: `?name` at the prompt.", topic: "Texts", returns: .nothing,
    example: "help(\"len\")"
  ) { d in
    let name = d.positional("name", .text, "the function, in quotes")
    return { call in
      let name = try call[name]
      guard let builtin = call.interpreter.library.builtins[name] else {
        throw call.error(
          .unknownName, "there is no function `\(name)`", argument: "name",
          help: Spelling.suggestion(name, in: call.interpreter.library.builtins.keys.sorted()))
      }
      call.interpreter.host.write(builtin.help)
      return .nothing
    }
  }

  /// What every program of the language can use.
  public static let standard = lists + maths + texts
}

extension Builtin.Call {
  /// Where a relative output path leads.
  public func outputPath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = interpreter.host.outputFolder else { return path }
    return folder + "/" + path
  }
}

extension Builtin.Call {
  /// Where a file to read is: as given, or where this run wrote it.
  public func inputPath(_ path: String) -> String {
    let given = (path as NSString).expandingTildeInPath
    let written = outputPath(given)
    return !FileManager.default.fileExists(atPath: given) && FileManager.default.fileExists(atPath: written) ? written : given
  }
}

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
