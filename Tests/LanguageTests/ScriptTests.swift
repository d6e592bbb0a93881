import Builtins
import Foundation
import Interpreter
import Syntax
import Terminal
import Testing

/// A host that collects the output.
final class CapturingHost: InterpreterHost {
  var output = ""
  var notes: [String] = []
  var isInterrupted = false
  var isBatch: Bool { false }
  var resumes = false
  var width: Int { 80 }
  var isTerminal: Bool { false }
  var showsLiveProgress: Bool { false }
  var threads: Int { 2 }
  var seed: Int { 0 }
  var outputFolder: String?
  var sandbox: String?
  var runDatabase: String?
  var script: (name: String, hash: String) { ("test", "") }
  var version: String { "test" }
  func write(_ text: String) { output += text }
  func note(_ text: String) { notes.append(text) }
  func progress(_ line: String?) {}
  func milestone(_ line: String) { notes.append(line) }
}

/// Runs a text on a thread with the stack size of the program, and returns its output and its errors.
func runScript(_ file: SourceFile, parameters: [String: String] = [:], folder: String? = nil, records: Bool = false) -> (
  output: String, diagnostics: [Diagnostic]
) {
  final class Result: @unchecked Sendable {
    var output = ""
    var diagnostics: [Diagnostic] = []
  }
  let result = Result()
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    let host = CapturingHost()
    host.outputFolder = folder
    if records { host.runDatabase = folder.map { $0 + "/runs/runs.sqlite" } }
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    interpreter.override(parameters)
    let (program, diagnostics) = interpreter.compile(file)
    result.diagnostics = diagnostics
    if let program {
      do { try interpreter.run(program) } catch let diagnostic as Diagnostic { result.diagnostics = [diagnostic] } catch {}
    }
    result.output = host.output
    done.signal()
  }
  thread.stackSize = 512 << 20
  thread.start()
  done.wait()
  return (result.output, result.diagnostics)
}

/// The errors of checking a text, without running it.
func checkScript(_ file: SourceFile) -> [Diagnostic] {
  Interpreter(StackRecLibrary.library, host: CapturingHost()).compile(file).diagnostics
}

/// The scripts in Scripts/, one behaviour per file. `#> text` is a line of output; `#! CODE LINE:COLUMN text` is an
/// error whose message or help contains the text. Output and errors must match completely and in order.
@Suite struct ScriptTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Scripts")

  static let scripts: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".srs") }.sorted()
  }()

  @Test func scriptsAreFound() { #expect(Self.scripts.count > 100) }

  @Test(arguments: scripts)
  func script(name: String) throws {
    let path = Self.folder.appendingPathComponent(name).path
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    let text = String(decoding: bytes, as: UTF8.self)
    let folder = NSTemporaryDirectory() + "stackrec-script-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let result = runScript(SourceFile(name: path, bytes: bytes), folder: folder)
    Expectations(text).compare(result.output, result.diagnostics)
  }
}

/// The expected output and errors of a script, from its comments `#> text` and `#! CODE LINE:COLUMN text`.
struct Expectations {
  private var lines: [Substring] = []
  private var errors: [Substring] = []

  init(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let mark = line.range(of: "#>") { lines.append(line[mark.upperBound...].drop { $0 == " " }) }
      if let mark = line.range(of: "#! E") { errors.append(line[mark.lowerBound...].dropFirst(3)) }
    }
  }

  func compare(_ output: String, _ diagnostics: [Diagnostic]) {
    var found = output.split(separator: "\n", omittingEmptySubsequences: false)
    if found.last == "" { found.removeLast() }
    #expect(found.map { $0.drop { $0 == " " } } == lines)
    #expect(diagnostics.count == errors.count, "\(diagnostics.map(\.message))")
    for (diagnostic, error) in zip(diagnostics, errors) {
      let parts = error.split(separator: " ", maxSplits: 2)
      let location = diagnostic.span.map { $0.file.location(of: $0.range.lowerBound) }
      #expect(diagnostic.code.rawValue == parts[0])
      #expect(location.map { "\($0.line):\($0.column)" } ?? "" == parts[1], "\(diagnostic.message)")
      if parts.count > 2 {
        #expect((diagnostic.message + " " + (diagnostic.help ?? "")).contains(parts[2]), "\(diagnostic.message)")
      }
    }
  }
}

