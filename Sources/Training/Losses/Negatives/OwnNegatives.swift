import Datasets
import Glibc
import Kernels

/// What shares a draw of negatives.
public enum NegativeScope: String, Codable, Sendable, CaseIterable {
  /// All positions of a batch have the same negatives.
  case batch
  /// Every sequence has its own, which differ from each other and from the items of the sequence.
  case sequence
  /// Every position has its own, drawn with replacement.
  case position
}

/// How a loss draws the negatives of sequences or positions.
public struct OwnNegatives: Sendable, Equatable {
  public var count: Int
  /// `sequence` or `position`.
  public var per: NegativeScope
  public var distribution: NegativeDistribution
  /// The exponent of the counts, for `popularity`.
  public var alpha = 1.0
  /// The share of negatives that are drawn uniformly from the distinct targets of the batch.
  public var inBatch = 0.0
  /// Whether a negative of a position differs from its target: it is then drawn uniformly from all other items.
  public var otherThanTarget = false
}

/// Draws the negatives of sequences or positions for a batch.
struct OwnNegativeSampler: Sendable {
  private let rule: OwnNegatives
  private let items: Int
  private let weights: ItemDistribution
  private let logProbabilities: [Float]?
  private let stream: RandomStream
  /// The most draws for each negative of a sequence, on average.
  private static let tries = 100

  /// - Parameters:
  ///   - popularity: the count of each item in the training data; entry 0 is the pad's.
  init(_ rule: OwnNegatives, popularity: [Int], seed: UInt64) {
    self.rule = rule
    items = popularity.count
    weights = ItemDistribution(rule.distribution, popularity: popularity, alpha: rule.alpha)
    logProbabilities = weights.logProbabilities
    stream = RandomStream(seed: seed, rule.otherThanTarget ? "pairwise_negatives" : "own_negatives")
  }

  func draw(into batch: inout Batch, step: UInt64) {
    batch.logProbabilities = logProbabilities
    let pool = rule.inBatch > 0 ? Self.distinct(batch) : []
    // As mixed sampling rounds: the share of the batch's targets is rounded down.
    let fromBatch = pool.isEmpty ? 0 : Int(rule.inBatch * Double(rule.count))
    if rule.per == .position {
      batch.negatives = [Int32](repeating: 0, count: batch.targets.count * rule.count)
      for row in batch.targets.indices where batch.weights[row] != 0 {
        var numbers = stream.numbers(at: step << 32 | UInt64(row))
        for i in 0..<rule.count {
          batch.negatives[row * rule.count + i] =
            rule.otherThanTarget
            ? Int32(Sampling.other(than: Int(batch.targets[row]), items: items, &numbers))
            : i < fromBatch ? pool[numbers.below(pool.count)] : weights.draw(&numbers)
        }
      }
      return
    }
    batch.sequenceNegatives = [Int32](repeating: 0, count: batch.counts.count * rule.count)
    // By item: the last sequence that it was drawn for, or that has it.
    var used = [Int32](repeating: -1, count: items)
    for part in batch.cut.parts {
      for (b, slot) in part.sequences.enumerated() {
        var own = 0
        for t in 0..<part.tile.positions {
          let row = part.firstRow + t * part.tile.sequences + b
          for item in [batch.originals[row], batch.targets[row]] where item > 0 && used[Int(item)] != Int32(slot) {
            used[Int(item)] = Int32(slot)
            own += 1
          }
        }
        // If a sequence has nearly all items, its own may be drawn again.
        let excludes = own + rule.count < items
        var numbers = stream.numbers(at: step << 32 | UInt64(slot))
        // Where the distribution has too few likely items, the rest are the first items that are left.
        var (tries, left) = (Self.tries * rule.count, 1)
        for i in 0..<rule.count {
          var item: Int32
          repeat {
            item = i < fromBatch ? pool[numbers.below(pool.count)] : weights.draw(&numbers)
            tries -= 1
          } while excludes && i >= fromBatch && used[Int(item)] == Int32(slot) && tries > 0
          if excludes && i >= fromBatch && used[Int(item)] == Int32(slot) {
            while used[left] == Int32(slot) { left += 1 }
            item = Int32(left)
          }
          used[Int(item)] = Int32(slot)
          batch.sequenceNegatives[slot * rule.count + i] = item
        }
      }
    }
  }

  private static func distinct(_ batch: Batch) -> [Int32] {
    var seen: Set<Int32> = []
    return zip(batch.targets, batch.weights).compactMap { target, weight in
      weight != 0 && target != 0 && seen.insert(target).inserted ? target : nil
    }
  }
}

/// A distribution over all items but the pad.
struct ItemDistribution: Sendable {
  private let items: Int
  /// The items, in the order of `cumulative`; empty for the uniform distribution.
  private let order: [Int32]
  private let cumulative: [Double]
  /// By item, its probability; empty for the uniform distribution. The pad has that of the least likely item.
  private let probabilities: [Double]

  init(_ distribution: NegativeDistribution, popularity: [Int], alpha: Double = 1) {
    items = popularity.count - 1
    let items = max(1, items)
    var weights: [Double]
    let byCount = (1...Int32(items)).prefix(self.items).sorted { (popularity[Int($1)], $0) < (popularity[Int($0)], $1) }
    switch distribution {
    case .uniform:
      (order, cumulative, probabilities) = ([], [], [])
      return
    case .logUniform:
      weights = (0..<byCount.count).map { log(Double($0 + 2) / Double($0 + 1)) }
    case .popularity:
      weights = byCount.map { pow(Double(popularity[Int($0)]), alpha) }
    }
    let total = weights.reduce(0, +)
    // Without any count all items are equally likely.
    if total == 0 { weights = weights.map { _ in 1 } }
    let sum = weights.reduce(0, +)
    var (cumulative, probabilities) = ([Double](), [Double](repeating: 0, count: popularity.count))
    var so = 0.0
    for (item, weight) in zip(byCount, weights) {
      so += weight / sum
      cumulative.append(so)
      probabilities[Int(item)] = weight / sum
    }
    if let least = byCount.last { probabilities[0] = probabilities[Int(least)] }
    self.order = byCount
    self.cumulative = cumulative
    self.probabilities = probabilities
  }

  func draw(_ numbers: inout RandomNumbers) -> Int32 {
    if order.isEmpty { return Int32(1 + numbers.below(max(1, items))) }
    let value = numbers.uniform() * (cumulative.last ?? 1)
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > value { high = middle } else { low = middle + 1 }
    }
    return order[low]
  }

  /// The log of the probability of each item; nil if all have the same.
  var logProbabilities: [Float]? {
    order.isEmpty ? nil : probabilities.map { Float(log(max($0, 1e-30))) }
  }
}
