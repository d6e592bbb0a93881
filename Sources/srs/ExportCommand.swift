import ArgumentParser
import Builtins
import Files
import Foundation
import Interpreter
import Notebooks
import Syntax

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a notebook and write it as a page.",
    discussion: """
      A notebook is a script with cells, `# %% title` and `# %% [md]`. Export runs it and writes it with the outputs of its \
      cells: as one self-contained .html page, as .md with its figures in files of their own, or as .ipynb for Jupyter. An .ipynb \
      is converted to an .srs without running it. If a cell fails, the page shows its error and the exit status is 1.
      """)
  @Argument(help: "The notebook.") var file: String
  @Option(name: .shortAndLong, help: "The page: .html, .md or .ipynb; for an .ipynb, the .srs.") var output: String
  @Option(name: .customLong("set"), help: ArgumentHelp("Set a param of the script.", valueName: "name=value"))
  var parameters: [String] = []
  @Flag(help: "After a cell that fails, run the following cells too.") var keepGoing = false
  @Flag(help: "Reuse the outputs of cells if neither they, nor cells they need, nor files they read have changed; keep trainings.")
  var cached = false
  @Flag(help: "Keep running, and write the page again whenever the notebook is saved; implies --cached.") var watch = false
  @Option(help: ArgumentHelp("The cells read and write only inside this folder; their relative outputs go there.", valueName: "dir"))
  var sandbox: String?
  @OptionGroup var flags: EngineFlags

  func run() throws {
    Interrupt.isForcedBySecond = true
    let ending = (output as NSString).pathExtension.lowercased()
    if (file as NSString).pathExtension.lowercased() == "ipynb" {
      guard ending == "srs" else { throw ValidationError("an .ipynb is converted to an .srs, not to .\(ending)") }
      guard !watch else { throw ValidationError("--watch does not work with an .ipynb") }
      return try fromJupyter()
    }
    guard ["html", "md", "ipynb"].contains(ending) else { throw ValidationError("a page ends in .html, .md or .ipynb, not in .\(ending)") }
    let folder = try sandbox.map(Run.folder)
    let console = flags.host(out: folder, sandbox: folder)
    if let folder, !Sandbox.enter(folder) {
      console.note("this system has no Landlock, so only checks of paths enforce the sandbox; see SECURITY.md for what that leaves open")
    }
    guard watch else { return try export(ending, console) }
    while !Interrupt.isSet {
      let before = saved
      do {
        try export(ending, console)
      } catch is ExitStatus {
        // The error was reported; the user may correct the notebook and save it again.
      }
      console.note("waiting for \(file) to be saved; Ctrl-C ends")
      while !Interrupt.isSet && saved == before { usleep(200_000) }
    }
  }

  /// The time of the last change of the notebook. Nil while the file does not exist, for example while an editor replaces it.
  private var saved: Date? {
    Sandbox.outside { (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date }
  }

  private func export(_ ending: String, _ console: ConsoleHost) throws {
    // The user names the notebook and the page, not the cells, so the sandbox does not apply to them.
    let source = try Sandbox.outside { try Script.read(file, host: console, json: false) }
    console.script = (file, RunTable.hash(source.bytes))
    let usesCache = cached || watch
    let host = NotebookHost(console, keepsRuns: usesCache)
    let notebook = Notebook(source)
    let cache = usesCache ? CellCache(path: (console.outputFolder.map { $0 + "/" } ?? "") + "runs/cells-\(cacheName).json") : nil
    let (executed, diagnostics) = notebook.run(
      Interpreter(StackRecLibrary.library, host: host), host: host, parameters: try Run.settings(parameters), keepsGoing: keepGoing,
      cache: cache)
    Script.report(diagnostics, host: console, json: false)
    guard let executed else { throw ExitStatus(code: 2) }
    do { try cache?.save() } catch { console.note("the outputs of the cells are not cached: \(error.message)") }
    if usesCache {
      let (code, old) = (executed.notebook.cells.count { !$0.isText }, executed.results.count(where: \.isCached))
      console.note("\(old) of \(code) cells from the cache")
    }
    var files: [(String, String)] = []
    switch ending {
    case "html": files.append((output, HTMLPage.write(executed, functions: Set(StackRecLibrary.library.builtins.keys))))
    case "md":
      let folder = FilePath.folder(of: output)
      let page = MarkdownPage.write(executed, stem: ((output as NSString).lastPathComponent as NSString).deletingPathExtension)
      files += page.pictures.map { ((folder.isEmpty ? "" : folder + "/") + $0.name, $0.svg) }
      files.append((output, page.text))
    default: files.append((output, Jupyter.write(executed)))
    }
    for (path, text) in files { try write(text, path, console) }
    for case .error(let text) in executed.results.flatMap(\.outputs) { console.error(text) }
    if Interrupt.isSet { throw ExitStatus(code: Interrupt.status) }
    if executed.failed { throw ExitStatus(code: 1) }
  }

  private var cacheName: String {
    ((file as NSString).lastPathComponent as NSString).deletingPathExtension
      + "-" + RunTable.hash(Array(URL(fileURLWithPath: file).standardizedFileURL.path.utf8))
  }

  private func fromJupyter() throws {
    let console = flags.host()
    let source = try Script.read(file, host: console, json: false)
    do {
      try write(try Jupyter.script(Data(source.bytes)), output, console)
    } catch let problem as Jupyter.Problem {
      console.error("error: \(file): \(problem.message)\n")
      throw ExitStatus(code: 1)
    }
  }

  private func write(_ text: String, _ path: String, _ host: ConsoleHost) throws {
    do {
      try Sandbox.outside { try OutputFile.write(Data(text.utf8), to: path) }
    } catch let error as OutputFile.Failure {
      host.error("error: \(error.message)\n")
      throw ExitStatus(code: 1)
    }
    host.note("wrote \(path)")
  }
}
