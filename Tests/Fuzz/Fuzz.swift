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

/// A `.srsd` file whose bytes are changed where the input says, with sums that are right again: what lies behind them.
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
  // Three bytes a change: two for the place, header and body in turns, and one to be XORed in.
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
    } catch is DataError {} catch { preconditionFailure("an error that is no data error: \(error)") }
  }
}

private let template: [UInt8] = {
  var bytes: [UInt8] = []
  try? SyntheticProcess.histories(users: 6, items: 12, seed: 3).filtered(minUser: 1, minItem: 1).writeBinary { bytes += $0 }
  return bytes
}()

/// Every reader of data; the first byte chooses the format and what is said about it.
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
    } catch is DataError {} catch { preconditionFailure("an error that is no data error: \(error)") }
  }
}

/// Models and checkpoints.
private func fuzzModel(_ bytes: [UInt8]) {
  withFile(bytes) { path in
    do {
      _ = try ModelFile.read(path)
    } catch is ModelFile.Failure {} catch { preconditionFailure("an error that is no failure of a file: \(error)") }
    do {
      _ = TrainingFile.identity(path)
      _ = try TrainingFile.read(path, fingerprints: ["0123456789abcdef"], Recipe(phases: [Phase(run: .steps(6)), Phase(by: .cross)]))
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