/// Every builtin's example runs and prints what its comments say.
@Suite struct ExampleTests {
  /// A cache folder that already contains the data that examples download.
  static let cache: String = {
    let folder = NSTemporaryDirectory() + "stackrec-cache-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: folder + "/downloads/ml-1m", withIntermediateDirectories: true)
    try? Data("1::1::5::10\n1::2::5::20\n".utf8).write(to: URL(fileURLWithPath: folder + "/downloads/ml-1m/ratings.dat"))
    setenv("SRS_CACHE", folder, 1)
    return folder
  }()

  @Test(arguments: StackRecLibrary.library.builtins.keys.sorted())
  func example(name: String) throws {
    #expect(FileManager.default.fileExists(atPath: Self.cache))
    let builtin = try #require(StackRecLibrary.library.builtins[name])
    let folder = NSTemporaryDirectory() + "stackrec-example-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let example = builtin.example
    // Some examples read a file of the user, which is created here.
    try Data("1::1::5::10\n1::2::5::20\n".utf8).write(to: URL(fileURLWithPath: folder + "/ratings.dat"))
    let result = runScript(SourceFile(name: name, text: example), folder: folder, records: true)
    #expect(result.diagnostics.isEmpty, "\(result.diagnostics.map(\.message))")
    let wanted = example.split(separator: "\n").compactMap { line in
      line.range(of: "#> ").map { String(line[$0.upperBound...]) }
    }
    let lines = result.output.split(separator: "\n").map(String.init)
    if !wanted.isEmpty { #expect(lines == wanted) }
  }

  @Test func everyParameterIsDescribed() {
    for builtin in StackRecLibrary.library.builtins.values {
      #expect(!builtin.summary.isEmpty && !builtin.topic.isEmpty && !builtin.example.isEmpty, "\(builtin.name)")
      #expect(builtin.parameters.allSatisfy { !$0.summary.isEmpty }, "\(builtin.name)")
      #expect(Set(builtin.parameters.map(\.name)).count == builtin.parameters.count, "\(builtin.name)")
    }
  }
}

/// One declaration of a builtin is enough for checking, help and completion.
@Suite struct DeclarationTests {
  private enum Colour: String, Sendable, CaseIterable { case red, blue }

  private static let twice = Builtin("twice", "Doubles a number.", topic: "Maths", returns: .number, example: "twice(4)") { d in
    let x = d.positional("x", .number, "what to double")
    let colour = d.named("colour", Kind<Colour>.word, default: .red, "red", "a colour")
    return { call in .number(try call[colour] == .red ? 2 * (try call[x]) : 0) }
  }

  @Test func oneDeclarationIsEnough() throws {
    let host = CapturingHost()
    let interpreter = Interpreter(Library([Self.twice], metrics: []), host: host)
    func run(_ text: String) throws -> (Value?, [Diagnostic]) {
      let (program, diagnostics) = interpreter.compile(SourceFile(name: "t", text: text))
      return (try program.map { try interpreter.run($0) }, diagnostics)
    }
    #expect(try run("twice(4)").0?.printed == "8")
    #expect(try run("twice(4, colour: blue)").0?.printed == "0")
    #expect(try run("twise(4)").1.first?.help == "did you mean `twice`?")
    #expect(try run("twice(4, color: red)").1.first?.help == "did you mean `colour`?")
    #expect(try run("twice(4, colour: bleu)").1.first?.code == .unknownWord)
    #expect(try run("twice(\"a\")").1.first?.code == .wrongType)
    let help = try #require(interpreter.library.builtins["twice"]).help
    #expect(help.contains("Doubles a number.") && help.contains("what to double") && help.contains("colour: red"))
    let completer = Completer(interpreter)
    #expect(completer.complete("twi", 3).insert == "ce")
    #expect(completer.complete("twice(4, co", 11).insert == "lour: ")
    #expect(completer.complete("twice(4, colour: b", 18).insert == "lue")
  }
}
