import Datasets
import Kernels
import Layers

/// What a training minimises over the output layer. A loss is a file with a type, and a line in `Losses`; memory,
/// gradients and their reduction, batches, files and fingerprints come from what the type says.
public protocol Loss: Component {
  /// As a script writes it, e.g. `sampled_softmax(20%, log_uniform)`.
  var name: String { get }
  /// How far its gradient reaches into an output table of so many rows, the pad's included.
  func reach(rows: Int) -> OutputReach
  /// Draws the negatives that all positions of a batch share; nil where there are none.
  func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler?
  /// Computes the loss of a tile and its gradients. Made once a step, used by all threads.
  func head(_ step: LossStep) -> any LossHead
}

extension Loss {
  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? { nil }
}

/// All losses.
public enum Losses {
  public static let kinds: [any Loss.Type] = [Softmax.self, SampledSoftmax.self, Pairwise.self]
}

/// How far a loss's gradient reaches into the output table.
public enum OutputReach: Sendable, Equatable {
  /// Every row.
  case table
  /// The rows of so many candidates that a batch shares, and of its targets.
  case candidates(Int)
  /// The rows of the targets and of so many negatives of their own for every position.
  case rows(negatives: Int)

  /// Rows whose gradients every lane keeps.
  public func sharedRows(_ table: Int) -> Int {
    switch self {
    case .table: table
    case .candidates(let count): count
    case .rows: 0
    }
  }

  /// Rows whose gradients every position of a batch keeps for itself.
  var ownRows: Int {
    switch self {
    case .table: 0
    case .candidates: 1
    case .rows(let negatives): 1 + negatives
    }
  }

  /// Negatives that every position has for itself.
  var ownNegatives: Int {
    if case .rows(let negatives) = self { return negatives }
    return 0
  }
}

/// What a loss computes with in one step.
public struct LossStep: Sendable {
  public let output: OutputTable
  public let parameters: FloatBuffer
  /// The rows of the table, or of the candidates, laid out for products; empty where a loss reads single rows.
  public let panels: OutputPanels
  /// The candidates, as they were drawn.
  public let negatives: Negatives?
}

/// A loss and its gradients for the rows of one tile.
public protocol LossHead: Sendable {
  /// Weighted loss of a tile. On exit `hidden` `(rows, d)` holds the gradient of the hidden states, 0 in rows that do not
  /// count. `shared` (this lane's, of the whole table or the candidates: rows, then biases) is added to; `own` gets the
  /// gradients of single rows, and is not read for rows that do not count.
  func run(
    _ rows: LossRows, hidden: UnsafeMutablePointer<Float>, shared: UnsafeMutablePointer<Float>, own: OwnRowGradients,
    memory: LossMemory
  ) -> Double
}

/// The rows of a tile: what each must predict, how much it counts, and what it is set against.
public struct LossRows {
  public let count: Int
  public let targets: UnsafePointer<Int32>
  /// 0 for a row that does not count.
  public let weights: UnsafePointer<Float>
  /// A row's own negatives, one row's after the other's.
  public let negatives: UnsafePointer<Int32>?

  public init(
    count: Int, targets: UnsafePointer<Int32>, weights: UnsafePointer<Float>, negatives: UnsafePointer<Int32>? = nil
  ) {
    self.count = count
    self.targets = targets
    self.weights = weights
    self.negatives = negatives
  }
}

/// Where a tile's rows leave the gradients of single rows of the output table; what a loss has no use for is empty.
public struct OwnRowGradients: @unchecked Sendable {
  /// Of the targets' rows `(rows, d)`, and of their biases `(rows)`.
  public let targets: UnsafeMutablePointer<Float>
  public let bias: UnsafeMutablePointer<Float>
  /// Of the negatives' rows `(rows, negatives, d)`, and of their biases `(rows, negatives)`.
  public let negatives: UnsafeMutablePointer<Float>
  public let negativeBias: UnsafeMutablePointer<Float>

  public init(
    targets: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>, negatives: UnsafeMutablePointer<Float>,
    negativeBias: UnsafeMutablePointer<Float>
  ) {
    self.targets = targets
    self.bias = bias
    self.negatives = negatives
    self.negativeBias = negativeBias
  }
}
