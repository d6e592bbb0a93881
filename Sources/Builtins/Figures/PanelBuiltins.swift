import Interpreter
import Plotting
import Syntax

extension Builtin {
  static let panel = Builtin(
    "panel", "Starts the next panel of a figure with a `layout`. The functions after it draw into that panel.", topic: "Figures",
    returns: .object(FigureValue.type),
    example: """
      let fig = figure(size: (17.6cm, 7cm), layout: (1, 2))
        |> panel("left") |> line([1, 2], y: [1, 4])
        |> panel("right") |> line([1, 2], y: [1, 8])
      """
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let title = d.optionalPositional("title", .text, "title above the panel")
    return { call in
      var changed = (try call[figure]).figure
      var next = Panel()
      next.title = try call[title]
      try append(next, to: &changed, call, argument: "title")
      return .object(FigureValue(changed))
    }
  }

  private static func append(_ panel: Panel, to figure: inout Figure, _ call: Call, argument: String) throws {
    guard figure.panels.count < figure.rows * figure.columns else {
      throw call.error(
        .figure, "the figure has \(figure.rows * figure.columns) panel\(figure.rows * figure.columns == 1 ? "" : "s"), and all are in use",
        argument: argument, help: "give the figure more panels: figure(layout: (rows, columns))")
    }
    figure.panels.append(panel)
  }

  static let heatmap = Builtin(
    "heatmap",
    "Draws a matrix as colours: a similarity, or a list of rows of numbers, with the first row at the bottom. It needs a panel of its own.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> heatmap([[1, 0.5], [0.5, 1]], title: \"two blocks\", range: (0, 1))"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let values = d.positional("values", .matrix, "a similarity, or rows of numbers")
    let title = d.optional("title", .text, "title above the panel")
    let x = d.optional("x", .text, "label of the x axis")
    let y = d.optional("y", .text, "label of the y axis")
    let range = d.optional(
      "range", Kind<Double>.number.list.checked { $0.count == 2 && $0[0] < $0[1] ? nil : "must be two numbers, the smaller first: (0, 1)" },
      "values of the lightest and the darkest colour")
    let digits = d.optional(
      "digits", .whole(from: 0, to: 6), "print the values in the cells, with this many digits after the decimal point")
    return { call in
      var changed = (try call[figure]).figure
      let matrix = try call[values]
      let ends = try call[range]
      var panel = Panel()
      // `panel(...)` directly before starts an empty panel, which is used for the heat map.
      if let open = changed.panels.last, open.layers.isEmpty, open.marks.isEmpty { panel = changed.panels.removeLast() }
      if let title = try call[title] { panel.title = title }
      if let x = try call[x] { panel.x.label = x }
      if let y = try call[y] { panel.y.label = y }
      panel.layers.append(.heatmap(.init(matrix, range: ends.map { $0[0]...$0[1] }, digits: try call[digits])))
      try append(panel, to: &changed, call, argument: "values")
      return .object(FigureValue(changed))
    }
  }
}

extension Kind where T == [[Double]] {
  /// Rows of numbers, all of the same length.
  static var matrix: Kind<[[Double]]> {
    Kind(.oneOf([.object(SimilarityValue.type), .list(.list(.number))])) { value throws(ConversionError) in
      if case .object(let object) = value, let similarity = object as? SimilarityValue { return similarity.similarity.values }
      guard let rows = value.sequence, !rows.isEmpty else { throw .type }
      var matrix: [[Double]] = []
      for row in rows {
        guard let cells = row.sequence else { throw .type }
        var numbers: [Double] = []
        for cell in cells {
          guard case .number(let number) = cell else { throw .value("needs numbers, not \(cell.described)") }
          numbers.append(number)
        }
        guard !numbers.isEmpty, numbers.count == matrix.first?.count ?? numbers.count else {
          throw .value("needs rows of the same length")
        }
        matrix.append(numbers)
      }
      return matrix
    }
  }
}
