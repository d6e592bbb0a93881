import Foundation
import Kernels

/// The interface of a model's architecture (stem, blocks and head) for training, growth and evaluation. A network stores
/// the layout of its parameters but no values, so threads can share it.
public protocol Network: Sendable {
  /// The name of the model in the language, e.g. `nextitnet`.
  var kind: String { get }
  /// The options of the model as texts, in the order in which they are shown.
  var options: [(name: String, value: String)] { get }
  /// The configuration that the network was built from, as JSON, for files.
  func encodedConfiguration() throws -> Data
  var layout: ParameterLayout { get }
  /// The stacks that grow, all of the same depth. The first one defines the depth of the model.
  var stacks: [BlockStack] { get }
  /// The embedding tables. The output table is not one of them.
  var rowTables: [RowTable] { get }
  var output: OutputTable { get }
  var objective: Objective { get }
  /// The item that replaces a masked one: the pad, where the network does not say otherwise.
  var maskItem: Int32 { get }
  /// What the network reads before the first item of a sequence.
  var pads: Pads { get }

  /// Whether the network reads the times of events: those of the items that it reads, or also that of the item to predict. nil:
  /// it reads no times.
  var timeReference: TimeReference? { get }
  /// The number of items in the longest sequence that the model can read; nil if there is no limit.
  var maximumLength: Int? { get }

  /// Whether the authors' code of the model uses TensorFlow 1, whose Adam adds epsilon before the bias correction.
  var isTensorFlowInReference: Bool { get }

  /// The probabilities of stochastic shared embeddings; nil for models without them.
  var sharing: SharedEmbeddings? { get }
  /// The normalisation at the end of the stem, whose output enters the first stack; nil if there is none.
  var closingNorm: Norm? { get }

  /// The same architecture with another depth.
  func withBlocks(_ count: Int) throws -> any Network
  /// The same architecture with residual weights.
  func withAlpha() throws -> any Network
  /// The same architecture with an output layer for `count` items of another vocabulary, the pad included.
  func withTargets(_ count: Int) throws -> any Network

  /// The parts whose `prepare` must be called after the parameters have changed.
  var preparing: [any Preparing] { get }
  /// Floating-point operations of the matrix products in the forward pass of one sequence, without those of the blocks and
  /// of the output layer.
  func operationsBesidesBlocks(positions: Int) -> Double
  /// The shape of the first stack's activations for a tile of input.
  func blockTile(_ tile: Tile) -> Tile
  /// Floats that a pass saves. The memory of the first stack comes first.
  func savedCount(_ tile: Tile, training: Bool) -> Int
  /// Floats of scratch memory that a pass needs.
  func scratchCount(_ tile: Tile) -> Int

  /// Writes the hidden states `(T, B, d)` at the top of the network to `hidden`. In evaluation, only the hidden states that
  /// predict the last item must be valid.
  func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
  /// The backward pass. On entry `d` is the gradient of `hidden`; it is overwritten.
  func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
}

extension Network {
  public var depth: Int { stacks.first?.count ?? 0 }
  public var width: Int { output.width }
  public var sharing: SharedEmbeddings? { nil }
  public var isTensorFlowInReference: Bool { false }
  public var maskItem: Int32 { 0 }
  public var timeReference: TimeReference? { nil }
  public var closingNorm: Norm? { nil }
  public func blockTile(_ tile: Tile) -> Tile { tile }
  public func operationsBesidesBlocks(positions: Int) -> Double { 0 }

  /// Whether the model has an embedding of every user.
  public var embedsUsers: Bool { rowTables.contains { $0.rowsAre == .users } }

  /// The number of positions that the network reads of a sequence of `length` items.
  public func positions(length: Int) -> Int { objective.positions(length: length) }
}

/// A network and the values of its parameters.
public final class Model: Sendable {
  public let network: any Network
  public let values: FloatBuffer
  /// The seed that the parameters were initialised from. Growth initialises new parameters from it too.
  public let seed: UInt64

  /// A model with freshly initialised parameters.
  ///
  /// - Parameters:
  ///   - network: the architecture.
  ///   - seed: the seed of the parameters.
  ///   - pool: computes them in parallel and can be cancelled; nil: on this thread.
  public init(_ network: any Network, seed: UInt64, pool: WorkerPool? = nil) {
    self.network = network
    self.seed = seed
    values = FloatBuffer(count: network.layout.count)
    network.layout.initialise(values, seed: seed, pool: pool)
  }

  /// A model with given values.
  public init(_ network: any Network, values: FloatBuffer, seed: UInt64) {
    precondition(values.count == network.layout.count)
    self.network = network
    self.values = values
    self.seed = seed
  }

  public func copy() -> Model { Model(network, values: values.copy(), seed: seed) }

  /// The values of one parameter, by name.
  public func parameter(_ name: String) -> [Float]? {
    network.layout[name].map { p in Array(UnsafeBufferPointer(start: values.base + p.offset, count: p.count)) }
  }
}
