import Foundation

/// Writes a figure as a gnuplot script and a data file. Texts of the figure never become commands: they are quoted strings in
/// which all special characters are escaped, and gnuplot's enhanced text mode is off.
public struct GnuplotScript: Sendable {
  let figure: Figure
  private let isCancelled: @Sendable () -> Bool

  /// - Parameter isCancelled: Called for every point; must be cheap. Once it returns true, the script and its data are
  ///   incomplete and must not be used.
  public init(_ figure: Figure, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.figure = figure.prepared(isCancelled)
    self.isCancelled = isCancelled
  }

  /// Does not thin the points; for tests that compare thinned pictures with complete ones.
  init(unthinned figure: Figure) {
    self.figure = figure
    isCancelled = { false }
  }

  /// The kind of output: a picture, a picture in characters, or TeX.
  enum Medium { case paper, characters, tex }

  // MARK: Texts

  static func cell(_ value: Double) -> String { value.isFinite ? String(format: "%.9g", value) : "NaN" }

  static func comment(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.properties.isWhitespace ? " " : $0 }))
  }

  /// A text as a gnuplot string in double quotes, with all special characters as octal escapes. Single quotes are not safe:
  /// gnuplot 5.4 ends such a string too early if the text begins with a quote.
  static func quoted(_ text: String) -> String {
    var inside = ""
    for scalar in comment(text).unicodeScalars {
      let isPlain = scalar.value >= 0x20 && scalar.value != 0x7f && !"\"'`\\@$!%".unicodeScalars.contains(scalar)
      inside += isPlain ? String(scalar) : octal(scalar)
    }
    return "\"\(inside)\""
  }

  private static func octal(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
  }

  /// Escapes a text so that TeX prints it literally.
  static func escapedForTeX(_ text: String) -> String {
    let commands: [Unicode.Scalar: String] = [
      "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "%": "\\%", "&": "\\&", "#": "\\#", "_": "\\_",
      "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}",
      "\"": "\\textquotedbl{}", "'": "\\textquotesingle{}", "`": "\\textasciigrave{}", "-": "{-}",
    ]
    return text.unicodeScalars.map { commands[$0] ?? String($0) }.joined()
  }

  static func text(_ text: String, _ medium: Medium) -> String { quoted(medium == .tex ? escapedForTeX(text) : text) }

  // MARK: Scripts

  /// Commands that draw a picture to a file.
  public func script(_ format: PictureFormat, output: String, data: String) -> String {
    "\(format.terminal(figure))\n\(Self.markers(format.markerScale))set output \(Self.quoted(output))\n"
      + (format.isTeX || format == .svg ? body(data: data, format.isTeX ? .tex : .paper) : bodyOfKnownLetters(data: data))
      + "\nunset output\nreset\n"
  }

  /// Commands that draw a picture in characters to stdout.
  public func textScript(columns: Int, lines: Int, data: String) -> String {
    "set terminal dumb noenhanced size \(columns),\(lines)\n\(Self.markers(1))" + body(data: data, .characters, page: (columns, lines))
      + "\n"
  }

  /// Commands that draw SVG to stdout.
  public func svgScript(data: String) -> String {
    PictureFormat.svg.terminal(figure) + "\n" + Self.markers(PictureFormat.svg.markerScale) + body(data: data, .paper) + "\nunset output\n"
  }

  /// Commands that draw a sixel picture to stdout.
  public func sixelScript(data: String) -> String {
    let scale = 96 / 2.54
    return "set terminal sixelgd noenhanced truecolor size \(Int(figure.size.width * scale)),\(Int(figure.size.height * scale))\n"
      + Self.markers(1) + bodyOfKnownLetters(data: data) + "\n"
  }

  /// Commands that draw in a window and leave it open.
  public func windowScript(_ terminal: String, data: String) -> String {
    let scale = 96 / 2.54
    return "set terminal \(terminal) noenhanced persist size \(Int(figure.size.width * scale)),\(Int(figure.size.height * scale))\n"
      + Self.markers(1) + bodyOfKnownLetters(data: data) + "\n"
  }

  /// The factor of marker sizes, as a variable of the script.
  private static func markers(_ factor: Double) -> String { "srs_markers = \(PictureFormat.number(factor))\n" }

  // MARK: Panels

  /// The body with an empty box for each character that no font contains. For some of them, cairo would draw a line across the
  /// picture.
  private func bodyOfKnownLetters(data: String) -> String {
    let missing = Set(Fonts.missing(figure.texts.joined()))
    guard !missing.isEmpty else { return body(data: data, .paper) }
    // The file name of the data must not be changed, so a placeholder stands for it.
    let mark = "\u{ffff}"
    let letters = body(data: mark, .paper).unicodeScalars.map { missing.contains($0) ? "\u{25a1}" : $0 }
    return String(String.UnicodeScalarView(letters)).replacingOccurrences(of: Self.quoted(mark), with: Self.quoted(data))
  }

  /// - Parameter page: The columns and lines of a picture in characters.
  private func body(data: String, _ medium: Medium, page: (columns: Int, lines: Int)? = nil) -> String {
    let theme = figure.theme
    // `set datafile missing` is not used for NaN, because gnuplot joins the neighbours of a missing point.
    var lines = ["set encoding utf8"]
    if medium == .characters {
      lines += ["set tics nomirror", "unset grid"]
    } else {
      lines += [
        "set border 3 linewidth 0.6 linecolor rgb '\(theme == .paper ? "#444444" : theme.faint)'",
        "set tics nomirror out scale 0.6 textcolor rgb '\(theme.ink)'",
        "set grid ytics linewidth 0.4 linecolor rgb '\(theme.grid)'",
      ]
    }
    // An empty figure is drawn as an empty set of axes.
    let panels = figure.panels.isEmpty ? [Panel()] : figure.panels
    let many = panels.count > 1
    let hasInsets = medium != .characters && panels.contains { !$0.insets.isEmpty }
    if many || hasInsets {
      let title = many ? figure.title.map { " title \(Self.text($0, medium))\(ink(medium))" } ?? "" : ""
      let layout = many ? " layout \(figure.rows),\(figure.columns)" : ""
      lines.append("set multiplot\(layout)\(title)")
    }
    var index = 0
    for (number, panel) in panels.enumerated() {
      let title = panel.title ?? (many ? nil : figure.title)
      let commands = PanelCommands(
        panel, of: figure, data: data, firstIndex: index, medium, position: number, page: page, isCancelled: isCancelled)
      lines += commands.lines(title: title)
      index += panel.layers.count
      for inset in panel.insets {
        if hasInsets { lines += insetCommands(inset, data: data, firstIndex: index, medium) }
        // Drawing an inset advances the layout to the next panel, so go back.
        if hasInsets && many { lines.append("set multiplot previous") }
        index += inset.panel.layers.count
      }
    }
    if many || hasInsets { lines.append("unset multiplot") }
    return lines.joined(separator: "\n")
  }

  /// Why the figure cannot be drawn; nil if it can.
  func problem(_ medium: Medium, page: (columns: Int, lines: Int)? = nil) -> PlottingError? {
    figure.panels.enumerated().lazy.compactMap { number, panel in
      PanelCommands(panel, of: figure, data: "", firstIndex: 0, medium, position: number, page: page).problem
    }.first
  }

  private func ink(_ medium: Medium) -> String { medium == .characters ? "" : " textcolor rgb '\(figure.theme.ink)'" }

  /// Commands for an inset. Its position is computed from the axes of the outer panel, which gnuplot reports in GPVAL_TERM_*.
  private func insetCommands(_ inset: Inset, data: String, firstIndex: Int, _ medium: Medium) -> [String] {
    func at(_ share: Double, _ axis: String) -> String {
      "(GPVAL_TERM_\(axis)MIN + \(Self.cell(share)) * (GPVAL_TERM_\(axis)MAX - GPVAL_TERM_\(axis)MIN)) * srs_scale / GPVAL_TERM_\(axis)SIZE"
    }
    func length(_ share: Double, _ axis: String) -> String {
      "\(Self.cell(share)) * (GPVAL_TERM_\(axis)MAX - GPVAL_TERM_\(axis)MIN) * srs_scale / GPVAL_TERM_\(axis)SIZE"
    }
    var small = figure
    small.size = .init(width: figure.size.width * inset.width, height: figure.size.height * inset.height)
    return [
      "srs_scale = exists('GPVAL_TERM_SCALE') ? real(GPVAL_TERM_SCALE) : 1.0",
      "srs_x = \(at(inset.x, "X")); srs_y = \(at(inset.y, "Y")); srs_w = \(length(inset.width, "X")); srs_h = \(length(inset.height, "Y"))",
      "set lmargin at screen srs_x", "set rmargin at screen srs_x + srs_w", "set bmargin at screen srs_y",
      "set tmargin at screen srs_y + srs_h",
    ]
      + PanelCommands(inset.panel, of: small, data: data, firstIndex: firstIndex, medium, position: 0, isInset: true).lines(
        title: inset.panel.title)
      + ["set lmargin -1", "set rmargin -1", "set bmargin -1", "set tmargin -1", "set tics font ''"]
  }
}

