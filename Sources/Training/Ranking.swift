import Datasets
import Kernels
import Layers

/// Something that scores every item as the next of a sequence.
public protocol Scorer: Sendable {
  /// For captions, e.g. "most popular".
  var title: String { get }
  /// Scores of all items of the set's vocabulary for sequence `index` of `set`, its last item hidden.
  func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>)
}

/// What a target is ranked among.
public enum RankingCandidates: Sendable, Equatable {
  case all
  /// So many items, drawn uniformly, that differ from the target; all others where there are no more. The same ones
  /// for every model. Only for the transfer task: such figures are much higher than those of a full ranking.
  case sampled(Int, seed: UInt64)
}

/// Ranks of the targets of test sequences.
public enum Ranking {
  /// Rank of `target` (from 0): items scored strictly higher, plus half of the others scored the same. The pad, item
  /// 0, is not ranked. A target whose score is not a number comes last.
  public static func rank(of target: Int, _ scores: UnsafePointer<Float>, items: Int) -> Double {
    let own = scores[target]
    guard own == own else { return Double(items - 2) }
    let (above, equal) = Elementwise.count(scores + 1, items - 1, above: own)
    return Double(above) + Double(equal - 1) / 2
  }

  /// Rank of `target` among sampled items, ties as in `rank`.
  static func rank(of target: Int, _ scores: UnsafePointer<Float>, among others: Set<Int>) -> Double {
    let own = scores[target]
    guard own == own else { return Double(others.count) }
    let above = others.count { !(scores[$0] <= own) }
    let equal = others.count { scores[$0] == own }
    return Double(above) + Double(equal) / 2
  }

  /// The rank of sequence `index` of a set.
  private static func rank(
    _ set: SequenceSet, _ index: Int, _ scores: UnsafePointer<Float>, items: Int, _ candidates: RankingCandidates
  ) -> Double {
    let target = Int(set.target(index))
    guard case .sampled(let count, let seed) = candidates, count < items - 2 else {
      return rank(of: target, scores, items: items)
    }
    var numbers = RandomStream(seed: seed, "ranking_negatives").numbers(at: UInt64(index))
    if 2 * count > items {
      // Most of them: the first of all others in a random order.
      let others = numbers.permutation(items - 1).lazy.map { $0 + 1 }.filter { $0 != target }
      return rank(of: target, scores, among: Set(others.prefix(count)))
    }
    var drawn: Set<Int> = []
    while drawn.count < count { drawn.insert(Sampling.other(than: target, items: items, &numbers)) }
    return rank(of: target, scores, among: drawn)
  }

