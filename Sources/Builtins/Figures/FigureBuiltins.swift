import Basics
import Datasets
import Evaluation
import Foundation
import Interpreter
import Plotting
import Syntax
import Training

/// The quantity on the x axis of a run's curve.
enum RunAxis: String, Sendable, CaseIterable {
  case steps, epochs, seconds
  case cpuSeconds = "cpu_seconds"

  func value(_ point: HistoryPoint) -> Double {
    switch self {
    case .steps: Double(point.step)
    case .epochs: point.epoch
    case .seconds: point.seconds
    case .cpuSeconds: point.cpuSeconds
    }
  }
}

/// The quantity on the y axis of a run's curve.
enum RunMeasure: Sendable {
  case metric(Metric)
  case loss
}

extension Builtin {
  static let figures: [Builtin] =
    [
      figure.known(as: "plot", "chart", "graph", "picture", "draw"), panel.known(as: "subplot", "facet"),
      line.known(as: "plot", "curve", "learning curve"), bars.known(as: "plot", "bar chart"), heatmap.known(as: "plot", "matrix", "imshow"),
      vlines,
      axis.known(as: "xlabel", "ylabel", "log scale", "legend"), show.known(as: "plot", "display"),
      save.known(as: "export", "savefig", "write model", "to_csv"),
    ] + layers

  static let figure = Builtin(
    "figure", "Creates an empty figure. Pipe it into `line`, `bars`, `vlines`, `axis` and other functions to add to it.", topic: "Figures",
    returns: .object(FigureValue.type), example: "let fig = figure(size: (8.4cm, 5.6cm), title: \"Convergence\")"
  ) { d in
    let size = d.named(
      "size",
      Kind<Double>.length.list.checked {
        $0.count == 2 && $0.allSatisfy { $0 >= 1 && $0 <= 200 } ? nil : "must be width and height, from 1cm to 200cm: (8.4cm, 5.6cm)"
      },
      default: [8.4, 5.6], "(8.4cm, 5.6cm)", "width and height; for theme slides the default is 25.4cm by 14.3cm")
    let width = d.optional(
      "width", Kind<PaperWidth>.word,
      "instead of `size`: the width of a column or page of a paper format; the height of a panel is two thirds of its width")
    let title = d.optional("title", .text, "title above the figure")
    let palette = d.named("palette", Kind<Palette>.word, default: .okabeIto, "okabe_ito", "colours of the layers")
    let layout = d.named(
      "layout",
      Kind<Int>.whole(from: 1, to: 20).list.checked { $0.count == 2 ? nil : "must be rows and columns of panels: (1, 2)" },
      default: [1, 1], "(1, 1)", "rows and columns of panels")
    let theme = d.named(
      "theme", Kind<Theme>.word, default: .paper, "paper", "for a paper, for slides (larger text and lines), or for a dark background")
    let font = d.optional(
      "font",
      Kind<String>.text.checked {
        $0.isEmpty || $0.count > 80 || $0.contains { !($0.isLetter || $0.isNumber || $0 == " " || $0 == "-") }
          ? "must be the name of a font: letters, digits, spaces and hyphens" : nil
      }, "name of an installed font; default: Liberation Sans")
    let fontSize = d.optional(
      "font_size", Kind<Double>.number.checked { $0 >= 3 && $0 <= 100 ? nil : "must be from 3 to 100 points" },
      "font size in points; default: that of the theme")
    let shared = d.named(
      "share", Kind<SharedAxes>.word, default: .none, "none", "axes that the panels share; shared panels also share the legend")
    return { call in
      let look = try call[theme]
      let panels = try call[layout]
      var sides: [Double]? = call.given(size) || look != .slides ? try call[size] : nil
      if let paper = try call[width] {
        if call.given(size) {
          throw call.error(.badValue, "`size` and `width` cannot be combined: both set the width of the figure", argument: "width")
        }
        let height = paper.centimetres / Double(panels[1]) * Double(panels[0]) * 2 / 3
        sides = [paper.centimetres, (max(4, height) * 10).rounded() / 10]
      }
      return .object(
        FigureValue(
          Figure(
            size: sides.map { .init(width: $0[0], height: $0[1]) }, title: try call[title], palette: try call[palette],
            rows: panels[0], columns: panels[1], theme: look, font: try call[font], fontSize: try call[fontSize],
            shared: try call[shared])))
    }
  }

