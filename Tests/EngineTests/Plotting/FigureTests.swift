import Foundation
import Testing

@testable import Plotting

/// The appearance of figures, from their scripts and their pixels.
@Suite struct FigureTests {
  static func figure(_ layers: [Layer], _ change: (inout Figure, inout Panel) -> Void = { _, _ in }) -> Figure {
    var figure = Figure()
    var panel = Panel()
    panel.layers = layers
    change(&figure, &panel)
    figure.panels = [panel]
    return figure
  }

  static func line(_ points: [(Double, Double)], label: String? = nil, style: Layer.Line.Style = .lines, right: Bool = false) -> Layer {
    .line(.init(points.map { .init($0.0, $0.1) }, label: label, style: style, onRight: right))
  }

  private func folder() throws -> String {
    let path = NSTemporaryDirectory() + "stackrec-figures-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  /// Figures with every type of layer and every annotation.
  static let all: [(name: String, figure: Figure)] = {
    let curve = (0..<60).map { (i: Int) -> (Double, Double) in (Double(i) * 1000, 0.2 - 0.2 / Double(i + 1)) }
    var zoom = Panel()
    zoom.layers = [line(Array(curve.prefix(9)))]
    var all: [(name: String, figure: Figure)] = []
    func add(_ name: String, _ layers: [Layer], _ change: (inout Figure, inout Panel) -> Void = { _, _ in }) {
      all.append((name, figure(layers, change)))
    }
    add("band", [.line(.init(curve.map { .init($0.0, $0.1, low: $0.1 - 0.01, high: $0.1 + 0.01) }, label: "a"))])
    add("right", [line(curve, label: "a"), line(curve.map { ($0.0, $0.0) }, label: "b", right: true)]) { $1.right.label = "steps" }
    add("inset", [line(curve, label: "a")]) { $1.insets = [Inset(zoom, x: 0.5, y: 0.2, width: 0.4, height: 0.4)] }
    let lower = Layer.Bars(names: ["a", "b"], values: [1, 2], label: "x", isStacked: true)
    let upper = Layer.Bars(names: ["a", "b"], values: [3, 1], errors: [0.1, 0.2], label: "y", isStacked: true)
    add("stacked", [.bars(lower), .bars(upper)])
    add("dark", [line(curve, label: "a")]) { figure, panel in
      figure = Figure(theme: .dark)
      panel.marks = [Marks([5000], label: "growth")]
    }
    add("slides", [line(curve, label: "a")]) { figure, _ in figure = Figure(theme: .slides) }
    add("stacks", [.stacks(.init(names: ["1", "2"], sources: [[nil], [0, 0]]))])
    add("points", [line(curve, style: .points)])
    add("steps", [line(curve, style: .steps)])
    add("map", [.heatmap(.init([[0, 1], [2, .nan]], range: nil, digits: 1))])
    add("histogram", [.histogram(.init(start: 0, width: 1, counts: [3, 12_000, 1], label: nil))])
    let box = Layer.Boxes.Group(name: "a long name of a group", low: 0, first: 1, median: 2, third: 3, high: 4, outside: [9])
    add("boxes", [.boxes(.init([box]))])
    return all
  }()

  /// The saved script, run by plain gnuplot, draws the same pixels, and the same figure gives the same bytes twice.
  @Test func scriptsDrawTheSamePixels() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, figure) in Self.all {
      for ending in ["png", "pdf", "tex", "tikz"] {
        // A .tex figure has a separate PDF.
        let stem = "\(folder)/\(name)\(ending == "tex" ? "-tex" : "")"
        _ = try Gnuplot().save(figure, to: "\(stem).\(ending)")
        let first = try bytes("\(stem).\(ending)")
        _ = try Gnuplot().save(figure, to: "\(stem).\(ending)")
        #expect(try bytes("\(stem).\(ending)") == first, "\(name).\(ending) twice")
        #expect(first.count > 500)
        if ending == "tex" { #expect(String(decoding: first, as: UTF8.self).contains("{\(name)-tex}")) }
      }
      let before = try bytes("\(folder)/\(name).png")
      try FileManager.default.removeItem(atPath: "\(folder)/\(name).png")
      let gnuplot = Process()
      gnuplot.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      gnuplot.arguments = ["gnuplot", "\(name).gp"]
      gnuplot.currentDirectoryURL = URL(fileURLWithPath: folder)
      try gnuplot.run()
      gnuplot.waitUntilExit()
      #expect(gnuplot.terminationStatus == 0, "\(name)")
      #expect(try bytes("\(folder)/\(name).png") == before, "\(name)")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(".") }
    #expect(left.isEmpty, "\(left)")
  }

  /// A .tex and a .pdf figure of the same name would write the same file.
  @Test func namesDoNotCollide() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Gnuplot().save(Self.all[0].figure, to: folder + "/a.pdf")
    let before = try bytes(folder + "/a.pdf")
    #expect(throws: PlottingError.self) { try Gnuplot().save(Self.all[0].figure, to: folder + "/a.tex") }
    #expect(try bytes(folder + "/a.pdf") == before)
    // A .tex file that is a table is not a figure.
    try "\\begin{tabular}{l}\\end{tabular}".write(toFile: folder + "/c.tex", atomically: true, encoding: .utf8)
    _ = try Gnuplot().save(Self.all[0].figure, to: folder + "/c.pdf")
    #expect(try !String(contentsOfFile: folder + "/c.gp", encoding: .utf8).contains("cairolatex"))
    _ = try Gnuplot().save(Self.all[0].figure, to: folder + "/b.tex")
    _ = try Gnuplot().save(Self.all[0].figure, to: folder + "/b.tex")
    #expect(throws: PlottingError.self) { try Gnuplot().save(Self.all[0].figure, to: folder + "/b.pdf") }
  }

