import CGnuplot
import Foundation

/// A window of the display whose picture changes. It stays when this value is gone, until someone closes it.
public final class PlotWindow {
  private let window: OpaquePointer
  private let terminal: String
  /// gnuplot reads the data when it gets to it.
  private let data: String
  private var isOver = false

  /// nil where gnuplot cannot open windows.
  public init?(program: String = "gnuplot") {
    guard let terminal = try? Gnuplot(program: program, seconds: 10).windowTerminal(), let window = srs_gnuplot_open(program) else {
      return nil
    }
    self.window = window
    self.terminal = terminal
    data = NSTemporaryDirectory() + "srs-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).dat"
  }

  deinit {
    srs_gnuplot_close(window)
    unlink(data)
  }

  /// Draws a figure, unless gnuplot is still busy with the one before. False when its window cannot be drawn in any more.
  public func draw(_ figure: Figure) -> Bool {
    guard !isOver else { return false }
    let script = GnuplotScript(figure)
    guard FileManager.default.createFile(atPath: data, contents: Data(script.data().utf8), attributes: [.posixPermissions: 0o600]) else {
      return false
    }
    let text = Array(script.windowScript(terminal, data: data).utf8CString.dropLast())
    isOver = srs_gnuplot_draw(window, text, text.count) < 0
    return !isOver
  }
}
