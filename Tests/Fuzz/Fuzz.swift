import Builtins
import Datasets
import Foundation
import Interpreter
import Models
import Plotting
import Syntax
import Training

/// libFuzzer's driver, which its library has beside the entry that SwiftPM's renaming of `main` leaves out.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// `SRS_FUZZ_TARGET` says which part of the program reads the bytes. What is found is a crash, a broken promise
/// (`precondition`) or an input that takes too long. See CONTRIBUTING.md.
@_cdecl("fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { data, size in
    target(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  }
}

private let target: @Sendable ([UInt8]) -> Void = {
  switch ProcessInfo.processInfo.environment["SRS_FUZZ_TARGET"] {
  case "syntax": return fuzzSyntax
  case "run": return fuzzRun
  case "data": return fuzzData
  case "model": return fuzzModel
  case "figure": return fuzzFigure
  default:
    FileHandle.standardError.write(Data("SRS_FUZZ_TARGET is syntax, run, data, model or figure\n".utf8))
    exit(2)
  }
}()

// MARK: Language

/// Parsing, formatting and checking.
private func fuzzSyntax(_ bytes: [UInt8]) {
  let file = SourceFile(name: "f", bytes: bytes)
  let tree = Parser.parse(file)
  let renderer = DiagnosticRenderer(colour: false)
  for diagnostic in tree.diagnostics { precondition(!renderer.render(diagnostic).isEmpty) }
  if tree.diagnostics.isEmpty {
    guard let once = Formatter.format(tree) else { preconditionFailure("the canonical form means something else") }
    precondition(Formatter.format(Parser.parse(SourceFile(name: "f", text: once))) == once, "formatting twice is not once")
  }
  let diagnostics = Interpreter(StackRecLibrary.library, host: QuietHost()).compile(file).diagnostics
  precondition(tree.diagnostics.isEmpty || !diagnostics.isEmpty)
  for diagnostic in diagnostics { precondition(!renderer.render(diagnostic).isEmpty) }
}

/// Running with the standard functions, for so many turns of loops and calls.
private func fuzzRun(_ bytes: [UInt8]) {
  // These can ask for more memory than a fuzzer should take.
  let library = Library(
    Builtin.standard.filter { !["repeat", "range", "pad", "read", "write"].contains($0.name) }, metrics: ["mrr", "hr", "ndcg"])
  let interpreter = Interpreter(library, host: QuietHost(turns: 2000))
  let (program, _) = interpreter.compile(SourceFile(name: "f", bytes: bytes))
  guard let program else { return }
  do { try interpreter.run(program) } catch let diagnostic as Diagnostic {
    precondition(!DiagnosticRenderer(colour: false).render(diagnostic).isEmpty)
  } catch { preconditionFailure("an error that is no diagnostic: \(error)") }
}

private final class QuietHost: InterpreterHost {
  private var turns: Int
  init(turns: Int = 0) { self.turns = turns }
  var isInterrupted: Bool {
    turns -= 1
    return turns < 0
  }
  var isBatch: Bool { true }
  var resumes: Bool { false }
  var width: Int { 80 }
  var isTerminal: Bool { false }
  var showsLiveProgress: Bool { false }
  var threads: Int { 1 }
  var seed: Int { 0 }
  var outputFolder: String? { nil }
  /// No file may be touched.
  var sandbox: String? { "/nowhere" }
  var runDatabase: String? { nil }
  var script: (name: String, hash: String) { ("", "") }
  var version: String { "" }
  func write(_ text: String) {}
  func note(_ text: String) {}
  func progress(_ line: String?) {}
  func milestone(_ line: String) {}
}

// MARK: Files

private let scratch = "/dev/shm/srs-fuzz-\(getpid())"

