import Datasets
import Glibc
import Kernels

/// The negatives of one batch, and the log expected counts of items under the distribution that they were drawn from.
public struct Negatives: Sendable {
  /// Distinct items, without the pad unless it is drawn like an item.
  public let items: [Int32]
  private let expected: Expected

  private enum Expected: Sendable {
    /// The log expected count by item.
    case given([Float])
    /// All items have this log expected count.
    case same(Float)
    /// The number of tries; by item, the log of the probability that one try does not draw it.
    case tries(Double, logMiss: [Double])
  }

  /// - Parameters:
  ///   - items: distinct items without the pad.
  ///   - logExpected: the log expected counts, by item number.
  public init(items: [Int32], logExpected: [Float]) {
    self.items = items
    expected = .given(logExpected)
  }

  init(items: [Int32], expectedOfAll value: Float) {
    self.items = items
    expected = .same(value)
  }

  init(items: [Int32], tries: Int, logMiss: [Double]) {
    self.items = items
    expected = .tries(Double(tries), logMiss: logMiss)
  }

  /// The log expected count of an item. The pad gets that of the least popular item. It is computed on demand, because a
  /// batch uses only a few of many items.
  public func logExpected(of item: Int32) -> Float {
    switch expected {
    case .given(let values): values[Int(item)]
    case .same(let value): value
    // Items are drawn until enough are distinct. The probability of being among them is 1 - (1 - p)^tries.
    case .tries(let tries, let logMiss): Float(log(-expm1(tries * logMiss[Int(item)])))
    }
  }
}

/// Draws the negatives of sampled softmax.
public struct NegativeSampler: Sendable {
  /// The number of negatives per batch.
  public let count: Int
  private let stream: RandomStream
  private let distribution: NegativeDistribution
  /// The items in the order of their ranks.
  private let order: [Int32]
  private let logItems: Double
  /// The distribution of draws by popularity.
  private let weights: ItemDistribution?
  /// By item, the log of the probability that one draw does not draw it.
  private let logMiss: [Double]

  /// - Parameters:
  ///   - share: the share of the items that is drawn per batch, above 0 and at most 1.
  ///   - distribution: the distribution of the draws.
  ///   - popularity: the count of each item in the training data; entry 0 is the pad's.
  ///   - seed: the seed of the draws.
  public init(share: Double, distribution: NegativeDistribution, popularity: [Int], seed: UInt64) {
    self.init(
      count: Self.count(share: share, rows: popularity.count), distribution: distribution, popularity: popularity, seed: seed)
  }

  /// - Parameters:
  ///   - count: the number of negatives per batch, at most that of the items.
  ///   - alpha: the exponent of the counts, for `popularity`.
  init(count: Int, distribution: NegativeDistribution, alpha: Double = 1, popularity: [Int], seed: UInt64) {
    let n = popularity.count - 1
    let order = (1...Int32(max(n, 1))).prefix(n).sorted {
      (popularity[Int($1)], $0) < (popularity[Int($0)], $1)
    }
    let weights = distribution == .popularity ? ItemDistribution(.popularity, popularity: popularity, alpha: alpha) : nil
    self.init(count: count, distribution, order: order, weights: weights, seed: seed)
  }

  /// Log-uniform draws from items, the pad among them, by their ranks.
  ///
  /// - Parameters:
  ///   - count: the number of negatives per batch, at most that of the items.
  ///   - ranked: all items and the pad; the first one is the most likely.
  init(count: Int, ranked: [Int32], seed: UInt64) {
    self.init(count: count, .logUniform, order: ranked, weights: nil, seed: seed)
  }

  private init(count: Int, _ distribution: NegativeDistribution, order: [Int32], weights: ItemDistribution?, seed: UInt64) {
    let n = order.count
    self.count = min(count, n)
    self.weights = weights
    self.order = order
    self.distribution = distribution
    stream = RandomStream(seed: seed, "negatives")
    let logItems = log(Double(n + 1))
    self.logItems = logItems
    var logMiss = [Double](repeating: 0, count: Int(order.max() ?? 0) + 1)
    if let logs = weights?.logProbabilities {
      for item in order { logMiss[Int(item)] = log1p(-min(exp(Double(logs[Int(item)])), 1 - 1e-12)) }
    } else {
      for (rank, item) in order.enumerated() {
        logMiss[Int(item)] = log1p(-min(log(Double(rank + 2) / Double(rank + 1)) / logItems, 1 - 1e-12))
      }
    }
    if let rarest = order.last, !order.contains(0) { logMiss[0] = logMiss[Int(rarest)] }
    self.logMiss = logMiss
  }

  /// The number of negatives for a share of the items of an output table with `rows` rows, one of them the pad's.
  static func count(share: Double, rows: Int) -> Int { min(rows - 1, max(1, Int((share * Double(rows - 1)).rounded()))) }

  /// Draws the negatives of a step.
  public func draw(step: UInt64) -> Negatives {
    var numbers = stream.numbers(at: step)
    let n = order.count
    if let weights { return draw(&numbers, weights) }
    var taken = [Bool](repeating: false, count: n)
    var ranks: [Int] = []
    ranks.reserveCapacity(count)
    var tries = 0
    while ranks.count < count {
      tries += 1
      let rank: Int
      switch distribution {
      case .uniform: rank = numbers.below(n)
      case .logUniform, .popularity: rank = min(n - 1, Int(exp(numbers.uniform() * logItems)) - 1)
      }
      if !taken[rank] {
        taken[rank] = true
        ranks.append(rank)
      }
    }
    let items = ranks.map { order[$0] }
    switch distribution {
    case .uniform: return Negatives(items: items, expectedOfAll: Float(log(Double(count) / Double(n))))
    case .logUniform, .popularity: return Negatives(items: items, tries: tries, logMiss: logMiss)
    }
  }

  /// Draws distinct items by popularity. If too few items have a count, the rest are the most popular of those without.
  private func draw(_ numbers: inout RandomNumbers, _ weights: ItemDistribution) -> Negatives {
    var taken = [Bool](repeating: false, count: order.count + 1)
    var items: [Int32] = []
    var tries = 0
    while items.count < count && tries < 100 * count {
      tries += 1
      let item = weights.draw(&numbers)
      if !taken[Int(item)] {
        taken[Int(item)] = true
        items.append(item)
      }
    }
    for item in order where items.count < count && !taken[Int(item)] { items.append(item) }
    return Negatives(items: items, tries: tries, logMiss: logMiss)
  }
}
