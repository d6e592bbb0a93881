import Builtins
import Files
import Foundation
import Interpreter
import Syntax

/// Reads and runs script files, and reports their errors.
enum Script {
  static func read(_ file: String, host: ConsoleHost, json: Bool) throws -> SourceFile {
    if file == "-" { return SourceFile(name: "<stdin>", bytes: try standardInput()) }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
    guard exists, !isFolder.boolValue, let data = FileManager.default.contents(atPath: file) else {
      let problem =
        !exists ? "there is no script \(file)" : isFolder.boolValue ? "\(file) is a folder, not a script" : "\(file) cannot be read"
      report([Diagnostic(.file, problem, at: nil)], host: host, json: json)
      throw ExitStatus(code: 2)
    }
    return SourceFile(name: file, bytes: [UInt8](data))
  }

  /// All bytes of the standard input. An interrupt ends the wait for them.
  private static func standardInput() throws -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if Interrupt.isSet { throw ExitStatus(code: Interrupt.status) }
      var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 100) > 0 else { continue }
      let count = Foundation.read(STDIN_FILENO, &piece, piece.count)
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      if count <= 0 { return bytes }
      bytes += piece[..<count]
    }
  }

  static func run(_ file: String, host: ConsoleHost, parameters: [String: String], json: Bool) throws {
    let source = try read(file, host: host, json: json)
    host.script = (file, RunTable.hash(source.bytes))
    if let sandbox = host.sandbox, !Sandbox.enter(sandbox) {
      host.note("this system has no Landlock, so only checks of paths enforce the sandbox; see SECURITY.md for what that leaves open")
    }
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    interpreter.override(parameters)
    let (program, diagnostics) = interpreter.compile(source)
    report(diagnostics, host: host, json: json)
    guard let program else { throw ExitStatus(code: 2) }
    do {
      try interpreter.run(program)
      if host.isInterrupted { throw Diagnostic(.interrupted, "interrupted", at: nil) }
    } catch let diagnostic as Diagnostic {
      report([diagnostic], host: host, json: json)
      if diagnostic.code == .interrupted && Interrupt.isTimeout { host.note("stopped by --timeout") }
      // A file that could not be written because its reader did not read ends as an interrupt does.
      throw ExitStatus(code: diagnostic.code == .interrupted || Interrupt.isSet ? Interrupt.status : 1)
    }
  }

  /// Runs the text of `srs -e TEXT` and shows its value as the prompt does.
  static func evaluate(_ text: String, host: ConsoleHost) throws {
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    let (program, diagnostics) = interpreter.compile(SourceFile(name: "<-e>", text: text))
    report(diagnostics, host: host, json: false)
    guard let program else { throw ExitStatus(code: 2) }
    do { try interpreter.present(try interpreter.run(program)) } catch let diagnostic as Diagnostic {
      report([diagnostic], host: host, json: false)
      throw ExitStatus(code: diagnostic.code == .interrupted ? Interrupt.status : 1)
    }
  }

  static func report(_ diagnostics: [Diagnostic], host: ConsoleHost, json: Bool) {
    let renderer = DiagnosticRenderer(colour: ConsoleHost.colours(STDERR_FILENO))
    for diagnostic in diagnostics { host.report(json ? self.json(diagnostic) + "\n" : renderer.render(diagnostic)) }
  }

  private struct Report: Encodable {
    let code: String
    let message: String
    let file: String?
    let line: Int?
    let column: Int?
    let help: String?
    let trace: [String]
  }

  private static func json(_ diagnostic: Diagnostic) -> String {
    let location = diagnostic.span.map { $0.file.location(of: $0.range.lowerBound) }
    let report = Report(
      code: diagnostic.code.rawValue, message: diagnostic.message, file: diagnostic.span?.file.name,
      line: location?.line, column: location?.column, help: diagnostic.help,
      trace: diagnostic.trace.map { "\($0.function) at \($0.span.location)" })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = (try? encoder.encode(report)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    // JSON does not escape all characters that a terminal interprets. These are all below U+10000, so one escape is enough.
    var safe = ""
    for scalar in text.unicodeScalars {
      if TerminalText.isCommand(scalar) { safe += String(format: "\\u%04x", scalar.value) } else { safe.unicodeScalars.append(scalar) }
    }
    return safe
  }
}

/// The text of `srs run FILE --help`: the script's parameters with their comments. The script may come from other people, so
/// the text is safe for a terminal.
enum ScriptHelp {
  static func asked(_ arguments: [String]) throws -> String? {
    guard arguments.count >= 4, arguments[1] == "run", arguments.dropFirst(3).contains(where: { $0 == "--help" || $0 == "-h" }),
      !arguments[2].hasPrefix("-"), let data = FileManager.default.contents(atPath: arguments[2])
    else { return nil }
    let tree = Parser.parse(SourceFile(name: arguments[2], bytes: [UInt8](data)))
    let parameters = tree.parameters
    let file = TerminalText.safe(arguments[2], keepsLines: false)
    guard !parameters.isEmpty else { return "\(file) has no params.\n" }
    var text = "srs run \(file) [--set name=value ...]\n\nParams:\n"
    let rows = parameters.map { (left: TerminalText.safe("\($0.name) = \($0.defaultText)"), comment: TerminalText.safe($0.comment ?? "")) }
    let width = rows.map(\.left.count).max() ?? 0
    for row in rows { text += "  \(row.left)\(String(repeating: " ", count: width - row.left.count))  \(row.comment)\n" }
    return text
  }
}

/// Generates the reference of all builtins from their declarations.
enum Reference {
  static func markdown() -> String {
    let topics = Dictionary(grouping: StackRecLibrary.library.builtins.values, by: \.topic)
    var text = "# Reference\n\nMade by `srs docs` from the declarations; not to be edited.\n"
    for topic in topics.keys.sorted() {
      text += "\n## \(topic)\n"
      for builtin in (topics[topic] ?? []).sorted(by: { $0.name < $1.name }) {
        text += "\n### `\(builtin.name)`\n\n```text\n\(builtin.help)```\n"
      }
    }
    return text
  }
}
