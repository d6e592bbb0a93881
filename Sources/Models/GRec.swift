import Kernels
import Layers

/// GRec (Yuan et al., WWW 2020), trained by gap filling: some items are replaced by the pad and predicted.
///
/// - `causal`, as StackRec trains it: NextItNet's stack; a masked item is predicted one position before it, and at test the
///   input is all but the last item, without a mask.
/// - `encoder_decoder`, as published: a bidirectional encoder of the same blocks on the masked sequence; the sum of its output and
///   the decoder embedding of the unmasked items; a projector
///   `x + GELU(x W1 + b1) W2 + b2` with W1 `(d, 2d)`; a causal decoder. A masked item is predicted one position before
///   it. Encoder and decoder grow together.
///
/// Embeddings, convolutions and projector truncated normal 0.02; output `(V, d)` normal 0.01, bias 0.1.
public struct GRec: ConfiguredNetwork {
  public enum Architecture: String, Sendable, CaseIterable, Codable {
    case causal
    case encoderDecoder = "encoder_decoder"
  }

  /// The position of the output from which the causal architecture predicts a masked item.
  public enum Prediction: String, Sendable, CaseIterable, Codable {
    /// One position before the item, as in the authors' code.
    case before
    /// The position of the item, as in version 0.1.
    case own
  }

  public struct Configuration: ModelConfiguration {
    public var architecture: Architecture
    /// For the causal architecture only. Files of version 0.1 do not have it, which means `own`.
    public var prediction = Prediction.before
    /// The item that replaces a masked one: the pad, or another item that no sequence has.
    public var mask: Int32 = 0
    /// The items, width, depth, dilations and kernel of both stacks.
    public var stack: NextItNet.Configuration

    public var blocks: Int {
      get { stack.blocks }
      set { stack.blocks = newValue }
    }
    public var alpha: Bool {
      get { stack.alpha }
      set { stack.alpha = newValue }
    }
    public var head: Head {
      get { stack.head }
      set { stack.head = newValue }
    }
    public var pads: Pads {
      get { stack.pads }
      set { stack.pads = newValue }
    }

    public init(
      _ architecture: Architecture, _ stack: NextItNet.Configuration, prediction: Prediction = .before, mask: Int32 = 0
    ) {
      self.mask = mask
      self.architecture = architecture
      self.stack = stack
      self.prediction = prediction
    }

    private enum CodingKeys: String, CodingKey { case architecture, mask, prediction, stack }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      architecture = try container.decode(Architecture.self, forKey: .architecture)
      stack = try container.decode(NextItNet.Configuration.self, forKey: .stack)
      prediction = try container.decodeIfPresent(Prediction.self, forKey: .prediction) ?? .own
      mask = try container.decodeIfPresent(Int32.self, forKey: .mask) ?? 0
    }

