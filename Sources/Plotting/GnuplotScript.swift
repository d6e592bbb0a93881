import Foundation

/// Where a figure goes.
public enum PictureFormat: String, Sendable, CaseIterable {
  case pdf, svg, png, eps

  func terminal(_ figure: Figure) -> String {
    let (w, h) = (figure.size.width, figure.size.height)
    let font = "font 'Liberation Sans,8'"
    switch self {
    case .pdf: return "set terminal pdfcairo noenhanced color size \(Self.number(w))cm,\(Self.number(h))cm \(font) linewidth 1"
    case .eps: return "set terminal epscairo noenhanced color size \(Self.number(w))cm,\(Self.number(h))cm \(font) linewidth 1"
    case .png:
      // 300 dots an inch; the font is given in points of a 72 dpi picture.
      let scale = 300 / 2.54
      return
        "set terminal pngcairo noenhanced color size \(Int(w * scale)),\(Int(h * scale)) fontscale \(Self.number(300.0 / 72 * 0.75)) linewidth 3 \(font)"
    case .svg:
      // Points: 72 an inch, as large on a page as the PDF.
      let scale = 72 / 2.54
      return
        "set terminal svg noenhanced size \(Int((w * scale).rounded())),\(Int((h * scale).rounded())) dynamic font 'Liberation Sans,Arial,sans-serif,8' linewidth 1"
    }
  }

  static func number(_ value: Double) -> String { String(format: "%.10g", value) }
}

/// Writes a figure as a gnuplot script and a data file. Texts of the figure are data, never commands: they stand in
/// single quotes, in which gnuplot expands nothing, and enhanced text is off everywhere.
public struct GnuplotScript: Sendable {
  private let figure: Figure

  public init(_ figure: Figure) { self.figure = figure }

  /// Everything that is drawn, one block after the other, separated by two empty lines (gnuplot's `index`).
  public func data() -> String {
    var blocks: [String] = []
    for panel in figure.panels {
      for layer in panel.layers { blocks.append(Self.block(layer)) }
    }
    return blocks.joined(separator: "\n\n")
  }

  private static func block(_ layer: Layer) -> String {
    switch layer {
    case .line(let line):
      let head = "# \(comment(line.label ?? "line")): x y low high\n"
      return head
        + line.points.map { "\(cell($0.x)) \(cell($0.y)) \(cell($0.low ?? $0.y)) \(cell($0.high ?? $0.y))\n" }.joined()
    case .bars(let bars):
      let rows = bars.values.enumerated().map { i, value in "\(i) \(cell(value)) \(cell(bars.errors?[i] ?? 0))\n" }
      return "# \(comment(bars.label ?? "bars")): place value error\n" + rows.joined()
    case .histogram(let histogram):
      let rows = histogram.counts.enumerated().map { i, count in
        "\(cell(histogram.start + (Double(i) + 0.5) * histogram.width)) \(cell(count)) \(cell(histogram.width))\n"
      }
      return "# \(comment(histogram.label ?? "histogram")): middle count width\n" + rows.joined()
    case .boxes(let boxes):
      let rows = boxes.groups.enumerated().map { i, group in
        "\(i) \([group.first, group.low, group.high, group.third, group.median].map(cell).joined(separator: " ")) \(i) NaN\n"
          + group.outside.map { "NaN NaN NaN NaN NaN NaN \(i) \(cell($0))\n" }.joined()
      }
      return "# box plot: place first low high third median, place outside\n" + rows.joined()
    case .heatmap(let map):
      return "# heat map, a row a line\n"
        + map.values.map { $0.map(cell).joined(separator: " ") + "\n" }.joined()
    }
  }

