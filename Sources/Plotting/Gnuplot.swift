import CGnuplot
import Files
import Foundation

/// A picture could not be made.
public struct PlottingError: Error, Equatable, Sendable {
  public let message: String
  public let help: String?

  /// Not an error of the figure: its drawing was cancelled.
  public static let cancelled = PlottingError(message: "interrupted", help: nil)
}

/// Draws figures by gnuplot. Each figure gets a process of its own, so that a crash or hang of one does not affect the next.
public struct Gnuplot: Sendable {
  private let program: String
  private let seconds: Double
  private let isCancelled: @Sendable () -> Bool

  /// - Parameters:
  ///   - program: The name of the program, searched in PATH, or an absolute path.
  ///   - seconds: The time after which gnuplot is stopped and the picture fails.
  ///   - isCancelled: Called often while a picture is prepared and drawn; must be cheap. Once it returns true, drawing throws
  ///     `PlottingError.cancelled`.
  public init(program: String = "gnuplot", seconds: Double = 60, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.program = program
    self.seconds = seconds
    self.isCancelled = isCancelled
  }

  /// The path of a program: the name itself if it begins with a slash, else the first match in PATH. Nil if there is none.
  ///
  /// Relative entries of PATH are skipped: they would run a program from the current folder, which may contain files of others.
  static func path(of program: String, in folders: String = ProcessInfo.processInfo.environment["PATH"] ?? "") -> String? {
    let candidates =
      program.hasPrefix("/") ? [program] : folders.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }
    return candidates.first { path in
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
  }

  /// What gnuplot wrote to stdout and to `SRS_GNUPLOT_PICTURE`.
  struct Drawn {
    let output: String
    let picture: Data
  }

  /// Runs a script and returns what it writes to stdout.
  public func run(_ script: String) throws(PlottingError) -> String { try draw(script).output }

  /// Runs a script that reads its data from `SRS_GNUPLOT_DATA`.
  ///
  /// - Parameter folder: The descriptor of a folder for scripts that write several files; -1 for none.
  func draw(_ script: String, data: String = "", folder: Int32 = -1) throws(PlottingError) -> Drawn {
    guard let path = Self.path(of: program) else {
      throw PlottingError(
        message: "gnuplot, which draws figures, is not installed", help: "install it: sudo apt install gnuplot-nox")
    }
    var result = srs_gnuplot_result()
    let bytes = Array(script.utf8CString.dropLast())
    let table = Array(data.utf8CString.dropLast())
    // A closure as a C function with a context.
    struct Watch { let isCancelled: @Sendable () -> Bool }
    var watch = Watch(isCancelled: isCancelled)
    // gnuplot needs fonts and temporary files outside of the sandbox.
    Sandbox.outside {
      withUnsafeMutablePointer(to: &watch) { watch in
        srs_gnuplot_run(
          path, bytes, bytes.count, table, table.count, folder, seconds,
          { $0?.assumingMemoryBound(to: Watch.self).pointee.isCancelled() ?? false }, watch, &result)
      }
    }
    defer { srs_gnuplot_free(&result) }
    let errors = Self.text(result.errors, result.errors_length)
    switch Int(result.status) {
    case SRS_GNUPLOT_OK: break
    case SRS_GNUPLOT_CANCELLED: throw .cancelled
    case SRS_GNUPLOT_MISSING: throw PlottingError(message: "gnuplot cannot be started: \(path) does not exist any more", help: nil)
    case SRS_GNUPLOT_TIMEOUT:
      throw PlottingError(message: "gnuplot did not finish within \(Int(seconds)) seconds and was stopped", help: nil)
    case SRS_GNUPLOT_CRASHED: throw PlottingError(message: "gnuplot crashed\(errors.isEmpty ? "" : ": \(Self.last(errors))")", help: nil)
    case SRS_GNUPLOT_SYSTEM: throw PlottingError(message: "gnuplot cannot be started: \(errors)", help: nil)
    default: throw PlottingError(message: "gnuplot refused the figure: \(Self.last(errors))", help: nil)
    }
    if errors.contains("difficulty fitting plot titles") {
      throw PlottingError(
        message: "the legend does not fit beside the figure",
        help: "shorten its labels, make the figure larger, or omit it with legend: none")
    }
    // gnuplot continues after some errors and exits with status 0.
    if errors.contains("line ") && errors.contains("error") {
      throw PlottingError(message: "gnuplot refused the figure: \(Self.last(errors))", help: nil)
    }
    return Drawn(
      output: Self.text(result.output, result.output_length),
      picture: result.picture.map { Data(bytes: $0, count: result.picture_length) } ?? Data())
  }

