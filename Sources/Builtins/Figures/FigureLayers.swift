import Basics
import Foundation
import Growth
import Interpreter
import Plotting
import Syntax

/// Widths of columns and pages of common paper formats.
enum PaperWidth: String, Sendable, CaseIterable {
  case acmColumn = "acm_column"
  case acmPage = "acm_page"
  case ieeeColumn = "ieee_column"
  case ieeePage = "ieee_page"
  case lncs, neurips

  var centimetres: Double {
    switch self {
    case .acmColumn: 8.4
    case .acmPage: 17.7
    case .ieeeColumn: 8.8
    case .ieeePage: 18.1
    case .lncs: 12.2
    case .neurips: 13.9
    }
  }
}

// Layers other than lines, bars and heat maps.
extension Builtin {
  static let layers: [Builtin] = [histogram.known(as: "plot", "distribution"), boxplot.known(as: "plot"), span, note, inset, stacks]

  static let histogram = Builtin(
    "histogram", "Adds a histogram of a list of numbers.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> histogram([1, 2, 2, 3, 3, 3], bins: 3) |> axis(x: \"length\", y: \"histories\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let numbers = d.positional("numbers", .any, "a list of numbers")
    let bins = d.optional("bins", .whole(from: 1, to: 1000), "number of bins; default: by the Freedman-Diaconis rule")
    let label = d.optional("label", .text, "name in the legend")
    return { call in
      guard let all = try Self.numbers(try call[numbers], call)?.filter(\.isFinite), let low = all.min(), let high = all.max() else {
        throw call.error(.badValue, "`numbers` of `histogram` must be a list of finite numbers that is not empty", argument: "numbers")
      }
      guard (high - low).isFinite else {
        throw call.error(
          .badValue, "`numbers` of `histogram` range from \(low) to \(high); the difference is larger than the largest number",
          argument: "numbers",
          help: "scale the numbers, or remove the extreme ones")
      }
      let count = try call[bins] ?? Self.bins(all.sorted())
      // If the numbers are equal or nearly equal, the bin width would round to 0: one bin of width 1 is drawn.
      let isWide = (high - low) / Double(count) > 0
      let width = isWide ? (high - low) / Double(count) : 1
      var counts = [Double](repeating: 0, count: isWide ? count : 1)
      for value in all { counts[min(counts.count - 1, Int(min((value - low) / width, 1e6)))] += 1 }
      let title = try call[label]
      let start = isWide ? low : low - 0.5
      return changed(try call[figure]) { $0.layers.append(.histogram(.init(start: start, width: width, counts: counts, label: title))) }
    }
  }

  /// The number of bins by the Freedman-Diaconis rule: bin width 2 IQR / n^(1/3), at most 200 bins.
  private static func bins(_ sorted: [Double]) -> Int {
    let n = sorted.count
    let width = 2 * (sorted[n * 3 / 4] - sorted[n / 4]) / Double(n).cubeRoot
    guard width > 0 else { return min(10, n) }
    return max(1, Int(min(200, ((sorted[n - 1] - sorted[0]) / width).rounded(.up))))
  }

  static let boxplot = Builtin(
    "boxplot",
    "Adds a box plot (Tukey, 1977) for every field of a record of lists: a box from the first to the third quartile with the median, whiskers to the last value within 1.5 interquartile ranges, and the values beyond as points.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> boxplot({ stacked: [0.21, 0.22, 0.25], scratch: [0.19, 0.2, 0.24] }) |> axis(y: \"MRR@5\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let groups = d.positional("groups", .record, "name: list of numbers")
    return { call in
      let boxes = try (try call[groups]).fields.map { name, value -> Layer.Boxes.Group in
        guard let sorted = try Self.numbers(value, call)?.filter(\.isFinite).sorted(), !sorted.isEmpty else {
          throw call.error(.badValue, "`\(name)` of `groups` must be a list of finite numbers that is not empty", argument: "groups")
        }
        func quantile(_ share: Double) -> Double { SampleStatistics.quantile(sorted, share) }
        let (first, third) = (quantile(0.25), quantile(0.75))
        let reach = 1.5 * (third - first)
        let inside = sorted.filter { $0 >= first - reach && $0 <= third + reach }
        // Quartiles are interpolated, so the last value within reach may lie inside the box. The whisker then has length 0.
        return Layer.Boxes.Group(
          name: name, low: min(inside.first ?? first, first), first: first, median: quantile(0.5), third: third,
          high: max(inside.last ?? third, third),
          outside: sorted.filter { $0 < first - reach || $0 > third + reach })
      }
      return changed(try call[figure]) { $0.layers.append(.boxes(.init(boxes))) }
    }
  }