  private static func number(_ value: Double) -> String { PictureFormat.number(value) }
  private static func cell(_ value: Double) -> String { value.isFinite ? String(format: "%.9g", value) : "NaN" }
  private static func comment(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.properties.isWhitespace ? " " : $0 }))
  }

  /// A text as gnuplot's single-quoted string.
  static func quoted(_ text: String) -> String {
    // By scalars: a quote with an accent on it is another character to Swift, and still a quote to gnuplot.
    var inside = String.UnicodeScalarView()
    for scalar in comment(text).unicodeScalars {
      if scalar == "'" { inside.append(scalar) }
      inside.append(scalar)
    }
    return "'\(String(inside))'"
  }

  /// Commands that draw to a file.
  public func script(_ format: PictureFormat, output: String, data: String) -> String {
    "\(format.terminal(figure))\nset output \(Self.quoted(output))\n" + body(data: data, terminal: .paper)
      + "\nunset output\nreset\n"
  }

  /// Commands that draw characters to stdout.
  public func textScript(columns: Int, lines: Int, data: String) -> String {
    "set terminal dumb noenhanced size \(columns),\(lines)\n" + body(data: data, terminal: .text) + "\n"
  }

  /// Commands that draw SVG to stdout.
  public func svgScript(data: String) -> String {
    PictureFormat.svg.terminal(figure) + "\n" + body(data: data, terminal: .paper) + "\nunset output\n"
  }

  /// Commands that draw pixels to stdout in sixel.
  public func sixelScript(data: String) -> String {
    let scale = 96 / 2.54
    return "set terminal sixelgd noenhanced truecolor size \(Int(figure.size.width * scale)),\(Int(figure.size.height * scale))\n"
      + body(data: data, terminal: .paper) + "\n"
  }

  private enum Medium { case paper, text }

  private func body(data: String, terminal: Medium) -> String {
    var lines = ["set encoding utf8", "set datafile missing 'NaN'"]
    if terminal == .paper {
      lines += [
        "set border 3 linewidth 0.6 linecolor rgb '#444444'", "set tics nomirror out scale 0.6 textcolor rgb '#222222'",
        "set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'",
      ]
    } else {
      lines += ["set tics nomirror", "unset grid"]
    }
    let many = figure.panels.count > 1
    if many {
      let title = figure.title.map { " title \(Self.quoted($0))" } ?? ""
      lines.append("set multiplot layout \(figure.rows),\(figure.columns)\(title)")
    }
    var index = 0
    // A figure without anything in it is an empty set of axes.
    for panel in figure.panels.isEmpty ? [Panel()] : figure.panels {
      let title = panel.title ?? (many ? nil : figure.title)
      lines += commands(panel, title: title, data: data, firstIndex: index, terminal)
      index += panel.layers.count
    }
    if many { lines.append("unset multiplot") }
    return lines.joined(separator: "\n")
  }

  private func commands(
    _ panel: Panel, title: String?, data: String, firstIndex: Int, _ medium: Medium
  ) -> [String] {
    var lines = [title.map { "set title \(Self.quoted($0)) offset 0,-0.4" } ?? "unset title"]
    lines += axis("x", panel.x, medium) + axis("y", panel.y, medium)
    if panel.x.range == nil { lines.append(Self.xRange(panel)) }
    lines.append(key(panel))
    lines += ["unset arrow", "set cbrange [*:*]", "set size nosquare"]
    // What a heat map set aside comes back for the next panel.
    if medium == .paper { lines += ["set tics scale 0.6", "set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'"] }
    for marks in panel.marks {
      for place in marks.places where place.isFinite {
        lines.append(
          "set arrow from first \(Self.cell(place)), graph 0 to first \(Self.cell(place)), graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'"
        )
      }
    }
    lines += ["unset label", "unset object"]
    for (i, span) in panel.spans.enumerated() {
      let ends = "from first \(Self.cell(span.from)), graph 0 to first \(Self.cell(span.to)), graph 1"
      lines.append("set object \(i + 1) rectangle \(ends) behind fillcolor rgb '#000000' fillstyle transparent solid 0.07 noborder")
      if let label = span.label {
        let middle = Self.cell((span.from + span.to) / 2)
        lines.append("set label \(Self.quoted(label)) at first \(middle), graph 0.96 center noenhanced textcolor rgb '#555555'")
      }
    }
    for note in panel.notes {
      lines.append(
        "set label \(Self.quoted(note.text)) at first \(Self.cell(note.x)), first \(Self.cell(note.y)) left noenhanced offset 0.4,0.2")
    }
    var plots: [String] = []
    // Bars of several layers stand side by side.
    let barLayers = panel.layers.indices.filter { if case .bars = panel.layers[$0] { true } else { false } }
    for (i, layer) in panel.layers.enumerated() {
      let group = barLayers.firstIndex(of: i).map { (place: $0, count: barLayers.count) }
      plots += plot(layer, index: firstIndex + i, style: i, data: data, medium, group)
    }
    for marks in panel.marks {
      guard let label = marks.label else { continue }
      plots.append("NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title \(Self.quoted(label))")
    }
    if panel.layers.contains(where: { if case .heatmap = $0 { true } else { false } }) {
      lines += heatmapSettings(panel)
    } else if let bars = panel.layers.lazy.compactMap({ if case .bars(let bars) = $0 { bars } else { nil } }).first {
      let names = bars.names.enumerated().map { "\(Self.quoted($1)) \($0)" }.joined(separator: ", ")
      let width = Self.number(0.8 / Double(max(1, barLayers.count)) * (barLayers.count > 1 ? 0.92 : 0.875))
      let isPositive = panel.layers.allSatisfy { if case .bars(let bars) = $0 { bars.values.allSatisfy { $0 >= 0 } } else { true } }
      // Bars that do not begin at 0 mislead.
      if panel.y.range == nil && !panel.y.logarithmic && isPositive { lines.append("set yrange [0:*]") }
      lines += ["set xtics (\(names))", "set boxwidth \(width)", "set style fill solid 0.85 noborder"]
    } else if let boxes = panel.layers.lazy.compactMap({ if case .boxes(let boxes) = $0 { boxes } else { nil } }).first {
      let names = boxes.groups.enumerated().map { "\(Self.quoted($1.name)) \($0)" }.joined(separator: ", ")
      lines += [
        "set xtics (\(names))", "set boxwidth 0.45", "set style fill solid 0.35 border",
        "set xrange [-0.6:\(Self.cell(Double(boxes.groups.count) - 0.4))]",
      ]
    } else if panel.layers.contains(where: { if case .histogram = $0 { true } else { false } }) {
      lines.append("set style fill solid 0.6 border rgb '#FFFFFF'")
      if panel.y.range == nil && !panel.y.logarithmic { lines.append("set yrange [0:*]") }
    }
    // An empty panel still has its axes.
    lines.append(plots.isEmpty ? "plot [0:1][0:1] NaN notitle" : "plot " + plots.joined(separator: ", \\\n     "))
    return lines
  }

  private func axis(_ name: String, _ axis: Axis, _ medium: Medium) -> [String] {
    let offset = medium == .text ? "" : name == "x" ? " offset 0,0.4" : " offset 0.8,0"
    var lines = [axis.label.map { "set \(name)label \(Self.quoted($0))\(offset)" } ?? "unset \(name)label"]
    lines.append(axis.logarithmic ? "set logscale \(name)" : "unset logscale \(name)")
    if let range = axis.range {
      lines.append("set \(name)range [\(Self.cell(range.lowerBound)):\(Self.cell(range.upperBound))]")
    } else {
      lines.append("set \(name)range [*:*]")
    }
    lines.append("set \(name)tics autofreq")
    return lines
  }

  /// The x axis begins and ends with the data, a little wider so that the last point is whole.
  private static func xRange(_ panel: Panel) -> String {
    // Bars and boxes have room on both sides.
    let own = panel.layers.allSatisfy { if case .line = $0 { true } else { false } }
    let xs = panel.layers.flatMap { layer -> [Double] in
      if case .line(let line) = layer, own { line.points.map(\.x).filter(\.isFinite) } else { [] }
    }
    guard let low = xs.min(), let high = xs.max(), high > low, !panel.x.logarithmic else { return "set xrange [*:*]" }
    return "set xrange [\(cell(low >= 0 ? 0 : low)):\(cell(high + (high - low) * 0.02))]"
  }

  private func key(_ panel: Panel) -> String {
    let labels = panel.layers.contains { layer in
      switch layer {
      case .line(let line): line.label != nil
      case .bars(let bars): bars.label != nil
      case .histogram(let histogram): histogram.label != nil
      case .heatmap, .boxes: false
      }
    }
    guard labels || panel.marks.contains(where: { $0.label != nil }) else { return "unset key" }
    let place: String
    switch panel.legend {
    case .none: return "unset key"
    case .topLeft: place = "top left"
    case .topRight: place = "top right"
    case .bottomLeft: place = "bottom left"
    case .bottomRight: place = "bottom right"
    case .outside: place = "outside right top"
    case .automatic:
      // Bars leave no corner free.
      let isFilled = panel.layers.contains { layer in
        switch layer {
        case .bars, .histogram: true
        default: false
        }
      }
      place = isFilled ? "outside top center horizontal" : Self.freeCorner(panel)
    }
    return "set key \(place) Left reverse noenhanced samplen 2 spacing 1.1 width -1"
  }

  /// The corner with the fewest points of lines near it.
  private static func freeCorner(_ panel: Panel) -> String {
    let points = panel.layers.flatMap { layer -> [Layer.Point] in
      if case .line(let line) = layer { line.points.filter { $0.x.isFinite && $0.y.isFinite } } else { [] }
    }
    guard let left = points.map(\.x).min(), let right = points.map(\.x).max(), let low = points.map(\.y).min(),
      let high = points.map(\.y).max(), right > left, high > low
    else { return "top right" }
    let corners = [("bottom right", 1.0, 0.0), ("top left", 0.0, 1.0), ("top right", 1.0, 1.0), ("bottom left", 0.0, 0.0)]
    let counted = corners.map { name, cx, cy in
      (name, points.filter { abs(($0.x - left) / (right - left) - cx) < 0.5 && abs(($0.y - low) / (high - low) - cy) < 0.35 }.count)
    }
    return counted.min { $0.1 < $1.1 }?.0 ?? "top right"
  }

  private func heatmapSettings(_ panel: Panel) -> [String] {
    var lines = [
      "set palette defined (0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F')", "unset grid",
      "set size square", "set tics scale 0", "set xrange [-0.5:*] noextend", "set yrange [-0.5:*] noextend",
      "set colorbox", "set style fill solid 1 noborder",
    ]
    for case .heatmap(let map) in panel.layers {
      if let range = map.range {
        lines.append("set cbrange [\(Self.cell(range.lowerBound)):\(Self.cell(range.upperBound))]")
      }
      let side = Double(map.values.count)
      let wide = Double(map.values.first?.count ?? 0)
      lines.append("set xtics 0,\(max(1, Int(wide / 10)))")
      lines.append("set ytics 0,\(max(1, Int(side / 10)))")
      lines.append("set xrange [-0.5:\(Self.cell(wide - 0.5))]")
      lines.append("set yrange [-0.5:\(Self.cell(side - 0.5))]")
    }
    return lines
  }

  private func plot(
    _ layer: Layer, index: Int, style: Int, data: String, _ medium: Medium, _ group: (place: Int, count: Int)?
  ) -> [String] {
    let source = "\(Self.quoted(data)) index \(index)"
    let colour = figure.palette.colours[style % figure.palette.colours.count]
    func title(_ label: String?) -> String { label.map { "title \(Self.quoted($0))" } ?? "notitle" }
    switch layer {
    case .line(let line):
      if medium == .text {
        return [
          "\(source) using 1:2 with \(line.style == .points ? "points" : line.style == .steps ? "steps" : "lines") \(title(line.label))"
        ]
      }
      var plots: [String] = []
      if line.points.contains(where: { $0.low != nil }) {
        plots.append(
          "\(source) using 1:3:4 with filledcurves linecolor rgb '\(colour)' fillstyle transparent solid 0.18 noborder notitle")
      }
      let look = "linecolor rgb '\(colour)'"
      switch line.style {
      case .points:
        return plots + [
          "\(source) using 1:2 with points \(look) pointtype \([7, 5, 9, 13, 11][style % 5]) pointsize \(line.points.count > 500 ? "0.15" : "0.4") \(title(line.label))"
        ]
      case .steps: return plots + ["\(source) using 1:2 with steps linewidth 1.6 dashtype \(style % 4 + 1) \(look) \(title(line.label))"]
      case .lines: break
      }
      // Dashes and marks differ too, for grey print. Few points are marked each, many now and then.
      let every = max(1, line.points.count / 12)
      plots.append(
        "\(source) using 1:2 with linespoints linewidth 1.6 dashtype \(style % 4 + 1) linecolor rgb '\(colour)' pointtype \([7, 5, 9, 13, 11][style % 5]) pointsize 0.35 pointinterval \(every) \(title(line.label))"
      )
      return plots
    case .bars(let bars):
      let shift = group.map { (Double($0.place) - Double($0.count - 1) / 2) * 0.8 / Double($0.count) } ?? 0
      let place = shift == 0 ? "1" : "($1+(\(Self.number(shift))))"
      var plots = ["\(source) using \(place):2 with boxes linecolor rgb '\(colour)' \(title(bars.label))"]
      if bars.errors != nil {
        plots.append("\(source) using \(place):2:3 with yerrorbars linecolor rgb '#222222' linewidth 1 pointsize 0 notitle")
      }
      return plots
    case .histogram(let histogram):
      return ["\(source) using 1:2:3 with boxes linecolor rgb '\(colour)' \(title(histogram.label))"]
    case .boxes(let boxes):
      if medium == .text { return ["\(source) using 1:6:3:4 with yerrorbars notitle"] }
      var plots = [
        "\(source) using 1:2:3:4:5 with candlesticks linecolor rgb '\(colour)' linewidth 1 notitle whiskerbars 0.5",
        "\(source) using 1:6:6:6:6 with candlesticks linecolor rgb '#222222' linewidth 1.6 notitle",
      ]
      if boxes.groups.contains(where: { !$0.outside.isEmpty }) {
        plots.append("\(source) using 7:8 with points linecolor rgb '#444444' pointtype 6 pointsize 0.3 notitle")
      }
      return plots
    case .heatmap(let map):
      if let digits = map.digits, medium == .paper {
        // Dark cells have light letters; the middle of the range divides them.
        let all = map.values.flatMap { $0 }.filter(\.isFinite)
        let range = map.range ?? ((all.min() ?? 0)...max(all.max() ?? 1, all.min() ?? 0))
        let middle = Self.cell(range.lowerBound + 0.6 * (range.upperBound - range.lowerBound))
        let text =
          "\(source) matrix using 1:2:(sprintf('%.\(digits)f',$3)):($3 > \(middle) ? 0xFFFFFF : 0x222222) with labels textcolor rgb variable font ',6' notitle"
        return plot(.heatmap(.init(map.values, range: map.range)), index: index, style: style, data: data, medium, group) + [text]
      }
      // An image needs two rows and two columns.
      if map.values.count > 1 && (map.values.first?.count ?? 0) > 1 { return ["\(source) matrix with image pixels notitle"] }
      return [
        "\(source) matrix using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror linecolor palette fillstyle solid 1 noborder notitle"
      ]
    }
  }
}