  /// A copy of the figure with its last panel changed. A figure without panels gets one first.
  static func changed(_ value: FigureValue, _ body: (inout Panel) -> Void) -> Value {
    var figure = value.figure
    if figure.panels.isEmpty { figure.panels.append(Panel()) }
    body(&figure.panels[figure.panels.count - 1])
    return .object(FigureValue(figure))
  }

  static let line = Builtin(
    "line",
    "Adds a curve: of a run (`x: seconds, y: mrr@5`), of the mean of several runs with a band, or of two lists of numbers.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([1, 2, 3], y: [2, 4, 8], label: \"doubling\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let what = d.positional("data", .any, "a run, a list of runs, or the x values")
    let x = d.named("x", Kind<RunAxis>.word, default: .steps, "steps", "for runs: the quantity on the x axis")
    let y = d.named("y", .curve, "for runs: a metric or `loss`; for x values: the list of y values")
    let label = d.optional("label", .text, "name in the legend")
    let style = d.named("style", Kind<Layer.Line.Style>.word, default: .lines, "lines", "lines between the points, points only, or steps")
    let band = d.named(
      "band", Kind<Band>.word, default: .range, "range",
      "the band around the mean of several runs: from minimum to maximum, one standard deviation, or the 95 % confidence interval of the mean"
    )
    let side = d.named("on", Kind<LineSide>.word, default: .left, "left", "which y axis the curve belongs to: the left or the right one")
    return { call in
      let onRight = try call[side] == .right
      let source = try call[what]
      let axis = try call[x]
      let points: [Layer.Point]
      switch try call[y] {
      case .measure(let measure): points = try curve(call, source, axis, measure, try call[band])
      case .numbers(let ys):
        guard let xs = try numbers(source, call), xs.count == ys.count else {
          throw call.error(
            .badValue, "`data` and `y` of `line` must be lists of numbers of the same length; y has \(ys.count)", argument: "data")
        }
        let work = call.work
        points = try zip(xs, ys).map { x, y in
          try work.step()
          return Layer.Point(x, y)
        }
      }
      let (title, look) = (try call[label], try call[style])
      let isOfNumbers = try numbers(source, call) != nil
      return changed(try call[figure]) { panel in
        panel.layers.append(.line(.init(points, label: title, style: look, onRight: onRight)))
        if !isOfNumbers { panel.xUnit = axis.rawValue }
      }
    }
  }

