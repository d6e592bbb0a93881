import ArgumentParser
import Foundation
import Interpreter
import Syntax

struct Format: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Format scripts.",
    discussion: "Only files that change are written. - reads stdin and writes stdout.")
  @Argument(help: "The scripts; - for stdin.") var files: [String]
  @Flag(help: "Write nothing; list the files that would change, and exit with status 1 if there are any.") var check = false

  func run() throws {
    let host = ConsoleHost(quiet: false, threads: 1, seed: nil, outputFolder: nil)
    var changed = false
    var failed = false
    for file in files {
      let source = try Script.read(file, host: host, json: false)
      let tree = Parser.parse(source)
      guard tree.diagnostics.isEmpty else {
        Script.report(tree.diagnostics, host: host, json: false)
        failed = true
        continue
      }
      guard let text = Formatter.format(tree) else {
        host.error("error: \(file) is not formatted, because its meaning would change; please report this bug\n")
        failed = true
        continue
      }
      let isSame = Array(text.utf8) == source.bytes
      changed = changed || !isSame
      if check {
        if !isSame { Output.write(isatty(STDOUT_FILENO) == 1 ? TerminalText.safe(file) + "\n" : file + "\n") }
      } else if file == "-" {
        Output.write(text)
      } else if !isSame {
        try write(text, file, host)
      }
    }
    if failed { throw ExitStatus(code: 2) }
    if check && changed { throw ExitStatus(code: 1) }
  }

  /// Replaces the file, following symbolic links and keeping its permissions.
  private func write(_ text: String, _ file: String, _ host: ConsoleHost) throws {
    let path = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
    let rights = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions]
    do {
      try OutputFile.write(Data(text.utf8), to: path)
    } catch {
      host.error("error: \(error.message)\n")
      throw ExitStatus(code: 1)
    }
    if let rights { try? FileManager.default.setAttributes([.posixPermissions: rights], ofItemAtPath: path) }
  }
}