// MARK: Data

extension GnuplotScript {
  /// The data of all layers as blocks that are separated by two empty lines, for gnuplot's `index`.
  public func data() -> String {
    var blocks: [String] = []
    for panel in figure.panels {
      blocks += self.blocks(panel)
      for inset in panel.insets { blocks += self.blocks(inset.panel) }
    }
    return blocks.joined(separator: "\n\n")
  }

  private func blocks(_ panel: Panel) -> [String] {
    let bases = panel.barBases
    return panel.layers.indices.map { block(panel.layers[$0], base: bases[$0]) }
  }

  /// The lines that `body` makes of many elements; incomplete once the work is cancelled.
  private func lines<Element>(_ elements: [Element], _ body: (Element) -> String) -> String {
    var text = ""
    for element in elements {
      if isCancelled() { break }
      text += body(element)
    }
    return text
  }

  private func block(_ layer: Layer, base: [Double]?) -> String {
    func cell(_ value: Double) -> String { Self.cell(value) }
    func comment(_ text: String) -> String { Self.comment(text) }
    switch layer {
    case .line(let line):
      let head = "# \(comment(line.label ?? "line")): x y low high\n"
      return head
        + lines(line.points) {
          // A point without a band has its own height as both ends.
          let y = cell($0.y)
          return "\(cell($0.x)) \(y) \($0.low.map(cell) ?? y) \($0.high.map(cell) ?? y)\n"
        }
    case .bars(let bars):
      let rows = bars.values.enumerated().map { i, value in
        "\(i) \(cell(value)) \(cell(bars.errors?[i] ?? 0)) \(cell(base?[i] ?? 0))\n"
      }
      return "# \(comment(bars.label ?? "bars")): position value error base\n" + rows.joined()
    case .histogram(let histogram):
      let rows = histogram.counts.enumerated().map { i, count in
        "\(cell(histogram.start + (Double(i) + 0.5) * histogram.width)) \(cell(count)) \(cell(histogram.width))\n"
      }
      return "# \(comment(histogram.label ?? "histogram")): middle count width\n" + rows.joined()
    case .boxes(let boxes):
      let rows = boxes.groups.enumerated().map { i, group in
        "\(i) \([group.first, group.low, group.high, group.third, group.median].map(cell).joined(separator: " ")) \(i) NaN\n"
          + lines(group.outside) { "NaN NaN NaN NaN NaN NaN \(i) \(cell($0))\n" }
      }
      return "# box plot: position first low high third median, position outlier\n" + rows.joined()
    case .heatmap(let map):
      return "# heat map, a row a line\n"
        + lines(map.values) { $0.map(cell).joined(separator: " ") + "\n" }
    case .stacks(let stacks):
      let rows = stacks.sources.enumerated().flatMap { depth, sources in
        sources.enumerated().map { i, source in
          // The position of the block, its number, the number of its source (0: new), and the position of the source.
          "\(depth) \(i) \(i + 1) \(source.map { $0 + 1 } ?? 0) \(source.map { "\(depth - 1) \($0)" } ?? "NaN NaN")\n"
        }
      }
      return "# blocks: depth, height, number, number of the source, depth and height of the source\n" + rows.joined()
    }
  }
}

