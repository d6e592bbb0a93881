import Foundation
import Interpreter
import Syntax

/// Completes the text before the cursor: names, members, arguments and their words, all from the declarations of the builtins.
public final class Completer {
  private let interpreter: Interpreter
  /// The last line and cursor. The same ones again, a second Tab, get all names and not only those that fit.
  private var last: (line: String, cursor: Int)?
  private var offersAll = false

  public init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  public func complete(_ line: String, _ cursor: Int) -> Editline.Completion {
    offersAll = last.map { $0 == (line, cursor) } ?? false
    last = (line, cursor)
    let before = String(decoding: Array(line.utf8).prefix(cursor), as: UTF8.self)
    if before.allSatisfy({ $0 == " " }) { return .init(insert: "", choices: ["? lists the functions by topic, %help the commands"]) }
    let stem = String(before.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed())
    let candidates = candidates(before, stem).filter { $0.hasPrefix(stem) && $0 != stem }
    let sorted = Array(Set(candidates)).sorted()
    guard let first = sorted.first else { return .init(insert: "", choices: []) }
    let common = sorted.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
    if common.count > stem.count { return .init(insert: String(common.dropFirst(stem.count)), choices: []) }
    return .init(insert: "", choices: Self.columns(sorted))
  }

  private func candidates(_ before: String, _ stem: String) -> [String] {
    let lead = before.dropLast(stem.count)
    if lead.hasSuffix(").") || lead.hasSuffix("].") { return [] }
    if lead.hasSuffix("."), let owner = owner(String(lead.dropLast())) { return members(owner) }
    if lead.hasPrefix("?") { return Array(interpreter.library.builtins.keys) + interpreter.names }
    if lead == "%" { return SessionCommand.all.map(\.name) }
    if lead.hasPrefix("!") || ["%run ", "%load ", "%save ", "%edit ", "%cd "].contains(where: lead.hasPrefix) {
      return Self.files(String(before.split(separator: " ", omittingEmptySubsequences: false).last ?? ""), stem)
    }
    if let inside = Self.openString(String(before)) {
      // In a string, complete the name of a column if the argument is one, else a path.
      let outside = String(before.dropLast(inside.count + 1))
      if let (builtin, argument, text) = call(outside), let suggest = builtin.parameters.first(where: { $0.name == argument })?.suggest {
        let quoted = suggest(text).filter { $0.hasPrefix("\"") }.map { String($0.dropFirst()) }
        return quoted.filter { $0.hasPrefix(inside) }.map { stem + $0.dropFirst(inside.count) }
      }
      return Self.files(inside, stem)
    }
    // After `hr@`, offer usual cut-offs.
    if lead.hasSuffix("@") { return ["5", "10", "20", "50", "100"] }
    if let (builtin, argument, text) = call(String(lead)) {
      if let argument, let parameter = builtin.parameters.first(where: { $0.name == argument }) {
        let words = parameter.words + parameter.elementWords + (parameter.suggest?(text) ?? [])
        // Where the argument takes words, only these and variables fit; before the first letter no other names are offered.
        if offersAll { return words + names }
        return words.isEmpty ? stem.isEmpty ? interpreter.names : names : words + (stem.isEmpty ? [] : interpreter.names)
      }
      let open = builtin.parameters.filter { !lead.contains("\($0.name):") && !$0.positional }.map(\.name)
      return open.map { $0 + ": " } + (stem.isEmpty && !offersAll ? [] : names.filter { !open.contains($0) })
    }
    return names + Token.Keyword.allCases.map(\.rawValue)
  }

  /// The text of the string that is open at the end of `text`; nil outside of strings.
  private static func openString(_ text: String) -> String? {
    var open: String?
    var isEscaped = false
    for character in text {
      if let inside = open {
        if isEscaped || character != "\"" {
          open = inside + String(character)
          isEscaped = character == "\\" && !isEscaped
        } else {
          open = nil
        }
      } else if character == "\"" {
        open = ""
      } else if character == "#" {
        return nil
      }
    }
    return open
  }

  /// Completions of a path: `stem` followed by the rest of the name of each matching file or folder.
  private static func files(_ path: String, _ stem: String) -> [String] {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let start = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let whole = (folder as NSString).expandingTildeInPath
    guard let all = try? FileManager.default.contentsOfDirectory(atPath: whole.isEmpty ? "." : whole) else { return [] }
    return all.filter { $0.hasPrefix(start) && (start.hasPrefix(".") || !$0.hasPrefix(".")) }.map { name in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: (whole.isEmpty ? "" : whole + "/") + name, isDirectory: &isFolder)
      return stem + name.dropFirst(start.count) + (isFolder.boolValue ? "/" : "")
    }
  }

  private var names: [String] { interpreter.names + interpreter.library.builtins.keys }

  private func owner(_ text: String) -> Value? {
    let name = String(text.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }.reversed())
    let parts = name.split(separator: ".").map(String.init)
    guard let first = parts.first, var value = interpreter.value(first) else { return nil }
    for part in parts.dropFirst() {
      switch value {
      case .object(let object):
        guard let next = object.member(part) else { return nil }
        value = next
      case .record(let record):
        guard let next = record[part] else { return nil }
        value = next
      default: return nil
      }
    }
    return value
  }

  private func members(_ value: Value) -> [String] {
    switch value {
    case .object(let object): type(of: object).type.members.map(\.name)
    case .record(let record): record.keys
    default: []
    }
  }

  /// The builtin whose call is open at the end of the text, and the argument whose value is being typed.
  private func call(_ text: String) -> (builtin: Builtin, argument: String?, text: String)? {
    var depth = 0
    var index = text.endIndex
    while index > text.startIndex {
      index = text.index(before: index)
      if ")]}".contains(text[index]) { depth += 1 }
      if "([{".contains(text[index]) {
        // An open list is part of an argument, so continue to the parenthesis of the call.
        if depth == 0 && text[index] != "[" { break }
        depth = max(0, depth - 1)
      }
    }
    guard index < text.endIndex, text[index] == "(" else { return nil }
    let name = String(text[..<index].reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed())
    guard let builtin = interpreter.library.builtins[name] else { return nil }
    let inside = text[text.index(after: index)...]
    var (last, nesting) = (inside, 0)
    for index in inside.indices {
      if "([{".contains(inside[index]) { nesting += 1 }
      if ")]}".contains(inside[index]) { nesting -= 1 }
      if inside[index] == "," && nesting == 0 { last = inside[inside.index(after: index)...] }
    }
    let colon = last.firstIndex(of: ":")
    let argument = colon.map { last[..<$0].trimmingBlanks }
    return (builtin, argument, String(inside))
  }

  /// The most rows of choices that Tab shows.
  private static let mostRows = 12

  private static func columns(_ names: [String]) -> [String] {
    let width = (names.map(\.count).max() ?? 0) + 2
    let perLine = max(1, 78 / width)
    let shown = min(names.count, mostRows * perLine)
    let rows = stride(from: 0, to: shown, by: perLine).map { start in
      names[start..<min(shown, start + perLine)]
        .map { $0 + String(repeating: " ", count: width - $0.count) }.joined()
    }
    return shown < names.count ? rows + ["and \(names.count - shown) more; type a letter"] : rows
  }
}

extension String {
  func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map(\.0))
  }
}

extension Substring {
  var trimmingBlanks: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
