import Foundation

/// The gnuplot commands that draw the layers of a panel.
extension PanelCommands {
  /// The arguments of gnuplot's `plot`, layer by layer.
  func plots() -> [String] {
    var plots: [String] = []
    for (i, layer) in panel.layers.enumerated() { plots += plot(layer, i) }
    for marks in panel.marks {
      guard let label = marks.label else { continue }
      plots.append("NaN with lines dashtype 3 linewidth 1 linecolor rgb '\(theme.faint)' title \(text(label))")
    }
    return plots
  }

  private func title(_ label: String?) -> String { label.map { "title \(text($0))" } ?? "notitle" }
  private func scaled(_ size: Double) -> String { "\(PictureFormat.number(size * (theme.weight + 1) / 2))*srs_markers" }
  private func mark(_ style: Int) -> Int { [7, 5, 9, 13, 11][style % 5] }

  private func plot(_ layer: Layer, _ style: Int) -> [String] {
    let source = "\(Script.quoted(data)) index \(firstIndex + style)"
    let colours = figure.palette.colours(on: theme)
    let colour = colours[style % colours.count]
    switch layer {
    case .line(let line): return plot(line, style, source, colour)
    case .bars(let bars): return plot(bars, style, source, colour)
    case .histogram(let histogram):
      return ["\(source) using 1:2:3 with boxes linecolor rgb '\(colour)' \(title(histogram.label))"]
    case .boxes(let boxes): return plot(boxes, source, colour)
    case .heatmap(let map): return plot(map, source)
    case .stacks: return plotStacks(source, colours)
    }
  }

  private func plot(_ line: Layer.Line, _ style: Int, _ source: String, _ colour: String) -> [String] {
    let axes = line.onRight ? " axes x1y2" : ""
    if medium == .characters {
      let look = line.style == .points ? "points" : line.style == .steps ? "steps" : "lines"
      return ["\(source) using 1:2\(axes) with \(look) \(title(line.label))"]
    }
    var plots: [String] = []
    if line.points.contains(where: { $0.low != nil }) {
      plots.append(
        "\(source) using 1:3:4\(axes) with filledcurves linecolor rgb '\(colour)' fillstyle transparent solid 0.18 noborder notitle")
    }
    let look = "linecolor rgb '\(colour)'"
    switch line.style {
    case .points:
      return plots + [
        "\(source) using 1:2\(axes) with points \(look) pointtype \(mark(style)) pointsize \(scaled(line.points.count > 500 ? 0.15 : 0.4)) \(title(line.label))"
      ]
    case .steps:
      return plots + ["\(source) using 1:2\(axes) with steps linewidth 1.6 dashtype \(style % 4 + 1) \(look) \(title(line.label))"]
    case .lines: break
    }
    // Dash types and point types differ as well, for print in grey. Lines with many points have markers only now and then.
    let every = max(1, line.points.count / 12)
    plots.append(
      "\(source) using 1:2\(axes) with linespoints linewidth 1.6 dashtype \(style % 4 + 1) \(look) pointtype \(mark(style)) pointsize \(scaled(0.35)) pointinterval \(every) \(title(line.label))"
    )
    return plots
  }

  private func plot(_ bars: Layer.Bars, _ style: Int, _ source: String, _ colour: String) -> [String] {
    let groups = barGroups
    let group = groups.firstIndex { $0.contains(style) } ?? 0
    let shift = (Double(group) - Double(groups.count - 1) / 2) * 0.8 / Double(max(1, groups.count))
    let position = "($1+(\(PictureFormat.number(shift))))"
    let half = PictureFormat.number(barWidth / 2)
    var plots: [String]
    if bars.isStacked {
      // The parts of a stack have a border, so that they can be distinguished in grey. On a logarithmic axis, bars begin at
      // `foot` instead of 0.
      let base = foot.map { "($4 > 0 ? $4 : \(Script.cell($0)))" } ?? "4"
      let box = "\(position):($4+$2):(\(position)-\(half)):(\(position)+\(half)):\(base):($4+$2)"
      plots = [
        "\(source) using \(box) with boxxyerror linecolor rgb '\(colour)' fillstyle solid 0.85 border rgb '\(theme.background ?? "#FFFFFF")' \(title(bars.label))"
      ]
    } else {
      plots = ["\(source) using \(shift == 0 ? "1" : position):2 with boxes linecolor rgb '\(colour)' \(title(bars.label))"]
    }
    if bars.errors != nil {
      // gnuplot's own error bars leave a gap for their point.
      let bar = medium == .characters ? "($4+$2):3 with yerrorbars" : "($4+$2-$3):(0):(2*$3) with vectors heads size graph 0.012,90"
      plots.append("\(source) using \(position):\(bar) linecolor rgb '\(theme.ink)' linewidth 1 notitle")
    }
    return plots
  }

