import Glibc
import Kernels

/// The loss of one position as a function of the score of its target and the scores of its negatives.
protocol ScoreLoss: Sendable {
  /// Returns the loss and replaces the scores by the derivatives of the loss. A score of minus infinity is a negative that is
  /// left out: its derivative is 0.
  ///
  /// - Parameter count: the number of negatives.
  func gradient(positive: inout Float, negatives: UnsafeMutablePointer<Float>, count: Int) -> Double
}

/// Sampled softmax: `-log softmax(s+, s_1, ..., s_k)[+]`.
struct SampledSoftmaxScore: ScoreLoss {
  func gradient(positive: inout Float, negatives: UnsafeMutablePointer<Float>, count: Int) -> Double {
    var top = positive
    for j in 0..<count where negatives[j] > top { top = negatives[j] }
    let own = exp(positive - top)
    let sum = Double(own) + Double(Elementwise.expSum(negatives, top: top, count))
    let loss = log(sum) + Double(top) - Double(positive)
    positive = Float(Double(own) / sum - 1)
    let scale = Float(1 / sum)
    Elementwise.scale(negatives, negatives, scale, count)
    return loss
  }
}

/// Binary cross-entropy: `-(beta ln sigma(s+) + sum_j ln(1 - sigma(s_j))) / (k + 1)`; beta is 1 for plain BCE.
struct BinaryScore: ScoreLoss {
  let beta: Double

  func gradient(positive: inout Float, negatives: UnsafeMutablePointer<Float>, count: Int) -> Double {
    let scale = 1 / Double(count + 1)
    var loss = beta * Logistic.softplus(-Double(positive))
    positive = Float(beta * (Logistic.sigma(Double(positive)) - 1) * scale)
    for j in 0..<count {
      let s = Double(negatives[j])
      guard s > -.infinity else {
        negatives[j] = 0
        continue
      }
      loss += Logistic.softplus(s)
      negatives[j] = Float(Logistic.sigma(s) * scale)
    }
    return loss * scale
  }
}

/// BPR-max: with w the softmax of the negatives' scores and a_j = sigma(s+ - s_j),
///
///     -ln sum_j w_j a_j + lambda sum_j w_j s_j^2
///
/// Scores pass ELU with parameter `elu` first, if it is above 0.
struct BPRMaxScore: ScoreLoss {
  let lambda: Double
  let elu: Double

  func gradient(positive: inout Float, negatives: UnsafeMutablePointer<Float>, count: Int) -> Double {
    func activated(_ x: Double) -> Double { elu > 0 && x < 0 ? elu * expm1(x) : x }
    func slope(_ x: Double) -> Double { elu > 0 && x < 0 ? elu * exp(x) : 1 }
    let (own, top) = (Double(positive), (0..<count).reduce(-Double.infinity) { max($0, activated(Double(negatives[$1]))) })
    guard top > -.infinity else {
      positive = 0
      return 0
    }
    let s = activated(own)
    var (sum, a, r, da) = (0.0, 0.0, 0.0, 0.0)
    for j in 0..<count where negatives[j] > -.infinity {
      let t = activated(Double(negatives[j]))
      let w = exp(t - top)
      let p = Logistic.sigma(s - t)
      sum += w
      a += w * p
      r += w * t * t
      da += w * p * (1 - p)
    }
    (a, r, da) = (a / sum, r / sum, da / sum)
    // The authors' code adds 1e-24 to the argument of the logarithm.
    let safe = a + 1e-24
    positive = Float(-da / safe * slope(own))
    for j in 0..<count {
      let x = Double(negatives[j])
      guard x > -.infinity else {
        negatives[j] = 0
        continue
      }
      let t = activated(x)
      let w = exp(t - top) / sum
      let p = Logistic.sigma(s - t)
      negatives[j] = Float((-w * (p - a - p * (1 - p)) / safe + lambda * w * (t * t - r + 2 * t)) * slope(x))
    }
    return -log(safe) + lambda * r
  }
}

/// The logistic function and its logarithm, without overflow.
enum Logistic {
  static func sigma(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }
  /// log(1 + exp(x)).
  static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
