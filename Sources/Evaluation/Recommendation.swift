import Datasets
import Glibc
import Kernels
import Layers

/// The best items for every sequence of a set, as the one that follows it.
public struct Recommendations: Sendable {
  public let k: Int
  /// `count` rows of k item numbers, the best first; 0 where there are fewer.
  public let items: [Int32]
  public let scores: [Float]

  public var count: Int { items.count / max(1, k) }

  /// - Parameters:
  ///   - model: what ranks.
  ///   - k: how many items for each sequence.
  ///   - pool: the threads to work on.
  ///   - set: sequences whose last place is empty (0): what is to be filled.
  ///   - seen: for every sequence, items that are left out, ascending.
  public init(_ model: Model, for set: SequenceSet, k: Int, seen: [[Int32]], pool: WorkerPool) {
    self.k = k
    var items = [Int32](repeating: 0, count: set.count * k)
    var scores = [Float](repeating: 0, count: set.count * k)
    items.withUnsafeMutableBufferPointer { items in
      scores.withUnsafeMutableBufferPointer { scores in
        nonisolated(unsafe) let (items, scores) = (items, scores)
        Ranking.forEachPanel(model, on: set, pool: pool) { range, first, columns, panel in
          for (b, index) in range.enumerated() {
            let row = panel + b * OutputPanels.panel
            let last = (index + 1) * k - 1
            // Most panels hold nothing for a list that is full.
            if items[last] != 0 && Elementwise.count(row, columns, above: scores[last]).above == 0 { continue }
            let place = (index * k)...last
            Self.top(
              row, columns, first: first, without: seen.isEmpty ? [] : seen[index],
              UnsafeMutableBufferPointer(rebasing: items[place]), UnsafeMutableBufferPointer(rebasing: scores[place]))
          }
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

  /// Adds the items from `first` on, whose scores are in `row`, to the best so far, which are kept in order; of equal ones
  /// the lower number. Most items fall at the first comparison.
  static func top(
    _ row: UnsafePointer<Float>, _ rows: Int, first: Int = 0, without seen: [Int32], _ items: UnsafeMutableBufferPointer<Int32>,
    _ scores: UnsafeMutableBufferPointer<Float>
  ) {
    let k = items.count
    var filled = items.firstIndex(of: 0) ?? k
    var least = filled == k ? scores[k - 1] : -Float.infinity
    for item in max(1, first)..<max(1, first + rows) {
      let score = row[item - first]
      // Also false for what is not a number.
      guard score > least || (filled < k && score >= least) else { continue }
      if !seen.isEmpty && contains(seen, Int32(item)) { continue }
      var place = min(filled, k - 1)
      if filled < k { filled += 1 }
      while place > 0 && scores[place - 1] < score {
        scores[place] = scores[place - 1]
        items[place] = items[place - 1]
        place -= 1
      }
      scores[place] = score
      items[place] = Int32(item)
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

  /// What lists say beyond accuracy.
  public struct Beyond: Sendable {
    /// Share of the catalogue that is recommended to anyone.
    public let coverage: Double
    /// Of how often items are recommended, over the whole catalogue: 0 for all alike, 1 for one item alone.
    public let gini: Double
    /// Mean of -log2 of the share of interactions an item has: bits of surprise. Items without any count as one.
    public let novelty: Double
    /// Mean number of interactions of what is recommended, over the mean of all items: above 1 favours the popular.
    public let popularity: Double
  }

  /// - Parameter uses: interactions of every item, the pad's first.
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
    for (place, count) in sorted.enumerated() { weighted += Double(2 * (place + 1) - sorted.count - 1) * Double(count) }
    let total = Double(max(1, recommended))
    return Beyond(
      coverage: Double(counts.dropFirst().count { $0 > 0 }) / Double(catalogue),
      gini: recommended == 0 ? 0 : weighted / (Double(sorted.count) * total), novelty: surprise / total,
      popularity: popular / total / (Double(all) / Double(catalogue)))
  }
}
