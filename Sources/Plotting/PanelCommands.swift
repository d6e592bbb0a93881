import Foundation

/// The gnuplot commands for a panel.
struct PanelCommands {
  let panel: Panel
  let figure: Figure
  let data: String
  let firstIndex: Int
  let medium: GnuplotScript.Medium
  let theme: Theme
  private let isInset: Bool
  private let page: (columns: Int, lines: Int)?
  private let isCancelled: () -> Bool
  /// The position in the layout of the figure, from 0.
  private let row, column: Int

  typealias Script = GnuplotScript

  init(
    _ panel: Panel, of figure: Figure, data: String, firstIndex: Int, _ medium: GnuplotScript.Medium, position: Int, isInset: Bool = false,
    page: (columns: Int, lines: Int)? = nil, isCancelled: @escaping () -> Bool = { false }
  ) {
    self.page = page
    self.isCancelled = isCancelled
    self.panel = panel
    self.figure = figure
    self.data = data
    self.firstIndex = firstIndex
    self.medium = medium
    self.isInset = isInset
    theme = figure.theme
    (row, column) = isInset ? (0, 0) : (position / figure.columns, position % figure.columns)
  }

  func text(_ text: String) -> String { Script.text(text, medium) }
  /// The label of a tick mark, which gnuplot interprets as a format, so percent signs are doubled.
  private func tick(_ text: String) -> String {
    self.text(text).replacingOccurrences(of: Script.quoted("%").dropFirst().dropLast(), with: "%%")
  }
  private var ink: String { medium == .characters ? "" : " textcolor rgb '\(theme.ink)'" }
  private func has(_ test: (Layer) -> Bool) -> Bool { panel.layers.contains(where: test) }
  private var isSquare: Bool { has { if case .heatmap = $0 { true } else { false } } }
  private var onRight: Bool { has { if case .line(let line) = $0 { line.onRight } else { false } } }

  // MARK: The panel

  func lines(title: String?) -> [String] {
    var lines = [title.map { "set title \(text($0))\(ink) offset 0,-0.4" } ?? "unset title"]
    lines += axis("x", .x) + axis("y", .y) + (onRight ? axis("y2", .right) : ["unset y2label", "unset y2tics"])
    if medium != .characters {
      lines.append("set border \(onRight ? 11 : 3)")
      // Half of the last label of the x axis extends beyond the axis.
      let overhang = ticks(.x)?.labels.last.map { Double($0.count) / 2 + 1 }
      if !isInset { lines.append("set bmargin -1") }
      if !isInset { lines.append("set rmargin \(onRight ? -1 : overhang.map { Int($0.rounded(.up)) } ?? -1)") }
      if isInset { lines.append("set tics font ',\(PictureFormat.number((figure.fontSize ?? theme.fontSize) * 0.8))'") }
    }
    lines.append(key())
    lines += ["unset arrow", "set cbrange [*:*]"]
    if !isInset { lines.append("set size nosquare") }
    // Restore settings that a heat map in an earlier panel has changed.
    if medium != .characters { lines += ["set tics scale 0.6", "set grid ytics linewidth 0.4 linecolor rgb '\(theme.grid)'"] }
    lines += annotations()
    let plots = plots()
    lines += settings()
    // Draw the axes of an empty panel as well.
    lines.append(plots.isEmpty ? "plot [0:1][0:1] NaN notitle" : "plot " + plots.joined(separator: ", \\\n     "))
    return lines
  }

  private func annotations() -> [String] {
    var lines: [String] = []
    for marks in panel.marks {
      for position in marks.positions where position.isFinite {
        if isCancelled() { break }
        lines.append(
          "set arrow from first \(Script.cell(position)), graph 0 to first \(Script.cell(position)), graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '\(theme.faint)'"
        )
      }
    }
    lines += ["unset label", "unset object"]
    for (i, span) in panel.spans.enumerated() {
      let ends = "from first \(Script.cell(span.from)), graph 0 to first \(Script.cell(span.to)), graph 1"
      lines.append(
        "set object \(i + 1) rectangle \(ends) behind fillcolor rgb '\(theme.ink)' fillstyle transparent solid 0.07 noborder")
      if let label = span.label {
        let middle = Script.cell((span.from + span.to) / 2)
        lines.append("set label \(text(label)) at first \(middle), graph 0.96 center noenhanced textcolor rgb '\(theme.faint)'")
      }
    }
    for note in panel.notes {
      lines.append(
        "set label \(text(note.text)) at first \(Script.cell(note.x)), first \(Script.cell(note.y)) left noenhanced offset 0.4,0.2\(ink)")
    }
    return lines
  }

