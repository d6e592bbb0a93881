import Evaluation
import Interpreter
import Kernels
import Plotting
import Training

/// The learning curve of a training that is watched: in a window where there is a display, else in the terminal, drawn over
/// at every evaluation.
final class LiveCurve {
  private let host: any InterpreterHost
  private let metric: Metric
  private var points: [Layer.Point] = []
  private var growths: [Double] = []
  private var drawn = 0.0
  private var isBroken = false
  /// Where there is a display.
  private let window: PlotWindow?

  init(_ host: any InterpreterHost, _ metric: Metric) {
    self.host = host
    self.metric = metric
    window = host.showsLiveProgress && Gnuplot.hasDisplay ? PlotWindow() : nil
  }

  func grew(at step: Int) { growths.append(Double(step)) }

  /// - Parameter isLast: drawn in any case; before that at most once a second.
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
      // Training goes on; the curve is not worth a second word.
      isBroken = true
      host.note("the curve is not drawn: \(error.message)")
    }
    drawn = ProcessClock.wall()
  }
}