  private static func text(_ bytes: UnsafeMutablePointer<CChar>?, _ length: Int) -> String {
    guard let bytes else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
  }

  private static func last(_ errors: String) -> String {
    errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.last { !$0.isEmpty } ?? "it gave no reason"
  }

  // MARK: Figures

  /// The script of a figure, with its points thinned.
  private func script(_ figure: Figure, _ medium: GnuplotScript.Medium = .paper, page: (columns: Int, lines: Int)? = nil)
    throws(PlottingError) -> GnuplotScript
  {
    let script = GnuplotScript(figure, isCancelled: isCancelled)
    if isCancelled() { throw .cancelled }
    if let problem = script.problem(medium, page: page) { throw problem }
    return script
  }

  /// The data of a script.
  private func data(_ script: GnuplotScript) throws(PlottingError) -> String {
    let data = script.data()
    if isCancelled() { throw .cancelled }
    return data
  }

  /// The figure drawn in characters.
  public func text(_ figure: Figure, columns: Int, lines: Int) throws(PlottingError) -> String {
    let script = try script(figure, .characters, page: (columns, lines))
    // gnuplot does not check whether its writes succeed, so the script prints a mark at the end.
    let end = "\u{1}end\n"
    let drawn = try draw(
      script.textScript(columns: columns, lines: lines, data: SRS_GNUPLOT_DATA) + "set print '-'\nprint \"\\001end\"\n",
      data: try data(script)
    ).output
    guard drawn.hasSuffix(end) else { throw Self.incomplete }
    // Remove the form feed and the empty lines around the picture.
    let rows = drawn.dropLast(end.count).split(separator: "\n", omittingEmptySubsequences: false).map { $0.filter { $0 != "\u{c}" } }
    func isEmpty(_ row: String) -> Bool { row.allSatisfy { $0 == " " } }
    let kept = rows.drop(while: isEmpty).reversed().drop(while: isEmpty).reversed()
    return kept.joined(separator: "\n") + "\n"
  }

  static let incomplete = PlottingError(
    message: "gnuplot's picture is incomplete: the disk is full, or a limit on the size of files is reached",
    help: "check with df and ulimit -f")

  /// The figure as SVG.
  public func svg(_ figure: Figure) throws(PlottingError) -> String {
    let script = try script(figure)
    let drawn = try draw(script.svgScript(data: SRS_GNUPLOT_DATA), data: try data(script)).output
    guard PictureFormat.svg.isComplete(Data(drawn.utf8)) else { throw Self.incomplete }
    return drawn
  }

  /// The figure in sixel, for terminals that support it.
  public func sixel(_ figure: Figure) throws(PlottingError) -> String {
    let script = try script(figure)
    return try draw(script.sixelScript(data: SRS_GNUPLOT_DATA), data: try data(script)).output
  }

  /// The figure as the bytes of a PNG.
  public func png(_ figure: Figure) throws(PlottingError) -> [UInt8] {
    let script = try script(figure)
    return Array(try picture(script, try data(script), .png))
  }

