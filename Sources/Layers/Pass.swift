import Kernels

/// The shape of a tile: a handful of sequences that go through the whole network together.
/// Activations are time-major: row `t * sequences + b`.
public struct Tile: Sendable, Equatable {
  public let steps: Steps
  public let sequences: Int
  public var positions: Int { steps.count }
  public var rows: Int { positions * sequences }

  public init(positions: Int, sequences: Int) { self.init(Steps(total: positions), sequences: sequences) }

  public init(_ steps: Steps, sequences: Int) {
    self.steps = steps
    self.sequences = sequences
  }
}

/// What a network reads for one tile. Ids are time-major, one a row.
public struct TileInput {
  public let tile: Tile
  /// Item ids the network sees.
  public let items: UnsafePointer<Int32>
  /// Item ids before masking; the same as `items` where nothing is masked.
  public let originals: UnsafePointer<Int32>
  /// One user id a sequence.
  public let users: UnsafePointer<Int32>
  /// Number of the tile's first row and sequence within the batch: where its row gradients go.
  public let firstRow: Int
  public let firstSequence: Int

  public init(
    tile: Tile, items: UnsafePointer<Int32>, originals: UnsafePointer<Int32>, users: UnsafePointer<Int32>,
    firstRow: Int = 0, firstSequence: Int = 0
  ) {
    self.tile = tile
    self.items = items
    self.originals = originals
    self.users = users
    self.firstRow = firstRow
    self.firstSequence = firstSequence
  }
}

/// Memory and mode of one tile's way through the network, used by one thread.
public struct Pass {
  public let parameters: UnsafePointer<Float>
  /// What the network's parts made of their parameters: see `Preparing`.
  public let prepared: UnsafePointer<Float>
  /// Gradients of the dense parameters, laid out as they are; only valid while training.
  public let gradients: UnsafeMutablePointer<Float>
  /// What a layer needs only while it runs.
  public let scratch: UnsafeMutablePointer<Float>
  /// Gradients of table rows, one table after the other, as the network's `rowTables` say.
  public let rowGradients: [RowGradient]
  public let mode: Mode
  /// Masks of dropout; nil where there is none: in evaluation.
  public let dropout: (any DropoutMasks)?
  /// No block under this one, nor the stem, needs a gradient.
  public let lowestBlock: Int

  public enum Mode: Sendable { case training, evaluation }

  public init(
    parameters: UnsafePointer<Float>, prepared: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, rowGradients: [RowGradient], mode: Mode, dropout: (any DropoutMasks)? = nil,
    lowestBlock: Int = 0
  ) {
    self.parameters = parameters
    self.prepared = prepared
    self.gradients = gradients
    self.scratch = scratch
    self.rowGradients = rowGradients
    self.mode = mode
    self.dropout = dropout
    self.lowestBlock = lowestBlock
  }

  public var isTraining: Bool { mode == .training }
}

/// A table whose rows are looked up by id: its gradient is a list of (id, vector), one for every look-up of a batch.
public struct RowTable: Sendable {
  public let name: String
  public let slot: Slot
  public let rows: Int
  public let width: Int
  public let rowsAre: Rows

  /// What its rows stand for, and so how often a sequence looks one up: an item at every position, its user once.
  public enum Rows: String, Sendable { case items, users }

  public init(name: String, slot: Slot, rows: Int, width: Int, rowsAre: Rows) {
    self.name = name
    self.slot = slot
    self.rows = rows
    self.width = width
    self.rowsAre = rowsAre
  }

  /// Look-ups of a batch of `sequences` with `positions` positions each.
  public func lookups(positions: Int, sequences: Int) -> Int { rowsAre == .items ? positions * sequences : sequences }
}

/// Where a batch's look-ups of one table leave their ids and gradient vectors.
public struct RowGradient: @unchecked Sendable {
  public let ids: UnsafeMutablePointer<Int32>
  public let vectors: UnsafeMutablePointer<Float>

  public init(ids: UnsafeMutablePointer<Int32>, vectors: UnsafeMutablePointer<Float>) {
    self.ids = ids
    self.vectors = vectors
  }
}