    /// Encodes `prediction` for the causal architecture only, and `mask` unless it is the pad.
    public func encode(to encoder: any Swift.Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(architecture, forKey: .architecture)
      try container.encode(stack, forKey: .stack)
      if mask != 0 { try container.encode(mask, forKey: .mask) }
      if architecture == .causal, prediction == .before { try container.encode(prediction, forKey: .prediction) }
    }
  }

  public var kind: String { ModelKind.grec.name }
  public let layout: ParameterLayout
  public let stacks: [BlockStack]
  public let output: OutputTable
  public let maximumLength: Int? = nil
  public let configuration: Configuration
  private let embedding: Embedding
  private let encoderSide: EncoderSide?

  /// The parts that only the published architecture has.
  private struct EncoderSide {
    let embedding: Embedding
    let up: Linear
    let down: Linear
  }

  public init(_ configuration: Configuration) throws {
    try configuration.stack.check()
    try ModelError.require(
      configuration.mask >= 0 && Int(configuration.mask) < configuration.stack.items, "mask", "must be the number of an item")
    self.configuration = configuration
    let stack = configuration.stack
    let d = stack.dim
    let builder = LayoutBuilder()
    var stacks: [BlockStack] = []
    if configuration.architecture == .encoderDecoder {
      let embedding = Embedding(
        "encoder_embedding", rows: stack.items, width: d, initial: .truncatedNormal(0.02), in: builder)
      stacks.append(stack.blocks("encoder.blocks", causal: false, in: builder))
      self.embedding = Embedding(
        "item_embedding", rows: stack.items, width: d, initial: .truncatedNormal(0.02), in: builder)
      let drawn = (weight: Initializer.truncatedNormal(0.02), bias: Initializer.constant(0))
      encoderSide = EncoderSide(
        embedding: embedding, up: Linear("projector.up", d, 2 * d, reference: .always, initial: drawn, in: builder),
        down: Linear("projector.down", 2 * d, d, reference: .always, initial: drawn, in: builder))
    } else {
      embedding = Embedding(
        "item_embedding", rows: stack.items, width: d, initial: .truncatedNormal(0.02), in: builder)
      encoderSide = nil
    }
    // The decoder is first, because the depth of a model is that of its first stack.
    stacks.insert(stack.blocks("blocks", causal: true, in: builder), at: 0)
    self.stacks = stacks
    output = stack.output(embedding, in: builder)
    layout = builder.close()
  }

  /// In the transfer task, the model reads whole sequences and predicts one target at their end, as other models do.
  public var objective: Objective {
    if configuration.stack.head != .items { return .nextItem }
    switch (configuration.architecture, configuration.prediction) {
    case (.causal, .before): return .maskedNextItem
    case (.causal, .own): return .maskedItem
    case (.encoderDecoder, _): return .maskedItemAhead
    }
  }

  public var isTensorFlowInReference: Bool { true }
  public var maskItem: Int32 { configuration.mask }

  public var options: [(name: String, value: String)] {
    var options = [("architecture", configuration.architecture.rawValue)]
    if configuration.architecture == .causal { options.append(("prediction", configuration.prediction.rawValue)) }
    if configuration.mask != 0 { options.append(("mask", "item \(configuration.mask)")) }
    return options + configuration.stack.options
  }

  public var rowTables: [RowTable] { [embedding.table] + (encoderSide.map { [$0.embedding.table] } ?? []) }

  public var preparing: [any Preparing] {
    stacks.flatMap(\.blocks) + (encoderSide.map { [$0.up, $0.down] } ?? [])
  }

  /// The projector's two products.
  public func operationsBesidesBlocks(positions: Int) -> Double {
    encoderSide == nil ? 0 : Double(positions) * 8 * Double(width) * Double(width)
  }

  /// A decoder that predicts one position ahead does not need the last position.
  public func blockTile(_ tile: Tile) -> Tile {
    objective == .maskedItemAhead ? Tile(positions: tile.positions - 1, sequences: tile.sequences, starts: tile.starts) : tile
  }

  private func count(_ stack: BlockStack, _ tile: Tile, _ training: Bool) -> Int {
    training ? stack.savedCount(tile) : stack.evaluationCount(tile)
  }

  // Saved: the memory of the decoder and of the encoder, then the projector's input, its inner layer, and the GELU of it.
  public func savedCount(_ tile: Tile, training: Bool) -> Int {
    guard encoderSide != nil else { return count(stacks[0], tile, training) }
    // The projector writes all positions, more than the decoder's own tile.
    let decoder = count(stacks[0], blockTile(tile), training) + tile.rows * width
    return decoder + count(stacks[1], tile, training) + 5 * tile.rows * width
  }

  public func scratchCount(_ tile: Tile) -> Int {
    max(stacks.map { $0.scratchCount(tile) }.max() ?? 0, encoderSide == nil ? 0 : 3 * tile.rows * width)
  }

  private struct Kept {
    let decoder, encoder, sum, inner, active: UnsafeMutablePointer<Float>
  }

  private func kept(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>, _ training: Bool) -> Kept {
    let size = tile.rows * width
    let encoder = saved + count(stacks[0], blockTile(tile), training) + size
    let sum = encoder + count(stacks[1], tile, training)
    return Kept(decoder: saved, encoder: encoder, sum: sum, inner: sum + size, active: sum + 3 * size)
  }

  public func forward(
    _ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    guard let encoderSide else {
      embedding.forward(tile.rows, ids: input.items, y: saved, pass: pass)
      stacks[0].forward(
        tile, y: hidden, saved: saved, pass: pass, sequence: input.firstSequence, lastOnly: true)
      return
    }
    let k = kept(tile, saved, pass.isTraining)
    let size = tile.rows * width
    encoderSide.embedding.forward(tile.rows, ids: input.items, y: k.encoder, pass: pass)
    stacks[1].forward(tile, y: k.sum, saved: k.encoder, pass: pass, sequence: input.firstSequence)
    embedding.add(tile.rows, ids: input.originals, to: k.sum, pass: pass)
    encoderSide.up.forward(tile.rows, k.sum, k.inner, pass: pass)
    Elementwise.gelu(k.active, k.inner, 2 * size)
    // The projector's output is the decoder's input; rows are in time order, so a shorter tile is their beginning.
    encoderSide.down.forward(tile.rows, k.active, k.decoder, pass: pass)
    Elementwise.addScaled(k.decoder, k.sum, 1, size)
    tile.clear(k.decoder, width: width)
    let decoder = blockTile(tile)
    stacks[0].forward(
      decoder, y: hidden, saved: k.decoder, pass: pass, sequence: input.firstSequence, lastOnly: true)
    (hidden + decoder.rows * width).update(repeating: 0, count: (tile.rows - decoder.rows) * width)
  }

  public func backward(
    _ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let tile = input.tile
    guard let encoderSide else {
      stacks[0].backward(tile, d: d, saved: saved, pass: pass, sequence: input.firstSequence)
      embedding.backward(tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
      return
    }
    let k = kept(tile, saved, true)
    let size = tile.rows * width
    stacks[0].backward(blockTile(tile), d: d, saved: k.decoder, pass: pass, sequence: input.firstSequence)
    // The last position was never read: its gradient is 0 already.
    let inner = pass.scratch
    encoderSide.down.backward(tile.rows, x: k.active, dy: d, dx: inner, add: false, pass: pass)
    Elementwise.geluBackward(inner, k.inner, 2 * size)
    encoderSide.up.backward(tile.rows, x: k.sum, dy: inner, dx: d, add: true, pass: pass)
    embedding.backward(tile.rows, ids: input.originals, dy: d, into: pass.rowGradients[0], first: input.firstRow)
    stacks[1].backward(tile, d: d, saved: k.encoder, pass: pass, sequence: input.firstSequence)
    encoderSide.embedding.backward(
      tile.rows, ids: input.items, dy: d, into: pass.rowGradients[1], first: input.firstRow)
  }
}

extension ModelKind {
  static let grec = ModelKind("grec", GRec.self) { shape in
    let stack = NextItNet.Configuration(items: shape.items, dim: shape.width)
    let tied = NextItNet.Configuration(items: shape.items, dim: shape.width, tie: true)
    return [
      ("grec_tied", .init(.encoderDecoder, tied)), ("grec_causal", .init(.causal, stack)),
      ("grec_causal_own", .init(.causal, stack, prediction: .own)),
      ("grec_encoder_decoder", .init(.encoderDecoder, stack)),
    ]
  }
}
