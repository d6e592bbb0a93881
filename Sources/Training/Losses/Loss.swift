import Datasets
import Kernels
import Layers

/// A training loss on the output layer. To add a loss, add a file with its type and a line in `Losses`. The rest of the
/// engine gets what it needs from the type: memory, gradients, batches, files and fingerprints.
public protocol Loss: Component {
  /// The loss as a script writes it, e.g. `sampled_softmax(20%, log_uniform)`.
  var name: String { get }
  /// Which rows of an output table with this number of rows (the pad's included) have gradients.
  func reach(rows: Int) -> OutputReach
  /// The sampler of the negatives that all positions of a batch share; nil if the loss has none.
  func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler?
  /// The computation of one step. It is created once per step and used by all threads.
  func head(_ step: LossStep) -> any LossHead
}

extension Loss {
  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? { nil }
}

/// All losses.
public enum Losses {
  public static let kinds: [any Loss.Type] = [Softmax.self, SampledSoftmax.self, Pairwise.self]
}

/// The rows of the output table that have gradients.
public enum OutputReach: Sendable, Equatable {
  /// Every row.
  case table
  /// The rows of this number of candidates, which all positions of a batch share, and the rows of the targets.
  case candidates(Int)
  /// The rows of the targets, and of this number of negatives per position.
  case rows(negatives: Int)

  /// The number of rows whose gradients each lane sums.
  public func sharedRows(_ table: Int) -> Int {
    switch self {
    case .table: table
    case .candidates(let count): count
    case .rows: 0
    }
  }

  /// The number of single rows per position whose gradients are stored per position.
  var ownRows: Int {
    switch self {
    case .table: 0
    case .candidates: 1
    case .rows(let negatives): 1 + negatives
    }
  }

  /// The number of negatives per position that are not shared with others.
  var ownNegatives: Int {
    if case .rows(let negatives) = self { return negatives }
    return 0
  }
}

/// The inputs of a loss in one step.
public struct LossStep: Sendable {
  public let output: OutputTable
  public let parameters: FloatBuffer
  /// The rows of the table or of the candidates in the layout for matrix products. Not loaded for a loss that reads single
  /// rows.
  public let panels: OutputPanels
  /// The negatives of the batch; nil if the loss has no shared negatives.
  public let negatives: Negatives?
}

/// Computes the loss and its gradients for the rows of one tile.
public protocol LossHead: Sendable {
  /// Returns the weighted loss of a tile and computes its gradients.
  ///
  /// - Parameters:
  ///   - rows: the targets and weights of the rows.
  ///   - hidden: the hidden states `(rows, d)`; on exit their gradients, 0 in rows with weight 0.
  ///   - shared: this lane's gradients of the whole table or of the candidates, first the rows, then the biases. The gradients
  ///     are added.
  ///   - own: memory for the gradients of single rows of the output table.
  ///   - memory: memory of the thread.
  func run(
    _ rows: LossRows, hidden: UnsafeMutablePointer<Float>, shared: UnsafeMutablePointer<Float>, own: OwnRowGradients,
    memory: LossMemory
  ) -> Double
}

/// The rows of a tile, with the target, the weight and the negatives of each.
public struct LossRows {
  public let count: Int
  public let targets: UnsafePointer<Int32>
  /// 0 for a row that does not count.
  public let weights: UnsafePointer<Float>
  /// `(rows, negatives)`: the negatives of each row; nil if the loss has none per row.
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

/// Memory for the gradients of single rows of the output table, per row of a tile. Parts that a loss does not use are empty.
///
/// `@unchecked Sendable`: each tile writes to its own part.
public struct OwnRowGradients: @unchecked Sendable {
  /// The gradients of the targets' rows: `(rows, d)`.
  public let targets: UnsafeMutablePointer<Float>
  /// The gradients of the targets' biases: `(rows)`.
  public let bias: UnsafeMutablePointer<Float>
  /// The gradients of the negatives' rows: `(rows, negatives, d)`.
  public let negatives: UnsafeMutablePointer<Float>
  /// The gradients of the negatives' biases: `(rows, negatives)`.
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
