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
      A notebook is a script with cells, `# %% title` and `# %% [md]`. It is run, and written with what its cells gave: as one \
      self-contained .html page, as .md with its figures beside it, or as .ipynb for Jupyter. An .ipynb is turned into an .srs, \
      without running. A cell that fails is shown as it failed, and the exit status is 1.
      """)
  @Argument(help: "The notebook.") var file: String
  @Option(name: .shortAndLong, help: "The page: .html, .md or .ipynb; of an .ipynb, the .srs.") var output: String
  @Option(name: .customLong("set"), help: ArgumentHelp("Set a param of the script.", valueName: "name=value"))
  var parameters: [String] = []
  @Flag(help: "Run the cells behind one that fails, too.") var keepGoing = false
  @Flag(help: "Take what cells gave before where neither they, nor cells they need, nor files they read have changed; keep trainings.")
  var cached = false
  @Flag(help: "Stay, and write the page again whenever the notebook is saved; implies --cached.") var watch = false
  @Option(help: ArgumentHelp("The cells read and write only inside this folder; their relative outputs go there.", valueName: "dir"))
  var sandbox: String?
  @OptionGroup var flags: EngineFlags

  func run() throws {
    Interrupt.isForcedBySecond = true
    let ending = (output as NSString).pathExtension.lowercased()
    if (file as NSString).pathExtension.lowercased() == "ipynb" {
      guard ending == "srs" else { throw ValidationError("an .ipynb is turned into an .srs, not into .\(ending)") }
      guard !watch else { throw ValidationError("an .ipynb is not watched") }
      return try fromJupyter()
    }
    guard ["html", "md", "ipynb"].contains(ending) else { throw ValidationError("a page ends in .html, .md or .ipynb, not in .\(ending)") }
    let folder = try sandbox.map(Run.folder)
    let console = flags.host(out: folder, sandbox: folder)
    if let folder, !Sandbox.enter(folder) {
      console.note("this system has no Landlock, so the sandbox is kept by checks alone; SECURITY.md says what that leaves open")
    }
    guard watch else { return try export(ending, console) }
    while !Interrupt.isSet {
      let before = saved
      do {
        try export(ending, console)
      } catch is ExitStatus {
        // It was said what is wrong; the next version may be right.
      }
      console.note("waiting for \(file) to be saved; Ctrl-C ends")
      while !Interrupt.isSet && saved == before { usleep(200_000) }
    }
  }

  /// When the notebook was last changed; nil while it is not there, as when an editor puts a new file in its place.
  private var saved: Date? {
    Sandbox.outside { (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date }
  }

  private func export(_ ending: String, _ console: ConsoleHost) throws {
    // The notebook and the page are named by whoever started the program, not by the cells.
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
    do { try cache?.save() } catch { console.note("what the cells gave is not kept: \(error.message)") }
    if usesCache {
      let (code, old) = (executed.notebook.cells.count { !$0.isText }, executed.results.count(where: \.isCached))
      console.note("\(old) of \(code) cells as before")
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
