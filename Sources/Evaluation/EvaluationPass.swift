import Datasets
import Kernels
import Layers

/// Runs a model over a set of sequences, tile by tile, and yields the hidden states that predict the last items.
final class EvaluationPass: Sendable {
  /// The number of sequences of a tile.
  static let size = 24

  /// The whole output table.
  let columns: OutputPanels
  private let model: Model
  private let set: SequenceSet
  private let positions: Int
  private let prepared: FloatBuffer
  private let memories: [Memory]

  /// The memory of one thread.
  private final class Memory: Sendable {
    let saved, scratch, hidden: FloatBuffer

    init(_ network: any Network, _ tile: Tile) {
      saved = FloatBuffer(count: network.savedCount(tile, training: false))
      scratch = FloatBuffer(count: network.scratchCount(tile))
      hidden = FloatBuffer(count: tile.rows * network.width)
    }
  }

  init(_ model: Model, on set: SequenceSet, pool: WorkerPool) {
    let network = model.network
    self.model = model
    self.set = set
    let positions = network.positions(length: set.length)
    self.positions = positions
    memories = (0..<pool.threads).map { _ in Memory(network, Tile(positions: positions, sequences: Self.size)) }
    prepared = FloatBuffer(count: network.layout.preparedCount)
    network.prepare(model.values, into: prepared, training: false, pool: pool)
    columns = OutputPanels(network.output, candidates: nil)
    columns.load(network.output, model.values, pool)
  }

  /// Calls `body` for every tile, in parallel and in any order. `hidden` is `(n, d)`: the hidden states that predict the last
  /// items of the n sequences of `range`.
  func run(
    _ pool: WorkerPool,
    _ body: @escaping @Sendable (_ range: Range<Int>, _ hidden: UnsafePointer<Float>, _ worker: Int) -> Void
  ) {
    let network = model.network
    // Activations are time-major, so the rows of this one position are contiguous.
    let last = network.objective.lastPredicting(positions)
    pool.forEachUntilCancelled((set.count + Self.size - 1) / Self.size) { [self] job, worker in
      let range = (job * Self.size)..<min(set.count, (job + 1) * Self.size)
      let memory = memories[worker]
      let pass = Pass(
        parameters: model.values.base, prepared: prepared.base, gradients: memory.scratch.base,
        scratch: memory.scratch.base, rowGradients: [], mode: .evaluation)
      EvaluationInput(set, range, network: network).with {
        network.forward($0, hidden: memory.hidden.base, saved: memory.saved.base, pass: pass)
      }
      body(range, memory.hidden.base + last * range.count * network.width, worker)
    }
  }
}

/// The input of a network for predicting the last items of a few sequences.
struct EvaluationInput {
  let tile: Tile
  private let items: [Int32]
  private let users: [Int32]

  init(_ set: SequenceSet, _ range: Range<Int>, network: any Network) {
    tile = Tile(positions: network.positions(length: set.length), sequences: range.count)
    let visible = network.objective.visibleItems(length: set.length)
    var items = [Int32](repeating: 0, count: tile.rows)
    for (b, index) in range.enumerated() {
      let sequence = set.sequence(index)
      for t in 0..<visible {
        items[t * tile.sequences + b] = sequence[sequence.startIndex + t]
      }
    }
    self.items = items
    users = range.map { set.user($0) }
  }

  func with(_ body: (TileInput) -> Void) {
    items.withUnsafeBufferPointer { items in
      users.withUnsafeBufferPointer { users in
        guard let i = items.baseAddress, let u = users.baseAddress else { return }
        body(TileInput(tile: tile, items: i, originals: i, users: u))
      }
    }
  }
}