  /// The rank of every sequence's last item, by any scorer.
  public static func ranks(
    _ scorer: any Scorer, on set: SequenceSet, among candidates: RankingCandidates = .all, pool: WorkerPool
  ) -> [Double] {
    let items = set.rankedItems.count
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: items) }
    return collect(set.count) { ranks in
      pool.forEach(set.count) { index, worker in
        scorer.scores(set, index, into: buffers[worker].base)
        ranks.pointer[index] = rank(set, index, buffers[worker].base, items: items, candidates)
      }
    }
  }

  /// The rank of every sequence's last item, by a model: tiles of sequences go through it, and only the last position
  /// is scored.
  ///
  /// Ranks of `limit` and more are not told apart but given as infinity, which is less work; for metrics at a cut-off that
  /// is their largest one. Among sampled candidates all ranks are given.
  public static func ranks(
    _ model: Model, on set: SequenceSet, among candidates: RankingCandidates = .all, limit: Int? = nil, pool: WorkerPool
  ) -> [Double] {
    let items = model.network.output.rows
    guard case .all = candidates else {
      return collect(set.count) { ranks in
        forEachTile(model, on: set, pool: pool) { index, scores in
          ranks.pointer[index] = rank(set, index, scores, items: items, candidates)
        }
      }
    }
    let evaluation = Evaluation(model, on: set, pool: pool)
    let counters = (0..<pool.threads).map { _ in
      ScoreCounter(sequences: Evaluation.size, width: model.network.width)
    }
    return collect(set.count) { ranks in
      evaluation.run(pool) { range, hidden, worker in
        let targets = range.map { Int(set.target($0)) }
        for (place, rank) in counters[worker].ranks(hidden, targets: targets, evaluation.columns, limit: limit).enumerated() {
          ranks.pointer[range.lowerBound + place] = rank
        }
      }
    }
  }

  /// Bytes that judging takes; more where the scores of all items are kept, as for sampled candidates.
  public static func bytes(_ network: any Network, length: Int, threads: Int, keepsScores: Bool = false) -> Double {
    let tile = Tile(positions: network.positions(length: length), sequences: Evaluation.size)
    let count = network.savedCount(tile, training: false) + network.scratchCount(tile) + tile.rows * network.width
    let table = Double(network.output.rows) * Double(network.width)
    return 4 * (Double(network.layout.preparedCount) + table)
      + 4 * Double(threads)
      * (Double(count) + Double(tile.sequences) * (keepsScores ? Double(network.output.rows) : Double(OutputColumns.panel)))
  }

  /// Calls `body` with the scores of all items for every sequence of the set; in parallel, in any order.
  public static func forEachTile(
    _ model: Model, on set: SequenceSet, pool: WorkerPool,
    _ body: @escaping @Sendable (_ index: Int, _ scores: UnsafePointer<Float>) -> Void
  ) {
    let evaluation = Evaluation(model, on: set, pool: pool)
    let (columns, d) = (evaluation.columns, model.network.width)
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: Evaluation.size * columns.padded) }
    evaluation.run(pool) { range, hidden, worker in
      let scores = buffers[worker].base
      columns.forEachPanel { _, first, _ in
        Matrix.product(
          hidden, columns.panels.base + first * d, scores + first, m: range.count, n: OutputColumns.panel, k: d,
          ldc: columns.padded)
      }
      for (b, index) in range.enumerated() {
        Elementwise.addScaled(scores + b * columns.padded, columns.shifts.base, 1, columns.count)
        body(index, scores + b * columns.padded)
      }
    }
  }

  /// Calls `body` with the scores of 64 items at a time for a few sequences, in the order of the items; in parallel for
  /// others. The scores of a sequence stand together, 64 from those of the next; `columns` of them are of items.
  static func forEachPanel(
    _ model: Model, on set: SequenceSet, pool: WorkerPool,
    _ body: @escaping @Sendable (_ range: Range<Int>, _ first: Int, _ columns: Int, _ scores: UnsafePointer<Float>) -> Void
  ) {
    let evaluation = Evaluation(model, on: set, pool: pool)
    let (columns, d) = (evaluation.columns, model.network.width)
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: Evaluation.size * OutputColumns.panel) }
    evaluation.run(pool) { range, hidden, worker in
      let scores = buffers[worker].base
      columns.forEachPanel { _, first, count in
        Matrix.product(
          hidden, columns.panels.base + first * d, scores, m: range.count, n: OutputColumns.panel, k: d)
        Elementwise.addBias(scores, columns.shifts.base + first, rows: range.count, c: OutputColumns.panel)
        body(range, first, count, scores)
      }
    }
  }

  private static func collect(_ count: Int, _ fill: (Shared<Double>) -> Void) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialised in
      if let base = buffer.baseAddress { fill(Shared(base)) }
      initialised = count
    }
  }
}

/// A model's way over a set of sequences, tile by tile.
private final class Evaluation: Sendable {
  /// Sequences of a tile.
  static let size = 24

  /// The whole output table.
  let columns: OutputColumns
  private let model: Model
  private let set: SequenceSet
  private let positions: Int
  private let prepared: FloatBuffer
  private let memories: [Memory]

  /// What one thread needs.
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
    columns = OutputColumns(network.output, negatives: nil)
    columns.load(nil, network.output, model.values, pool)
  }

  /// Calls `body` with the hidden states `(n, d)` that predict the last items of n sequences; in parallel, in any order.
  func run(
    _ pool: WorkerPool,
    _ body: @escaping @Sendable (_ range: Range<Int>, _ hidden: UnsafePointer<Float>, _ worker: Int) -> Void
  ) {
    let network = model.network
    // Gap filling predicts the last item at its own position, the others one before; rows of one time are contiguous.
    let last = network.objective == .gapFillingShifted ? positions - 2 : positions - 1
    pool.forEach((set.count + Self.size - 1) / Self.size) { [self] job, worker in
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

/// What a network reads to predict the last items of a few sequences.
struct EvaluationInput {
  let tile: Tile
  private let items: [Int32]
  private let users: [Int32]

  init(_ set: SequenceSet, _ range: Range<Int>, network: any Network) {
    tile = Tile(positions: network.positions(length: set.length), sequences: range.count)
    let masksLast = network.objective != .nextItem
    var items = [Int32](repeating: 0, count: tile.rows)
    for (b, index) in range.enumerated() {
      let sequence = set.sequence(index)
      // Nobody may see the item that is asked for, decoders included.
      for t in 0..<(masksLast ? tile.positions - 1 : tile.positions) {
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
