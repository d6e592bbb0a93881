import Evaluation
import Interpreter
import Kernels
import Plotting
import Syntax
import Training

/// The points of a hyperparameter search with their results.
final class SweepValue: ObjectValue {
  static let type = ObjectType(
    "a sweep",
    members: [
      ("rows", .list(.record(nil)), "the points as records, with their `value`"),
      ("best", .record(nil), "the point with the greatest value"),
      ("value", .number, "its value"), ("result", .any, "the result of the function there: a run, a number or an evaluation"),
      ("table", .object(TableValue.type), "the points as a table"),
      ("figure", .object(FigureValue.type), "the values: a curve for one numeric parameter, else bars of the best forty points"),
      ("results", .list(.any), "the result of the function at every point"),
    ])

  struct Point {
    let record: Record
    let value: Double
    let result: Value
  }

  let points: [Point]
  private let title: String
  private let best: Int

  init(_ points: [Point], title: String) {
    self.points = points
    self.title = title
    best = points.indices.max { points[$0].value < points[$1].value } ?? 0
  }

  private var table: TableValue {
    let names = points[0].record.keys
    let columns = names.map { name in points.map { $0.record[name] ?? .nothing } }
    let numeric = columns.indices.filter { columns[$0].allSatisfy { if case .number = $0 { true } else { false } } }
    let grid = Grid(
      caption: "\(title) at \(points.count) points; best: \(Value.record(points[best].record).printed)", header: names + [title],
      numeric: Set(numeric + [names.count]),
      rows: points.enumerated().map { index, point in
        names.map { Grid.Cell((point.record[$0] ?? .nothing).printed) }
          + [Grid.Cell(NumberFormat.fixed(point.value, digits: 4), mark: index == best ? .best : .none)]
      })
    let csv = points.map { point in names.map { (point.record[$0] ?? .nothing).printed } + ["\(point.value)"] }
    return TableValue(grid, records: rows, csv: [names + ["value"]] + csv)
  }

  private var figure: Figure {
    var figure = Figure()
    var panel = Panel()
    panel.y.label = title
    let names = points[0].record.keys
    let xs = points.compactMap { point in
      if case .number(let number)? = point.record[names[0]] { number } else { nil }
    }
    if names.count == 1 && xs.count == points.count {
      panel.x.label = names[0]
      let curve = zip(xs, points).map { Layer.Point($0, $1.value) }.sorted { $0.x < $1.x }
      panel.layers = [.line(.init(curve, label: nil))]
    } else {
      let best = points.sorted { $0.value > $1.value }.prefix(40)
      let labels = best.map { point in names.map { (point.record[$0] ?? .nothing).printed }.joined(separator: ", ") }
      panel.x.label = names.joined(separator: ", ")
      panel.layers = [.bars(.init(names: labels, values: best.map(\.value), label: nil))]
    }
    figure.panels = [panel]
    return figure
  }

  private var rows: [Value] {
    points.map { point in
      var record = point.record
      record["value"] = .number(point.value)
      return .record(record)
    }
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "rows": .list(rows)
    case "best": .record(points[best].record)
    case "value": .number(points[best].value)
    case "result": points[best].result
    case "table": .object(table)
    case "figure": .object(FigureValue(figure))
    case "results": .list(points.map(\.result))
    default: nil
    }
  }

  var elements: [Value]? { rows }
  var summary: String {
    "sweep of \(points.count) points: best \(title) \(NumberFormat.fixed(points[best].value, digits: 4)) at \(Value.record(points[best].record).printed)"
  }
  var display: String { table.display }
}

