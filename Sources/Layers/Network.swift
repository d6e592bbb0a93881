import Foundation
import Kernels

/// The output layer: scores = h W^T + b, with W `(V, d)` and b `(V)`; the transfer task's has no bias.
public struct OutputTable: Sendable {
  public let weight: Slot
  public let bias: Slot?
  /// Items, the pad included.
  public let rows: Int
  public let width: Int

  public init(
    _ name: String = "output", rows: Int, width: Int, weight: Initializer, bias: Initializer? = nil,
    in builder: LayoutBuilder
  ) {
    self.rows = rows
    self.width = width
    self.weight = builder.add(name + ".weight", [rows, width], weight, .output, sparseRows: true)
    self.bias = bias.map { builder.add(name + ".bias", [rows], $0, .output, sparseRows: true) }
  }
}

/// Stochastic shared embeddings (Wu et al., NeurIPS 2019): while training, a user's or an item's embedding is now and
/// then that of another.
public struct SharedEmbeddings: Sendable, Equatable, Codable {
  /// Probability that a sequence's user is replaced by a uniformly drawn one.
  public var user: Double
  /// Probability that an input item, pads excepted, is replaced by a uniformly drawn one.
  public var item: Double

  public init(user: Double, item: Double) {
    self.user = user
    self.item = item
  }
}

/// A stem, blocks and a head, seen from the training loop, from growth and from evaluation. A network holds no values,
/// only where they are, so it can be shared by threads.
public protocol Network: Sendable {
  /// The word of the language, e.g. `nextitnet`.
  var kind: String { get }
  /// What was asked for, for people and checkpoints: name and value in order.
  var options: [(name: String, value: String)] { get }
  /// What it was built from, as JSON, for files.
  func encodedConfiguration() throws -> Data
  var layout: ParameterLayout { get }
  /// Stacks that grow, all of the same depth; the first is the one people mean.
  var stacks: [BlockStack] { get }
  /// Embedding tables, whose rows are looked up by number; the output table is apart.
  var rowTables: [RowTable] { get }
  var output: OutputTable { get }
  var objective: Objective { get }

  /// Longest sequence it can read (t items), or nil for any.
  var maximumLength: Int? { get }

  /// Was the authors' code of it written in TensorFlow 1, whose Adam adds epsilon before the correction?
  var isTensorFlowInReference: Bool { get }

  /// Replacements of users and items while training, for models that share embeddings.
  var sharing: SharedEmbeddings? { get }
  /// The normalisation through which the stem's output enters the first stack, where there is one.
  var closingNorm: Norm? { get }

  /// The same model with another depth.
  func withBlocks(_ count: Int) throws -> any Network
  /// The same model with residual weights.
  func withAlpha() throws -> any Network
  /// The same model scoring the items of another vocabulary.
  func withTargets(_ count: Int) throws -> any Network

  /// Its parts that prepare something: the blocks and whatever else.
  var preparing: [any Preparing] { get }
  /// Floating-point operations of its matrix products for one sequence, forward, besides those of the blocks and of the
  /// output layer.
  func operationsBesidesBlocks(positions: Int) -> Double
  /// What goes through the first stack for a tile of input.
  func blockTile(_ tile: Tile) -> Tile
  /// The first stack's memory comes first.
  func savedCount(_ tile: Tile, training: Bool) -> Int
  func scratchCount(_ tile: Tile) -> Int

  /// Hidden states `(T, B, d)` of the top of the network into `hidden`; in evaluation only those of the last step need be
  /// there that predicts.
  func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
  /// `d` is the gradient of `hidden`; it is overwritten.
  func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
}

extension Network {
  public var depth: Int { stacks.first?.count ?? 0 }
  public var width: Int { output.width }
  public var sharing: SharedEmbeddings? { nil }
  public var isTensorFlowInReference: Bool { false }
  public var closingNorm: Norm? { nil }
  public func blockTile(_ tile: Tile) -> Tile { tile }
  public func operationsBesidesBlocks(positions: Int) -> Double { 0 }

  /// Does it learn an embedding of every user?
  public var embedsUsers: Bool { rowTables.contains { $0.rowsAre == .users } }

  /// Rows of hidden states for sequences of `length` items.
  public func positions(length: Int) -> Int { objective.positions(length: length) }
}

/// A network and its values.
public final class Model: Sendable {
  public let network: any Network
  public let values: FloatBuffer
  /// Seed its parameters were drawn from; fresh blocks of later growth use it too.
  public let seed: UInt64

  public init(_ network: any Network, seed: UInt64) {
    self.network = network
    self.seed = seed
    values = FloatBuffer(count: network.layout.count)
    network.layout.initialise(values, seed: seed)
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
