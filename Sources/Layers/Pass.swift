import Kernels

/// The shape of a tile: a few sequences that go through the whole network together. Activations are time-major,
/// `(T, B, C)`: position t of sequence b is row `t * sequences + b`.
///
/// Sequences end at the last position. A shorter one begins later; before its first item nothing exists. Its rows there are
/// 0 where a neighbour in time reads them, and their gradients are 0.
public struct Tile: Sendable, Equatable {
  public let steps: Steps
  public let sequences: Int
  /// The position of the first item of each sequence, in ascending order: the longest sequence comes first. Empty if every
  /// sequence begins at position 0.
  public let starts: [Int32]
  public var positions: Int { steps.count }
  public var rows: Int { positions * sequences }

  public init(positions: Int, sequences: Int, starts: [Int32] = []) {
    self.init(Steps(total: positions), sequences: sequences, starts: starts)
  }

  public init(_ steps: Steps, sequences: Int, starts: [Int32] = []) {
    precondition(starts.isEmpty || starts.count == sequences)
    self.steps = steps
    self.sequences = sequences
    self.starts = starts
  }

  /// The position of the first item of a sequence; the number of positions if the sequence is empty.
  public func start(_ sequence: Int) -> Int { starts.isEmpty ? 0 : min(Int(starts[sequence]), positions) }

  /// Sets the rows of `(T, B, width)` before the first item of each sequence to 0.
  public func clear(_ x: UnsafeMutablePointer<Float>, width: Int) {
    guard !starts.isEmpty else { return }
    var existing = 0
    for t in 0..<positions {
      let position = steps.first + t * steps.stride
      while existing < sequences, Int(starts[existing]) <= position { existing += 1 }
      if existing == sequences { return }
      (x + (t * sequences + existing) * width).update(repeating: 0, count: (sequences - existing) * width)
    }
  }
}

/// What a network reads for one tile. Item ids are time-major, `(T, B)`; -1 before the first item of a sequence.
public struct TileInput {
  public let tile: Tile
  /// The item ids after masking.
  public let items: UnsafePointer<Int32>
  /// The item ids before masking. They equal `items` if nothing is masked.
  public let originals: UnsafePointer<Int32>
  /// One user id per sequence.
  public let users: UnsafePointer<Int32>
  /// The times of the events, for networks that read them; nil for others.
  public let times: Times?
  /// The index, in the batch, of the tile's first row. The gradients of embedding rows are written from there on.
  public let firstRow: Int
  /// The index, in the batch, of the tile's first sequence.
  public let firstSequence: Int

  /// Times in seconds, `(T, B)`: of the event at each position, and of the event that it predicts.
  public struct Times {
    public let events, predicted: UnsafePointer<Double>

    public init(events: UnsafePointer<Double>, predicted: UnsafePointer<Double>) {
      self.events = events
      self.predicted = predicted
    }
  }

  public init(
    tile: Tile, items: UnsafePointer<Int32>, originals: UnsafePointer<Int32>, users: UnsafePointer<Int32>, times: Times? = nil,
    firstRow: Int = 0, firstSequence: Int = 0
  ) {
    self.times = times
    self.tile = tile
    self.items = items
    self.originals = originals
    self.users = users
    self.firstRow = firstRow
    self.firstSequence = firstSequence
  }
}

/// The memory and the mode of one forward or backward pass of a tile. One thread uses it.
public struct Pass {
  public let parameters: UnsafePointer<Float>
  /// What the parts of the network computed from their parameters: see `Preparing`.
  public let prepared: UnsafePointer<Float>
  /// The gradients of the dense parameters, in the layout of the parameters. Only valid in training.
  public let gradients: UnsafeMutablePointer<Float>
  /// Memory that a layer may use while it runs.
  public let scratch: UnsafeMutablePointer<Float>
  /// The gradients of embedding rows, one entry per table of the network's `rowTables`.
  public let rowGradients: [RowGradient]
  public let mode: Mode
  /// The source of dropout masks; nil for no dropout, as in evaluation.
  public let dropout: (any DropoutMasks)?
  /// The lowest block that needs a gradient. If it is above 0, the stem needs none either.
  public let lowestBlock: Int
  /// Checked before every block; once it leaves work out, the results are not valid. nil: the pass cannot be cancelled.
  public let cancellation: CancellationWatch?
  /// The buckets of `TimeIntervals`, for blocks that read times.
  public var intervals: UnsafePointer<UInt8>?

  public enum Mode: Sendable { case training, evaluation }

  public init(
    parameters: UnsafePointer<Float>, prepared: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, rowGradients: [RowGradient], mode: Mode, dropout: (any DropoutMasks)? = nil,
    lowestBlock: Int = 0, cancellation: CancellationWatch? = nil
  ) {
    self.cancellation = cancellation
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

/// A table whose rows are looked up by id. Its gradient is a list of pairs (id, vector), one for every look-up of a batch.
public struct RowTable: Sendable {
  public let name: String
  public let slot: Slot
  public let rows: Int
  public let width: Int
  public let rowsAre: Rows

  /// What the rows are embeddings of. A sequence looks up one item per position, and its user once.
  public enum Rows: String, Sendable { case items, users }

  public init(name: String, slot: Slot, rows: Int, width: Int, rowsAre: Rows) {
    self.name = name
    self.slot = slot
    self.rows = rows
    self.width = width
    self.rowsAre = rowsAre
  }

  /// The number of look-ups of a batch.
  public func lookups(positions: Int, sequences: Int) -> Int { rowsAre == .items ? positions * sequences : sequences }
}

/// Memory for the ids and gradient vectors of a batch's look-ups in one table.
///
/// `@unchecked Sendable`: each tile writes to its own part.
public struct RowGradient: @unchecked Sendable {
  public let ids: UnsafeMutablePointer<Int32>
  public let vectors: UnsafeMutablePointer<Float>

  public init(ids: UnsafeMutablePointer<Int32>, vectors: UnsafeMutablePointer<Float>) {
    self.ids = ids
    self.vectors = vectors
  }
}
