import Builtins
import Datasets
import Foundation
import Interpreter
import Kernels
import ModelFiles
import Models
import Plotting
import Syntax

@testable import Training

/// libFuzzer's driver. libFuzzer's own `main` would call it, but is not linked because SwiftPM renames `main`.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// `SRS_FUZZ_TARGET` names the part of the program that reads the bytes. A finding is a crash, a violated invariant
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
    guard let once = Formatter.format(tree) else { preconditionFailure("the formatted text has another meaning") }
    precondition(Formatter.format(Parser.parse(SourceFile(name: "f", text: once))) == once, "formatting is not idempotent")
  }
  let diagnostics = Interpreter(StackRecLibrary.library, host: QuietHost()).compile(file).diagnostics
  precondition(tree.diagnostics.isEmpty || !diagnostics.isEmpty)
  for diagnostic in diagnostics { precondition(!renderer.render(diagnostic).isEmpty) }
}

/// Runs the input with the standard functions and a limit on loop iterations and calls.
private func fuzzRun(_ bytes: [UInt8]) {
  // These can allocate more memory than a fuzzer should use, or touch files.
  let library = Library(
    Builtin.standard.filter { !["repeat", "range", "pad", "read", "write"].contains($0.name) }, metrics: ["mrr", "hr", "ndcg"])
  let interpreter = Interpreter(library, host: QuietHost(iterations: 2000))
  let (program, _) = interpreter.compile(SourceFile(name: "f", bytes: bytes))
  guard let program else { return }
  do { try interpreter.run(program) } catch let diagnostic as Diagnostic {
    precondition(!DiagnosticRenderer(colour: false).render(diagnostic).isEmpty)
  } catch { preconditionFailure("an error that is not a diagnostic: \(error)") }
}

private final class QuietHost: InterpreterHost {
  private var iterations: Int
  init(iterations: Int = 0) { self.iterations = iterations }
  var isInterrupted: Bool {
    iterations -= 1
    return iterations < 0
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

/// Changes bytes of a valid `.srsd` file at the positions in the input and recomputes the checksums, so that the fuzzer
/// gets past them.
private func fuzzBinary(_ bytes: [UInt8]) {
  var file = template
  func word(_ place: Int) -> Int {
    Int(truncatingIfNeeded: file[place..<(place + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
  func put(_ number: UInt64, _ place: Int) { for i in 0..<8 { file[place + i] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(i))) } }
  func sum(_ range: Range<Int>) -> UInt64 {
    var hash = WordHash()
    file[range].withUnsafeBytes { hash.add($0) }
    return hash.value
  }
  let (length, start, size) = (word(16), word(24), word(32))
  // Each change has three input bytes: two for the offset, in the header and the body alternately, and one to XOR.
  for (number, change) in stride(from: 0, to: bytes.count - 2, by: 3).enumerated() {
    let place = Int(bytes[change]) << 8 | Int(bytes[change + 1])
    file[number % 2 == 0 ? start + place % size : 48 + place % length] ^= bytes[change + 2]
  }
  put(sum(48..<(48 + length)), 40)
  put(sum(start..<(start + size)), start + size)
  put(sum((start + size)..<(start + size + 8)), start + size + 8)
  withFile(file) { path in
    do {
      let histories = try Histories.read(path, ReadingOptions(format: .srsd)).histories
      let set = try histories.windows(WindowOptions(length: 4))
      for index in 0..<min(set.count, 1000) {
        let sequence = set.sequence(index)
        precondition(sequence.count == 4 && sequence.allSatisfy { $0 >= 0 && Int($0) < set.items.count })
        precondition(set.user(index) >= 0 && Int(set.user(index)) < set.userNames.count)
        _ = (set.userNames.name(set.user(index)), set.items.name(sequence[3]), set.time(index))
      }
      if set.count >= 3 { _ = try set.split(train: 0.5, valid: 0.2, test: 0.3, seed: 1) }
      _ = try histories.leaveLastOut(WindowOptions(length: 3))
      let sound = try histories.checked()
      precondition(sound.events.allSatisfy { $0 > 0 && Int($0) < sound.items.count })
      _ = try sound.filtered(minUser: 2, minItem: 1)
    } catch is DataError {} catch { preconditionFailure("an error that is not a `DataError`: \(error)") }
  }
}

private let template: [UInt8] = {
  var bytes: [UInt8] = []
  try? SyntheticProcess.histories(users: 6, items: 12, seed: 3).filtered(minUser: 1, minItem: 1).writeBinary { bytes += $0 }
  return bytes
}()

/// All readers of data. The first byte chooses the format and the options.
private func fuzzData(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  if first & 128 != 0 { return fuzzBinary(Array(bytes.dropFirst())) }
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
    } catch is DataError {} catch { preconditionFailure("an error that is not a `DataError`: \(error)") }
  }
}

/// Models and checkpoints.
private func fuzzModel(_ bytes: [UInt8]) {
  withFile(bytes) { path in
    do {
      _ = try ModelFile.read(path)
    } catch is ModelFile.Failure {} catch { preconditionFailure("an error that is not a `ModelFile.Failure`: \(error)") }
    do {
      _ = TrainingFile.identity(path)
      _ = try TrainingFile.read(path, fingerprints: ["0123456789abcdef"], Recipe(phases: [Phase(run: .steps(6)), Phase(by: .cross)]))
    } catch is ModelFile.Failure {} catch { preconditionFailure("an error that is not a `ModelFile.Failure`: \(error)") }
  }
}

// MARK: Figures

/// Texts never become commands: apart from its strings, the script equals that of a figure with plain texts.
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
        precondition(character != "\n", "a line break inside a string")
        precondition(!"`@!".unicodeScalars.contains(character), "an unescaped character with a meaning to gnuplot")
      } else if character == "'" || character == "\"" {
        quote = character
      } else {
        result.unicodeScalars.append(character)
      }
    }
    precondition(quote == nil, "a string is not closed")
    return result
  }
  let text = String(decoding: bytes, as: UTF8.self)
  // The lengths of words decide where labels are broken and how much space they get, so the plain text keeps them.
  let whole = "q" + text
  precondition(skeleton(whole) == skeleton(String(whole.map { $0 == " " ? " " : "q" })), "a text became a command")
  for line in GnuplotScript(figure(text)).data().utf8.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) where line.first != 0x23 {
    precondition(line.allSatisfy { "0123456789+-.eNa ".utf8.contains($0) }, "the data contain a text")
  }
}
