import Kernels
import Layers

/// HSTU (Zhai et al., ICML 2024), with or without times, as RecTools trains it:
///
///     x0     = dropout(sqrt(d) E + P)
///     blocks = `HSTUBlock`
///     scores = cos(h, E) / 0.05
///
/// Matrices and embeddings are initialised by a normal distribution with deviation sqrt(2/(rows + columns)), biases of positions
/// with 0.02. Positions are counted from the end.
public struct HSTU: ConfiguredNetwork {
  public var kind: String { ModelKind.hstu.name }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let objective = Objective.nextItem
  public let configuration: Configuration
  private let items: Embedding
  private let positions: Slot
  private let dropout: Dropout

  public struct Configuration: ModelConfiguration {
    /// The number of items V, the pad included.
    public var items: Int
    /// The number of items of a sequence. The network reads all but the last.
    public var length: Int
    public var dim: Int
    public var blocks: Int
    public var heads: Int
    public var dropout: Double
    /// What the scores are divided by.
    public var temperature: Double
    public var head: Head
    @PadsRule public var pads: Pads
    /// From which event intervals of time are measured; nil: the model reads no times.
    public var time: TimeReference?
    /// The blocks have no residual weights.
    public var alpha: Bool {
      get { false }
      set {}
    }

    private enum CodingKeys: String, CodingKey { case items, length, dim, blocks, heads, dropout, temperature, head, pads, time }

    public init(
      items: Int, length: Int, dim: Int = 50, blocks: Int = 2, heads: Int = 1, dropout: Double = 0.2, temperature: Double = 0.05,
      head: Head = .items, pads: Pads = .none, time: TimeReference? = nil
    ) {
      self.time = time
      self.items = items
      self.length = length
      self.dim = dim
      self.blocks = blocks
      self.heads = heads
      self.dropout = dropout
      self.temperature = temperature
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
      try ModelError.require(time == nil || pads == .none, "time", "needs pads: none, because a pad has no time")
      try ModelError.require(temperature > 0 && temperature < 1e3, "temperature", "must be above 0")
    }
  }

  public init(_ configuration: Configuration) throws {
    try configuration.check()
    self.configuration = configuration
    let builder = LayoutBuilder()
    let (d, n) = (configuration.dim, configuration.length - 1)
    let items = Embedding(
      "item_embedding", rows: configuration.items, width: d, initial: Initialisation.xavier.table(configuration.items, d),
      in: builder)
    self.items = items
    positions = builder.add(
      "position_embedding.weight", [n, d], Initialisation.xavier.table(n, d), .embedding, reference: .always)
    dropout = Dropout(configuration.dropout, layer: "embedding")
    stacks = [
      BlockStack(count: configuration.blocks, width: d, in: builder) { index, builder in
        HSTUBlock(
          .init(
            width: d, heads: configuration.heads, positions: n, dropout: configuration.dropout,
            readsTimes: configuration.time != nil, name: "blocks.\(index)"),
          in: builder)
      }
    ]
    output =
      configuration.head == .items
      ? OutputTable(tied: items, temperature: configuration.temperature, cosine: true)
      : configuration.head.table(items: configuration.items, width: d, weight: .constant(0), bias: nil, in: builder)
    layout = builder.close()
  }

  public var maximumLength: Int? { configuration.length }
  public var timeReference: TimeReference? { configuration.time }

  public var options: [(name: String, value: String)] {
    [
      ("dim", "\(configuration.dim)"), ("blocks", "\(configuration.blocks)"), ("heads", "\(configuration.heads)"),
      ("dropout", "\(configuration.dropout)"), ("temperature", "\(configuration.temperature)"),
      ("pads", configuration.pads.rawValue), ("time", configuration.time?.rawValue ?? "none"),
    ]
  }

  public var rowTables: [RowTable] { [items.table] }

  public func savedCount(_ tile: Tile, training: Bool) -> Int {
    stackCount(tile, training) + (configuration.time == nil ? 0 : TimeIntervals.count(tile))
  }

  private func stackCount(_ tile: Tile, _ training: Bool) -> Int {
    training ? stacks[0].savedCount(tile) : stacks[0].evaluationCount(tile)
  }

  /// The intervals of time follow the memory of the blocks.
  private func intervals(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>, _ pass: Pass) -> UnsafeMutablePointer<Float> {
    saved + stackCount(tile, pass.isTraining)
  }

  public func scratchCount(_ tile: Tile) -> Int { max(stacks[0].scratchCount(tile), tile.positions * width) }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let pass = configuration.time.map { input.timed(pass, from: $0, memory: intervals(tile, saved, pass)) } ?? pass
    items.forward(tile.rows, ids: input.items, y: saved, pass: pass)
    Elementwise.scale(saved, saved, Float(width).squareRoot(), tile.rows * width)
    let first = configuration.length - 1 - tile.positions
    for t in 0..<tile.positions {
      Elementwise.addBias(
        saved + t * tile.sequences * width, pass.parameters + positions.offset + (first + t) * width, rows: tile.sequences,
        c: width)
    }
    dropout.apply(tile, width: width, saved, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    stacks[0].forward(tile, y: hidden, saved: saved, pass: pass, sequence: input.firstSequence)
  }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let pass = configuration.time == nil ? pass : input.alreadyTimed(pass, memory: intervals(tile, saved, pass))
    stacks[0].backward(tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
    dropout.apply(tile, width: width, d, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    let first = configuration.length - 1 - tile.positions
    for t in 0..<tile.positions {
      Elementwise.addRowSums(
        pass.gradients + positions.offset + (first + t) * width, d + t * tile.sequences * width, rows: tile.sequences,
        c: width)
    }
    Elementwise.scale(d, d, Float(width).squareRoot(), tile.rows * width)
    items.backward(tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
  }
}

extension ModelKind {
  static let hstu = ModelKind("hstu", HSTU.self) { shape in
    [
      ("hstu", .init(items: shape.items, length: shape.length, dim: shape.width, heads: 2)),
      ("hstu, times", .init(items: shape.items, length: shape.length, dim: shape.width, heads: 2, time: .target)),
    ]
  }
}