  // MARK: Axes

  private func axis(_ name: String, _ side: Panel.Side) -> [String] {
    let axis = panel[side]
    let isInner =
      !isInset
      && (side == .x ? figure.shared.x && row < (figure.panels.count - 1) / figure.columns : side == .y && figure.shared.y && column > 0)
    let offset =
      medium == .characters
      ? "" : side == .x ? " offset 0,0.4" : medium == .tex || isSquare ? "" : side == .y ? " offset 0.8,0" : " offset -0.8,0"
    let label = isInner ? nil : axis.label
    var lines = [label.map { "set \(name)label \(text($0))\(ink)\(offset)" } ?? "unset \(name)label"]
    lines.append(axis.logarithmic ? "set logscale \(name)" : "unset logscale \(name)")
    let ticks = ticks(side)
    if let range = ticks?.range ?? axis.range {
      lines.append("set \(name)range [\(Script.cell(range.lowerBound)):\(Script.cell(range.upperBound))]")
    } else {
      lines.append(side == .x ? xRange() : "set \(name)range [*:*]")
    }
    lines.append("set format \(name) '\(isInner ? "" : "%g")'")
    lines.append("set \(name)tics norotate autofreq")
    if let ticks, !isInner {
      let list = zip(ticks.labels, ticks.positions).map { "\(tick($0)) \(Script.cell($1))" }.joined(separator: ", ")
      lines.append("set \(name)tics (\(list))")
    }
    return lines
  }

  /// Tick marks that replace gnuplot's where these would be hard to read; else nil.
  private func ticks(_ side: Panel.Side) -> Ticks? {
    let axis = panel[side]
    guard !axis.logarithmic, let extent = axis.range ?? panel.extent(side) else { return nil }
    if let page {
      // A mark on every fourth line, and room for labels of ten characters.
      let most = side == .x ? page.columns / figure.columns / 14 : page.lines / figure.rows / 4
      return ticks(axis, side, extent, most, always: true)
    }
    let height = figure.size.height / Double(isInset ? 1 : figure.rows)
    guard side == .x else { return ticks(axis, side, extent, min(isInset ? 3 : 8, Int(height / (letter * 5))), always: isInset) }
    // Reduce the number of marks until their labels fit beside each other.
    let room = inside
    var most = isInset ? 3 : 8
    while true {
      let found = ticks(axis, side, extent, most, always: isInset)
      let longest = Double(found?.labels.map(\.count).max() ?? 0) * letter * 1.15
      if most <= 1 || Double(found?.labels.count ?? 0) * (longest + letter * 2) <= room + longest { return found }
      most -= 1
    }
  }

  /// The length of the x axis in centimetres.
  private var inside: Double { width - (isInset ? 0 : 1.4) - (onRight ? 1 : 0) }

  private func ticks(_ axis: Axis, _ side: Panel.Side, _ extent: ClosedRange<Double>, _ most: Int, always: Bool) -> Ticks? {
    let starts = extent.lowerBound >= 0 && axis.range == nil && extent.lowerBound < 0.5 * extent.upperBound ? 0 : extent.lowerBound
    let unit: Axis.Unit = side == .x && panel.isTimed ? .seconds : axis.unit
    return Ticks(
      starts, extent.upperBound, unit: unit, most: max(1, min(8, most)), isFixed: axis.range != nil || side == .x, always: always)
  }

  /// The range of the x axis: that of the data, slightly wider so that the last marker is not clipped.
  private func xRange() -> String {
    // Other layers than lines set their own range, with room on both sides.
    let own = panel.layers.allSatisfy { if case .line = $0 { true } else { false } }
    guard own, let extent = panel.extent(.x), extent.upperBound > extent.lowerBound, !panel.x.logarithmic else {
      return "set xrange [*:*]"
    }
    let (low, high) = (extent.lowerBound, extent.upperBound)
    return "set xrange [\(Script.cell(low >= 0 ? 0 : low)):\(Script.cell(high + (high - low) * 0.02))]"
  }

