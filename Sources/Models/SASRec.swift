import Kernels
import Layers

/// SASRec (Kang and McAuley, ICDM 2018) with StackRec's residual weights. With `users`, it is SSE-PT: see SSEPT.swift.
///
///     x0     = LN(dropout([user embedding ;] item embedding + position embedding))
///     blocks = causal attention and feed-forward layers, see `AttentionBlock`
///     scores = h W^T + b
///
/// Embeddings are initialised by a normal distribution with deviation 0.01. The output layer `(V, d)` is initialised as a
/// linear layer in PyTorch: uniform in ±1/sqrt(d). With a `variant`, it is another SASRec of the field: see `SASRec.Variant`.
public struct SASRec: ConfiguredNetwork {
  public var kind: String {
    if configuration.variant?.form == .gated { return ModelKind.eSASRec.name }
    return (configuration.users == nil ? ModelKind.sasRec : .ssePT).name
  }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let objective = Objective.nextItem
  public let configuration: Configuration
  public let sharing: SharedEmbeddings?
  private let items: Embedding
  private let users: Embedding?
  private let positions: Slot
  private let stemDropout: Dropout
  private let stemNorm: Norm?
  private let lastNorm: Norm?

  public struct Configuration: ModelConfiguration {
    /// The number of items V, the pad included.
    public var items: Int
    /// The number of items of a sequence. The network reads all but the last.
    public var length: Int
    /// The width of the item embedding.
    public var dim: Int
    public var blocks: Int
    public var heads: Int
    public var dropout: Double
    public var alpha: Bool
    /// The user embedding of SSE-PT; nil for SASRec.
    public var users: Users?
    /// nil: StackRec's SASRec.
    public var variant: Variant?
    public var head: Head
    @PadsRule public var pads: Pads

    public init(
      items: Int, length: Int, dim: Int = 64, blocks: Int = 4, heads: Int = 1, dropout: Double = 0, alpha: Bool = true,
      users: Users? = nil, variant: Variant? = nil, head: Head = .items, pads: Pads = .none
    ) {
      self.items = items
      self.length = length
      self.dim = dim
      self.blocks = blocks
      self.heads = heads
      self.dropout = dropout
      self.alpha = alpha
      self.users = users
      self.variant = variant
      self.head = head
      self.pads = pads
    }

    /// The width of the hidden states.
    var width: Int { dim + (users?.dim ?? 0) }

    func check() throws {
      let name = users == nil ? "dim" : "item_dim"
      try ModelError.require(items >= 1 && items < 1 << 31, "items", "must be from 1 to 2 147 483 647")
      try head.check()
      try ModelError.require((users?.count ?? 1) >= 1 && (users?.count ?? 1) < 1 << 31, "users", "must be from 1 to 2 147 483 647")
      try ModelError.require(dim >= 1 && dim <= 4096, name, "must be from 1 to 4096")
      try ModelError.require((users?.dim ?? 1) >= 1 && (users?.dim ?? 1) <= 4096, "user_dim", "must be from 1 to 4096")
      try ModelError.require(blocks >= 0 && blocks <= 4096, "blocks", "must be from 0 to 4096")
      try ModelError.require(length >= 2 && length <= 100_000, "length", "must be from 2 to 100000")
      try ModelError.require(
        heads >= 1 && width % heads == 0, "heads", "must divide the width of the hidden states, \(width); \(heads) does not")
      try ModelError.require(dropout >= 0 && dropout < 1, "dropout", "must be from 0 to below 1")
      try variant?.check(alpha: alpha)
    }
  }

  public init(_ configuration: Configuration) throws {
    try configuration.check()
    let width = configuration.width
    self.configuration = configuration
    sharing = configuration.users?.sharing
    let builder = LayoutBuilder()
    users = configuration.users.map {
      Embedding(
        "user_embedding", rows: $0.count, width: $0.dim, initial: .normal(0.01), rowsAre: .users, in: builder)
    }
    let variant = configuration.variant
    let table = { (rows: Int) in variant?.table(rows, width) ?? .normal(0.01) }
    items = Embedding(
      "item_embedding", rows: configuration.items, width: configuration.dim, initial: table(configuration.items), in: builder)
    positions = builder.add(
      "position_embedding.weight", [configuration.length - 1, width], table(configuration.length - 1), .embedding,
      reference: .always)
    stemDropout = Dropout(configuration.dropout, layer: "embedding")
    stemNorm = variant == nil ? Norm("norm", width, epsilon: 1e-5, in: builder) : nil
    stacks = [
      BlockStack(count: configuration.blocks, width: width, in: builder) { index, builder in
        if let variant {
          return TransformerBlock(
            variant.block(width, configuration.heads, dropout: configuration.dropout, name: "blocks.\(index)"), in: builder)
        }
        return AttentionBlock(
          .init(
            width: width, heads: configuration.heads, dropout: configuration.dropout, alpha: configuration.alpha,
            name: "blocks.\(index)"),
          in: builder)
      }
    ]
    lastNorm = variant.flatMap { $0.hasLastNorm ? Norm("norm", width, epsilon: Float($0.epsilon), in: builder) : nil }
    let bound = 1 / Float(width).squareRoot()
    if let variant, variant.isTied, configuration.head == .items {
      output = OutputTable(tied: items)
    } else {
      output = configuration.head.table(
        items: configuration.items, width: width, weight: variant == nil ? .uniform(bound) : table(configuration.items),
        bias: variant == nil ? .uniform(bound) : nil, in: builder)
    }
    layout = builder.close()
  }

