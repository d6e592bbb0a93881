import CGnuplot
import Files
import Foundation

/// Why a picture could not be made.
public struct PlottingError: Error, Equatable, Sendable {
  public let message: String
  public let help: String?
}

/// Draws figures with a gnuplot of its own for each: a crash or a hang of one leaves the next unharmed.
public struct Gnuplot: Sendable {
  private let program: String
  private let seconds: Double

  /// - Parameters:
  ///   - program: looked up in PATH.
  ///   - seconds: a picture that takes longer is given up.
  public init(program: String = "gnuplot", seconds: Double = 60) {
    self.program = program
    self.seconds = seconds
  }

  /// Where a program is: in a folder of PATH that has an absolute name. The empty entry and `.` would mean whatever lies
  /// in the present folder, where data of others lies too. nil: nowhere.
  /// A name that begins with a slash is taken as it is.
  static func path(of program: String, in folders: String = ProcessInfo.processInfo.environment["PATH"] ?? "") -> String? {
    let places = program.hasPrefix("/") ? [program] : folders.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }
    return places.first { path in
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
  }

  /// What gnuplot wrote: to its stdout, and to `SRS_GNUPLOT_PICTURE`.
  struct Drawn {
    let output: String
    let picture: Data
  }

  /// Runs a script; returns what it wrote to stdout.
  public func run(_ script: String) throws(PlottingError) -> String { try draw(script).output }

  /// Runs a script that finds its data at `SRS_GNUPLOT_DATA`.
  ///
  /// - Parameter folder: one that is held open, for what writes several files.
  func draw(_ script: String, data: String = "", folder: Int32 = -1) throws(PlottingError) -> Drawn {
    guard let path = Self.path(of: program) else {
      throw PlottingError(
        message: "gnuplot is not there, and figures are drawn by it", help: "install it: sudo apt install gnuplot-nox")
    }
    var result = srs_gnuplot_result()
    let bytes = Array(script.utf8CString.dropLast())
    let table = Array(data.utf8CString.dropLast())
    // gnuplot needs fonts and temporary files from everywhere.
    Sandbox.outside { srs_gnuplot_run(path, bytes, bytes.count, table, table.count, folder, seconds, &result) }
    defer { srs_gnuplot_free(&result) }
    let said = Self.text(result.errors, result.errors_length)
    switch Int(result.status) {
    case SRS_GNUPLOT_OK: break
    case SRS_GNUPLOT_MISSING: throw PlottingError(message: "gnuplot cannot be started: \(path) is not there any more", help: nil)
    case SRS_GNUPLOT_TIMEOUT:
      throw PlottingError(message: "gnuplot did not finish within \(Int(seconds)) seconds and was stopped", help: nil)
    case SRS_GNUPLOT_CRASHED: throw PlottingError(message: "gnuplot crashed\(said.isEmpty ? "" : ": \(Self.last(said))")", help: nil)
    case SRS_GNUPLOT_SYSTEM: throw PlottingError(message: "gnuplot cannot be started: \(said)", help: nil)
    default: throw PlottingError(message: "gnuplot refused the figure: \(Self.last(said))", help: nil)
    }
    if said.contains("difficulty fitting plot titles") {
      throw PlottingError(
        message: "the legend does not fit beside the figure",
        help: "shorten its labels, make the figure larger, or leave it out with legend: none")
    }
    // gnuplot goes on after some errors and exits with 0.
    if said.contains("line ") && said.contains("error") {
      throw PlottingError(message: "gnuplot refused the figure: \(Self.last(said))", help: nil)
    }
    return Drawn(
      output: Self.text(result.output, result.output_length),
      picture: result.picture.map { Data(bytes: $0, count: result.picture_length) } ?? Data())
  }

  private static func text(_ bytes: UnsafeMutablePointer<CChar>?, _ length: Int) -> String {
    guard let bytes else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
  }

  private static func last(_ said: String) -> String {
    said.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.last { !$0.isEmpty } ?? "it did not say why"
  }

  // MARK: Figures

  /// The figure in characters.
  public func text(_ figure: Figure, columns: Int, lines: Int) throws(PlottingError) -> String {
    let script = GnuplotScript(figure)
    if let problem = script.problem(.characters, page: (columns, lines)) { throw problem }
    // gnuplot does not look whether its writes succeed, so it says when it has written everything.
    let end = "\u{1}end\n"
    let drawn = try draw(
      script.textScript(columns: columns, lines: lines, data: SRS_GNUPLOT_DATA) + "set print '-'\nprint \"\\001end\"\n",
      data: script.data()
    ).output
    guard drawn.hasSuffix(end) else { throw Self.cutOff }
    // A form feed and empty lines stand around it.
    let rows = drawn.dropLast(end.count).split(separator: "\n", omittingEmptySubsequences: false).map { $0.filter { $0 != "\u{c}" } }
    func isEmpty(_ row: String) -> Bool { row.allSatisfy { $0 == " " } }
    let kept = rows.drop(while: isEmpty).reversed().drop(while: isEmpty).reversed()
    return kept.joined(separator: "\n") + "\n"
  }

