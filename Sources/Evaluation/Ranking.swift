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
  /// The rank of `target` among items 1..<items, and the pad, item 0, if the rule ranks it. Another item whose score is NaN
  /// counts as higher. A target whose score is NaN comes last.
  ///
  /// - Parameters:
  ///   - target: the item.
  ///   - scores: the scores of all items and, first, of the pad.
  ///   - items: the number of items and the pad.
  ///   - hidden: the items to leave out.
  ///   - rule: the rules for ties and the pad.
  public static func rank(
    of target: Int, _ scores: UnsafePointer<Float>, items: Int, without hidden: [Int32] = [], _ rule: RankingRule = RankingRule()
  ) -> Rank {
    let first = rule.ranksPad ? 0 : 1
    let own = scores[target]
    guard own == own else { return Rank(above: items - first - 1 - hidden.count) }
    let (above, equal) = Elementwise.count(scores + first, items - first, above: own)
    let rank = Rank(
      above: above - hidden.count { !(scores[Int($0)] <= own) }, tied: equal - 1 - hidden.count { scores[Int($0)] == own })
    guard rule.ties == .number, rank.tied > 0 else { return rank }
    let lower = (first..<target).count { scores[$0] == own } - hidden.count { $0 < target && scores[Int($0)] == own }
    return Rank(above: rank.above + lower)
  }

  /// The rank of `target` among `others`, with NaN treated as above.
  static func rank(
    of target: Int, _ scores: UnsafePointer<Float>, among others: Set<Int>, _ ties: RankingRule.Ties = .expectation
  ) -> Rank {
    let own = scores[target]
    guard own == own else { return Rank(above: others.count) }
    let above = others.count { !(scores[$0] <= own) }
    switch ties {
    case .expectation: return Rank(above: above, tied: others.count { scores[$0] == own })
    case .number: return Rank(above: above + others.count { $0 < target && scores[$0] == own })
    }
  }

  /// The rank of the target of sequence `index`.
  private static func rank(
    _ set: SequenceSet, _ index: Int, _ scores: UnsafePointer<Float>, items: Int, _ rule: RankingRule
  ) -> Rank {
    let target = Int(set.target(index))
    let hidden = rule.hide.items(set, index)
    guard case .sampled(let count, let seed) = rule.candidates, count < items - 2 - hidden.count else {
      return rank(of: target, scores, items: items, without: hidden, rule)
    }
    let left = Set(hidden.map { Int($0) })
    var numbers = RandomStream(seed: seed, "ranking_negatives").numbers(at: UInt64(index))
    if 2 * (count + left.count) > items {
      // For more than half of the items, drawing until enough are distinct would be slow: take the first ones of a random
      // order.
      let others = numbers.permutation(items - 1).lazy.map { $0 + 1 }.filter { $0 != target && !left.contains($0) }
      return rank(of: target, scores, among: Set(others.prefix(count)), rule.ties)
    }
    var drawn: Set<Int> = []
    while drawn.count < count {
      let item = Sampling.other(than: target, items: items, &numbers)
      if !left.contains(item) { drawn.insert(item) }
    }
    return rank(of: target, scores, among: drawn, rule.ties)
  }

  /// The rank of every sequence's last item by the scores of any scorer.
  public static func ranks(
    _ scorer: any Scorer, on set: SequenceSet, by rule: RankingRule = RankingRule(), pool: WorkerPool
  ) -> [Rank] {
    let items = set.rankedItems.count
    // A scorer that is not a model has no score for the pad.
    var rule = rule
    rule.ranksPad = false
    let known = rule
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: items) }
    return collect(set.count) { ranks in
      pool.forEachUntilCancelled(set.count) { index, worker in
        scorer.scores(set, index, into: buffers[worker].base)
        ranks.pointer[index] = rank(set, index, buffers[worker].base, items: items, known)
      }
    }
  }

  /// The rank of every sequence's last item by the scores of a model.
  ///
  /// If at least `limit` items are above a target, its rank is reported as `Rank.beyond`, which saves work. Pass the largest
  /// k of the metrics. `limit` has no effect for sampled candidates.
  public static func ranks(
    _ model: Model, on set: SequenceSet, by rule: RankingRule = RankingRule(), limit: Int? = nil, pool: WorkerPool
  ) -> [Rank] {
    let items = model.network.output.rows
    var rule = rule
    rule.ranksPad = rule.ranksPad && model.network.pads == .item
    let known = rule
    guard case .all = rule.candidates else {
      return collect(set.count) { ranks in
        forEachTile(model, on: set, pool: pool) { index, scores in
          ranks.pointer[index] = rank(set, index, scores, items: items, known)
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
        let hiddenItems = known.hide == .none ? [] : indices.map { known.hide.items(set, $0) }
        let tileRanks = counters[worker].ranks(
          hidden, targets: targets, without: hiddenItems, evaluation.columns, known, limit: limit)
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