extension Panel {
  /// For each layer of stacked bars, the lower ends of its bars; nil for other layers.
  var barBases: [[Double]?] {
    var height: [String: Double] = [:]
    return layers.map { layer in
      guard case .bars(let bars) = layer, bars.isStacked else { return nil }
      return zip(bars.names, bars.values).map { name, value in
        let base = height[name] ?? 0
        height[name] = base + (value.isFinite ? value : 0)
        return base
      }
    }
  }

  /// The smallest and largest value along an axis; nil for panels with layers other than lines, bars and histograms.
  func extent(_ side: Side) -> ClosedRange<Double>? {
    var (low, high) = (Double.infinity, -Double.infinity)
    func add(_ value: Double?) {
      guard let value, value.isFinite else { return }
      low = min(low, value)
      high = max(high, value)
    }
    let bases = barBases
    for (layer, base) in zip(layers, bases) {
      switch (layer, side) {
      case (.line(let line), .x): line.points.forEach { add($0.x) }
      case (.line(let line), _) where line.onRight == (side == .right):
        for point in line.points {
          add(point.y)
          add(point.low)
          add(point.high)
        }
      case (.line, _): break
      case (.bars(let bars), .y):
        add(0)
        for (i, value) in bars.values.enumerated() {
          let foot = base?[i] ?? 0
          add(foot + value + (bars.errors?[i] ?? 0))
          add(foot + value - (bars.errors?[i] ?? 0))
        }
      case (.histogram(let histogram), .x):
        add(histogram.start)
        add(histogram.start + histogram.width * Double(histogram.counts.count))
      case (.histogram(let histogram), .y):
        add(0)
        histogram.counts.forEach { add($0) }
      default: return nil
      }
    }
    return low <= high ? low...high : nil
  }

