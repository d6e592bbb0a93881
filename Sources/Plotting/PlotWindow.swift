import CGnuplot
import Files

/// A window that shows a changing picture. After deinitialization the window stays open until the user closes it.
public final class PlotWindow {
  private let window: OpaquePointer
  private let terminal: String
  private var isOver = false

  /// Nil if gnuplot cannot open windows.
  public init?(program: String = "gnuplot") {
    guard let terminal = try? Gnuplot(program: program, seconds: 10).windowTerminal(),
      let path = Gnuplot.path(of: program), let window = Sandbox.outside({ srs_gnuplot_open(path) })
    else { return nil }
    self.window = window
    self.terminal = terminal
  }

  deinit { srs_gnuplot_close(window) }

  /// Draws a figure, or skips it if gnuplot is still busy with the last one. Returns false if gnuplot has ended.
  public func draw(_ figure: Figure) -> Bool {
    guard !isOver else { return false }
    let script = GnuplotScript(figure)
    let text = Array(script.windowScript(terminal, data: SRS_GNUPLOT_DATA).utf8CString.dropLast())
    let data = Array(script.data().utf8CString.dropLast())
    isOver = srs_gnuplot_draw(window, text, text.count, data, data.count) < 0
    return !isOver
  }
}