  /// The numbers of a list; nil for other values.
  ///
  /// - Throws: E0801 after an interrupt.
  static func numbers(_ value: Value, _ call: Call) throws -> [Double]? {
    guard let elements = value.sequence else { return nil }
    let work = call.work
    var numbers: [Double] = []
    numbers.reserveCapacity(elements.count)
    for element in elements {
      try work.step()
      guard case .number(let number) = element else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  enum LineSide: String, Sendable, CaseIterable { case left, right }
  enum Band: String, Sendable, CaseIterable { case range, std, ci95 }

  private static func runs(_ value: Value) -> [TrainingRun]? {
    if case .object(let object) = value { return (object as? RunValue).map { [$0.run] } }
    guard case .list(let values) = value, !values.isEmpty else { return nil }
    let runs = values.compactMap { value -> TrainingRun? in
      if case .object(let object) = value { (object as? RunValue)?.run } else { nil }
    }
    return runs.count == values.count ? runs : nil
  }

  /// The curve of a run, or the mean of several runs at each of their common evaluations, with a band.
  private static func curve(
    _ call: Call, _ value: Value, _ axis: RunAxis, _ measure: RunMeasure, _ band: Band
  ) throws -> [Layer.Point] {
    guard let runs = runs(value) else {
      throw call.error(
        .wrongType, "with a metric or `loss` for `y`, `data` of `line` must be a run or a list of runs, not \(value.described)",
        argument: "data")
    }
    if let other = runs.dropFirst().first(where: { !$0.isValidated(like: runs[0]) }), case .metric = measure {
      throw call.error(
        .badValue, "\(runs[0].name) and \(other.name) were evaluated on different sequences, or among different items", argument: "data",
        help: "the mean needs runs on the same split")
    }
    let curves = runs.map { run in
      run.history.compactMap { point -> (x: Double, y: Double)? in
        let y: Double? =
          switch measure {
          case .metric(let metric): point.metrics[metric]
          case .loss: point.loss
          }
        return y.map { (axis.value(point), $0) }
      }
    }
    guard curves.allSatisfy({ !$0.isEmpty }) else {
      throw call.error(
        .badValue, "a run was not evaluated on that metric", argument: "y", help: "name it in the training: metrics: [...]")
    }
    if curves.count == 1 { return curves[0].map { Layer.Point($0.x, $0.y) } }
    return (0..<(curves.map(\.count).min() ?? 0)).map { i in
      let ys = curves.map { $0[i].y }
      let n = Double(curves.count)
      let mean = ys.reduce(0, +) / n
      let x = curves.map { $0[i].x }.reduce(0, +) / n
      let half: Double
      switch band {
      case .range: return Layer.Point(x, mean, low: ys.min(), high: ys.max())
      case .std: half = SampleStatistics.deviation(ys)
      case .ci95: half = Significance.interval95(ys) ?? 0
      }
      return Layer.Point(x, mean, low: mean - half, high: mean + half)
    }
  }

  static let bars = Builtin(
    "bars", "Adds a bar for every field of a record of numbers. Bars of several calls are drawn side by side, or stacked.",
    topic: "Figures",
    returns: .object(FigureValue.type),
    example: "let fig = figure() |> bars({ adjacent: 2.1, cross: 1.8 }) |> axis(y: \"speed-up\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let values = d.positional("values", .record, "name: height of the bar")
    let errors = d.optional("errors", .record, "name: half the length of the error bar")
    let label = d.optional("label", .text, "name in the legend")
    let stacked = d.named(
      "stacked", .bool, default: false, "false", "stack these bars on the stacked bars before them, instead of beside them")
    return { call in
      let heights = try call[values]
      func number(_ record: Record, _ key: String, _ argument: String) throws -> Double {
        guard case .number(let number)? = record[key] else {
          throw call.error(.wrongType, "`\(argument)` of bars needs a number for \"\(key)\"", argument: argument)
        }
        return number
      }
      let bars = Layer.Bars(
        names: heights.keys, values: try heights.keys.map { try number(heights, $0, "values") },
        errors: try call[errors].map { record in try heights.keys.map { try number(record, $0, "errors") } },
        label: try call[label], isStacked: try call[stacked])
      if bars.isStacked, bars.values.contains(where: { $0 < 0 }) {
        throw call.error(.badValue, "stacked bars must not be negative", argument: "values")
      }
      let base = try call[figure]
      let first = base.figure.panels.last?.layers.lazy.compactMap { if case .bars(let other) = $0 { other } else { nil } }.first
      if let first, first.names != bars.names {
        throw call.error(
          .badValue,
          "these bars are named \(bars.names.joined(separator: ", ")), but those before are named \(first.names.joined(separator: ", "))",
          argument: "values", help: "all bars of a panel need the same names in the same order")
      }
      return changed(base) { $0.layers.append(.bars(bars)) }
    }
  }

  static let vlines = Builtin(
    "vlines",
    "Adds vertical lines: at the growths of a run, in the unit of the x axis of the last curve, or at given numbers.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([0, 1], y: [0, 1]) |> vlines([0.5], label: \"half\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let places = d.positional("places", .sequence, "the `growths` of a run, or a list of numbers")
    let label = d.optional("label", .text, "name in the legend")
    return { call in
      let base = try call[figure]
      let unit = base.figure.panels.last?.xUnit
      let keys = ["steps": "step", "epochs": "epoch", "seconds": "seconds"]
      let xs = try call[places].map { value -> Double in
        if case .number(let number) = value { return number }
        if case .record(let record) = value, case .number(let number)? = record[keys[unit ?? "steps"] ?? "step"] {
          return number
        }
        throw call.error(.wrongType, "`places` of `vlines` must contain numbers or growths, not \(value.described)", argument: "places")
      }
      let title = try call[label]
      return changed(base) { $0.marks.append(Marks(xs, label: title)) }
    }
  }

  static let axis = Builtin(
    "axis", "Sets the labels, ranges and scales of the axes, and the position of the legend.", topic: "Figures",
    returns: .object(FigureValue.type),
    example: "let fig = figure() |> axis(x: \"step\", y: \"MRR@5\", legend: bottom_right)"
  ) { d in
    let pair = Kind<Double>.number.list.checked {
      $0.count == 2 && $0[0] < $0[1] ? nil : "must be two numbers, the smaller first: (0, 1)"
    }
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let x = d.optional("x", .text, "label of the x axis")
    let y = d.optional("y", .text, "label of the y axis")
    let xRange = d.optional("x_range", pair, "range of the x axis")
    let yRange = d.optional("y_range", pair, "range of the y axis")
    let logX = d.named("log_x", .bool, default: false, "false", "a logarithmic x axis")
    let logY = d.named("log_y", .bool, default: false, "false", "a logarithmic y axis")
    let legend = d.named("legend", Kind<Legend>.word, default: .automatic, "automatic", "position of the legend")
    let right = d.optional("right", .text, "label of the right y axis, for lines with `on: right`")
    let rightRange = d.optional("right_range", pair, "range of the right y axis")
    let logRight = d.named("log_right", .bool, default: false, "false", "a logarithmic right y axis")
    let xUnit = d.named("x_unit", Kind<Axis.Unit>.word, default: .none, "none", "seconds: label long times in minutes or hours")
    let yUnit = d.named("y_unit", Kind<Axis.Unit>.word, default: .none, "none", "the same for the y axis")
    return { call in
      let (xName, yName) = (try call[x], try call[y])
      let (xEnds, yEnds) = (try call[xRange], try call[yRange])
      let (xLog, yLog, position) = (try call[logX], try call[logY], try call[legend])
      let (rightName, rightEnds, rightLog) = (try call[right], try call[rightRange], try call[logRight])
      let (unitOfX, unitOfY) = (try call[xUnit], try call[yUnit])
      return changed(try call[figure]) { panel in
        if let xName { panel.x.label = xName }
        if let yName { panel.y.label = yName }
        if let xEnds { panel.x.range = xEnds[0]...xEnds[1] }
        if let yEnds { panel.y.range = yEnds[0]...yEnds[1] }
        if let rightName { panel.right.label = rightName }
        if let rightEnds { panel.right.range = rightEnds[0]...rightEnds[1] }
        panel.right.logarithmic = rightLog
        (panel.x.unit, panel.y.unit) = (unitOfX, unitOfY)
        panel.x.logarithmic = xLog
        panel.y.logarithmic = yLog
        panel.legend = position
      }
    }
  }

  static let show = Builtin(
    "show", "Draws a figure in the terminal, or prints any other value.", topic: "Figures", returns: .nothing,
    example: "show({ depth: 16 })  #> { depth: 16 }"
  ) { d in
    let value = d.positional("value", .any, "the value to show")
    let window = d.named("window", .bool, default: false, "false", "draw a figure in a window instead")
    return { call in
      let what = try call[value]
      let host = call.interpreter.host
      let isWindow = try call[window]
      guard case .object(let object) = what, let figure = object as? FigureValue else {
        host.write(what.shown + "\n")
        return .nothing
      }
      let drawsLetters = isWindow || host.terminalPictures != .none
      for note in figure.figure.notes(drawsLetters: drawsLetters && !host.collectsPictures) { host.note(note) }
      if host.collectsPictures {
        host.picture(try call.engine { try call.gnuplot.svg(figure.figure) })
        return .nothing
      }
      if isWindow {
        guard Gnuplot.hasDisplay else {
          throw call.error(
            .figure, "there is no display to open a window on", argument: "window", help: "remove `window`, or save the figure")
        }
        try call.engine { try call.gnuplot.window(figure.figure) }
        return .nothing
      }
      let picture = try call.engine {
        switch host.terminalPictures {
        case .sixel: return try call.gnuplot.sixel(figure.figure)
        case .kitty:
          let columns = max(20, min(host.width - 2, Int(figure.figure.size.width * 6)))
          return KittyPicture.text(png: try call.gnuplot.png(figure.figure), columns: columns)
        case .none: break
        }
        return try call.gnuplot.text(figure.figure, columns: max(40, min(host.width, 100) - 1), lines: 22)
      }
      host.draw(picture.hasSuffix("\n") ? picture : picture + "\n")
      return .nothing
    }
  }
}

/// What the argument `y` of `line` may be.
enum CurveSource {
  case measure(RunMeasure)
  case numbers([Double])
}

extension Kind where T == CurveSource {
  static var curve: Kind<CurveSource> {
    Kind(.oneOf([.metric, .list(.number), .range, .word("loss")]), words: ["loss"]) { value throws(ConversionError) in
      switch value {
      case .metric(let name):
        guard let metric = Metric(name) else { throw .type }
        return .measure(.metric(metric))
      case .word("loss"), .text("loss"): return .measure(.loss)
      case .word(let word), .text(let word): throw .word(word)
      default:
        guard let elements = value.sequence else { throw .type }
        var numbers: [Double] = []
        for element in elements {
          guard case .number(let number) = element else { throw .type }
          numbers.append(number)
        }
        return .numbers(numbers)
      }
    }
  }
}