  /// Commands for the names under bars and boxes. They are wrapped, or slanted if they still do not fit.
  private func names(_ names: [String]) -> String {
    let room = Int((width - 1.4) / Double(max(1, names.count)) / letter)
    let isTight = medium == .paper && names.contains { $0.count > room }
    let wrapped = names.map { isTight ? Self.wrapped($0, room) : [$0] }
    // If single words are too long, the names are slanted, and very long ones are truncated.
    let isSlanted = isTight && wrapped.contains { $0.count > 3 || $0.contains { $0.count > room } }
    let labels =
      isSlanted
      ? names.map { tick($0.count > 20 ? $0.prefix(19) + "…" : $0) } : wrapped.map { $0.map(tick).joined(separator: ".\"\\n\".") }
    let list = labels.enumerated().map { "\($1) \($0)" }.joined(separator: ", ")
    let longest = min(20, names.map(\.count).max() ?? 0)
    let lines = isSlanted ? Int(Double(longest) * 0.27) + 1 : wrapped.map(\.count).max() ?? 1
    var commands = ["set xtics\(isSlanted ? " rotate by 40 right" : "") (\(list))"]
    if lines > 1 && !isInset {
      commands.append("set bmargin \(lines + (panel.x.label == nil ? 1 : 3))")
      // The label of the axis goes below the names.
      if let label = panel.x.label { commands.append("set xlabel \(text(label))\(ink) offset 0,\(isSlanted ? 0 : 1 - lines)") }
    }
    return commands.joined(separator: "\n")
  }

