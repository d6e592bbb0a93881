import Kernels
import Layers

/// What a thread needs for the logits of a tile: they exist for a few rows at a time.
public final class LossMemory: @unchecked Sendable {
  /// Rows that go through the table together: the table is read, and its gradient added to, once for so many.
  let chunk: Int
  /// Logits, then their gradients, panel by panel: `(panels, rows, 64)`.
  let logits: FloatBuffer
  let hidden: FloatBuffer
  let gradient: FloatBuffer
  let targetLogits: FloatBuffer
  let weights: FloatBuffer
  /// Largest logit of a row so far; what the exponentials of a panel were taken against, panel by panel.
  let top: FloatBuffer
  let base: FloatBuffer
  let sums: FloatBuffer
  let scale: FloatBuffer
  /// The bias gradient of a panel that is not whole.
  let tail: FloatBuffer
  let targets: UnsafeMutablePointer<Int32>
  let removed: UnsafeMutablePointer<Int32>
  let rows: UnsafeMutablePointer<Int>

  /// - Parameters:
  ///   - rows: of the largest tile.
  ///   - width: of the hidden states.
  ///   - columns: logits of a row.
  init(rows: Int, width: Int, columns: Int) {
    let panels = (columns + OutputPanels.panel - 1) / OutputPanels.panel
    chunk = max(1, min(rows, max(24, min(64, (1 << 20) / max(columns, 1)))))
    logits = FloatBuffer(count: chunk * panels * OutputPanels.panel)
    hidden = FloatBuffer(count: chunk * width)
    gradient = FloatBuffer(count: chunk * width)
    targetLogits = FloatBuffer(count: chunk)
    weights = FloatBuffer(count: chunk)
    top = FloatBuffer(count: chunk)
    base = FloatBuffer(count: chunk * panels)
    sums = FloatBuffer(count: chunk * 16)
    scale = FloatBuffer(count: chunk)
    tail = FloatBuffer(count: OutputPanels.panel)
    targets = .allocate(capacity: chunk)
    removed = .allocate(capacity: chunk)
    self.rows = .allocate(capacity: max(rows, 1))
  }

  deinit {
    targets.deallocate()
    removed.deallocate()
    self.rows.deallocate()
  }
}