  static let cutOff = PlottingError(
    message: "gnuplot's picture was cut off: there is no room for it, or a limit on the size of files is met",
    help: "ulimit -f and df say how much there is")

  /// The figure as SVG.
  public func svg(_ figure: Figure) throws(PlottingError) -> String {
    let script = GnuplotScript(figure)
    if let problem = script.problem(.paper) { throw problem }
    let drawn = try draw(script.svgScript(data: SRS_GNUPLOT_DATA), data: script.data()).output
    guard PictureFormat.svg.isWhole(Data(drawn.utf8)) else { throw Self.cutOff }
    return drawn
  }

  /// The figure in sixel, for terminals that show it.
  public func sixel(_ figure: Figure) throws(PlottingError) -> String {
    let script = GnuplotScript(figure)
    if let problem = script.problem(.paper) { throw problem }
    return try draw(script.sixelScript(data: SRS_GNUPLOT_DATA), data: script.data()).output
  }

  /// The figure as the bytes of a PNG.
  public func png(_ figure: Figure) throws(PlottingError) -> [UInt8] {
    let script = GnuplotScript(figure)
    if let problem = script.problem(.paper) { throw problem }
    return Array(try picture(script, .png))
  }

  /// A picture of one file, whole.
  private func picture(_ script: GnuplotScript, _ format: PictureFormat) throws(PlottingError) -> Data {
    let drawn = try draw(script.script(format, output: SRS_GNUPLOT_PICTURE, data: SRS_GNUPLOT_DATA), data: script.data()).picture
    guard !drawn.isEmpty else { throw PlottingError(message: "gnuplot wrote no picture", help: nil) }
    guard format.isWhole(drawn) else { throw Self.cutOff }
    return Self.forgettingDate(drawn, format)
  }

  /// Is there a display that a window could be opened on?
  public static var hasDisplay: Bool {
    let environment = ProcessInfo.processInfo.environment
    return ["DISPLAY", "WAYLAND_DISPLAY"].contains { environment[$0]?.isEmpty == false }
  }

  /// The terminal of this gnuplot that opens windows.
  func windowTerminal() throws(PlottingError) -> String {
    let known = try run("set print '-'\nprint GPVAL_TERMINALS\n")
    let terminals = known.split { $0 == " " || $0 == "\n" }.map(String.init)
    guard let terminal = ["qt", "wxt", "x11"].first(where: terminals.contains) else {
      throw PlottingError(message: "this gnuplot has no windows", help: "install one that has: sudo apt install gnuplot-qt")
    }
    return terminal
  }

  /// Shows the figure in a window of the display, which stays until it is closed.
  public func window(_ figure: Figure) throws(PlottingError) {
    let script = GnuplotScript(figure)
    let terminal = try windowTerminal()
    _ = try draw(script.windowScript(terminal, data: SRS_GNUPLOT_DATA), data: script.data())
  }

  /// Saves the picture and, beside it, the script and the data it was made from; `gnuplot NAME.gp` in that folder
  /// makes all pictures of that name again. Returns what was written.
  ///
  /// The picture is drawn in memory and held against the structure of its format before a file has its name; until then
  /// nothing old is touched.
  public func save(_ figure: Figure, to path: String) throws(PlottingError) -> [String] {
    let url = URL(fileURLWithPath: path)
    guard let format = PictureFormat(rawValue: url.pathExtension.lowercased()) else {
      throw PlottingError(
        message: "a picture cannot be saved as .\(url.pathExtension)",
        help: "endings are: \(PictureFormat.allCases.map { "." + $0.rawValue }.joined(separator: ", "))")
    }
    let name = url.deletingPathExtension().lastPathComponent
    guard !name.contains(where: \.isNewline) else {
      throw PlottingError(message: "the name of a picture cannot have a line break", help: nil)
    }
    let script = GnuplotScript(figure)
    if let problem = script.problem(format.isTeX ? .tex : .paper) { throw problem }
    let data = script.data()
    let stem = url.deletingPathExtension().path
    try Self.checkNeighbours(stem, format)
    let wasTeX = Self.isTeX(stem)
    var files: [(path: String, data: Data)] = []
    if format == .tex {
      let (letters, lines) = try texPicture(script, name, beside: path)
      files = [(stem + ".pdf", lines), (path, letters)]
    } else {
      files = [(path, try picture(script, format))]
    }
    // The script draws what there is of that name; a .tex file may be a table.
    let formats = PictureFormat.allCases.filter { other in
      if other == format { return true }
      guard FileManager.default.fileExists(atPath: "\(stem).\(other.rawValue)") else { return false }
      return other == .tex ? wasTeX : !(other == .pdf && (wasTeX || format == .tex))
    }
    let head = "# Made by srs. In this folder, `gnuplot \(name).gp` draws it again from \(name).dat.\n"
    let commands =
      head + formats.map { script.script($0, output: "./\(name).\($0.rawValue)", data: "./\(name).dat") }.joined(separator: "\n")
    files += [(stem + ".dat", Data(data.utf8)), (stem + ".gp", Data(commands.utf8))]
    do { try WholeFile.write(files) } catch { throw PlottingError(message: error.message, help: nil) }
    let shown = path.hasSuffix(url.pathExtension) ? String(path.dropLast(url.pathExtension.count)) : path
    return [path] + (format == .tex ? [shown + "pdf"] : []) + [shown + "gp", shown + "dat"]
  }

