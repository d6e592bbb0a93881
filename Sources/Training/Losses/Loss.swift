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
  /// How negatives of positions or sequences are drawn; nil if the loss has none.
  ///
  /// - Parameter rows: the number of rows of the output table, the pad's included.
  func ownNegatives(rows: Int) -> OwnNegatives?
  /// Whether the loss adds gradients to `OwnRowGradients.table` where that is set.
  var scatters: Bool { get }
  /// The multiple of a row of the output table that is added to its gradient for each look-up.
  var decay: Float { get }
  /// The multiple of every row of the output table that is added to its gradient once per step.
  var tableDecay: Float { get }
  /// The loss with the options that `protocol: stackrec` sets where a script does not.
  var asInReference: any Loss { get }
  /// The computation of one step. It is created once per step and used by all threads.
  func head(_ step: LossStep) -> any LossHead
}

extension Loss {
  public func sampler(_ train: SequenceSet, seed: UInt64) -> NegativeSampler? { nil }
  public func ownNegatives(rows: Int) -> OwnNegatives? { nil }
  public var decay: Float { 0 }
  public var tableDecay: Float { 0 }
  public var scatters: Bool { false }
  public var asInReference: any Loss { self }
}

/// All losses.
public enum Losses {
  public static let kinds: [any Loss.Type] = [
    Softmax.self, LabelSmoothing.self, SampledSoftmax.self, BinaryCrossEntropy.self, GeneralisedBCE.self, BPRMax.self, Pairwise.self,
  ]
}

/// The rows of the output table that have gradients.
public enum OutputReach: Sendable, Equatable {
  /// Every row.
  case table
  /// The rows of this number of candidates, which all positions of a batch share, and the rows of the targets.
  case candidates(Int)
  /// The rows of the targets, and of this number of negatives per position.
  case rows(negatives: Int)
  /// The rows of the targets, and of this number of negatives per sequence.
  case sequences(negatives: Int)

  /// The number of rows whose gradients each lane sums.
  public func sharedRows(_ table: Int) -> Int {
    switch self {
    case .table: table
    case .candidates(let count): count
    case .rows, .sequences: 0
    }
  }

  /// The number of negatives per position that are not shared with others.
  var ownNegatives: Int {
    if case .rows(let negatives) = self { return negatives }
    return 0
  }

  /// The number of negatives per sequence that are not shared with others.
  var sequenceNegatives: Int {
    if case .sequences(let negatives) = self { return negatives }
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
  /// By item, the log of the probability that a negative of a sequence or position is this item; nil if all have the same.
  public let logProbabilities: [Float]?

  public init(
    output: OutputTable, parameters: FloatBuffer, panels: OutputPanels, negatives: Negatives?, logProbabilities: [Float]? = nil
  ) {
    self.output = output
    self.parameters = parameters
    self.panels = panels
    self.negatives = negatives
    self.logProbabilities = logProbabilities
  }
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
