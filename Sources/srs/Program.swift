import ArgumentParser
import Builtins
import Files
import Foundation
import Interpreter
import Syntax
import Terminal

@main
enum Program {
  private static let stackSize = 512 << 20

  static func main() {
    Interrupt.install()
    if let problem = MemoryLimit.problem(stackSize: stackSize) {
      Output.error("error: \(problem)\n")
      _exit(1)
    }
    // Deep recursion of scripts needs more stack than the main thread has, so the program runs on a second thread. If that
    // cannot be started, the program must end here, or it would wait below forever.
    var attributes = pthread_attr_t()
    var thread = pthread_t()
    pthread_attr_init(&attributes)
    var failed = pthread_attr_setstacksize(&attributes, stackSize)
    if failed == 0 {
      failed = pthread_create(
        &thread, &attributes,
        { _ in
          StackGuard.install(stackSize: Program.stackSize)
          Interrupt.workHere()
          PatientWrite.watch { Interrupt.isSet }
          let status = Program.start()
          exit(status)
        }, nil)
    }
    guard failed == 0 else {
      Output.error(
        "error: the system cannot start a thread with \(stackSize >> 20) MB of stack (\(String(cString: strerror(failed)))); "
          + "is there a limit on memory (ulimit -v) or on processes (ulimit -u)?\n")
      _exit(1)
    }
    // Block signals on the main thread, so that they interrupt reads of the working thread.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGHUP)
    sigaddset(&signals, SIGALRM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while true { pause() }
  }

  /// The arguments without the name of the program. `srs file.srs` stands for `srs run file.srs`.
  private static func arguments(_ all: [String]) throws -> [String] {
    let given = Array(all.dropFirst())
    guard let first = given.first, !first.hasPrefix("-") else { return given }
    let commands = Srs.configuration.subcommands.compactMap { $0._commandName }
    if commands.contains(first) || first == "help" { return given }
    if first.hasSuffix(".srs") { return ["run"] + given }
    let near = Spelling.suggestion(first, in: commands + ["help"]) ?? "srs --help lists the commands; a script runs by srs run FILE"
    throw ValidationError("there is no command \(first); \(near)")
  }

  private static func start() -> Int32 {
    do {
      if let help = try ScriptHelp.asked(CommandLine.arguments) {
        Output.write(help)
        return 0
      }
      var command = try Srs.parseAsRoot(Self.arguments(CommandLine.arguments))
      try command.run()
      return 0
    } catch let status as ExitStatus {
      return status.code
    } catch {
      // Usage errors exit with status 2; `--help` and `--version` are not errors.
      let message = Srs.fullMessage(for: error)
      guard Srs.exitCode(for: error) != .success else {
        Output.write(message + "\n")
        return 0
      }
      Output.error((message + "\n"))
      return 2
    }
  }
}

/// Ends the program with an exit status: 0 success; 1 run-time error; 2 usage, syntax or check error; 130, 143 or 129
/// interrupted by Ctrl-C, SIGTERM or SIGHUP; 124 after --timeout.
struct ExitStatus: Error {
  let code: Int32
}

struct Srs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "srs",
    abstract: "StackRec: deep sequential recommenders by iterative stacking.",
    discussion: """
      Without a command, srs starts the prompt, or runs its input if that comes from a pipe. srs FILE.srs is srs run FILE.srs.

      At the prompt: srs -e TEXT runs a text and shows its value; srs -i FILE runs a script and keeps its names; srs repl --help \
      lists all options.
      """,
    version: "0.1.0",
    subcommands: [Repl.self, New.self, Run.self, Check.self, Format.self, Export.self, RunsCommand.self, Docs.self, BenchCommand.self],
    defaultSubcommand: Repl.self)
}