  public var maximumLength: Int? { configuration.length }
  public var closingNorm: Norm? { stemNorm }

  public var options: [(name: String, value: String)] {
    var options = [("blocks", "\(configuration.blocks)"), ("heads", "\(configuration.heads)")]
    options += [("dropout", "\(configuration.dropout)"), ("alpha", "\(configuration.alpha)"), ("pads", configuration.pads.rawValue)]
    if let variant = configuration.variant {
      options = options.filter { $0.0 != "alpha" } + (variant.form == .gated ? [("ff_dim", "\(variant.inner)")] : variant.options)
    }
    guard let users = configuration.users else { return [("dim", "\(configuration.dim)")] + options }
    let dims = [("user_dim", "\(users.dim)"), ("item_dim", "\(configuration.dim)")]
    return dims + options + [("swap_user", "\(users.sharing.user)"), ("swap_item", "\(users.sharing.item)")]
  }

  public var rowTables: [RowTable] { [items.table] + (users.map { [$0.table] } ?? []) }

  // Saved: the memory of the stack, then the normalised sum of the stem and its reciprocal standard deviations.
  public func savedCount(_ tile: Tile, training: Bool) -> Int {
    stackCount(tile, training) + tile.rows * (width + 1)
  }

  private func stackCount(_ tile: Tile, _ training: Bool) -> Int {
    training ? stacks[0].savedCount(tile) : stacks[0].evaluationCount(tile)
  }

  public func scratchCount(_ tile: Tile) -> Int { max(stacks[0].scratchCount(tile), tile.positions * width) }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let norm = saved + stackCount(tile, pass.isTraining)
    // The input of the first block is the stem's sum, or its normalised value.
    let xhat = stemNorm == nil ? saved : norm
    let userWidth = users?.table.width ?? 0
    items.forward(tile.rows, ids: input.items, y: xhat + userWidth, stride: width, pass: pass)
    if let scale { Elementwise.scale(xhat, xhat, scale, tile.rows * width) }
    // A shorter sequence uses the last positions, as if it were padded in front.
    let first = configuration.length - 1 - tile.positions
    for t in 0..<tile.positions {
      let row = xhat + t * tile.sequences * width
      users?.forward(tile.sequences, ids: input.users, y: row, stride: width, pass: pass)
      Elementwise.addBias(
        row, pass.parameters + positions.offset + (first + t) * width, rows: tile.sequences, c: width)
    }
    stemDropout.apply(tile, width: width, xhat, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    stemNorm?.forward(tile.rows, x: xhat, xhat: xhat, rstd: xhat + tile.rows * width, y: saved, pass: pass)
    stacks[0].forward(tile, y: lastNorm == nil ? hidden : norm, saved: saved, pass: pass, sequence: input.firstSequence)
    lastNorm?.forward(tile.rows, x: norm, xhat: norm, rstd: norm + tile.rows * width, y: hidden, pass: pass)
  }

  /// The factor of the item embedding; nil for 1.
  private var scale: Float? { configuration.variant?.isScaled == true ? Float(width).squareRoot() : nil }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    let xhat = saved + stackCount(tile, true)
    _ = lastNorm?.backward(tile.rows, d: d, xhat: xhat, rstd: xhat + tile.rows * width, pass: pass)
    stacks[0].backward(tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
    _ = stemNorm?.backward(tile.rows, d: d, xhat: xhat, rstd: xhat + tile.rows * width, pass: pass)
    stemDropout.apply(tile, width: width, d, pass: pass, sequence: input.firstSequence, memory: pass.scratch)
    let userWidth = users?.table.width ?? 0
    let first = configuration.length - 1 - tile.positions
    for t in 0..<tile.positions {
      Elementwise.addRowSums(
        pass.gradients + positions.offset + (first + t) * width, d + t * tile.sequences * width, rows: tile.sequences,
        c: width)
    }
    if let scale { Elementwise.scale(d, d, scale, tile.rows * width) }
    items.backward(
      tile.rows, ids: input.items, dy: d + userWidth, stride: width, into: pass.rowGradients[0], first: input.firstRow)
    guard users != nil else { return }
    // A sequence looks its user up once, so the gradient of the user embedding is the sum over the positions.
    for t in 1..<max(1, tile.positions) {
      for b in 0..<tile.sequences {
        Elementwise.addScaled(d + b * width, d + (t * tile.sequences + b) * width, 1, userWidth)
      }
    }
    users?.backward(
      tile.sequences, ids: input.users, dy: d, stride: width, into: pass.rowGradients[1], first: input.firstSequence)
  }
}

extension ModelKind {
  static let sasRec = ModelKind("sasrec", SASRec.self) { shape in
    let base = SASRec.Configuration(items: shape.items, length: shape.length, dim: shape.width, heads: 2, dropout: 0.2)
    func with(_ variant: SASRec.Variant) -> SASRec.Configuration {
      var configuration = base
      configuration.variant = variant
      return configuration
    }
    return [
      ("sasrec", base), ("sasrec_query", with(.sasRecPlus(shape.width))), ("sasrec_gsasrec", with(.gSASRec(shape.width))),
      ("sasrec_pre", with(.pre(shape.width))), ("sasrec_post", with(.post(shape.width))),
    ]
  }
}
