import Interpreter
import Plotting
import Syntax

/// A figure as a value of the language. It does not change: each piped function returns a new figure.
final class FigureValue: ObjectValue {
  static let type = ObjectType(
    "a figure", members: [("panels", .number, "number of panels")])

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

  /// The figure drawn in text characters, or its summary if gnuplot is not available.
  var display: String {
    guard let picture = try? Gnuplot(seconds: 20).text(figure, columns: 79, lines: 22) else { return summary }
    return picture
  }
}
