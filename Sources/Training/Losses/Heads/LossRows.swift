/// The rows of a tile, with the target, the weight and the negatives of each.
public struct LossRows {
  public let count: Int
  public let targets: UnsafePointer<Int32>
  /// 0 for a row that does not count.
  public let weights: UnsafePointer<Float>
  /// `(rows, negatives)`: the negatives of each row; nil if the loss has none per row.
  public let negatives: UnsafePointer<Int32>?
  /// The number of sequences of the tile: row r belongs to sequence `r % sequences`.
  public let sequences: Int
  /// `(sequences, negatives)`: the negatives of each sequence; nil if the loss has none per sequence.
  public let sequenceNegatives: UnsafePointer<Int32>?

  public init(
    count: Int, targets: UnsafePointer<Int32>, weights: UnsafePointer<Float>, negatives: UnsafePointer<Int32>? = nil,
    sequences: Int = 1, sequenceNegatives: UnsafePointer<Int32>? = nil
  ) {
    self.count = count
    self.targets = targets
    self.weights = weights
    self.negatives = negatives
    self.sequences = sequences
    self.sequenceNegatives = sequenceNegatives
  }
}

/// Memory for the gradients of single rows of the output table, of the rows and sequences of a tile. Parts that a loss does
/// not use are empty. The gradient of a target's or negative's row is that of its logit times the hidden state of its position.
///
/// `@unchecked Sendable`: each tile writes to its own part.
public struct OwnRowGradients: @unchecked Sendable {
  /// The scaled hidden states of rows that count: `(rows, d)`.
  public let hidden: UnsafeMutablePointer<Float>
  /// The gradients of the targets' logits: `(rows)`.
  public let targets: UnsafeMutablePointer<Float>
  /// The gradients of the logits of the positions' negatives: `(rows, negatives)`.
  public let negatives: UnsafeMutablePointer<Float>
  /// The gradients of the rows of the sequences' negatives: `(sequences, negatives, d)`.
  public let sequenceRows: UnsafeMutablePointer<Float>
  /// The gradients of the biases of the sequences' negatives: `(sequences, negatives)`.
  public let sequenceBias: UnsafeMutablePointer<Float>
  /// If set, the gradients are added here instead: `(V, d)`, then `(V)` for the biases. `sequenceRows` and `sequenceBias` then
  /// have room for one sequence.
  public let table: UnsafeMutablePointer<Float>?

  public init(
    hidden: UnsafeMutablePointer<Float>, targets: UnsafeMutablePointer<Float>, negatives: UnsafeMutablePointer<Float>,
    sequenceRows: UnsafeMutablePointer<Float>, sequenceBias: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<Float>? = nil
  ) {
    self.table = table
    self.hidden = hidden
    self.targets = targets
    self.negatives = negatives
    self.sequenceRows = sequenceRows
    self.sequenceBias = sequenceBias
  }
}