  /// Where LaTeX sets the letters, the lines are in a PDF beside, so gnuplot draws into a folder.
  private func texPicture(_ script: GnuplotScript, _ name: String, beside path: String) throws(PlottingError) -> (Data, Data) {
    let folder: PrivateFolder
    do { folder = try PrivateFolder(beside: path) } catch { throw PlottingError(message: error.message, help: nil) }
    let stem = SRS_GNUPLOT_FOLDER + "/picture"
    _ = try draw(script.script(.tex, output: stem + ".tex", data: SRS_GNUPLOT_DATA), data: script.data(), folder: folder.descriptor)
    guard let letters = folder.contents("picture.tex"), let lines = folder.contents("picture.pdf") else {
      throw PlottingError(message: "gnuplot wrote no picture", help: nil)
    }
    guard PictureFormat.tex.isWhole(letters), PictureFormat.pdf.isWhole(lines) else { throw Self.cutOff }
    // The lines are asked for under the name they get.
    let text = String(decoding: Self.forgettingDate(letters, .tex), as: UTF8.self).replacingOccurrences(of: "{\(stem)}", with: "{\(name)}")
    return (Data(text.utf8), Self.forgettingDate(lines, .pdf))
  }

  /// Is there a figure of that name whose letters LaTeX sets?
  private static func isTeX(_ stem: String) -> Bool {
    (try? String(contentsOfFile: stem + ".gp", encoding: .utf8))?.contains("\nset terminal cairolatex ") ?? false
  }

  /// A .tex figure keeps its lines in a PDF of its name, so the two cannot be pictures of one name.
  private static func checkNeighbours(_ stem: String, _ format: PictureFormat) throws(PlottingError) {
    let isThere = FileManager.default.fileExists(atPath: "\(stem).pdf")
    guard isThere, format == .tex && !isTeX(stem) || format == .pdf && isTeX(stem) else { return }
    throw PlottingError(
      message:
        "\(stem).pdf \(format == .tex ? "is another picture" : "holds the lines of \(stem).tex"); a .tex figure keeps its lines in a PDF of its name",
      help: "give the two different names")
  }

  /// The same figure twice gives the same bytes: the date that cairo writes into PDF and EPS becomes one of no moment, of
  /// the same length, so that nothing else moves.
  private static func forgettingDate(_ picture: Data, _ format: PictureFormat) -> Data {
    let mark: String
    switch format {
    case .pdf: mark = "/CreationDate (D:"
    case .eps: mark = "%%CreationDate: "
    case .svg, .png: return picture
    case .tex, .tikz:
      // A comment of its own.
      let lines = String(decoding: picture, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      return Data(lines.filter { !isDate($0) }.joined(separator: "\n").utf8)
    }
    guard let found = picture.range(of: Data(mark.utf8)) else { return picture }
    var data = picture
    var place = found.upperBound
    while place < data.endIndex, data[place] != 0x29, data[place] != 0x0a, data[place] != 0x2b, data[place] != 0x5a {
      if data[place] >= 0x30 && data[place] <= 0x39 {
        data[place] = 0x30
      } else if format == .eps && data[place] > 0x20 {
        data[place] = 0x2d
      }
      place += 1
    }
    return data
  }

  /// `%% Thu Nov 26 03:29:41 2026`, whatever the language of the days.
  private static func isDate(_ line: Substring) -> Bool {
    line.hasPrefix("%") && line.split(separator: " ").contains { $0.count == 8 && $0.split(separator: ":").count == 3 }
  }
}
