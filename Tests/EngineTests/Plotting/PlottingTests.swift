import Foundation
import Synchronization
import Testing

@testable import Plotting

@Suite struct PlottingTests {
  static let figure: Figure = {
    var figure = Figure(title: "It's `ls` | <b> \"x\" %d _a^b {c} \\alpha")
    var panel = Panel()
    panel.layers = [.line(.init((0..<20).map { .init(Double($0), Double($0 * $0)) }, label: "a'b`c`$(ls)"))]
    panel.marks = [Marks([5, 10], label: "stacking")]
    panel.x.label = "time (s)"
    figure.panels = [panel]
    return figure
  }()

  func folder() throws -> String {
    let path = NSTemporaryDirectory() + "stackrec-plots-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  @Test func textsAreDataNotCommands() {
    #expect(GnuplotScript.quoted("it's\n`ls` \\ \"") == #""it\047s \140ls\140 \134 \042""#)
    let script = GnuplotScript(Self.figure).script(.pdf, output: "a'b.pdf", data: "d.dat")
    #expect(script.contains("noenhanced") && script.contains(#"set output "a\047b.pdf""#))
  }

  @Test func savesPictureScriptAndData() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for format in PictureFormat.allCases where format != .tex {
      let written = try Gnuplot().save(Self.figure, to: "\(folder)/it's a/fig.\(format.rawValue)")
      for path in written { #expect(FileManager.default.fileExists(atPath: path), "\(path)") }
    }
    let pdf = try #require(FileManager.default.contents(atPath: "\(folder)/it's a/fig.pdf"))
    #expect(pdf.starts(with: Data("%PDF".utf8)))
    let svg = try String(contentsOfFile: "\(folder)/it's a/fig.svg", encoding: .utf8)
    #expect(svg.contains("`ls`") && svg.contains("stacking"))

    // gnuplot draws the same pictures from the script, without this program.
    try FileManager.default.removeItem(atPath: "\(folder)/it's a/fig.svg")
    let gnuplot = Process()
    gnuplot.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gnuplot.arguments = ["gnuplot", "fig.gp"]
    gnuplot.currentDirectoryURL = URL(fileURLWithPath: "\(folder)/it's a")
    try gnuplot.run()
    gnuplot.waitUntilExit()
    #expect(gnuplot.terminationStatus == 0)
    #expect(try String(contentsOfFile: "\(folder)/it's a/fig.svg", encoding: .utf8) == svg)
  }

