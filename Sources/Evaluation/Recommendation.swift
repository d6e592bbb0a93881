import Datasets
import Glibc
import Kernels
import Layers

/// Lists of the k highest-scored next items, one list per sequence.
public struct Recommendations: Sendable {
  public let k: Int
  /// `(count, k)` item numbers, the best item of each row first. A row with fewer than k items ends in 0.
  public let items: [Int32]
  /// `(count, k)` scores.
  public let scores: [Float]

  public var count: Int { items.count / max(1, k) }

  /// Ranks all items for every sequence.
  ///
  /// - Parameters:
  ///   - model: the model that scores.
  ///   - set: the sequences. The last position, which is predicted, is 0.
  ///   - k: the length of each list.
  ///   - seen: for every sequence, the items to leave out, in ascending order. Empty: none.
  ///   - pool: the threads to run on.
  public init(_ model: Model, for set: SequenceSet, k: Int, seen: [[Int32]], pool: WorkerPool) {
    self.k = k
    var items = [Int32](repeating: 0, count: set.count * k)
    var scores = [Float](repeating: 0, count: set.count * k)
    items.withUnsafeMutableBufferPointer { items in
      scores.withUnsafeMutableBufferPointer { scores in
        nonisolated(unsafe) let (items, scores) = (items, scores)
        Ranking.forEachPanel(model, on: set, pool: pool) { indices, first, columns, panel in
          for (b, index) in indices.enumerated() {
            let row = panel + b * OutputPanels.panel
            let last = (index + 1) * k - 1
            // Once a list is full, most panels have no item with a higher score than its last one.
            if items[last] != 0 && Elementwise.count(row, columns, above: scores[last]).above == 0 { continue }
            let list = (index * k)...last
            Self.top(
              row, columns, first: first, without: seen.isEmpty ? [] : seen[index],
              UnsafeMutableBufferPointer(rebasing: items[list]), UnsafeMutableBufferPointer(rebasing: scores[list]))
          }
        }
      }
    }
    self.items = items
    self.scores = scores
  }

  /// Ranks all items for every sequence by the scores of any scorer.
  public init(_ scorer: any Scorer, for set: SequenceSet, k: Int, seen: [[Int32]], pool: WorkerPool) {
    self.k = k
    let count = set.rankedItems.count
    var items = [Int32](repeating: 0, count: set.count * k)
    var scores = [Float](repeating: 0, count: set.count * k)
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: count) }
    items.withUnsafeMutableBufferPointer { items in
      scores.withUnsafeMutableBufferPointer { scores in
        // Safe: every sequence writes to its own list.
        nonisolated(unsafe) let (items, scores) = (items, scores)
        pool.forEachUntilCancelled(set.count) { index, worker in
          let (row, list) = (buffers[worker].base, (index * k)..<((index + 1) * k))
          scorer.scores(set, index, into: row)
          Self.top(
            row, count, without: seen.isEmpty ? [] : seen[index], UnsafeMutableBufferPointer(rebasing: items[list]),
            UnsafeMutableBufferPointer(rebasing: scores[list]))
        }
      }
    }
    self.items = items
    self.scores = scores
  }

  init(k: Int, items: [Int32]) {
    self.k = k
    self.items = items
    scores = [Float](repeating: 0, count: items.count)
  }

  /// Inserts the items `first..<(first + rows)`, whose scores are in `row`, into a sorted list of the best items so far. Of
  /// items with equal scores the one with the lower number comes first. The first comparison rejects most items.
  static func top(
    _ row: UnsafePointer<Float>, _ rows: Int, first: Int = 0, without seen: [Int32], _ items: UnsafeMutableBufferPointer<Int32>,
    _ scores: UnsafeMutableBufferPointer<Float>
  ) {
    let k = items.count
    var filled = items.firstIndex(of: 0) ?? k
    var least = filled == k ? scores[k - 1] : -Float.infinity
    for item in max(1, first)..<max(1, first + rows) {
      let score = row[item - first]
      // Both comparisons are false for NaN.
      guard score > least || (filled < k && score >= least) else { continue }
      if !seen.isEmpty && contains(seen, Int32(item)) { continue }
      var index = min(filled, k - 1)
      if filled < k { filled += 1 }
      while index > 0 && scores[index - 1] < score {
        scores[index] = scores[index - 1]
        items[index] = items[index - 1]
        index -= 1
      }
      scores[index] = score
      items[index] = Int32(item)
      if filled == k { least = scores[k - 1] }
    }
  }

  private static func contains(_ sorted: [Int32], _ item: Int32) -> Bool {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < item { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == item
  }

  /// Beyond-accuracy metrics of recommendation lists.
  public struct Beyond: Sendable {
    /// The share of the catalogue's items that occur in at least one list, from 0 to 1.
    public let coverage: Double
    /// The Gini coefficient of how often each item of the catalogue is recommended: 0 if all are recommended equally often,
    /// close to 1 if one item fills all lists.
    public let gini: Double
    /// The mean self-information of the recommended items in bits: -log2 of an item's share of all interactions. An item
    /// without interactions counts as if it had one.
    public let novelty: Double
    /// The mean number of interactions of the recommended items, divided by the mean over the catalogue. A value above 1
    /// means that the lists favour popular items.
    public let popularity: Double
  }

  /// Computes the beyond-accuracy metrics.
  ///
  /// - Parameter uses: the number of interactions of every item, by item number; entry 0 is the pad's.
  public func beyond(uses: [Int]) -> Beyond {
    var counts = [Int](repeating: 0, count: uses.count)
    for item in items where item != 0 { counts[Int(item)] += 1 }
    let recommended = counts.dropFirst().reduce(0, +)
    let catalogue = max(1, uses.count - 1)
    let all = max(1, uses.dropFirst().reduce(0, +))
    var (surprise, popular) = (0.0, 0.0)
    for (count, use) in zip(counts, uses).dropFirst() where count > 0 {
      surprise -= Double(count) * log2(Double(max(1, use)) / Double(all))
      popular += Double(count) * Double(use)
    }
    let sorted = counts.dropFirst().sorted()
    var weighted = 0.0
    for (index, count) in sorted.enumerated() { weighted += Double(2 * (index + 1) - sorted.count - 1) * Double(count) }
    let total = Double(max(1, recommended))
    return Beyond(
      coverage: Double(counts.dropFirst().count { $0 > 0 }) / Double(catalogue),
      gini: recommended == 0 ? 0 : weighted / (Double(sorted.count) * total), novelty: surprise / total,
      popularity: popular / total / (Double(all) / Double(catalogue)))
  }
}
