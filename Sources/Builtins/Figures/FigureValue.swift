import Interpreter
import Plotting
import Syntax

/// A figure as a value; each pipe makes a new one.
final class FigureValue: ObjectValue {
  static let type = ObjectType(
    "a figure", members: [("panels", .number, "how many sets of axes it has")])

  let figure: Figure

  init(_ figure: Figure) { self.figure = figure }

  func member(_ name: String) -> Value? { name == "panels" ? .number(Double(figure.panels.count)) : nil }

  var summary: String {
    let layers = figure.panels.reduce(0) { $0 + $1.layers.count }
    return "figure of \(layers) layer\(layers == 1 ? "" : "s")\(figure.title.map { ": \($0)" } ?? "")"
  }

  func picture() throws -> String? {
    do { return try Gnuplot().svg(figure) } catch { throw Diagnostic(.figure, error.message, at: nil, help: error.help) }
  }

  /// Its picture, in characters; where gnuplot is not to be had, what it is.
  var display: String {
    guard let picture = try? Gnuplot(seconds: 20).text(figure, columns: 79, lines: 22) else { return summary }
    return picture
  }
}