  private func drawn(_ script: GnuplotScript) throws -> String {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try script.data().write(toFile: folder + "/a.dat", atomically: true, encoding: .utf8)
    return try Gnuplot().run(script.textScript(columns: 1_000, lines: 400, data: folder + "/a.dat"))
  }

  private struct Spot: Hashable { let row, column: Int }

  private func ink(_ script: GnuplotScript) throws -> Set<Spot> {
    var spots: Set<Spot> = []
    for (row, line) in try drawn(script).utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      for (column, letter) in line.enumerated() where letter == 0x2a { spots.insert(Spot(row: row, column: column)) }
    }
    return spots
  }

  /// The number of spots of one drawing without a spot of the other nearby.
  private static func missing(of some: Set<Spot>, in others: Set<Spot>) -> Int {
    some.count { spot in
      !(-1...1).contains { dy in (-1...1).contains { dx in others.contains(Spot(row: spot.row + dy, column: spot.column + dx)) } }
    }
  }

  /// Thinning a million points does not change the picture.
  @Test func thinningDoesNotChangeThePicture() throws {
    var state: UInt64 = 7
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 33) / Double(1 << 31)
    }
    let noisy = (0..<1_000_000).map { (Double($0), Double($0) * 1e-6 + random() * random()) }
    let line = Self.figure([Self.line(noisy, style: .steps)])
    let thin = GnuplotScript(line)
    guard case .line(let kept) = thin.figure.panels[0].layers[0] else { return }
    #expect(kept.points.count < 40_000 && kept.points.count > 1_000)
    let smooth = Self.figure([
      Self.line((0..<200_000).map { (Double($0) / 1000, (Double($0) / 9000).remainder(dividingBy: 3)) }, style: .steps)
    ])
    // Drawn in characters, at the resolution of a screen. A line between two characters may be drawn in either of them.
    for figure in [smooth, Self.figure([Self.line(Array(noisy.prefix(300_000)))])] {
      let thin = try ink(GnuplotScript(figure))
      let all = try ink(GnuplotScript(unthinned: figure))
      #expect(thin.count > 2000 && Self.missing(of: thin, in: all) == 0 && Self.missing(of: all, in: thin) == 0)
    }
    let cloud = Self.figure([Self.line((0..<100_000).map { _ in (random() + random(), random() * random()) }, style: .points)])
    guard case .line(let spots) = GnuplotScript(cloud).figure.panels[0].layers[0] else { return }
    #expect(spots.points.count <= 100_000)
    // Of the points in a grid cell one is kept.
    let pile = Self.figure([Self.line((0..<60_000).map { (Double($0 % 100), Double($0 % 7)) }, style: .points)])
    guard case .line(let heaps) = GnuplotScript(pile).figure.panels[0].layers[0] else { return }
    #expect(heaps.points.count == 700)
  }

  /// Unusual data gives a picture or gnuplot's error message: many values, none, one, equal, not finite, huge and tiny ones.
  @Test func oddDataGivesAPicture() throws {
    let many = (0..<40).map { s in Self.line((0..<10).map { (Double($0), Double($0 * s)) }, label: "series \(s)") }
    let odd: [[Layer]] = [
      [], [Self.line([])], [Self.line([(1, 1)])], [Self.line([(0, 5), (1, 5), (2, 5)])], [Self.line([(0, 1e300), (1, 2e300)])],
      [Self.line([(0, 1e-300), (1, 2e-300)])], [Self.line([(0, .nan), (1, .nan)])], [Self.line([(0, .infinity), (1, 3), (2, -.infinity)])],
      [Self.line([(-5e8, -2e6), (5e8, 3e6)])], many, [Self.line([(0, 0), (1, 1)], label: "")],
      [Self.line([(0, 0), (1, 1)], label: String(repeating: "long ", count: 60))],
      [.bars(.init(names: [], values: [], label: nil))], [.bars(.init(names: ["a"], values: [.nan], label: nil))],
      [.bars(.init(names: (0..<60).map { "name \($0)" }, values: (0..<60).map { Double($0) }, label: nil))],
      [.histogram(.init(start: 0, width: 1, counts: [0], label: nil))], [.heatmap(.init([[1]], range: nil))],
      [.heatmap(.init([[.nan, .nan], [.nan, .nan]], range: nil, digits: 2))], [.stacks(.init(names: ["a"], sources: [[nil]]))],
    ]
    for (number, layers) in odd.enumerated() {
      let figure = Self.figure(layers)
      do throws(PlottingError) {
        let svg = try Gnuplot().svg(figure)
        #expect(svg.contains("</svg>"), "\(number)")
      } catch {
        #expect(
          error.message.contains("refused the figure") || error.message.contains("legend does not fit"), "\(number): \(error.message)")
      }
      _ = try? Gnuplot().text(figure, columns: 79, lines: 20)
    }
  }

  @Test func tickLabelsAreRound() {
    func labels(_ low: Double, _ high: Double, _ unit: Axis.Unit = .none, most: Int = 6, fixed: Bool = false) -> [String]? {
      Ticks(low, high, unit: unit, most: most, isFixed: fixed)?.labels
    }
    #expect(labels(0, 7200, .seconds) == ["0", "30m", "1h", "1h 30m", "2h"])
    #expect(labels(0, 400, .seconds) == ["0", "2m", "4m", "6m", "8m"])
    #expect(labels(0, 90, .seconds) == nil)
    #expect(labels(0, 300_000, .seconds) == ["0", "1d", "2d", "3d", "4d"])
    #expect(labels(0, 40_000) == ["0", "10,000", "20,000", "30,000", "40,000"])
    #expect(labels(-12_000, 12_000) == ["-15,000", "-10,000", "-5,000", "0", "5,000", "10,000", "15,000"])
    #expect(labels(0, 0.5) == nil && labels(0, 999) == nil && labels(3, 3) == nil && labels(0, .infinity) == nil)
    #expect(labels(100, 40_000, fixed: true)?.first == "10,000")
  }

  /// Texts with commands for gnuplot, the shell or TeX are printed literally in every format.
  @Test func hostileTextsDoNothing() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let mark = folder + "/was-run"
    let texts = [
      "`touch \(mark)`", "'; system('touch \(mark)'); '", "'.system('touch \(mark)').'", "$(touch \(mark))", "\"; !touch \(mark)\n",
      "| touch \(mark)", "< touch \(mark)", "\\immediate\\write18{touch \(mark)}", "'\n!touch \(mark)\n'", "@mark", "%s%n%d",
      "{/Bold x}_a^b~c&d",
      "\u{7f}\u{1b}]0;x\u{7}", "𝔘̈ñî — “çödé” 漢字",
    ]
    for (number, text) in texts.enumerated() {
      let figure = Self.figure([Self.line([(0, 1), (1, 2)], label: text), .bars(.init(names: [text], values: [1], label: text))]) {
        figure, panel in
        // The figure is large enough for a legend with such texts.
        figure.size = .init(width: 30, height: 12)
        figure.title = text
        panel.title = text
        panel.x.label = text
        panel.y.label = text
        panel.marks = [Marks([0.5], label: text)]
        panel.spans = [Span(from: 0.1, to: 0.2, label: text)]
        panel.notes = [Note(text, x: 0.5, y: 0.5)]
      }
      for format in PictureFormat.allCases {
        _ = try Gnuplot().save(figure, to: "\(folder)/\(number)-\(format.rawValue).\(format.rawValue)")
      }
      _ = try Gnuplot().text(figure, columns: 200, lines: 20)
      #expect(!FileManager.default.fileExists(atPath: mark), "\(text)")
    }
    // The same for file names.
    for name in ["a`touch was-run`", "a';!touch was-run;'", "a|touch was-run", "%s", "-x", "a b\"c"] {
      _ = try Gnuplot().save(Self.all[0].figure, to: "\(folder)/\(name).svg")
      #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name).svg"))
    }
    #expect(!FileManager.default.fileExists(atPath: mark) && !FileManager.default.fileExists(atPath: "was-run"))
    #expect(
      GnuplotScript.escapedForTeX("50% of $x_1^2$ & {a}\\b~#")
        == "50\\% of \\$x\\_1\\textasciicircum{}2\\$ \\& \\{a\\}\\textbackslash{}b\\textasciitilde{}\\#")
  }

  /// A window is a gnuplot process that keeps running and draws each picture; after it has ended, drawing returns
  /// false. In this test a script that logs its input replaces gnuplot.
  @Test func windowsAreRedrawn() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let program = folder + "/gnuplot"
    try """
    #!/bin/bash
    while read -r line; do
      case $line in
      *GPVAL_TERMINALS*) echo "dumb qt svg"; exit ;;
      *last*) exit ;;
      *) echo "$line" >>"\(folder)/log" ;;
      esac
    done
    """.write(toFile: program + ".text", atomically: true, encoding: .utf8)
    // Another process writes the script. If this process did, running it could fail with "Text file busy", because a
    // child process that another test starts inherits the open descriptor for a moment.
    let copy = try Process.run(URL(fileURLWithPath: "/bin/cp"), arguments: [program + ".text", program])
    copy.waitUntilExit()
    chmod(program, 0o755)
    func figure(_ title: String) -> Figure { Self.figure([Self.line([(0, 0), (1, 1)])]) { $1.title = title } }
    let window = try #require(PlotWindow(program: program))
    func log() -> String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }
    func wait(_ test: () -> Bool) -> Bool {
      for _ in 0..<500 {
        if test() { return true }
        usleep(10_000)
      }
      return false
    }
    #expect(window.draw(figure("first")) && wait { log().contains("first") && log().contains("plot ") })
    #expect(log().contains("set terminal qt noenhanced persist"))
    usleep(100_000)
    #expect(window.draw(figure("second")) && wait { log().contains("second") })
    usleep(100_000)
    _ = window.draw(figure("last"))
    #expect(wait { !window.draw(figure("more")) })
    #expect(PlotWindow(program: "no-such-gnuplot") == nil)
  }

  // MARK: Drawings match the data

  /// The points of the lines of a layer, path by path.
  private static func paths(_ svg: String, plot: Int = 1) -> [[String]] {
    let parts = svg.components(separatedBy: "<title>gnuplot_plot_\(plot)</title>")
    guard parts.count > 1 else { return [] }
    let group = parts[1].components(separatedBy: "</g>\n\t</g>")[0]
    let lines = group.components(separatedBy: " d='").dropFirst().flatMap { $0.prefix { $0 != "'" }.split(separator: "M") }
    let areas = group.components(separatedBy: " points = '").dropFirst().map { $0.prefix { $0 != "'" } }
    return (lines + areas).map { $0.split { " LZz".contains($0) }.map(String.init).filter { $0.contains(",") } }.filter { !$0.isEmpty }
  }

  /// NaN makes a gap: its neighbours are not joined.
  @Test(arguments: [Layer.Line.Style.lines, .steps]) func gapsStayGaps(style: Layer.Line.Style) throws {
    func drawn(_ second: Double) throws -> [[String]] {
      Self.paths(try Gnuplot().svg(Self.figure([Self.line([(1, 1), (2, second), (3, 9), (4, 4)], style: style)])))
    }
    let whole = try drawn(5)
    #expect(whole.count == 1 && (whole.first?.count ?? 0) >= 4)
    for hole in [Double.nan, .infinity, -.infinity] {
      let holed = try drawn(hole)
      // Only the third and the fourth point are joined.
      #expect(holed.filter { $0.count > 1 }.joined().count == (style == .lines ? 2 : 3), "\(hole): \(holed)")
      #expect(Set(holed.joined()).isSubset(of: Set(whole.joined())))
    }
  }

  /// Bars on a logarithmic axis begin below the smallest value.
  @Test func theSmallestBarIsVisible() throws {
    for values in [[0.1, 0.5], [1, 1], [1e-6, 1], [1, 1e12]] {
      let bars = Self.figure([.bars(.init(names: ["a", "b"], values: values, label: nil))]) { $1.y.logarithmic = true }
      let svg = try Gnuplot().svg(bars)
      let boxes = Self.paths(svg).map { path in
        let ys = path.compactMap { Double($0.split(separator: ",").last ?? "") }
        return (ys.max() ?? 0) - (ys.min() ?? 0)
      }.filter { $0 > 0 }
      let lowest = try #require(boxes.min())
      #expect(lowest > 4, "\(values): \(boxes) points high")
    }
    // The same for stacked bars and histograms.
    let lower = Layer.Bars(names: ["a"], values: [1], label: nil, isStacked: true)
    let upper = Layer.Bars(names: ["a"], values: [9], label: nil, isStacked: true)
    let stack = try Gnuplot().svg(Self.figure([.bars(lower), .bars(upper)]) { $1.y.logarithmic = true })
    #expect(!Self.paths(stack).joined().isEmpty && !Self.paths(stack, plot: 2).joined().isEmpty)
    let bins = Layer.histogram(.init(start: 0, width: 1, counts: [1, 50, 0], label: nil))
    let figure = Self.figure([bins]) { $1.y.logarithmic = true }
    #expect(GnuplotScript(figure).svgScript(data: "d").contains("set yrange [0.5:*]"))
    let negative = Self.figure([.bars(.init(names: ["a", "b", "c"], values: [0, -1, 2], label: nil))]) { $1.y.logarithmic = true }
    #expect(negative.notes(drawsLetters: false) == ["2 values are not drawn, because a logarithmic axis shows only values above 0"])
  }

  /// A legend has all its labels, is moved above the axes if necessary, or is an error if it does not fit.
  @Test func theLegendIsComplete() throws {
    for count in [3, 12, 20, 30, 50, 62] {
      let label = String(repeating: "x", count: count)
      let figure = Self.figure([Self.line([(1, 1), (2, 2)], label: label), Self.line([(1, 2), (2, 1)], label: "other")])
      let svg = try Gnuplot().svg(figure)
      #expect(svg.contains(label) && svg.contains("other"), "\(count)")
      #expect(GnuplotScript(figure).svgScript(data: "d").contains("set key tmargin") == (count >= 30), "\(count)")
      for legend in Legend.allCases where legend != .none && count <= 50 {
        var placed = figure
        placed.panels[0].legend = legend
        #expect(try Gnuplot().svg(placed).contains(label), "\(legend) \(count)")
      }
    }
    let long = Self.figure([Self.line([(1, 1), (2, 2)], label: String(repeating: "W", count: 80))])
    #expect(throws: PlottingError.self) { try Gnuplot().svg(long) }
    #expect(throws: PlottingError.self) { try Gnuplot().text(long, columns: 79, lines: 22) }
    var without = long
    without.panels[0].legend = Legend.none
    #expect(try Gnuplot().svg(without).contains("</svg>"))
  }

  /// Tick labels do not overlap and are distinct.
  @Test func tickLabelsHaveRoom() throws {
    for (low, high) in [
      (1e6, 3e6), (0, 1e9), (1e11, 9e11), (-5e8, 5e8), (1e6 + 0.1, 1e6 + 0.3), (12_345_678, 12_345_679), (1e15, 1e15 + 8),
    ] {
      let svg = try Gnuplot().svg(Self.figure([Self.line([(low, 1), (high, 2)])]))
      // Centred texts are those of the x axis.
      let ticks = svg.components(separatedBy: "<g transform=\"translate(").dropFirst().filter { $0.contains("text-anchor=\"middle\"") }
        .compactMap { part -> (x: Double, text: String)? in
          guard let x = Double(part.prefix { $0 != "," }), let text = part.range(of: "(?<=> |>)[-0-9][^<]*", options: .regularExpression)
          else {
            return nil
          }
          return (x, String(part[text]).trimmingCharacters(in: .whitespaces))
        }.sorted { $0.x < $1.x }
      #expect(!ticks.isEmpty && Set(ticks.map(\.text)).count == ticks.count, "\(low) to \(high): \(ticks)")
      for (left, right) in zip(ticks, ticks.dropFirst()) {
        // Digits at a font size of 8 points are 4.5 points wide.
        let needed = (Double(left.text.count) + Double(right.text.count)) / 2 * 4.5
        #expect(right.x - left.x > needed, "\(low) to \(high): \(left) \(right)")
      }
    }
  }

  /// Characters that no font contains are reported with a package that has them, and drawn as boxes.
  @Test func missingCharactersAreReported() throws {
    #expect(Fonts.missing("plain, grüße \u{301}\u{200d}\u{fe0f}").isEmpty)
    // Rare characters that hardly any system has.
    let unknown = Self.figure([Self.line([(1, 1), (2, 2)], label: "a\u{3ff0}\u{10380}b")])
    let missing = Fonts.missing(unknown.texts.joined())
    let notes = unknown.notes(drawsLetters: true)
    #expect(notes.isEmpty == missing.isEmpty && unknown.notes(drawsLetters: false).isEmpty)
    if !missing.isEmpty {
      #expect(notes[0].contains("sudo apt install fonts-noto"))
      let script = GnuplotScript(unknown).script(.png, output: "\u{3ff0}.png", data: "\u{3ff0}.dat")
      #expect(script.contains("\u{25a1}") && script.contains("\u{3ff0}.png") && script.contains("\u{3ff0}.dat"))
      // Another font of the machine may have one of them.
      if missing.contains("\u{3ff0}") { #expect(!script.contains("a\u{3ff0}")) }
      if missing.contains("\u{10380}") { #expect(!script.contains("\u{10380}b")) }
    }
    #expect(Fonts.packages(for: ["漢", "😀", "अ"]) == ["fonts-noto-cjk", "fonts-noto-color-emoji", "fonts-noto-core"])
    var named = Self.figure([Self.line([(1, 1), (2, 2)])])
    named.font = "No Such Font At All"
    #expect(named.notes(drawsLetters: true).first?.contains("there is no font No Such Font At All") == true)
  }

  /// Numbers that are very far apart or very close to each other do not crash the program.
  @Test func extremeNumbersDoNotCrash() throws {
    for (low, high) in [
      (-1e308, 1e308), (-1.7e308, 1.7e308), (0, Double.leastNonzeroMagnitude), (1e308, 1.1e308), (1e300, 2e300), (-1e18, 1e19),
    ] {
      for unit in Axis.Unit.allCases {
        for logarithmic in [false, true] {
          let many = (0..<6_000).map { (low + (high / 6_000 - low / 6_000) * Double($0), low / 2 + high / 2 * Double($0 % 2)) }
          for points in [[(low, low), (high, high)], many] {
            var figure = Self.figure([Self.line(points)]) { _, panel in
              panel.x.unit = unit
              panel.y.unit = unit
              panel.y.logarithmic = logarithmic
            }
            _ = try? Gnuplot().text(figure, columns: 79, lines: 20)
            figure.shared = .both
            _ = GnuplotScript(figure).svgScript(data: "d")
          }
        }
      }
    }
  }
}