  private func plot(_ boxes: Layer.Boxes, _ source: String, _ colour: String) -> [String] {
    if medium == .characters { return ["\(source) using 1:6:3:4 with yerrorbars notitle"] }
    var plots = [
      "\(source) using 1:2:3:4:5 with candlesticks linecolor rgb '\(colour)' linewidth 1 notitle whiskerbars 0.5",
      "\(source) using 1:6:6:6:6 with candlesticks linecolor rgb '\(theme.ink)' linewidth 1.6 notitle",
    ]
    if boxes.groups.contains(where: { !$0.outside.isEmpty }) {
      plots.append("\(source) using 7:8 with points linecolor rgb '\(theme.faint)' pointtype 6 pointsize \(scaled(0.3)) notitle")
    }
    return plots
  }

  private func plot(_ map: Layer.Heatmap, _ source: String) -> [String] {
    var plots: [String]
    // gnuplot's images need at least two rows and two columns.
    if map.values.count > 1 && (map.values.first?.count ?? 0) > 1 {
      plots = ["\(source) matrix with image pixels notitle"]
    } else {
      plots = [
        "\(source) matrix using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror linecolor palette fillstyle solid 1 noborder notitle"
      ]
    }
    guard let digits = map.digits, medium != .characters else { return plots }
    // Text is light on dark cells and dark on light ones.
    let all = map.values.flatMap { $0 }.filter(\.isFinite)
    let range = map.range ?? ((all.min() ?? 0)...max(all.max() ?? 1, all.min() ?? 0))
    let middle = Script.cell(range.lowerBound + 0.6 * (range.upperBound - range.lowerBound))
    let (light, dark) = theme == .dark ? ("0x222222", "0xFFFFFF") : ("0xFFFFFF", "0x222222")
    let size = PictureFormat.number((figure.fontSize ?? theme.fontSize) * 0.75)
    plots.append(
      "\(source) matrix using 1:2:(sprintf('%.\(digits)f',$3)):($3 > \(middle) ? \(light) : \(dark)) with labels textcolor rgb variable font ',\(size)' notitle"
    )
    return plots
  }

  /// Draws blocks as boxes with their numbers, and a line from each block to its source block.
  private func plotStacks(_ source: String, _ colours: [String]) -> [String] {
    let half = "0.3"
    if medium == .characters { return ["\(source) using 1:2:(sprintf('%d',$3)) with labels notitle"] }
    let most = panel.layers.map { if case .stacks(let stacks) = $0 { stacks.sources.map(\.count).max() ?? 1 } else { 1 } }.max() ?? 1
    // The font size in points, limited by the height of a block.
    let size = PictureFormat.number(
      min((figure.fontSize ?? theme.fontSize) * 0.85, figure.size.height / Double(figure.rows) * 0.78 / Double(most + 1) * 28.35 * 0.62))
    func box(_ test: String, _ colour: String, _ name: String) -> String {
      "\(source) using (\(test) ? $1 : NaN):2:($1-\(half)):($1+\(half)):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '\(colour)' fillstyle solid 0.9 noborder title \(text(name))"
    }
    return [
      "\(source) using ($5+\(half)):6:($1-$5-2*\(half)):($2-$6) with vectors nohead linecolor rgb '\(theme.faint)' linewidth 0.7 notitle",
      box("$4 == 0", colours[1], "new"), box("$4 > 0", colours[0], "a copy"),
      "\(source) using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',\(size)' notitle",
    ]
  }
}
