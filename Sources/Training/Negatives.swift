import Datasets
import Glibc
import Kernels

/// Negatives of one batch and the log expected counts of all items under the way they were drawn.
public struct Negatives: Sendable {
  /// Distinct items, the pad never among them.
  public let items: [Int32]
  /// Log of the expected count, by item number (entry 0, the pad's, is that of the rarest item).
  public let logExpected: [Float]

  public init(items: [Int32], logExpected: [Float]) {
    self.items = items
    self.logExpected = logExpected
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
  /// Probability of each rank in one draw.
  private let logItems: Double

  /// - Parameter popularity: count of each item in the training data, entry 0 being the pad.
  public init(share: Double, distribution: NegativeDistribution, popularity: [Int], seed: UInt64) {
    let n = popularity.count - 1
    count = min(n, max(1, Int((share * Double(n)).rounded())))
    stream = RandomStream(seed: seed, "negatives")
    self.distribution = distribution
    order = (1...Int32(max(n, 1))).prefix(n).sorted {
      (popularity[Int($1)], $0) < (popularity[Int($0)], $1)
    }
    logItems = log(Double(n + 1))
  }

  /// The sampler a loss needs on a training set; nil for one without shared negatives.
  init?(for loss: Loss, _ train: SequenceSet, seed: UInt64) {
    guard case .sampledSoftmax(let share, let distribution) = loss else { return nil }
    var popularity = [Int](repeating: 0, count: train.items.count)
    for token in train.tokens where token != 0 { popularity[Int(token)] += 1 }
    self.init(share: share, distribution: distribution, popularity: popularity, seed: seed)
  }

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
    var logExpected = [Float](repeating: 0, count: n + 1)
    for (rank, item) in order.enumerated() {
      switch distribution {
      case .uniform: logExpected[Int(item)] = Float(log(Double(count) / Double(n)))
      case .logUniform:
        // Drawn until `count` were distinct, in `tries` draws: 1 - (1 - p)^tries.
        let p = log(Double(rank + 2) / Double(rank + 1)) / logItems
        logExpected[Int(item)] = Float(log(-expm1(Double(tries) * log1p(-min(p, 1 - 1e-12)))))
      }
    }
    if n > 0 { logExpected[0] = logExpected[Int(order[n - 1])] }
    return Negatives(items: ranks.map { order[$0] }, logExpected: logExpected)
  }
}