/// Options that several commands share.
struct EngineFlags: ParsableArguments {
  // Unconditional parsing accepts a negative number as a value, so that the error is about the value.
  @Option(
    parsing: .unconditional, help: "The seed for trainings that do not give one.",
    transform: { try EngineFlags.whole($0, "a seed is a whole number from 0") })
  var seed: Int?
  @Option(
    parsing: .unconditional,
    help: "The number of threads; default: all processors. Results do not depend on it; a training step uses at most 8.") var threads: Int?
  @Flag(name: .shortAndLong, help: "No progress and no notes.") var quiet = false
  @Flag(help: "Do not record trainings in runs/runs.sqlite.") var noRecord = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024, not \(threads)") }
  }

  private static func whole(_ text: String, _ rule: String) throws -> Int {
    guard let number = Int(text), number >= 0 else { throw ValidationError(rule) }
    return number
  }

  func host(out: String? = nil, isBatch: Bool = true, resumes: Bool = false, sandbox: String? = nil) -> ConsoleHost {
    ConsoleHost(
      quiet: quiet, threads: threads, seed: seed, outputFolder: out, isBatch: isBatch, resumes: resumes, sandbox: sandbox,
      records: !noRecord)
  }
}

struct Repl: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "repl", abstract: "Start the prompt.", shouldDisplay: false)
  @OptionGroup var flags: EngineFlags
  @Flag(help: "Do not save entries for later sessions.") var noHistory = false
  @Flag(help: "Do not run ~/.config/srs/rc.srs first.") var noRc = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Run a script first and keep its names at the prompt.", valueName: "file"))
  var interactive: String?
  @Option(name: [.customShort("e"), .customLong("eval")], help: ArgumentHelp("Run a text, show its value, and exit.", valueName: "text"))
  var text: String?

  func run() throws {
    if let text {
      guard interactive == nil else { throw ValidationError("-e and -i cannot be combined") }
      return try Script.evaluate(text, host: flags.host())
    }
    guard isatty(STDIN_FILENO) == 1 else {
      if interactive != nil { throw ValidationError("-i needs a terminal; scripts run with: srs run FILE") }
      try Script.run("-", host: flags.host(), parameters: [:], json: false)
      return
    }
    // The prompt needs no orderly end, so these signals end the program immediately.
    signal(SIGTERM, SIG_DFL)
    signal(SIGHUP, SIG_DFL)
    let host = flags.host(isBatch: false)
    let interpreter = Interpreter(StackRecLibrary.library, host: host)
    let completer = Completer(interpreter)
    let calls = Editline.Calls(
      complete: { completer.complete($0, $1) }, isInterrupted: { Interrupt.isSet }, colours: ConsoleHost.colours(STDOUT_FILENO),
      functions: Set(StackRecLibrary.library.builtins.keys))
    guard let editor = Editline(calls) else {
      throw ValidationError("the terminal cannot be set up for editing; scripts run with: srs run FILE")
    }
    host.write("srs \(Srs.configuration.version) - ? for help, Ctrl-D to leave\n")
    let session = Session(
      interpreter, editor: editor, history: noHistory ? nil : History(path: History.standardPath),
      renderer: DiagnosticRenderer(colour: ConsoleHost.colours(STDERR_FILENO)), errors: { host.report($0) },
      beginEntry: { Interrupt.clear() }, screenHeight: { host.height }, screenWidth: { host.width })
    let settings = Self.rcPath
    if !noRc, FileManager.default.fileExists(atPath: settings) { session.runFile(settings) }
    if let interactive { session.runFile(interactive) }
    session.run()
  }
}