  static let span = Builtin(
    "span", "Shades an interval of the x axis.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([0, 9], y: [0, 1]) |> span(2, 5, label: \"frozen\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let from = d.positional("from", .number, "start of the interval")
    let to = d.positional("to", .number, "end of the interval")
    let label = d.optional("label", .text, "text at the top of the shaded area")
    return { call in
      let span = Span(from: try call[from], to: try call[to], label: try call[label])
      guard span.from < span.to else { throw call.error(.badValue, "the end of a span must be greater than its start", argument: "to") }
      return changed(try call[figure]) { $0.spans.append(span) }
    }
  }

  static let note = Builtin(
    "note", "Writes a text at a point of the plot.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([0, 9], y: [0, 1]) |> note(\"best\", at: (9, 1))"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let text = d.positional("text", .text, "the text")
    let at = d.named(
      "at", Kind<Double>.number.list.checked { $0.count == 2 ? nil : "must be x and y: (9, 1)" }, "the point, in axis coordinates")
    return { call in
      let point = try call[at]
      let note = Note(try call[text], x: point[0], y: point[1])
      return changed(try call[figure]) { $0.notes.append(note) }
    }
  }
}

extension Builtin {
  static let inset = Builtin(
    "inset", "Puts a small figure inside the last panel.", topic: "Figures", returns: .object(FigureValue.type),
    example: """
      let start = figure() |> line([0, 1, 2], y: [0, 5, 7])
      let fig = figure() |> line([0, 1, 2, 50], y: [0, 5, 7, 9]) |> inset(start, at: (0.5, 0.15), size: (0.4, 0.4))
      """
  ) { d in
    let pair = Kind<Double>.number.list.checked {
      $0.count == 2 && $0.allSatisfy { $0 >= 0 && $0 <= 1 } ? nil : "must be two fractions of the panel, from 0 to 1: (0.5, 0.15)"
    }
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let small = d.positional("small", Kind<FigureValue>.object, "the figure to put inside, with one panel")
    let at = d.named("at", pair, default: [0.55, 0.12], "(0.55, 0.12)", "position of its lower left corner, as fractions of the axes")
    let size = d.named(
      "size", pair, default: [0.42, 0.42], "(0.42, 0.42)", "its width and height including labels, as fractions of the axes")
    return { call in
      let inner = (try call[small]).figure
      guard inner.panels.count == 1, inner.panels[0].insets.isEmpty else {
        throw call.error(.figure, "an inset must be a figure with one panel and no inset of its own", argument: "small")
      }
      let (corner, sides) = (try call[at], try call[size])
      guard sides.allSatisfy({ $0 > 0.05 }) else { throw call.error(.badValue, "must be above 0.05", argument: "size") }
      var panel = inner.panels[0]
      panel.title = panel.title ?? inner.title
      return changed(try call[figure]) {
        $0.insets.append(Inset(panel, x: corner[0], y: corner[1], width: sides[0], height: sides[1]))
      }
    }
  }

  static let stacks = Builtin(
    "stacks",
    "Draws how a model was stacked: the blocks at each depth, with the input at the bottom; each block shows its number and the number of its source block. It needs a panel of its own.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure(title: \"cross\") |> stacks([2, 4, 8], by: cross)"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let depths = d.positional("depths", Kind<Int>.whole(from: 1, to: 64).list, "the depths, in blocks, beginning with the shallow model")
    let by = d.named("by", Kind<GrowthOperator>.word, default: .adjacent, "adjacent", "the growth operator")
    let pattern = d.named(
      "pattern", .whole(from: 1, to: 64), default: 2, "2", "for dilation_aware: number of blocks in the dilation pattern")
    return { call in
      let (numbers, rule, period) = (try call[depths], try call[by], try call[pattern])
      guard let first = numbers.first else { throw call.error(.badValue, "`depths` is empty", argument: "depths") }
      var sources: [[Int?]] = [(0..<first).map { _ in nil }]
      for (from, to) in zip(numbers, numbers.dropFirst()) {
        sources.append(
          try call.engine { try rule.sources(from: from, to: to, period: period) }.map {
            if case .copy(let of) = $0 { of } else { nil }
          })
      }
      let title = { (depth: Int) in "\(depth) block\(depth == 1 ? "" : "s")" }
      return changed(try call[figure]) { $0.layers.append(.stacks(.init(names: numbers.map(title), sources: sources))) }
    }
  }
}

extension Double {
  fileprivate var cubeRoot: Double { Foundation.cbrt(self) }
}
