import Datasets
import Kernels
import Layers

/// A recommender that scores every item as the next one of a sequence.
public protocol Scorer: Sendable {
  /// A name for captions, e.g. "most popular".
  var title: String { get }
  /// Writes the scores of all items for sequence `index` of `set`. The last item of the sequence is the target and must not
  /// be read.
  func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>)
}

/// Computes the ranks of targets.
public enum Ranking {
  /// The rank of `target` among items 1..<items; item 0 is the pad. Another item whose score is NaN counts as higher. A
  /// target whose score is NaN comes last.
  public static func rank(of target: Int, _ scores: UnsafePointer<Float>, items: Int) -> Rank {
    let own = scores[target]
    guard own == own else { return Rank(above: items - 2) }
    let (above, equal) = Elementwise.count(scores + 1, items - 1, above: own)
    return Rank(above: above, tied: equal - 1)
  }

  /// The rank of a target among all items but the hidden ones, from its rank among all items.
  static func rank(_ rank: Rank, of target: Int, without hidden: [Int32], _ scores: UnsafePointer<Float>) -> Rank {
    let own = scores[target]
    // A target whose score is NaN is below all items.
    guard own == own else { return Rank(above: rank.above - hidden.count) }
    let (above, tied) = (hidden.count { !(scores[Int($0)] <= own) }, hidden.count { scores[Int($0)] == own })
    return Rank(above: rank.above - above, tied: rank.tied - tied)
  }

  /// The rank of `target` among `others`, with NaN treated as above.
  static func rank(of target: Int, _ scores: UnsafePointer<Float>, among others: Set<Int>) -> Rank {
    let own = scores[target]
    guard own == own else { return Rank(above: others.count) }
    return Rank(above: others.count { !(scores[$0] <= own) }, tied: others.count { scores[$0] == own })
  }

  /// The rank of the target of sequence `index`.
  private static func rank(
    _ set: SequenceSet, _ index: Int, _ scores: UnsafePointer<Float>, items: Int, _ candidates: RankingCandidates,
    _ hide: HiddenItems
  ) -> Rank {
    let target = Int(set.target(index))
    let hidden = hide.items(set, index)
    guard case .sampled(let count, let seed) = candidates, count < items - 2 - hidden.count else {
      return rank(rank(of: target, scores, items: items), of: target, without: hidden, scores)
    }
    let left = Set(hidden.map { Int($0) })
    var numbers = RandomStream(seed: seed, "ranking_negatives").numbers(at: UInt64(index))
    if 2 * (count + left.count) > items {
      // For more than half of the items, drawing until enough are distinct would be slow: take the first ones of a random
      // order.
      let others = numbers.permutation(items - 1).lazy.map { $0 + 1 }.filter { $0 != target && !left.contains($0) }
      return rank(of: target, scores, among: Set(others.prefix(count)))
    }
    var drawn: Set<Int> = []
    while drawn.count < count {
      let item = Sampling.other(than: target, items: items, &numbers)
      if !left.contains(item) { drawn.insert(item) }
    }
    return rank(of: target, scores, among: drawn)
  }

