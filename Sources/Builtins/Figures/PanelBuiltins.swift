import Interpreter
import Plotting
import Syntax

extension Builtin {
  static let panel = Builtin(
    "panel", "Begins the next panel of a figure with a `layout`: what follows is drawn there.", topic: "Figures",
    returns: .object(FigureValue.type),
    example: """
      let fig = figure(size: (17.6cm, 7cm), layout: (1, 2))
        |> panel("left") |> line([1, 2], y: [1, 4])
        |> panel("right") |> line([1, 2], y: [1, 8])
      """
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let title = d.optionalPositional("title", .text, "what stands above it")
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
        .figure, "the figure has room for \(figure.rows * figure.columns) panel\(figure.rows * figure.columns == 1 ? "" : "s"), all taken",
        argument: argument, help: "give the figure more: figure(layout: (rows, columns))")
    }
    figure.panels.append(panel)
  }

  static let heatmap = Builtin(
    "heatmap",
    "Adds a matrix as colours, in a panel of its own: a similarity, or a list of rows of numbers, the first row at the bottom.",
    topic: "Figures", returns: .object(FigureValue.type),
    example: "let fig = figure() |> heatmap([[1, 0.5], [0.5, 1]], title: \"two blocks\", range: (0, 1))"
  ) { d in
    let figure = d.positional("figure", Kind<FigureValue>.object, "the figure")
    let values = d.positional("values", .matrix, "a similarity, or rows of numbers")
    let title = d.optional("title", .text, "what stands above it")
    let x = d.optional("x", .text, "label of the x axis")
    let y = d.optional("y", .text, "label of the y axis")
    let range = d.optional(
      "range", Kind<Double>.number.list.checked { $0.count == 2 && $0[0] < $0[1] ? nil : "is two numbers, the smaller first: (0, 1)" },
      "values of the lightest and the darkest colour")
    let digits = d.optional("digits", .whole(from: 0, to: 6), "write the values into the cells, with so many digits")
    return { call in
      var changed = (try call[figure]).figure
      let matrix = try call[values]
      let ends = try call[range]
      var panel = Panel()
      // A panel that was begun for it is used.
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
  /// Rows of as many numbers each.
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
          throw .value("needs rows of as many numbers each")
        }
        matrix.append(numbers)
      }
      return matrix
    }
  }
}