  enum Side { case x, y, right }

  subscript(side: Side) -> Axis {
    get {
      switch side {
      case .x: x
      case .y: y
      case .right: right
      }
    }
    set {
      switch side {
      case .x: x = newValue
      case .y: y = newValue
      case .right: right = newValue
      }
    }
  }
}

extension Figure {
  /// The figure with thinned lines and with the same range for shared axes.
  fileprivate func prepared(_ isCancelled: () -> Bool) -> Figure {
    var figure = self
    for p in figure.panels.indices { figure.panels[p] = figure.panels[p].thinned(isCancelled) }
    for side in [Panel.Side.x, .y] where side == .x ? shared.x : shared.y {
      let extents = figure.panels.compactMap { $0[side].range ?? $0.extent(side) }
      guard let low = extents.map(\.lowerBound).min(), let high = extents.map(\.upperBound).max(), high > low,
        (high - low).isFinite
      else { continue }
      let isLogarithmic = figure.panels.contains { $0[side].logarithmic }
      let room = isLogarithmic || side == .x ? 0 : (high - low) * 0.05
      for p in figure.panels.indices where figure.panels[p][side].range == nil {
        figure.panels[p][side].range = (low >= 0 && low - room < 0 ? 0 : low - room)...(high + room)
      }
    }
    return figure
  }
}

extension Panel {
  fileprivate func thinned(_ isCancelled: () -> Bool) -> Panel {
    var panel = self
    panel.layers = layers.map { layer in
      guard case .line(let line) = layer else { return layer }
      let points = Thinning.thinned(line.points, style: line.style, x: x, y: line.onRight ? right : y, isCancelled)
      return .line(.init(points, label: line.label, style: line.style, onRight: line.onRight))
    }
    panel.insets = insets.map { Inset($0.panel.thinned(isCancelled), x: $0.x, y: $0.y, width: $0.width, height: $0.height) }
    return panel
  }
}
