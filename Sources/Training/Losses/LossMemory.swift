import Kernels
import Layers

/// The memory of one thread for the logits of a tile. It has room for the logits of a few rows at a time.
///
/// `@unchecked Sendable`: one thread at a time uses it.
public final class LossMemory: @unchecked Sendable {
  /// The number of rows that are processed together. The output table is read, and its gradient added to, once per chunk.
  let chunk: Int
  /// `(panels, rows, 64)`: the logits, then their exponentials, then their gradients.
  let logits: FloatBuffer
  let hidden: FloatBuffer
  let gradient: FloatBuffer
  let targetLogits: FloatBuffer
  let weights: FloatBuffer
  /// `(rows)`: the largest logit of each row so far.
  let top: FloatBuffer
  /// `(panels, rows)`: the value subtracted from the logits of a panel before the exponential.
  let base: FloatBuffer
  /// `(rows, 16)`: partial sums of the exponentials.
  let sums: FloatBuffer
  let scale: FloatBuffer
  /// The bias gradient of a last panel with fewer than 64 items.
  let tail: FloatBuffer
  let targets: UnsafeMutablePointer<Int32>
  /// The column of the negative that equals a row's target, or -1.
  let removed: UnsafeMutablePointer<Int32>
  /// The rows of the tile that count.
  let rows: UnsafeMutablePointer<Int>

  /// - Parameters:
  ///   - rows: the number of rows of the largest tile.
  ///   - width: the width of the hidden states.
  ///   - columns: the number of logits of a row.
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
