import Glibc
import Kernels
import Layers

/// Adam (Kingma and Ba, 2015) with bias correction: p -= lr * mhat / (sqrt(vhat) + epsilon).
public struct AdamOptions: Sendable, Equatable {
  public var rate: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// Rows of embedding and output tables that a batch did not touch keep their moments and values as they are, and
  /// cost nothing. Otherwise they move on by their decaying moments, as in the reference and in PyTorch's `Adam`.
  public var lazy: Bool
  /// L2 coefficient, added to the gradient as l2 * p.
  public var l2: Double

  public init(
    rate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, lazy: Bool = true,
    l2: Double = 0
  ) {
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.lazy = lazy
    self.l2 = l2
  }
}

/// The state of one Adam optimizer: first and second moments laid out as the parameters are, and the step count.
public final class AdamState: Sendable {
  public let first: FloatBuffer
  public let second: FloatBuffer

  public init(_ layout: ParameterLayout) {
    first = FloatBuffer(count: layout.count)
    second = FloatBuffer(count: layout.count)
  }
}

/// The numbers of one step, shared by all its rows.
struct AdamStep: Sendable {
  private let state: AdamState
  private let parameters: FloatBuffer
  private let options: AdamOptions
  private let rate: Float
  private let correction: Float
  /// Offsets that learn, in order; nil: all.
  private let learning: [Range<Int>]?

  /// - Parameter step: from 1.
  init(
    _ options: AdamOptions, state: AdamState, parameters: FloatBuffer, step: Int, learning: [Range<Int>]? = nil
  ) {
    self.learning = learning
    self.state = state
    self.parameters = parameters
    self.options = options
    rate = Float(options.rate / (1 - pow(options.beta1, Double(step))))
    correction = Float(1 / (1 - pow(options.beta2, Double(step))).squareRoot())
  }

  /// Updates `count` values from `offset` on with the gradient at `g`.
  func apply(_ offset: Int, _ count: Int, _ g: UnsafePointer<Float>) {
    guard let learning else { return update(offset, count, g) }
    for range in learning where range.lowerBound < offset + count && range.upperBound > offset {
      let part = range.clamped(to: offset..<(offset + count))
      update(part.lowerBound, part.count, g + (part.lowerBound - offset))
    }
  }

  private func update(_ offset: Int, _ count: Int, _ g: UnsafePointer<Float>) {
    Elementwise.adam(
      count, parameters.base + offset, state.first.base + offset, state.second.base + offset, g,
      decay: Float(options.l2), rate: rate, beta1: Float(options.beta1), beta2: Float(options.beta2),
      epsilon: Float(options.epsilon), correction: correction)
  }
}