  /// A picture of a format that has a single file. Throws if it is incomplete.
  private func picture(_ script: GnuplotScript, _ data: String, _ format: PictureFormat) throws(PlottingError) -> Data {
    let drawn = try draw(script.script(format, output: SRS_GNUPLOT_PICTURE, data: SRS_GNUPLOT_DATA), data: data).picture
    guard !drawn.isEmpty else { throw PlottingError(message: "gnuplot wrote no picture", help: nil) }
    guard format.isComplete(drawn) else { throw Self.incomplete }
    return Self.withoutDate(drawn, format)
  }

  /// Is there a display for windows?
  public static var hasDisplay: Bool {
    let environment = ProcessInfo.processInfo.environment
    return ["DISPLAY", "WAYLAND_DISPLAY"].contains { environment[$0]?.isEmpty == false }
  }

  /// The name of a gnuplot terminal that opens windows.
  func windowTerminal() throws(PlottingError) -> String {
    let known = try run("set print '-'\nprint GPVAL_TERMINALS\n")
    let terminals = known.split { $0 == " " || $0 == "\n" }.map(String.init)
    guard let terminal = ["qt", "wxt", "x11"].first(where: terminals.contains) else {
      throw PlottingError(message: "this gnuplot cannot open windows", help: "install one that can: sudo apt install gnuplot-qt")
    }
    return terminal
  }

  /// Shows the figure in a window, which stays open until the user closes it.
  public func window(_ figure: Figure) throws(PlottingError) {
    let script = try script(figure)
    let terminal = try windowTerminal()
    _ = try draw(script.windowScript(terminal, data: SRS_GNUPLOT_DATA), data: try data(script))
  }

  /// Saves the picture, its gnuplot script (NAME.gp) and its data (NAME.dat) in one folder, and returns the paths. There,
  /// `gnuplot NAME.gp` draws all pictures of that name again.
  ///
  /// The picture is drawn in memory, and its completeness is checked, before any file is replaced.
  public func save(_ figure: Figure, to path: String) throws(PlottingError) -> [String] {
    let url = URL(fileURLWithPath: path)
    guard let format = PictureFormat(rawValue: url.pathExtension.lowercased()) else {
      throw PlottingError(
        message: "a picture cannot be saved as .\(url.pathExtension)",
        help: "endings are: \(PictureFormat.allCases.map { "." + $0.rawValue }.joined(separator: ", "))")
    }
    let name = url.deletingPathExtension().lastPathComponent
    guard !name.contains(where: \.isNewline) else {
      throw PlottingError(message: "the name of a picture must not contain a line break", help: nil)
    }
    let script = try script(figure, format.isTeX ? .tex : .paper)
    let data = try data(script)
    let stem = url.deletingPathExtension().path
    try Self.checkNeighbours(stem, format)
    let wasTeX = Self.isTeX(stem)
    var files: [(path: String, data: Data)] = []
    if format == .tex {
      let (letters, lines) = try texPicture(script, data, name, beside: path)
      files = [(stem + ".pdf", lines), (path, letters)]
    } else {
      files = [(path, try picture(script, data, format))]
    }
    // The script draws all pictures of that name. A .tex file may be a table instead of a picture.
    let formats = PictureFormat.allCases.filter { other in
      if other == format { return true }
      guard FileManager.default.fileExists(atPath: "\(stem).\(other.rawValue)") else { return false }
      return other == .tex ? wasTeX : !(other == .pdf && (wasTeX || format == .tex))
    }
    let head = "# Made by srs. In this folder, `gnuplot \(name).gp` draws it again from \(name).dat.\n"
    let commands =
      head + formats.map { script.script($0, output: "./\(name).\($0.rawValue)", data: "./\(name).dat") }.joined(separator: "\n")
    files += [(stem + ".dat", Data(data.utf8)), (stem + ".gp", Data(commands.utf8))]
    if isCancelled() { throw .cancelled }
    do { try AtomicFile.write(files) } catch { throw PlottingError(message: error.message, help: nil) }
    let shown = path.hasSuffix(url.pathExtension) ? String(path.dropLast(url.pathExtension.count)) : path
    return [path] + (format == .tex ? [shown + "pdf"] : []) + [shown + "gp", shown + "dat"]
  }