  /// A name split into lines at blanks.
  private static func wrapped(_ name: String, _ room: Int) -> [String] {
    var lines: [String] = []
    for word in name.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= room {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.isEmpty ? [name] : lines
  }

  /// The width of the panel and the average width of a character, in centimetres.
  private var width: Double { figure.size.width / Double(isInset ? 1 : figure.columns) }
  private var letter: Double { (figure.fontSize ?? theme.fontSize) * 0.018 * (isInset ? 0.8 : 1) }

  // MARK: Settings for types of layers

  private func settings() -> [String] {
    if has({ if case .stacks = $0 { true } else { false } }) { return stackSettings() }
    if has({ if case .heatmap = $0 { true } else { false } }) { return heatmapSettings() }
    if let bars = panel.layers.lazy.compactMap({ if case .bars(let bars) = $0 { bars } else { nil } }).first {
      let isPositive = panel.layers.allSatisfy { if case .bars(let bars) = $0 { bars.values.allSatisfy { $0 >= 0 } } else { true } }
      // Bars that do not begin at 0 are misleading.
      let begins = panel.y.range == nil && !panel.y.logarithmic && isPositive && ticks(.y) == nil ? ["set yrange [0:*]"] : []
      return begins + logarithmicFoot + [
        names(bars.names), "set boxwidth \(PictureFormat.number(barWidth))", "set style fill solid 0.85 noborder",
        "set xrange [-0.6:\(Script.cell(Double(bars.names.count) - 0.4))]",
      ]
    }
    if let boxes = panel.layers.lazy.compactMap({ if case .boxes(let boxes) = $0 { boxes } else { nil } }).first {
      return [
        names(boxes.groups.map(\.name)), "set boxwidth 0.45", "set style fill solid 0.35 border",
        "set xrange [-0.6:\(Script.cell(Double(boxes.groups.count) - 0.4))]",
      ]
    }
    if has({ if case .histogram = $0 { true } else { false } }) {
      return ["set style fill solid 0.6 border rgb '\(theme.background ?? "#FFFFFF")'"]
        + (panel.y.range == nil && !panel.y.logarithmic && ticks(.y) == nil ? ["set yrange [0:*]"] : []) + logarithmicFoot
    }
    return []
  }

  /// The lower end of bars on a logarithmic axis: below the smallest value, so that its bar is visible, and lower if the values
  /// span a large range. Nil if the axis is not logarithmic.
  var foot: Double? {
    guard panel.y.logarithmic else { return nil }
    if let range = panel.y.range { return range.lowerBound }
    var (low, high) = (Double.infinity, 0.0)
    for (layer, base) in zip(panel.layers, panel.barBases) {
      let values: [Double]
      switch layer {
      case .bars(let bars):
        values = bars.values.enumerated().flatMap { i, value in
          let top = (base?[i] ?? 0) + value
          return [top, top - (bars.errors?[i] ?? 0), base?[i] ?? top]
        }
      case .histogram(let histogram): values = histogram.counts
      case .line(let line): values = line.points.map(\.y)
      default: values = []
      }
      for value in values where value > 0 && value.isFinite {
        low = min(low, value)
        high = max(high, value)
      }
    }
    guard high > 0 else { return nil }
    return max(low / max(2, pow(high / low, 0.08)), 1e-300)
  }

  private var logarithmicFoot: [String] {
    guard panel.y.range == nil, let foot else { return [] }
    return ["set yrange [\(Script.cell(foot)):*]"]
  }

  /// The indices of the layers of bars, grouped by position: stacked layers are one group, other layers one each.
  var barGroups: [[Int]] {
    var groups: [[Int]] = []
    var stack: Int?
    for (i, layer) in panel.layers.enumerated() {
      guard case .bars(let bars) = layer else { continue }
      if bars.isStacked, let stack {
        groups[stack].append(i)
      } else {
        if bars.isStacked { stack = groups.count }
        groups.append([i])
      }
    }
    return groups
  }

  var barWidth: Double { 0.8 / Double(max(1, barGroups.count)) * (barGroups.count > 1 ? 0.92 : 0.875) }

  private func heatmapSettings() -> [String] {
    let colours =
      theme == .dark
      ? "0 '#1B1E23', 0.25 '#17406B', 0.5 '#2272A8', 0.75 '#6FB7DD', 1 '#F2F8FC'"
      : "0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F'"
    var lines = [
      "set palette defined (\(colours))", "unset grid", isInset ? "" : "set size square", "set tics scale 0",
      "set xrange [-0.5:*] noextend", "set yrange [-0.5:*] noextend", "set colorbox", "set style fill solid 1 noborder",
    ]
    for case .heatmap(let map) in panel.layers {
      if let range = map.range {
        lines.append("set cbrange [\(Script.cell(range.lowerBound)):\(Script.cell(range.upperBound))]")
      }
      let side = Double(map.values.count)
      let wide = Double(map.values.first?.count ?? 0)
      lines.append("set xtics 0,\(max(1, Int(wide / 10)))")
      lines.append("set ytics 0,\(max(1, Int(side / 10)))")
      lines.append("set xrange [-0.5:\(Script.cell(wide - 0.5))]")
      lines.append("set yrange [-0.5:\(Script.cell(side - 0.5))]")
    }
    return lines.filter { !$0.isEmpty }
  }

  private func stackSettings() -> [String] {
    var lines = ["unset grid", "set tics scale 0", "unset ytics", "unset border", "set style fill solid 0.9 noborder"]
    for case .stacks(let stacks) in panel.layers {
      let maximumDepth = Double(stacks.sources.map(\.count).max() ?? 1)
      lines += [
        names(stacks.names), "set xrange [-0.5:\(Script.cell(Double(stacks.names.count) - 0.5))]",
        "set yrange [-0.7:\(Script.cell(maximumDepth - 0.3))]",
      ]
    }
    return lines
  }

  // MARK: Legend

  private func label(_ layer: Layer) -> String? {
    switch layer {
    case .line(let line): line.label
    case .bars(let bars): bars.label
    case .histogram(let histogram): histogram.label
    case .heatmap, .boxes, .stacks: nil
    }
  }

  /// The labels of the legend; empty if there is none.
  private var entries: [String] {
    if panel.legend == .none { return [] }
    // Panels with shared axes and the same labels have one legend, in the first panel.
    if figure.shared != .none && !isInset && (row, column) != (0, 0), panel.layers.map(label) == figure.panels[0].layers.map(label) {
      return []
    }
    return panel.layers.compactMap(label) + panel.marks.compactMap(\.label)
  }

  private var legendRoom: LegendRoom {
    if let page {
      let columns = Double(page.columns / figure.columns)
      return LegendRoom(
        width: columns - 4, inside: columns - 12, needed: Double(entries.map(\.count).max() ?? 0) + 8, size: 1, smallest: 1)
    }
    let size = (figure.fontSize ?? theme.fontSize) * (isInset ? 0.8 : 1)
    // A point is 0.0353 cm. The sample and the gap beside a label are 2.5 times the font size wide.
    let longest = entries.map(LegendRoom.width).max() ?? 0
    return LegendRoom(width: width - 0.3, inside: inside, needed: (longest + 2.5) * size * 0.0353, size: size, smallest: min(5, size))
  }

  /// Why the legend cannot be drawn; nil if it can.
  var problem: PlottingError? {
    let entries = entries
    guard medium != .tex, !entries.isEmpty, legendRoom.sizeAbove == nil, let longest = entries.max(by: { $0.count < $1.count }) else {
      return nil
    }
    return PlottingError(
      message: "the legend does not fit: its label \"\(longest.prefix(20))…\" has \(longest.count) letters",
      help: "shorten it, make the figure wider, or omit the legend with legend: none")
  }

  private func key() -> String {
    guard !entries.isEmpty else { return "unset key" }
    let room = legendRoom
    var position: String
    var isAbove = false
    switch panel.legend {
    case .none: return "unset key"
    case .topLeft: position = "top left"
    case .topRight: position = "top right"
    case .bottomLeft: position = "bottom left"
    case .bottomRight: position = "bottom right"
    case .outside: position = "outside right top"
    case .automatic:
      // Bars leave no corner free, so their legend goes outside.
      let isFilled = has {
        switch $0 {
        case .bars, .histogram: true
        default: false
        }
      }
      let labels = panel.layers.count { label($0) != nil }
      isAbove = isFilled && room.fitsBeside
      position =
        isAbove ? "outside top center horizontal" : isFilled ? "" : labels > 8 ? "outside right top" : room.fitsInCorner ? freeCorner() : ""
    }
    // A legend that does not fit there goes above the axes, with one label per line.
    let hasRoom = position.hasPrefix("outside right") ? room.fitsBeside : isAbove || room.needed <= 0.85 * room.inside
    if position.isEmpty || !hasRoom { position = "tmargin left vertical maxcols 1" }
    let isSmall =
      medium == .paper && (position.hasPrefix("outside top") || position.hasPrefix("tmargin")) && (room.sizeAbove ?? room.size) < room.size
    let size = isSmall ? "," + PictureFormat.number(((room.sizeAbove ?? room.size) * 10).rounded(.down) / 10) : ""
    let font = medium == .characters ? "" : " font '\(size)'"
    // gnuplot counts the characters of TeX commands, which do not appear in the document.
    let commands = medium == .tex ? (entries.map { Script.escapedForTeX($0).count }.max() ?? 0) - (entries.map(\.count).max() ?? 0) : 0
    let long = medium == .tex && position.hasPrefix("tmargin") ? max(0, (entries.map(\.count).max() ?? 0) - 20) : 0
    return
      "set key \(position) Left reverse noenhanced samplen 2 spacing 1.1 width \((onRight ? 1 : -1) - commands - long)\(font)\(ink)"
  }

  /// The corner with the fewest points of lines near it, except corners with insets.
  private func freeCorner() -> String {
    func shares(_ line: Layer.Line) -> [(x: Double, y: Double)] {
      let finite = line.points.filter { $0.x.isFinite && $0.y.isFinite }
      guard let x = panel.x.range ?? panel.extent(.x),
        let y = panel[line.onRight ? .right : .y].range ?? panel.extent(line.onRight ? .right : .y),
        x.upperBound > x.lowerBound, y.upperBound > y.lowerBound
      else { return [] }
      return finite.map {
        (
          ($0.x - x.lowerBound) / (x.upperBound - x.lowerBound), ($0.y - y.lowerBound) / (y.upperBound - y.lowerBound)
        )
      }
    }
    let points = panel.layers.flatMap { layer -> [(x: Double, y: Double)] in
      if case .line(let line) = layer { shares(line) } else { [] }
    }
    guard !points.isEmpty else { return "top right" }
    let corners = [("bottom right", 1.0, 0.0), ("top left", 0.0, 1.0), ("top right", 1.0, 1.0), ("bottom left", 0.0, 0.0)]
    let counted = corners.map { name, cx, cy in
      let taken = panel.insets.contains { abs($0.x + $0.width / 2 - cx) < 0.5 && abs($0.y + $0.height / 2 - cy) < 0.5 }
      return (name, taken ? Int.max : points.count { abs($0.x - cx) < 0.5 && abs($0.y - cy) < 0.35 })
    }
    return counted.min { $0.1 < $1.1 }?.0 ?? "top right"
  }
}
