import Evaluation
import Interpreter
import Kernels
import Plotting
import Training

/// The learning curve of `watch: true`: in a window if there is a display, else in the terminal. It is redrawn after
/// evaluations, at most once a second.
final class LiveCurve {
  private let host: any InterpreterHost
  private let metric: Metric
  private var points: [Layer.Point] = []
  private var growths: [Double] = []
  private var drawn = 0.0
  private var isBroken = false
  /// nil without a display.
  private let window: PlotWindow?

  init(_ host: any InterpreterHost, _ metric: Metric) {
    self.host = host
    self.metric = metric
    window = host.showsLiveProgress && Gnuplot.hasDisplay ? PlotWindow() : nil
  }

  func grew(at step: Int) { growths.append(Double(step)) }

  /// Adds a point and redraws.
  ///
  /// - Parameter isLast: redraw even if the last drawing is less than a second old.
  func add(_ point: HistoryPoint?, isLast: Bool = false) {
    if let point, let value = point.metrics[metric] { points.append(.init(Double(point.step), value)) }
    guard host.showsLiveProgress, !isBroken, points.count > 1, isLast || ProcessClock.wall() - drawn > 1 else { return }
    var panel = Panel()
    panel.layers = [.line(.init(points, label: nil))]
    if !growths.isEmpty { panel.marks = [Marks(growths, label: nil)] }
    panel.x.label = "step"
    panel.title = "\(metric.title) on the validation part"
    var figure = Figure(size: .init(width: 16, height: 10))
    figure.panels = [panel]
    if let window, window.draw(figure) {
      drawn = ProcessClock.wall()
      return
    }
    do throws(PlottingError) {
      host.live(try Gnuplot(seconds: 10).text(figure, columns: max(40, min(host.width, 100) - 1), lines: 16))
    } catch {
      // A curve that cannot be drawn must not stop the training; one note is enough.
      isBroken = true
      host.note("the learning curve cannot be drawn: \(error.message)")
    }
    drawn = ProcessClock.wall()
  }
}