  /// Draws a picture whose text LaTeX sets and whose lines are in a PDF. gnuplot writes the two files into a temporary folder.
  private func texPicture(_ script: GnuplotScript, _ data: String, _ name: String, beside path: String) throws(PlottingError) -> (
    Data, Data
  ) {
    let folder: PrivateFolder
    do { folder = try PrivateFolder(beside: path) } catch { throw PlottingError(message: error.message, help: nil) }
    let stem = SRS_GNUPLOT_FOLDER + "/picture"
    _ = try draw(script.script(.tex, output: stem + ".tex", data: SRS_GNUPLOT_DATA), data: data, folder: folder.descriptor)
    guard let letters = folder.contents("picture.tex"), let lines = folder.contents("picture.pdf") else {
      throw PlottingError(message: "gnuplot wrote no picture", help: nil)
    }
    guard PictureFormat.tex.isComplete(letters), PictureFormat.pdf.isComplete(lines) else { throw Self.incomplete }
    // The text refers to the PDF by its name, which changes.
    let text = String(decoding: Self.withoutDate(letters, .tex), as: UTF8.self).replacingOccurrences(of: "{\(stem)}", with: "{\(name)}")
    return (Data(text.utf8), Self.withoutDate(lines, .pdf))
  }

  /// Was the figure of this name saved as .tex?
  private static func isTeX(_ stem: String) -> Bool {
    (try? String(contentsOfFile: stem + ".gp", encoding: .utf8))?.contains("\nset terminal cairolatex ") ?? false
  }

  /// Throws if a .tex and a .pdf figure would have the same name, because a .tex figure has its lines in a PDF of that name.
  private static func checkNeighbours(_ stem: String, _ format: PictureFormat) throws(PlottingError) {
    let exists = FileManager.default.fileExists(atPath: "\(stem).pdf")
    guard exists, format == .tex && !isTeX(stem) || format == .pdf && isTeX(stem) else { return }
    throw PlottingError(
      message:
        "\(stem).pdf \(format == .tex ? "is another picture" : "contains the lines of \(stem).tex"); a .tex figure has its lines in a PDF of its name",
      help: "give the two different names")
  }

  /// Removes the date from a picture, so that the same figure always gives the same bytes. In PDF and EPS, the date is
  /// overwritten by zeros of the same length, so that byte offsets in the file stay correct.
  private static func withoutDate(_ picture: Data, _ format: PictureFormat) -> Data {
    let mark: String
    switch format {
    case .pdf: mark = "/CreationDate (D:"
    case .eps: mark = "%%CreationDate: "
    case .svg, .png: return picture
    case .tex, .tikz:
      // The date is in a comment line.
      let lines = String(decoding: picture, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      return Data(lines.filter { !isDate($0) }.joined(separator: "\n").utf8)
    }
    guard let found = picture.range(of: Data(mark.utf8)) else { return picture }
    var data = picture
    var index = found.upperBound
    while index < data.endIndex, data[index] != 0x29, data[index] != 0x0a, data[index] != 0x2b, data[index] != 0x5a {
      if data[index] >= 0x30 && data[index] <= 0x39 {
        data[index] = 0x30
      } else if format == .eps && data[index] > 0x20 {
        data[index] = 0x2d
      }
      index += 1
    }
    return data
  }

  /// Is it a comment with a date, such as `%% Thu Nov 26 03:29:41 2026`, in any language?
  private static func isDate(_ line: Substring) -> Bool {
    line.hasPrefix("%") && line.split(separator: " ").contains { $0.count == 8 && $0.split(separator: ":").count == 3 }
  }
}
