import Kernels
import Layers

/// BERT4Rec (Sun et al., CIKM 2019), trained by filling gaps: some items are masked and predicted from both sides.
///
///     x0     = dropout(LN(E + P))
///     blocks = `TransformerBlock` of the form `post`, not causal, with GELU
///     scores = h . E
///
/// The mask is item 0. At test the last item is masked. Embeddings and matrices are initialised by a normal distribution with
/// deviation 0.02, biases with 0, as in Hugging Face's implementation, whose token types are left out: with one type they are a
/// part of P. Positions are counted from the end.
public struct BERT4Rec: ConfiguredNetwork {
  public var kind: String { ModelKind.bert4Rec.name }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let configuration: Configuration
  private let items: Embedding
  private let positions: Slot
  private let dropout: Dropout
  private let norm: Norm

  private static let epsilon: Float = 1e-12

  public struct Configuration: ModelConfiguration {
    /// The number of items V, the pad included.
    public var items: Int
    /// The number of items of a sequence, all of which the network reads.
    public var length: Int
    public var dim: Int
    public var blocks: Int
    public var heads: Int
    public var dropout: Double
    /// The width of the feed-forward layer is this multiple of `dim`.
    public var widening: Int
    public var head: Head
    @PadsRule public var pads: Pads
    /// The blocks have no residual weights.
    public var alpha: Bool {
      get { false }
      set {}
    }

    private enum CodingKeys: String, CodingKey { case items, length, dim, blocks, heads, dropout, widening, head, pads }

    public init(
      items: Int, length: Int, dim: Int = 64, blocks: Int = 2, heads: Int = 2, dropout: Double = 0.1, widening: Int = 4,
      head: Head = .items, pads: Pads = .none
    ) {
      self.items = items
      self.length = length
      self.dim = dim
      self.blocks = blocks
      self.heads = heads
      self.dropout = dropout
      self.widening = widening
      self.head = head
      self.pads = pads
    }

    func check() throws {
      try ModelError.require(items >= 1 && items < 1 << 31, "items", "must be from 1 to 2 147 483 647")
      try head.check()
      try ModelError.require(dim >= 1 && dim <= 4096, "dim", "must be from 1 to 4096")
      try ModelError.require(blocks >= 0 && blocks <= 4096, "blocks", "must be from 0 to 4096")
      try ModelError.require(length >= 2 && length <= 100_000, "length", "must be from 2 to 100000")
      try ModelError.require(
        heads >= 1 && dim % heads == 0, "heads", "must divide the width of the hidden states, \(dim); \(heads) does not")
      try ModelError.require(dropout >= 0 && dropout < 1, "dropout", "must be from 0 to below 1")
      try ModelError.require(widening >= 1 && widening <= 16, "widening", "must be from 1 to 16")
    }
  }

  public init(_ configuration: Configuration) throws {
    try configuration.check()
    self.configuration = configuration
    let builder = LayoutBuilder()
    let d = configuration.dim
    let initial = Initialisation.normal
    let items = Embedding(
      "item_embedding", rows: configuration.items, width: d, initial: initial.table(configuration.items, d), in: builder)
    self.items = items
    positions = builder.add(
      "position_embedding.weight", [configuration.length, d], initial.table(configuration.length, d), .embedding,
      reference: .always)
    dropout = Dropout(configuration.dropout, layer: "embedding")
    norm = Norm("norm", d, epsilon: Self.epsilon, in: builder)
    stacks = [
      BlockStack(count: configuration.blocks, width: d, in: builder) { index, builder in
        TransformerBlock(
          .init(
            form: .post, width: d, heads: configuration.heads, inner: configuration.widening * d, activation: .gelu,
            isProjected: true, isCausal: false, dropout: configuration.dropout, places: [.attention, .projection, .ff2],
            epsilon: Self.epsilon, initial: initial, name: "blocks.\(index)"),
          in: builder)
      }
    ]
    output =
      configuration.head == .items
      ? OutputTable(tied: items)
      : configuration.head.table(items: configuration.items, width: d, weight: .constant(0), bias: nil, in: builder)
    layout = builder.close()
  }

  /// In the transfer task, the model reads whole sequences and predicts one target at their end, as other models do.
  public var objective: Objective { configuration.head == .items ? .maskedItem : .nextItem }
  public var maximumLength: Int? { configuration.length }
  public var closingNorm: Norm? { norm }

  public var options: [(name: String, value: String)] {
    [
      ("dim", "\(configuration.dim)"), ("blocks", "\(configuration.blocks)"), ("heads", "\(configuration.heads)"),
      ("dropout", "\(configuration.dropout)"), ("widening", "\(configuration.widening)"), ("pads", configuration.pads.rawValue),
    ]
  }

  public var rowTables: [RowTable] { [items.table] }

  // Saved: the memory of the stack, then the normalised sum of the stem and its reciprocal standard deviations.
  public func savedCount(_ tile: Tile, training: Bool) -> Int { stackCount(tile, training) + tile.rows * (width + 1) }

  private func stackCount(_ tile: Tile, _ training: Bool) -> Int {
    training ? stacks[0].savedCount(tile) : stacks[0].evaluationCount(tile)
  }

  public func scratchCount(_ tile: Tile) -> Int { max(stacks[0].scratchCount(tile), tile.positions * width) }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let xhat = saved + stackCount(tile, pass.isTraining)
    items.forward(tile.rows, ids: input.items, y: xhat, pass: pass)
    let first = configuration.length - tile.positions
    for t in 0..<tile.positions {
      Elementwise.addBias(
        xhat + t * tile.sequences * width, pass.parameters + positions.offset + (first + t) * width, rows: tile.sequences,
        c: width)
    }
    norm.forward(tile.rows, x: xhat, xhat: xhat, rstd: xhat + tile.rows * width, y: saved, pass: pass)
    dropout.apply(tile, width: width, saved, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    stacks[0].forward(tile, y: hidden, saved: saved, pass: pass, sequence: input.firstSequence)
  }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let xhat = saved + stackCount(tile, true)
    stacks[0].backward(tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
    dropout.apply(tile, width: width, d, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    _ = norm.backward(tile.rows, d: d, xhat: xhat, rstd: xhat + tile.rows * width, pass: pass)
    let first = configuration.length - tile.positions
    for t in 0..<tile.positions {
      Elementwise.addRowSums(
        pass.gradients + positions.offset + (first + t) * width, d + t * tile.sequences * width, rows: tile.sequences,
        c: width)
    }
    items.backward(tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
  }
}

extension ModelKind {
  static let bert4Rec = ModelKind("bert4rec", BERT4Rec.self) { shape in
    [("bert4rec", .init(items: shape.items, length: shape.length, dim: shape.width, widening: 2))]
  }
}