private func withFile(_ bytes: [UInt8], _ body: (String) -> Void) {
  let descriptor = open(scratch, O_RDWR | O_CREAT | O_TRUNC, 0o600)
  precondition(descriptor >= 0)
  bytes.withUnsafeBytes { precondition(Foundation.write(descriptor, $0.baseAddress, $0.count) == bytes.count) }
  close(descriptor)
  body(scratch)
}

/// Every reader of data; the first byte chooses the format and what is said about it.
private func fuzzData(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  let formats: [DataFormat?] = [nil] + DataFormat.allCases
  var options = ReadingOptions(format: formats[Int(first & 7) % formats.count], skipsErrors: first & 8 != 0)
  if first & 16 != 0 { options.pad = "0" }
  if first & 32 != 0 { (options.user, options.item, options.time) = (1, 2, 3) }
  if first & 64 != 0 { options.separator = 0x3b }
  withFile(Array(bytes.dropFirst())) { path in
    do {
      let histories = try Histories.read(path, options).histories
      precondition(histories.offsets.last == histories.events.count && !histories.events.isEmpty)
      precondition(histories.events.allSatisfy { $0 > 0 && Int($0) < histories.items.count })
      precondition(histories.owners.allSatisfy { $0 >= 0 && Int($0) < histories.users.count })
      let kept = try histories.filtered(minUser: 2, minItem: 1, EventFilter(repeats: .first))
      let set = try kept.windows(WindowOptions(length: 4))
      _ = try set.split(train: 0.5, valid: 0.2, test: 0.3, seed: 1)
      _ = try kept.leaveLastOut(WindowOptions(length: 4))
    } catch is DataError {} catch { preconditionFailure("an error that is no data error: \(error)") }
  }
}

/// Models and checkpoints.
private func fuzzModel(_ bytes: [UInt8]) {
  withFile(bytes) { path in
    do {
      _ = try ModelFile.read(path, describe: { "\($0)" }, make: Networks.make)
    } catch is ModelFile.Failure {} catch { preconditionFailure("an error that is no failure of a file: \(error)") }
    do {
      _ = try TrainingFile.read(path, fingerprint: Fingerprint(text: "0123456789abcdef"), describe: { "\($0)" }, make: Networks.make)
    } catch is ModelFile.Failure {} catch { preconditionFailure("an error that is no failure of a file: \(error)") }
  }
}

// MARK: Figures

/// Texts never become commands: with the strings taken out, the script is that of a figure with plain texts.
private func fuzzFigure(_ bytes: [UInt8]) {
  func figure(_ text: String) -> Figure {
    var figure = Figure(title: text)
    var panel = Panel()
    panel.title = text
    panel.x.label = text
    panel.y.label = text
    panel.layers = [
      .line(.init([.init(0, 1), .init(1, 2)], label: text)), .bars(.init(names: [text, text], values: [1, 2], errors: nil, label: text)),
    ]
    figure.panels = [panel]
    return figure
  }
  func skeleton(_ text: String) -> String {
    var result = ""
    var quote: Unicode.Scalar?
    for character in GnuplotScript(figure(text)).script(.pdf, output: "o", data: "d").unicodeScalars {
      if let open = quote {
        if character == open { quote = nil }
        precondition(character != "\n", "a string over two lines")
        precondition(!"`@!".unicodeScalars.contains(character), "a character that means something")
      } else if character == "'" || character == "\"" {
        quote = character
      } else {
        result.unicodeScalars.append(character)
      }
    }
    precondition(quote == nil, "a quote is open")
    return result
  }
  let text = String(decoding: bytes, as: UTF8.self)
  // How long the words are says where labels are broken and how much room they get; what they are says nothing.
  let whole = "q" + text
  precondition(skeleton(whole) == skeleton(String(whole.map { $0 == " " ? " " : "q" })), "a text became a command")
  for line in GnuplotScript(figure(text)).data().utf8.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) where line.first != 0x23 {
    precondition(line.allSatisfy { "0123456789+-.eNa ".utf8.contains($0) }, "a text stands among the data")
  }
}
