import Datasets
import Glibc
import Kernels

/// Negatives of one batch and the log expected counts of items under the way they were drawn.
public struct Negatives: Sendable {
  /// Distinct items, the pad never among them.
  public let items: [Int32]
  private let expected: Expected

  private enum Expected: Sendable {
    case given([Float])
    case same(Float)
    /// Drawn in so many tries; by item, the log of the probability that one try misses it.
    case tries(Double, logMiss: [Double])
  }

  /// - Parameters:
  ///   - items: distinct items, the pad never among them.
  ///   - logExpected: log of the expected count, by item number.
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

  /// Log of an item's expected count; the pad has that of the rarest item. Computed for those that are asked for: a batch
  /// touches few of many items.
  public func logExpected(of item: Int32) -> Float {
    switch expected {
    case .given(let values): values[Int(item)]
    case .same(let value): value
    // Drawn until enough were distinct: 1 - (1 - p)^tries.
    case .tries(let tries, let logMiss): Float(log(-expm1(tries * logMiss[Int(item)])))
    }
  }
}

/// Draws negatives for sampled softmax.
public struct NegativeSampler: Sendable {
  /// How many are drawn a batch.
  public let count: Int
  private let stream: RandomStream
  private let distribution: NegativeDistribution
  /// Items by popularity, the most popular first.
  private let order: [Int32]
  private let logItems: Double
  /// By item, the log of the probability that one log-uniform draw misses it.
  private let logMiss: [Double]

  /// - Parameters:
  ///   - share: of the items that are drawn a batch, above 0 to 1.
  ///   - distribution: how they are drawn.
  ///   - popularity: count of each item in the training data, entry 0 being the pad.
  ///   - seed: of the draws.
  public init(share: Double, distribution: NegativeDistribution, popularity: [Int], seed: UInt64) {
    let n = popularity.count - 1
    count = Self.count(share: share, rows: popularity.count)
    stream = RandomStream(seed: seed, "negatives")
    self.distribution = distribution
    order = (1...Int32(max(n, 1))).prefix(n).sorted {
      (popularity[Int($1)], $0) < (popularity[Int($0)], $1)
    }
    let logItems = log(Double(n + 1))
    self.logItems = logItems
    var logMiss = [Double](repeating: 0, count: n + 1)
    for (rank, item) in order.enumerated() {
      logMiss[Int(item)] = log1p(-min(log(Double(rank + 2) / Double(rank + 1)) / logItems, 1 - 1e-12))
    }
    if let rarest = order.last { logMiss[0] = logMiss[Int(rarest)] }
    self.logMiss = logMiss
  }

  /// How many negatives a share of an output table of so many rows is, the pad's row left out.
  static func count(share: Double, rows: Int) -> Int { min(rows - 1, max(1, Int((share * Double(rows - 1)).rounded()))) }

  public func draw(step: UInt64) -> Negatives {
    var numbers = stream.numbers(at: step)
    let n = order.count
    var taken = [Bool](repeating: false, count: n)
    var ranks: [Int] = []
    ranks.reserveCapacity(count)
    var tries = 0
    while ranks.count < count {
      tries += 1
      let rank: Int
      switch distribution {
      case .uniform: rank = numbers.below(n)
      case .logUniform: rank = min(n - 1, Int(exp(numbers.uniform() * logItems)) - 1)
      }
      if !taken[rank] {
        taken[rank] = true
        ranks.append(rank)
      }
    }
    let items = ranks.map { order[$0] }
    switch distribution {
    case .uniform: return Negatives(items: items, expectedOfAll: Float(log(Double(count) / Double(n))))
    case .logUniform: return Negatives(items: items, tries: tries, logMiss: logMiss)
    }
  }
}