  /// A text of 8 points has 8 points in every format, and lines have the same width: read from the pictures.
  @Test func sizesAreTrue() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func numbers(_ pattern: String, _ text: String) throws -> Set<Double> {
      let expression = try NSRegularExpression(pattern: pattern)
      let matches = expression.matches(in: text, range: NSRange(text.startIndex..., in: text))
      return Set(matches.compactMap { Range($0.range(at: 1), in: text).flatMap { Double(text[$0]) }.map { ($0 * 100).rounded() / 100 } })
    }
    for (points, theme) in [(nil, Theme.paper), (10.5, .paper), (nil, .slides)] as [(Double?, Theme)] {
      var figure = Self.figure
      (figure.fontSize, figure.theme) = (points, theme)
      if theme == .slides { figure.size = .init(width: 20, height: 14) }
      for format in [PictureFormat.eps, .svg] { _ = try Gnuplot().save(figure, to: "\(folder)/fig.\(format.rawValue)") }
      let eps = try String(contentsOfFile: "\(folder)/fig.eps", encoding: .isoLatin1)
      let svg = try String(contentsOfFile: "\(folder)/fig.svg", encoding: .utf8)
      let size = points ?? theme.fontSize
      let texts = try numbers(#"(?m)^(?:BT\n)?([\d.]+) 0 0 -?[\d.]+ [-\d.]+ [-\d.]+ Tm"#, eps)
      #expect(!texts.isEmpty && texts.allSatisfy { abs($0 - size) < 0.01 }, "\(texts) instead of \(size)")
      #expect(try numbers(#"font-size="([\d.]+)""#, svg) == [size])
      // The widths of the border, the grid and the curve.
      let widths = try numbers(#"(?m)^([\d.]+) w$"#, eps).union(try numbers(#" ([\d.]+) w "#, eps))
      for width in [0.4, 0.6, 1.6].map({ (75 * $0 * theme.weight).rounded() / 100 }) {
        #expect(widths.contains { abs($0 - width) < 0.02 }, "\(width) is not in \(widths)")
        #expect(try numbers(#"stroke-width="([\d.]+)""#, svg).contains { abs($0 - width) < 0.02 }, "\(width)")
      }
      // PDF and EPS come from the same program; its lines are twice as wide in PDF.
      #expect(PictureFormat.pdf.terminal(figure).contains("fontscale 0.75 linewidth \(PictureFormat.number(1.5 * theme.weight))"))
    }
  }

  @Test func drawsInCharacters() throws {
    let text = try Gnuplot().text(Self.figure, columns: 79, lines: 22)
    #expect(text.contains("time (s)") && text.contains("*"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test(arguments: [[], [Layer.Point(1, 1)], [.init(0, .nan), .init(1, .infinity), .init(2, 3)], [.init(0, 5), .init(1, 5)]])
  func oddData(points: [Layer.Point]) throws {
    var figure = Figure()
    var panel = Panel()
    panel.layers = [.line(.init(points, label: nil))]
    figure.panels = [panel]
    _ = try? Gnuplot().text(figure, columns: 60, lines: 15)
    // Even if that failed, the next figure is drawn.
    #expect(try Gnuplot().text(Self.figure, columns: 60, lines: 15).isEmpty == false)
  }

  @Test func failuresOfGnuplotAreErrors() throws {
    func problem(_ gnuplot: Gnuplot, _ script: String = "plot sin(x)") -> String {
      do throws(PlottingError) {
        _ = try gnuplot.run(script)
        return ""
      } catch {
        return error.message + (error.help ?? "")
      }
    }
    #expect(problem(Gnuplot(program: "no-such-gnuplot")).contains("apt install gnuplot-nox"))
    #expect(problem(Gnuplot(program: "true"), String(repeating: "set grid\n", count: 100_000)) == "")
    #expect(problem(Gnuplot(program: "false")).contains("refused"))
    #expect(problem(Gnuplot(), "plot no_such_function(x)").contains("undefined function"))
    #expect(problem(Gnuplot(seconds: 0.3), "pause 30").contains("did not finish"))
    #expect(throws: PlottingError.self) { try Gnuplot().save(Self.figure, to: "/tmp/x.jpeg") }
    #expect(throws: PlottingError.self) { try Gnuplot().save(Self.figure, to: "/proc/no/x.pdf") }
    // A broken pipe does not kill the process, and the next figure works.
    #expect(problem(Gnuplot(), "set terminal dumb\nplot sin(x)") == "")
  }

  /// Preparing a picture and drawing it end once they are cancelled, and leave nothing.
  @Test func cancelledFiguresLeaveNothing() throws {
    let start = Date()
    #expect(throws: PlottingError.cancelled) {
      try Gnuplot(isCancelled: { Date().timeIntervalSince(start) > 0.2 }).run("pause 30")
    }
    #expect(Date().timeIntervalSince(start) < 15)
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for style in Layer.Line.Style.allCases {
      for format in ["svg", "tex"] {
        var figure = Figure()
        var panel = Panel()
        panel.layers = [.line(.init((0..<20_000).map { .init(Double($0 * 7_919 % 20_011), Double($0)) }, label: nil, style: style))]
        figure.panels = [panel]
        // While points are thinned, and while the data is written.
        for limit in [10_000, 30_000] {
          let count = Atomic<Int>(0)
          #expect(throws: PlottingError.cancelled) {
            try Gnuplot(isCancelled: { count.add(1, ordering: .relaxed).newValue > limit }).save(figure, to: "\(folder)/f.\(format)")
          }
          #expect(count.load(ordering: .relaxed) < limit + 10, "\(style) \(format)")
        }
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// Truncated pictures of every format, and a PNG with a wrong byte, are recognised as incomplete.
  @Test func incompletePicturesAreRecognised() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for format in PictureFormat.allCases {
      let path = "\(folder)/cut-\(format.rawValue).\(format.rawValue)"
      _ = try Gnuplot().save(Self.figure, to: path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(format.isComplete(whole), "\(format)")
      // TikZ ends with comments that may be missing.
      let end = format == .tikz ? try #require(whole.range(of: Data("\\end{tikzpicture}".utf8))).lowerBound : whole.count
      let most = end - 8
      for count in stride(from: 0, to: most, by: max(1, most / 97)) {
        #expect(!format.isComplete(whole.prefix(count)), "\(format), \(count) bytes")
      }
      guard format == .png else { continue }
      for offset in stride(from: 20, to: whole.count, by: max(1, whole.count / 31)) {
        var damaged = whole
        damaged[offset] ^= 0x10
        #expect(!format.isComplete(damaged), "byte \(offset)")
      }
    }
  }

  /// Programs are searched only in absolute entries of PATH.
  @Test func gnuplotIsNotRunFromTheCurrentFolder() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(Gnuplot.path(of: "gnuplot")?.hasPrefix("/") == true)
    try "#!/bin/sh\n".write(toFile: folder + "/gnuplot", atomically: true, encoding: .utf8)
    chmod(folder + "/gnuplot", 0o755)
    #expect(Gnuplot.path(of: "gnuplot", in: ":.:bin:\(folder)") == folder + "/gnuplot")
    #expect(Gnuplot.path(of: "gnuplot", in: ":.:..:bin") == nil)
    chmod(folder + "/gnuplot", 0o644)
    #expect(Gnuplot.path(of: "gnuplot", in: folder) == nil)
    #expect(Gnuplot.path(of: "..", in: folder) == nil)
  }
}