extension Repl {
  /// `$XDG_CONFIG_HOME/srs/rc.srs`, or `~/.config/srs/rc.srs`.
  static var rcPath: String {
    let environment = ProcessInfo.processInfo.environment
    return (environment["XDG_CONFIG_HOME"] ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.config") + "/srs/rc.srs"
  }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a script.", discussion: "srs run FILE --help lists the script's own parameters.")
  @Argument(help: "The script; - for stdin.") var file: String
  @Option(name: .customLong("set"), help: ArgumentHelp("Set a param of the script.", valueName: "name=value"))
  var parameters: [String] = []
  @Option(help: "The folder from which relative output paths start.") var out: String?
  @Flag(help: "Write errors as JSON, one per line.") var json = false
  @Flag(help: "Continue from the checkpoints of an interrupted run of the script in the folder runs.") var resume = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after this time, as after Ctrl-C, and exit with status 124.", valueName: "90s, 10min, 8h"))
  var timeout: Timeout?
  @Option(help: ArgumentHelp("Read and write only inside this folder; relative outputs go there.", valueName: "dir"))
  var sandbox: String?
  @OptionGroup var flags: EngineFlags

  func run() throws {
    Interrupt.isForcedBySecond = true
    if let timeout { Interrupt.after(timeout.seconds) }
    let folder = try sandbox.map(Self.folder)
    let values = try Self.settings(parameters)
    let host = flags.host(out: out ?? folder, resumes: resume, sandbox: folder)
    try Script.run(file, host: host, parameters: values, json: json)
  }

  /// The folder of `--sandbox`, as a path without symbolic links.
  static func folder(_ sandbox: String) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: sandbox, isDirectory: &isFolder), isFolder.boolValue,
      let real = FileAccess.resolved(sandbox)
    else { throw ValidationError("--sandbox \(sandbox): there is no such folder") }
    return real
  }

  /// The names and values of `--set`.
  static func settings(_ parameters: [String]) throws -> [String: String] {
    var values: [String: String] = [:]
    for parameter in parameters {
      guard let equals = parameter.firstIndex(of: "="), equals != parameter.startIndex else {
        throw ValidationError("--set takes name=value, not \"\(parameter)\"")
      }
      let name = String(parameter[..<equals])
      guard values[name] == nil else { throw ValidationError("--set \(name) is given twice") }
      values[name] = String(parameter[parameter.index(after: equals)...])
    }
    return values
  }
}

/// A time in the syntax of the language; a plain number is in seconds.
struct Timeout: ExpressibleByArgument {
  let seconds: Double

  init?(argument: String) {
    let tokens = Lexer(SourceFile(name: "--timeout", text: argument)).tokens
    guard tokens.count == 2 else { return nil }
    switch tokens[0].kind {
    case .number(let number): seconds = number
    case .quantity(let amount, let unit) where unit.dimension == .time: seconds = amount * unit.factor
    default: return nil
    }
    guard seconds > 0, seconds < 1e9 else { return nil }
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check scripts without running them.")
  @Argument(help: "The scripts.") var files: [String]
  @Flag(help: "Write errors as JSON, one per line.") var json = false

  func run() throws {
    let host = ConsoleHost(quiet: false, threads: 1, seed: nil, outputFolder: nil)
    var failed = false
    for file in files {
      let source = try Script.read(file, host: host, json: json)
      let (_, diagnostics) = Interpreter(StackRecLibrary.library, host: host).compile(source)
      Script.report(diagnostics, host: host, json: json)
      failed = failed || !diagnostics.isEmpty
    }
    if failed { throw ExitStatus(code: 2) }
  }
}

struct Docs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Write the reference of the functions.")
  @Argument(help: "A function; default: all.") var name: String?

  func run() throws {
    let builtins = StackRecLibrary.library.builtins
    guard let name else {
      Output.write(Reference.markdown())
      return
    }
    guard let builtin = builtins[name] else {
      let near = Spelling.suggestion(name, in: builtins.keys.sorted()).map { "; \($0)" } ?? ""
      throw ValidationError("there is no function \(name)\(near)")
    }
    let host = ConsoleHost(quiet: true, threads: nil, seed: nil, outputFolder: nil)
    Output.write(host.isTerminal ? builtin.help(columns: host.width - 1) : builtin.help)
  }
}
