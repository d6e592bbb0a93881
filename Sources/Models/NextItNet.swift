import Foundation
import Kernels
import Layers

/// NextItNet (Yuan et al., WSDM 2019): dilated causal convolutions over item embeddings.
///
/// The item embedding is `(V, d)`, initialised by a truncated normal distribution with deviation 0.02. The dilations of the
/// residual blocks repeat a pattern. The output layer is `(V, d)`, initialised by a normal distribution with deviation 0.01,
/// with a bias of 0.1; it is not tied to the embedding.
public struct NextItNet: ConfiguredNetwork {
  public var kind: String { ModelKind.nextItNet.name }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let objective = Objective.nextItem
  public let maximumLength: Int? = nil
  private let embedding: Embedding
  public let configuration: Configuration

  public struct Configuration: ModelConfiguration {
    /// The number of items V, the pad included.
    public var items: Int
    public var dim: Int
    public var blocks: Int
    public var dilations: [Int]
    public var kernel: Int
    public var alpha: Bool
    public var head: Head
    @PadsRule public var pads: Pads
    /// true: items are scored by the item embedding. nil: by an output layer with a bias, as in StackRec.
    public var tie: Bool?

    public init(
      items: Int, dim: Int = 64, blocks: Int = 4, dilations: [Int] = [1, 4], kernel: Int = 3, alpha: Bool = true,
      head: Head = .items, pads: Pads = .none, tie: Bool = false
    ) {
      self.items = items
      self.dim = dim
      self.blocks = blocks
      self.dilations = dilations
      self.kernel = kernel
      self.alpha = alpha
      self.head = head
      self.pads = pads
      self.tie = tie ? true : nil
    }

    func check() throws {
      try ModelError.require(items >= 1 && items < 1 << 31, "items", "must be from 1 to 2 147 483 647")
      try head.check()
      try ModelError.require(dim >= 1 && dim <= 4096, "dim", "must be from 1 to 4096")
      try ModelError.require(blocks >= 0 && blocks <= 4096, "blocks", "must be from 0 to 4096")
      try ModelError.require(
        !dilations.isEmpty && dilations.allSatisfy { $0 >= 1 && $0 <= 100_000 }, "dilations",
        "must be a list of whole numbers from 1 to 100000")
      try ModelError.require(kernel >= 2 && kernel <= 64, "kernel", "must be from 2 to 64")
    }

    /// A stack of residual blocks. Block i has dilation `dilations[i % dilations.count]`.
    func blocks(_ name: String, causal: Bool, in builder: LayoutBuilder) -> BlockStack {
      BlockStack(name, count: blocks, width: dim, in: builder) { index, builder in
        ConvolutionBlock(
          .init(width: dim, kernel: kernel, dilation: dilations[index % dilations.count], causal: causal, alpha: alpha),
          in: builder)
      }
    }

    /// The output layer: the item embedding, a table with a bias, or that of the transfer task.
    func output(_ embedding: Embedding, in builder: LayoutBuilder) -> OutputTable {
      if tie == true && head == .items { return OutputTable(tied: embedding) }
      return head.table(items: items, width: dim, weight: .normal(0.01), bias: .constant(0.1), in: builder)
    }

    var options: [(name: String, value: String)] {
      [
        ("dim", "\(dim)"), ("blocks", "\(blocks)"), ("dilations", "\(dilations)"), ("kernel", "\(kernel)"),
        ("alpha", "\(alpha)"), ("pads", pads.rawValue),
        ("tie", "\(tie ?? false)"),
      ]
    }
  }

  public init(_ configuration: Configuration) throws {
    try configuration.check()
    self.configuration = configuration
    let builder = LayoutBuilder()
    let d = configuration.dim
    let embedding = Embedding(
      "item_embedding", rows: configuration.items, width: d, initial: .truncatedNormal(0.02), in: builder)
    self.embedding = embedding
    stacks = [configuration.blocks("blocks", causal: true, in: builder)]
    output = configuration.output(embedding, in: builder)
    layout = builder.close()
  }

  public var isTensorFlowInReference: Bool { true }

  public var options: [(name: String, value: String)] { configuration.options }

  public var rowTables: [RowTable] { [embedding.table] }

  public func savedCount(_ tile: Tile, training: Bool) -> Int {
    training ? stacks[0].savedCount(tile) : stacks[0].evaluationCount(tile)
  }

  public func scratchCount(_ tile: Tile) -> Int { stacks[0].scratchCount(tile) }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    embedding.forward(input.tile.rows, ids: input.items, y: saved, pass: pass)
    stacks[0].forward(
      input.tile, y: hidden, saved: saved, pass: pass, sequence: input.firstSequence, lastOnly: true)
  }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    stacks[0].backward(input.tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
    embedding.backward(
      input.tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
  }
}

extension ModelKind {
  static let nextItNet = ModelKind("nextitnet", NextItNet.self) { shape in
    [
      ("nextitnet", .init(items: shape.items, dim: shape.width)),
      ("nextitnet_tied", .init(items: shape.items, dim: shape.width, tie: true)),
    ]
  }
}
