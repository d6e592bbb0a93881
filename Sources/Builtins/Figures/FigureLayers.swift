import Foundation
import Growth
import Interpreter
import Plotting
import Syntax

/// Widths of columns and pages.
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

// Layers beside lines, bars and heat maps.
extension Builtin {
  static let layers: [Builtin] = [histogram, boxplot, span, note, inset, stacks]

  static let histogram = Builtin(
    "histogram", "Adds how many of some numbers lie in each of some bins.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> histogram([1, 2, 2, 3, 3, 3], bins: 3) |> axis(x: \"length\", y: \"histories\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let numbers = d.positional("numbers", .any, "a list of numbers")
    let bins = d.optional("bins", .whole(from: 1, to: 1000), "how many bins; left out: by Freedman and Diaconis' rule")
    let label = d.optional("label", .text, "its name in the legend")
    return { call in
      guard let all = Self.numbers(try call[numbers])?.filter(\.isFinite), let low = all.min(), let high = all.max() else {
        throw call.error(.badValue, "`numbers` of histogram is a list of numbers that is not empty", argument: "numbers")
      }
      guard (high - low).isFinite else {
        throw call.error(
          .badValue, "`numbers` of histogram reach from \(low) to \(high), and that is more than a number can hold", argument: "numbers",
          help: "scale them, or leave the outermost out")
      }
      let count = try call[bins] ?? Self.bins(all.sorted())
      // Of numbers that lie as close as numbers can, a bin would be no wider than 0.
      let isWide = (high - low) / Double(count) > 0
      let width = isWide ? (high - low) / Double(count) : 1
      var counts = [Double](repeating: 0, count: isWide ? count : 1)
      for value in all { counts[min(counts.count - 1, Int(min((value - low) / width, 1e6)))] += 1 }
      let title = try call[label]
      let start = isWide ? low : low - 0.5
      return changed(try call[figure]) { $0.layers.append(.histogram(.init(start: start, width: width, counts: counts, label: title))) }
    }
  }

  /// Width 2 IQR / cube root of n.
  private static func bins(_ sorted: [Double]) -> Int {
    let n = sorted.count
    let width = 2 * (sorted[n * 3 / 4] - sorted[n / 4]) / Double(n).cubeRoot
    guard width > 0 else { return min(10, n) }
    return max(1, Int(min(200, ((sorted[n - 1] - sorted[0]) / width).rounded(.up))))
  }

  static let boxplot = Builtin(
    "boxplot",
    "Adds a box for every field of a record of lists: quartiles and median, whiskers to the last value within one and a half box lengths, what lies outside as points (Tukey, 1977).",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> boxplot({ stacked: [0.21, 0.22, 0.25], scratch: [0.19, 0.2, 0.24] }) |> axis(y: \"MRR@5\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let groups = d.positional("groups", .record, "name: list of numbers")
    return { call in
      let boxes = try (try call[groups]).fields.map { name, value -> Layer.Boxes.Group in
        guard let sorted = Self.numbers(value)?.filter(\.isFinite).sorted(), !sorted.isEmpty else {
          throw call.error(.badValue, "`\(name)` of groups is a list of numbers that is not empty", argument: "groups")
        }
        func quantile(_ share: Double) -> Double {
          let place = share * Double(sorted.count - 1)
          let low = Int(place)
          let share = place - Double(low)
          return sorted[low] * (1 - share) + sorted[min(low + 1, sorted.count - 1)] * share
        }
        let (first, third) = (quantile(0.25), quantile(0.75))
        let reach = 1.5 * (third - first)
        let inside = sorted.filter { $0 >= first - reach && $0 <= third + reach }
        // Quartiles lie between values: the last value within reach may be inside of the box, where a whisker has no place.
        return Layer.Boxes.Group(
          name: name, low: min(inside.first ?? first, first), first: first, median: quantile(0.5), third: third,
          high: max(inside.last ?? third, third),
          outside: sorted.filter { $0 < first - reach || $0 > third + reach })
      }
      return changed(try call[figure]) { $0.layers.append(.boxes(.init(boxes))) }
    }
  }

  static let span = Builtin(
    "span", "Shades a stretch of the x axis.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([0, 9], y: [0, 1]) |> span(2, 5, label: \"frozen\")"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let from = d.positional("from", .number, "where it begins")
    let to = d.positional("to", .number, "where it ends")
    let label = d.optional("label", .text, "written at its top")
    return { call in
      let span = Span(from: try call[from], to: try call[to], label: try call[label])
      guard span.from < span.to else { throw call.error(.badValue, "a span begins before it ends", argument: "to") }
      return changed(try call[figure]) { $0.spans.append(span) }
    }
  }

  static let note = Builtin(
    "note", "Writes a text at a place of the axes.", topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> line([0, 9], y: [0, 1]) |> note(\"best\", at: (9, 1))"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let text = d.positional("text", .text, "what is written")
    let at = d.named("at", Kind<Double>.number.list.checked { $0.count == 2 ? nil : "is x and y: (9, 1)" }, "where")
    return { call in
      let place = try call[at]
      let note = Note(try call[text], x: place[0], y: place[1])
      return changed(try call[figure]) { $0.notes.append(note) }
    }
  }
}

extension Builtin {
  static let inset = Builtin(
    "inset", "Puts a small figure inside of the last panel.", topic: "Figures", returns: .object(FigureValue.type),
    example: """
      let start = figure() |> line([0, 1, 2], y: [0, 5, 7])
      let fig = figure() |> line([0, 1, 2, 50], y: [0, 5, 7, 9]) |> inset(start, at: (0.5, 0.15), size: (0.4, 0.4))
      """
  ) { d in
    let pair = Kind<Double>.number.list.checked {
      $0.count == 2 && $0.allSatisfy { $0 >= 0 && $0 <= 1 } ? nil : "is two shares of the panel, from 0 to 1: (0.5, 0.15)"
    }
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let small = d.positional("small", Kind<FigureValue>.object, "what is put into it: a figure of one panel")
    let at = d.named("at", pair, default: [0.55, 0.12], "(0.55, 0.12)", "where its lower left corner is, as shares of the axes")
    let size = d.named("size", pair, default: [0.42, 0.42], "(0.42, 0.42)", "its width and height with labels, as shares of the axes")
    return { call in
      let inner = (try call[small]).figure
      guard inner.panels.count == 1, inner.panels[0].insets.isEmpty else {
        throw call.error(.figure, "what is put into a figure has one panel and nothing inside of that", argument: "small")
      }
      let (place, sides) = (try call[at], try call[size])
      guard sides.allSatisfy({ $0 > 0.05 }) else { throw call.error(.badValue, "must be above 0.05", argument: "size") }
      var panel = inner.panels[0]
      panel.title = panel.title ?? inner.title
      return changed(try call[figure]) {
        $0.insets.append(Inset(panel, x: place[0], y: place[1], width: sides[0], height: sides[1]))
      }
    }
  }

  static let stacks = Builtin(
    "stacks",
    "Draws how a model was stacked: its blocks at each depth, the input at the bottom, each with its number and that of the block it was copied from; in a panel of its own.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure(title: \"cross\") |> stacks([2, 4, 8], by: cross)"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let depths = d.positional("depths", Kind<Int>.whole(from: 1, to: 64).list, "the numbers of blocks, the first that of the shallow model")
    let by = d.named("by", Kind<GrowthOperator>.word, default: .adjacent, "adjacent", "how it was stacked")
    let pattern = d.named("pattern", .whole(from: 1, to: 64), default: 2, "2", "for dilation_aware: blocks a pattern of dilations has")
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