  /// The rank of every sequence's last item by the scores of any scorer.
  public static func ranks(
    _ scorer: any Scorer, on set: SequenceSet, among candidates: RankingCandidates = .all, hide: HiddenItems = .none,
    pool: WorkerPool
  ) -> [Rank] {
    let items = set.rankedItems.count
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: items) }
    return collect(set.count) { ranks in
      pool.forEachUntilCancelled(set.count) { index, worker in
        scorer.scores(set, index, into: buffers[worker].base)
        ranks.pointer[index] = rank(set, index, buffers[worker].base, items: items, candidates, hide)
      }
    }
  }

  /// The rank of every sequence's last item by the scores of a model.
  ///
  /// If at least `limit` items are above a target, its rank is reported as `Rank.beyond`, which saves work. Pass the largest
  /// k of the metrics. `limit` has no effect for sampled candidates.
  public static func ranks(
    _ model: Model, on set: SequenceSet, among candidates: RankingCandidates = .all, hide: HiddenItems = .none,
    limit: Int? = nil, pool: WorkerPool
  ) -> [Rank] {
    let items = model.network.output.rows
    guard case .all = candidates else {
      return collect(set.count) { ranks in
        forEachTile(model, on: set, pool: pool) { index, scores in
          ranks.pointer[index] = rank(set, index, scores, items: items, candidates, hide)
        }
      }
    }
    let evaluation = EvaluationPass(model, on: set, pool: pool)
    let counters = (0..<pool.threads).map { _ in
      ScoreCounter(sequences: EvaluationPass.size, width: model.network.width)
    }
    return collect(set.count) { ranks in
      evaluation.run(pool) { indices, hidden, worker in
        let targets = indices.map { Int(set.target($0)) }
        let hiddenItems = hide == .none ? [] : indices.map { hide.items(set, $0) }
        let tileRanks = counters[worker].ranks(
          hidden, targets: targets, without: hiddenItems, evaluation.columns, limit: limit)
        for (index, rank) in zip(indices, tileRanks) { ranks.pointer[index] = rank }
      }
    }
  }

  /// Bytes that evaluation takes. With `keepsScores`, as for sampled candidates, all scores of a tile are in memory.
  public static func bytes(_ network: any Network, length: Int, threads: Int, keepsScores: Bool = false) -> Double {
    let (saved, scratch, rows) = EvaluationPass.counts(network, length: length)
    let count = saved + scratch + rows * network.width
    let table = Double(network.output.rows) * Double(network.width)
    return 4 * (Double(network.layout.preparedCount) + table)
      + 4 * Double(threads)
      * (Double(count) + Double(EvaluationPass.size) * (keepsScores ? Double(network.output.rows) : Double(OutputPanels.panel)))
  }

  /// Calls `body` for every sequence of the set with the scores of all items, in parallel and in any order.
  public static func forEachTile(
    _ model: Model, on set: SequenceSet, pool: WorkerPool,
    _ body: @escaping @Sendable (_ index: Int, _ scores: UnsafePointer<Float>) -> Void
  ) {
    let evaluation = EvaluationPass(model, on: set, pool: pool)
    let (columns, d) = (evaluation.columns, model.network.width)
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: EvaluationPass.size * columns.padded) }
    evaluation.run(pool) { indices, hidden, worker in
      let scores = buffers[worker].base
      columns.forEachPanel { _, first, _ in
        Matrix.product(
          hidden, columns.panels.base + first * d, scores + first, m: indices.count, n: OutputPanels.panel, k: d,
          ldc: columns.padded)
      }
      for (b, index) in indices.enumerated() {
        Elementwise.addScaled(scores + b * columns.padded, columns.shifts.base, 1, columns.count)
        body(index, scores + b * columns.padded)
      }
    }
  }

  /// Calls `body` for every tile and every panel of 64 items. The panels of a tile come in order; the tiles run in parallel.
  /// `scores` is `(n, 64)` for the n sequences of `indices`; its first `columns` columns belong to the items from `first` on.
  static func forEachPanel(
    _ model: Model, on set: SequenceSet, pool: WorkerPool,
    _ body: @escaping @Sendable (_ indices: [Int], _ first: Int, _ columns: Int, _ scores: UnsafePointer<Float>) -> Void
  ) {
    let evaluation = EvaluationPass(model, on: set, pool: pool)
    let (columns, d) = (evaluation.columns, model.network.width)
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: EvaluationPass.size * OutputPanels.panel) }
    evaluation.run(pool) { indices, hidden, worker in
      let scores = buffers[worker].base
      columns.forEachPanel { _, first, count in
        Matrix.product(
          hidden, columns.panels.base + first * d, scores, m: indices.count, n: OutputPanels.panel, k: d)
        Elementwise.addBias(scores, columns.shifts.base + first, rows: indices.count, c: OutputPanels.panel)
        body(indices, first, count, scores)
      }
    }
  }

  private static func collect(_ count: Int, _ fill: (Shared<Rank>) -> Void) -> [Rank] {
    [Rank](unsafeUninitializedCapacity: count) { buffer, initialised in
      if let base = buffer.baseAddress { fill(Shared(base)) }
      initialised = count
    }
  }
}