extension Builtin {
  static let sweep = Builtin(
    "sweep",
    "Searches hyperparameters: calls a function with every combination of the given values, or with a random sample of the combinations, and finds the best. If the function returns runs, they are compared by a metric on the validation part; if it returns numbers, by the number. With `reuse: true` in its trainings, or `checkpoint:` and `srs run --resume`, an interrupted sweep continues where it stopped.",
    topic: "Evaluation", returns: .object(SweepValue.type),
    example: """
      let found = sweep({ lr: [0.1, 0.2], depth: [1, 2] }, (lr, depth) => lr * depth)
      print(found.best, found.value)  #> { lr: 0.2, depth: 2 } 0.4
      """
  ) { d in
    let grid = d.positional("grid", .record, "name: list of values; the names are arguments of the function")
    let function = d.positional("function", .function, "called for every point")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "for runs and evaluations: the metric to compare by")
    let samples = d.optional("samples", .whole(from: 1), "number of points, drawn without repetition; default: all")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the draw")
    return { call in
      let grid = try call[grid]
      let function = try call[function]
      let axes = try grid.fields.map { name, value -> (name: String, values: [Value]) in
        guard let values = value.sequence, !values.isEmpty else {
          throw call.error(.wrongType, "`\(name)` of `grid` must be a list of values, not \(value.described)", argument: "grid")
        }
        return (name, values)
      }
      guard !axes.isEmpty else { throw call.error(.badValue, "the grid is empty", argument: "grid") }
      let names = axes.map(\.name)
      if let missing = function.parameters.prefix(function.required).first(where: { !names.contains($0) }) {
        throw call.error(
          .missingArgument, "`\(function.name)` needs the argument `\(missing)`, which the grid does not have", argument: "grid")
      }
      if let odd = names.first(where: { !function.parameters.contains($0) }) {
        throw call.error(
          .unknownArgument, "`\(function.name)` has no argument `\(odd)`", argument: "grid",
          help: Spelling.suggestion(odd, in: function.parameters) ?? "its arguments are: \(function.parameters.joined(separator: ", "))")
      }
      var count = 1
      for axis in axes {
        let (product, overflow) = count.multipliedReportingOverflow(by: axis.values.count)
        guard !overflow, product <= 1 << 40 else { throw call.error(.badValue, "the grid has too many points", argument: "grid") }
        count = product
      }
      let chosen = try points(count, try call[samples], UInt64(try call[seed]), call)
      var done: [SweepValue.Point] = []
      for (number, index) in chosen.enumerated() {
        var rest = index
        var record = Record()
        // The last name changes fastest.
        for axis in axes.reversed() {
          record[axis.name] = axis.values[rest % axis.values.count]
          rest /= axis.values.count
        }
        record = Record(names.map { ($0, record[$0] ?? .nothing) })
        call.interpreter.host.milestone("sweep: point \(number + 1)/\(chosen.count), \(Value.record(record).printed)")
        let result = try call.interpreter.call(function, named: record, at: call.span(of: "function"))
        done.append(.init(record: record, value: try value(of: result, try call[metric], call), result: result))
        if call.interpreter.host.isInterrupted {
          call.interpreter.host.note("sweep: interrupted after \(done.count) of \(chosen.count) points")
          break
        }
      }
      let isNumber = if case .number? = done.first?.result { true } else { false }
      return .object(SweepValue(done, title: isNumber ? "value" : try call[metric].title))
    }
  }

  private static func points(_ count: Int, _ samples: Int?, _ seed: UInt64, _ call: Call) throws -> [Int] {
    guard let samples, samples < count else {
      guard count <= 1_000_000 else {
        throw call.error(
          .badValue, "the grid has \(NumberFormat.grouped(count)) points", argument: "grid", help: "draw a sample of them: samples: 50")
      }
      return Array(0..<count)
    }
    var numbers = RandomStream(seed: seed, "sweep").numbers()
    var drawn: Set<Int> = []
    var order: [Int] = []
    while order.count < samples {
      let point = Int(numbers.next() % UInt64(count))
      if drawn.insert(point).inserted { order.append(point) }
    }
    return order
  }

  private static func value(of result: Value, _ metric: Metric, _ call: Call) throws -> Double {
    switch result {
    case .number(let number): return number
    case .object(let object as RunValue):
      let values = object.run.history.compactMap { $0.metrics[metric] }
      guard let best = values.max() else {
        throw call.error(
          .badValue, "the run \(object.run.name) was not evaluated on \(metric.name)", argument: "on",
          help: "name it in the training: metrics: [\(metric.name)]")
      }
      return best
    case .object(let object as EvaluationValue):
      guard case .number(let number)? = object.element(.metric(metric.literal)) else {
        throw call.error(.badValue, "the evaluation has no \(metric.name)", argument: "on")
      }
      return number
    default:
      throw call.error(
        .wrongType, "the function given to `sweep` must return a run, an evaluation or a number, not \(result.described)",
        argument: "function")
    }
  }
}
