import Datasets
import Kernels
import Layers

/// Runs a model over a set of sequences, tile by tile, and yields the hidden states that predict the last items. A tile has
/// sequences of similar length: those of every 4,080 consecutive sequences are sorted by length, the longest first.
final class EvaluationPass: Sendable {
  /// The number of sequences of a tile.
  static let size = 24
  /// The number of consecutive sequences that are sorted together: whole tiles, and so few that a mapped file is read in large
  /// pieces.
  private static let sorted = 170 * size

  /// The whole output table.
  let columns: OutputPanels
  private let model: Model
  private let set: SequenceSet
  /// The sequences in the order of the tiles; empty: in the order of the set.
  private let order: [Int32]
  private let prepared: FloatBuffer
  private let memories: [Memory]

  /// The memory of one thread.
  private final class Memory: Sendable {
    let saved, scratch, hidden: FloatBuffer

    init(_ network: any Network, length: Int) {
      let (savedCount, scratchCount, rows) = EvaluationPass.counts(network, length: length)
      saved = FloatBuffer(count: savedCount)
      scratch = FloatBuffer(count: scratchCount)
      hidden = FloatBuffer(count: rows * network.width)
    }
  }

  init(_ model: Model, on set: SequenceSet, pool: WorkerPool) {
    let network = model.network
    self.model = model
    self.set = set
    memories = (0..<pool.threads).map { _ in Memory(network, length: set.length) }
    order = network.pads == .item ? [] : Self.order(set)
    prepared = FloatBuffer(count: network.layout.preparedCount)
    network.prepare(model.values, into: prepared, training: false, pool: pool)
    columns = OutputPanels(network.output, candidates: nil)
    columns.load(network.output, model.values, pool)
  }

  /// The most floats that a tile of any length takes: saved by a pass and as scratch memory; and its rows.
  static func counts(_ network: any Network, length: Int) -> (saved: Int, scratch: Int, rows: Int) {
    let longest = network.positions(length: max(2, length))
    let shortest = network.pads == .item ? longest : network.positions(length: 2)
    let tiles = (shortest...longest).map { Tile(positions: $0, sequences: size) }
    return (
      tiles.map { network.savedCount($0, training: false) }.max() ?? 0, tiles.map(network.scratchCount).max() ?? 0,
      longest * size
    )
  }

  /// The sequences of every `sorted` in the order of their lengths; empty if all have the same length.
  private static func order(_ set: SequenceSet) -> [Int32] {
    var isOrdered = true
    var order: [Int32] = []
    order.reserveCapacity(set.count)
    for start in stride(from: 0, to: set.count, by: sorted) {
      let range = start..<min(set.count, start + sorted)
      let lengths = range.map { set.eventCount($0) }
      let part = range.sorted {
        let (a, b) = (lengths[$0 - start], lengths[$1 - start])
        return a == b ? $0 < $1 : a > b
      }
      isOrdered = isOrdered && part == Array(range)
      order += part.map(Int32.init)
    }
    return isOrdered ? [] : order
  }

  /// Calls `body` for every tile, in parallel and in any order. `hidden` is `(n, d)`: the hidden states that predict the last
  /// items of the n sequences of `indices`, scaled as products with the output table need them; 0 for a sequence with no item
  /// before the last.
  func run(
    _ pool: WorkerPool,
    _ body: @escaping @Sendable (_ indices: [Int], _ hidden: UnsafePointer<Float>, _ worker: Int) -> Void
  ) {
    let network = model.network
    let cancellation = pool.cancellation
    pool.forEachUntilCancelled((set.count + Self.size - 1) / Self.size) { [self] job, worker in
      let range = (job * Self.size)..<min(set.count, (job + 1) * Self.size)
      let indices = order.isEmpty ? Array(range) : order[range].map(Int.init)
      let memory = memories[worker]
      let pass = Pass(
        parameters: model.values.base, prepared: prepared.base, gradients: memory.scratch.base,
        scratch: memory.scratch.base, rowGradients: [], mode: .evaluation, cancellation: cancellation)
      let input = EvaluationInput(set, indices, network: network)
      input.with { network.forward($0, hidden: memory.hidden.base, saved: memory.saved.base, pass: pass) }
      // Activations are time-major, so the rows of this one position are contiguous.
      let last = network.objective.lastPredicting(input.tile.positions)
      let hidden = memory.hidden.base + last * indices.count * network.width
      for b in indices.indices where input.tile.start(b) > last {
        (hidden + b * network.width).update(repeating: 0, count: network.width)
      }
      network.output.scaleHidden(hidden, rows: indices.count)
      body(indices, hidden, worker)
    }
  }
}

/// The input of a network for predicting the last items of a few sequences.
struct EvaluationInput {
  let tile: Tile
  private let items: [Int32]
  private let users: [Int32]
  /// Times of the events and of the predicted ones; empty if the network reads none.
  private let times, predicted: [Double]

  /// - Parameter indices: the sequences. If the network does not read pads, they must be sorted by length, the longest first.
  init(_ set: SequenceSet, _ indices: [Int], network: any Network) {
    let sequences = indices.map { network.pads == .item ? set.sequence($0) : set.events($0) }
    let positions = network.positions(length: max(2, sequences.first?.count ?? 0))
    let starts = sequences.map { Int32(positions - max(0, network.positions(length: $0.count))) }
    tile = Tile(positions: positions, sequences: indices.count, starts: starts.allSatisfy { $0 == 0 } ? [] : starts)
    var items = [Int32](repeating: -1, count: tile.rows)
    for (b, sequence) in sequences.enumerated() {
      let visible = network.objective.visibleItems(length: sequence.count)
      for t in tile.start(b)..<positions {
        let item = t - tile.start(b)
        items[t * tile.sequences + b] = item < visible ? sequence[sequence.startIndex + item] : 0
      }
    }
    self.items = items
    users = indices.map { set.user($0) }
    (times, predicted) = network.timeReference == nil ? ([], []) : Self.times(set, indices, tile)
  }

  private static func times(_ set: SequenceSet, _ indices: [Int], _ tile: Tile) -> ([Double], [Double]) {
    var times = [Double](repeating: 0, count: tile.rows)
    var predicted = times
    for (b, index) in indices.enumerated() {
      let seconds = set.eventSeconds(index)
      for t in tile.start(b)..<tile.positions where seconds.count > t - tile.start(b) + 1 {
        times[t * tile.sequences + b] = seconds[t - tile.start(b)]
        predicted[t * tile.sequences + b] = seconds[t - tile.start(b) + 1]
      }
    }
    return (times, predicted)
  }

  func with(_ body: (TileInput) -> Void) {
    items.withUnsafeBufferPointer { items in
      users.withUnsafeBufferPointer { users in
        times.withUnsafeBufferPointer { times in
          predicted.withUnsafeBufferPointer { predicted in
            guard let i = items.baseAddress, let u = users.baseAddress else { return }
            let known: TileInput.Times? =
              if let events = times.baseAddress, let next = predicted.baseAddress, !times.isEmpty {
                .init(events: events, predicted: next)
              } else { nil }
            body(TileInput(tile: tile, items: i, originals: i, users: u, times: known))
          }
        }
      }
    }
  }
}
