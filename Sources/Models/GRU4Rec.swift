import Kernels
import Layers

/// GRU4Rec (Hidasi et al., ICLR 2016) on whole sequences: layers of gated recurrent units over the item embeddings, with gradients
/// through time, as it is used as a baseline (Klenitskiy and Vasilev, RecSys 2023). The authors' own code trains in parallel
/// sessions and does not pass gradients from step to step.
///
///     h      = GRU(dropout(E))
///     scores = h . E
///
/// The embedding is initialised by a normal distribution with deviation 0.02, the layers as in PyTorch: uniform in ±1/sqrt(d).
public struct GRU4Rec: ConfiguredNetwork {
  public var kind: String { ModelKind.gru4Rec.name }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let objective = Objective.nextItem
  public let maximumLength: Int? = nil
  public let configuration: Configuration
  private let items: Embedding
  private let dropout: Dropout

  public struct Configuration: ModelConfiguration {
    /// The number of items V, the pad included.
    public var items: Int
    public var dim: Int
    /// The number of layers.
    public var blocks: Int
    public var dropout: Double
    public var head: Head
    @PadsRule public var pads: Pads
    /// The layers have no residual weights.
    public var alpha: Bool {
      get { false }
      set {}
    }

    private enum CodingKeys: String, CodingKey { case items, dim, blocks, dropout, head, pads }

    public init(items: Int, dim: Int = 64, blocks: Int = 1, dropout: Double = 0, head: Head = .items, pads: Pads = .none) {
      self.items = items
      self.dim = dim
      self.blocks = blocks
      self.dropout = dropout
      self.head = head
      self.pads = pads
    }

    func check() throws {
      try ModelError.require(items >= 1 && items < 1 << 31, "items", "must be from 1 to 2 147 483 647")
      try head.check()
      try ModelError.require(dim >= 1 && dim <= 4096, "dim", "must be from 1 to 4096")
      try ModelError.require(blocks >= 0 && blocks <= 4096, "blocks", "must be from 0 to 4096")
      try ModelError.require(dropout >= 0 && dropout < 1, "dropout", "must be from 0 to below 1")
    }
  }

  public init(_ configuration: Configuration) throws {
    try configuration.check()
    self.configuration = configuration
    let builder = LayoutBuilder()
    let d = configuration.dim
    let items = Embedding("item_embedding", rows: configuration.items, width: d, initial: .normal(0.02), in: builder)
    self.items = items
    dropout = Dropout(configuration.dropout, layer: "embedding")
    stacks = [BlockStack(count: configuration.blocks, width: d, in: builder) { _, builder in GRUBlock(width: d, in: builder) }]
    output =
      configuration.head == .items
      ? OutputTable(tied: items)
      : configuration.head.table(items: configuration.items, width: d, weight: .constant(0), bias: nil, in: builder)
    layout = builder.close()
  }

  public var options: [(name: String, value: String)] {
    [
      ("dim", "\(configuration.dim)"), ("blocks", "\(configuration.blocks)"), ("dropout", "\(configuration.dropout)"),
      ("pads", configuration.pads.rawValue),
    ]
  }

  public var rowTables: [RowTable] { [items.table] }

  public func savedCount(_ tile: Tile, training: Bool) -> Int {
    training ? stacks[0].savedCount(tile) : stacks[0].evaluationCount(tile)
  }

  public func scratchCount(_ tile: Tile) -> Int { max(stacks[0].scratchCount(tile), tile.positions * width) }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    items.forward(input.tile.rows, ids: input.items, y: saved, pass: pass)
    dropout.apply(input.tile, width: width, saved, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    stacks[0].forward(input.tile, y: hidden, saved: saved, pass: pass, sequence: input.firstSequence)
  }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    stacks[0].backward(input.tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
    dropout.apply(input.tile, width: width, d, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    items.backward(input.tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
  }
}

extension ModelKind {
  static let gru4Rec = ModelKind("gru4rec", GRU4Rec.self) { shape in
    [("gru4rec", .init(items: shape.items, dim: shape.width, dropout: 0.2))]
  }
}
