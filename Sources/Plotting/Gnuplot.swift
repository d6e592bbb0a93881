import CGnuplot
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

  /// Runs a script; returns what it wrote to stdout.
  public func run(_ script: String) throws(PlottingError) -> String {
    var result = srs_gnuplot_result()
    let bytes = Array(script.utf8)
    bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { text in
        srs_gnuplot_run(program, text.baseAddress, text.count, seconds, &result)
      }
    }
    defer { srs_gnuplot_free(&result) }
    let said = Self.text(result.errors, result.errors_length)
    switch Int(result.status) {
    case SRS_GNUPLOT_OK: break
    case SRS_GNUPLOT_MISSING:
      throw PlottingError(
        message: "gnuplot is not there, and figures are drawn by it", help: "install it: sudo apt install gnuplot-nox")
    case SRS_GNUPLOT_TIMEOUT:
      throw PlottingError(message: "gnuplot did not finish within \(Int(seconds)) seconds and was stopped", help: nil)
    case SRS_GNUPLOT_CRASHED: throw PlottingError(message: "gnuplot crashed\(said.isEmpty ? "" : ": \(Self.last(said))")", help: nil)
    case SRS_GNUPLOT_SYSTEM: throw PlottingError(message: "gnuplot cannot be started: \(said)", help: nil)
    default: throw PlottingError(message: "gnuplot refused the figure: \(Self.last(said))", help: nil)
    }
    // gnuplot goes on after some errors and exits with 0.
    if said.contains("line ") && said.contains("error") {
      throw PlottingError(message: "gnuplot refused the figure: \(Self.last(said))", help: nil)
    }
    return Self.text(result.output, result.output_length)
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
    let drawn = try withData(script.data()) { data throws(PlottingError) in
      try run(script.textScript(columns: columns, lines: lines, data: data))
    }
    // A form feed and empty lines stand around it.
    let rows = drawn.split(separator: "\n", omittingEmptySubsequences: false).map { $0.filter { $0 != "\u{c}" } }
    func isEmpty(_ row: String) -> Bool { row.allSatisfy { $0 == " " } }
    let kept = rows.drop(while: isEmpty).reversed().drop(while: isEmpty).reversed()
    return kept.joined(separator: "\n") + "\n"
  }

  /// The figure as SVG.
  public func svg(_ figure: Figure) throws(PlottingError) -> String {
    let script = GnuplotScript(figure)
    return try withData(script.data()) { data throws(PlottingError) in try run(script.svgScript(data: data)) }
  }

  /// The figure in sixel, for terminals that show it.
  public func sixel(_ figure: Figure) throws(PlottingError) -> String {
    let script = GnuplotScript(figure)
    return try withData(script.data()) { data throws(PlottingError) in try run(script.sixelScript(data: data)) }
  }

  /// The figure as the bytes of a PNG.
  public func png(_ figure: Figure) throws(PlottingError) -> [UInt8] {
    let folder = NSTemporaryDirectory() + "srs-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try save(figure, to: folder + "/figure.png")
    return FileManager.default.contents(atPath: folder + "/figure.png").map { Array($0) } ?? []
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
    _ = try withData(script.data()) { data throws(PlottingError) in try run(script.windowScript(terminal, data: data)) }
  }

  private func withData(_ data: String, _ body: (String) throws(PlottingError) -> String) throws(PlottingError) -> String {
    let path = NSTemporaryDirectory() + "srs-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).dat"
    guard FileManager.default.createFile(atPath: path, contents: Data(data.utf8), attributes: [.posixPermissions: 0o600]) else {
      throw PlottingError(message: "\(path) cannot be written", help: nil)
    }
    defer { unlink(path) }
    return try body(path)
  }

  /// Saves the picture and, beside it, the script and the data it was made from; `gnuplot NAME.gp` in that folder
  /// makes all pictures of that name again. Returns what was written.
  public func save(_ figure: Figure, to path: String) throws(PlottingError) -> [String] {
    let url = URL(fileURLWithPath: path)
    guard let format = PictureFormat(rawValue: url.pathExtension.lowercased()) else {
      throw PlottingError(
        message: "a picture cannot be saved as .\(url.pathExtension)",
        help: "endings are: \(PictureFormat.allCases.map { "." + $0.rawValue }.joined(separator: ", "))")
    }
    let folder = url.deletingLastPathComponent().path
    let name = url.deletingPathExtension().lastPathComponent
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw PlottingError(message: "the folder \(folder) cannot be made: \((error as NSError).localizedDescription)", help: nil)
    }
    let script = GnuplotScript(figure)
    let data = script.data()
    guard !name.contains(where: \.isNewline) else {
      throw PlottingError(message: "the name of a picture cannot have a line break", help: nil)
    }
    let stem = url.deletingPathExtension().path
    // The picture is drawn beside its place and moved there when it is whole; until then nothing old is touched.
    try Self.checkNeighbours(stem, format)
    let wasTeX = Self.isTeX(stem)
    let hidden = ".\(name)-\(getpid())"
    let part = "\(folder)/\(hidden).\(format.rawValue)"
    let partData = part + ".dat"
    // Where LaTeX sets the letters, the lines are in a PDF beside.
    let partLines = "\(folder)/\(hidden).pdf"
    defer {
      unlink(part)
      unlink(partData)
      if format == .tex { unlink(partLines) }
    }
    try write(data, partData)
    _ = try run(script.script(format, output: part, data: partData))
    if format == .tex {
      try Self.forgetDate(partLines, .pdf)
      try Self.callLines("\(folder)/\(hidden)", to: name, in: part)
      guard Foundation.rename(partLines, stem + ".pdf") == 0 else {
        throw PlottingError(message: "\(stem).pdf cannot be written: \(String(cString: strerror(errno)))", help: nil)
      }
    }
    guard let size = try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int, size > 0 else {
      throw PlottingError(message: "gnuplot wrote no picture", help: nil)
    }
    try Self.forgetDate(part, format)
    guard rename(part, path) == 0 else {
      throw PlottingError(message: "\(path) cannot be written: \(String(cString: strerror(errno)))", help: nil)
    }
    try write(data, stem + ".dat")
    // The script draws what there is of that name; a .tex file may be a table.
    let formats = PictureFormat.allCases.filter { other in
      if other == format { return true }
      guard FileManager.default.fileExists(atPath: "\(stem).\(other.rawValue)") else { return false }
      return other == .tex ? wasTeX : !(other == .pdf && (wasTeX || format == .tex))
    }
    let head = "# Made by srs. In this folder, `gnuplot \(name).gp` draws it again from \(name).dat.\n"
    try write(
      head + formats.map { script.script($0, output: "./\(name).\($0.rawValue)", data: "./\(name).dat") }.joined(separator: "\n"),
      stem + ".gp")
    let shown = path.hasSuffix(url.pathExtension) ? String(path.dropLast(url.pathExtension.count)) : path
    return [path] + (format == .tex ? [shown + "pdf"] : []) + [shown + "gp", shown + "dat"]
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

  /// Has a .tex figure ask for its lines under the name they get.
  private static func callLines(_ old: String, to name: String, in path: String) throws(PlottingError) {
    do {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try text.replacingOccurrences(of: "{\(old)}", with: "{\(name)}").write(toFile: path, atomically: false, encoding: .utf8)
    } catch {
      throw PlottingError(message: "\(path) cannot be written: \((error as NSError).localizedDescription)", help: nil)
    }
  }

  /// The same figure twice gives the same bytes: the date that cairo writes into PDF and EPS becomes one of no moment, of
  /// the same length, so that nothing else moves.
  private static func forgetDate(_ path: String, _ format: PictureFormat) throws(PlottingError) {
    let mark: String
    switch format {
    case .pdf: mark = "/CreationDate (D:"
    case .eps: mark = "%%CreationDate: "
    case .svg, .png: return
    case .tex, .tikz:
      // A comment of its own.
      do {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !isDate($0) }
        try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
      } catch {
        throw PlottingError(message: "\(path) cannot be written: \((error as NSError).localizedDescription)", help: nil)
      }
      return
    }
    guard var data = FileManager.default.contents(atPath: path), let found = data.range(of: Data(mark.utf8)) else { return }
    var place = found.upperBound
    while place < data.count, data[place] != 0x29, data[place] != 0x0a, data[place] != 0x2b, data[place] != 0x5a {
      if data[place] >= 0x30 && data[place] <= 0x39 {
        data[place] = 0x30
      } else if format == .eps && data[place] > 0x20 {
        data[place] = 0x2d
      }
      place += 1
    }
    do {
      try data.write(to: URL(fileURLWithPath: path))
    } catch {
      throw PlottingError(message: "\(path) cannot be written: \((error as NSError).localizedDescription)", help: nil)
    }
  }

  /// `%% Thu Nov 26 03:29:41 2026`, whatever the language of the days.
  private static func isDate(_ line: Substring) -> Bool {
    line.hasPrefix("%") && line.split(separator: " ").contains { $0.count == 8 && $0.split(separator: ":").count == 3 }
  }

  private func write(_ text: String, _ path: String) throws(PlottingError) {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw PlottingError(message: "\(path) cannot be written: \((error as NSError).localizedDescription)", help: nil)
    }
  }
}
