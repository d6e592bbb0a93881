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
  /// `(rows)`: the factors of the hidden states, if they are scaled.
  let factors: FloatBuffer
  /// `(negatives, d)` and `(negatives)`: the gathered rows of negatives, and what is added to their products.
  let negatives: FloatBuffer
  let shifts: FloatBuffer
  /// `(rows, negatives)`: the scores of negatives, then their gradients.
  let scores: FloatBuffer
  /// `(negatives, d)` and `(negatives)`: the gradients of the rows and biases of one sequence's negatives.
  let sequenceRows: FloatBuffer
  let sequenceBias: FloatBuffer
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
  ///   - columns: the number of logits of a row of the table or of shared candidates.
  ///   - reach: the rows of the table that the loss reaches.
  ///   - keepsSequence: whether gradients of single rows are added to a table: see `OwnRowGradients.table`.
  init(rows: Int, width: Int, columns: Int, reach: OutputReach, keepsSequence: Bool = false) {
    let kept = keepsSequence ? reach.sequenceNegatives : 0
    sequenceRows = FloatBuffer(count: kept * width)
    sequenceBias = FloatBuffer(count: kept)
    let panels = (columns + OutputPanels.panel - 1) / OutputPanels.panel
    let counts = Self.counts(rows: rows, reach: reach)
    negatives = FloatBuffer(count: counts.negatives * width)
    shifts = FloatBuffer(count: counts.negatives)
    scores = FloatBuffer(count: counts.scores)
    let chunk = max(1, min(rows, max(24, min(64, (1 << 20) / max(columns, 1)))))
    self.chunk = chunk
    // The rows of one sequence are processed together.
    let together = reach.sequenceNegatives > 0 ? rows : chunk
    logits = FloatBuffer(count: chunk * panels * OutputPanels.panel)
    hidden = FloatBuffer(count: together * width)
    gradient = FloatBuffer(count: together * width)
    factors = FloatBuffer(count: together)
    targetLogits = FloatBuffer(count: together)
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

  /// The gradients of single rows, added to a table.
  func own(table: UnsafeMutablePointer<Float>) -> OwnRowGradients {
    OwnRowGradients(
      hidden: hidden.base, targets: hidden.base, negatives: hidden.base, sequenceRows: sequenceRows.base,
      sequenceBias: sequenceBias.base, table: table)
  }

  /// The negatives that are processed together, and their scores.
  private static func counts(rows: Int, reach: OutputReach) -> (negatives: Int, scores: Int) {
    switch reach {
    case .table: (0, 0)
    case .candidates(let count): (count, count * 64)
    case .rows(let count): (count, count)
    case .sequences(let count): (count, count * rows)
    }
  }

  /// Floats that the memory takes for negatives.
  static func count(rows: Int, width: Int, reach: OutputReach) -> Int {
    let counts = counts(rows: rows, reach: reach)
    return counts.negatives * (width + 1) + counts.scores
  }

  deinit {
    targets.deallocate()
    removed.deallocate()
    self.rows.deallocate()
  }
}
