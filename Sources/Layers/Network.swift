import Kernels

/// What a model is trained to predict.
public enum Objective: String, Sendable, CaseIterable {
  /// The item at i+1 from the items up to i, at every position.
  case nextItem
  /// Masked items, from the output at their own position.
  case gapFilling
  /// Masked items, from the output one position before them.
  case gapFillingShifted
}

/// The output layer: scores = h W^T + b, with W `(V, d)` and b `(V)`.
public struct OutputTable: Sendable {
  public let weight: Slot
  public let bias: Slot
  /// Items, the pad included.
  public let rows: Int
  public let width: Int

  public init(rows: Int, width: Int, weight: Initializer, bias: Initializer, in builder: LayoutBuilder) {
    self.rows = rows
    self.width = width
    self.weight = builder.add("output.weight", [rows, width], weight, .output, sparseRows: true)
    self.bias = builder.add("output.bias", [rows], bias, .output, sparseRows: true)
  }
}

/// A stem, blocks and a head, seen from the training loop, from growth and from evaluation. A network holds no values,
/// only where they are, so it can be shared by threads.
public protocol Network: Sendable {
  /// The word of the language, e.g. `nextitnet`.
  var kind: String { get }
  /// What was asked for, for people and checkpoints: name and value in order.
  var options: [(name: String, value: String)] { get }
  var layout: ParameterLayout { get }
  /// Stacks that grow, all of the same depth; the first is the one people mean.
  var stacks: [BlockStack] { get }
  /// Tables with sparse gradients, the output table excepted.
  var rowTables: [RowTable] { get }
  var output: OutputTable { get }
  var objective: Objective { get }

  /// Longest sequence it can read (t items), or nil for any.
  var maximumLength: Int? { get }

  /// The same model with another depth.
  func withBlocks(_ count: Int) throws -> any Network

  func savedCount(_ tile: Tile, training: Bool) -> Int
  func scratchCount(_ tile: Tile) -> Int

  /// Hidden states `(T, B, d)` of the top of the network into `hidden`.
  func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
  /// `d` is the gradient of `hidden`; it is overwritten.
  func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass)
}

extension Network {
  public var depth: Int { stacks.first?.count ?? 0 }
  public var width: Int { output.width }

  /// Rows of hidden states for sequences of `length` items.
  public func positions(length: Int) -> Int {
    switch objective {
    case .nextItem: length - 1
    case .gapFilling, .gapFillingShifted: length
    }
  }
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
