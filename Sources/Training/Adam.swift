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
  /// Largest Euclidean norm of a step's gradients, all parameters together; larger ones are scaled down to it (Pascanu
  /// et al., 2013). nil: as they are.
  public var clip: Double?

  public init(
    rate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, lazy: Bool = true,
    l2: Double = 0, clip: Double? = nil
  ) {
    self.clip = clip
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.lazy = lazy
    self.l2 = l2
  }
}

/// The state of one Adam optimizer: first and second moments laid out as the parameters are, and the step count.
///
/// A parameter's bias correction counts the steps it has taken itself: one that came later, or stood still for a while,
/// would otherwise leap.
public final class AdamState: @unchecked Sendable {
  public let first: FloatBuffer
  public let second: FloatBuffer
  private let layout: ParameterLayout
  /// The optimizer's step count when each parameter began, in the order of the layout; empty: 0 for all.
  private(set) var births: [Int] = []

  func restoreBirths(_ births: [Int]) {
    precondition(births.isEmpty || births.count == layout.parameters.count)
    self.births = births
  }

  public init(_ layout: ParameterLayout) {
    self.layout = layout
    first = FloatBuffer(count: layout.count)
    second = FloatBuffer(count: layout.count)
  }

  func copy() -> AdamState {
    let twin = AdamState(layout)
    twin.first.assign(first)
    twin.second.assign(second)
    twin.births = births
    return twin
  }

  /// The parameter that holds an offset; they stand in the order of their offsets.
  private func index(of offset: Int) -> Int {
    var low = 0
    var high = layout.parameters.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if layout.parameters[middle].offset <= offset { low = middle } else { high = middle }
    }
    return low
  }

  func birth(of parameter: Parameter) -> Int {
    births.isEmpty ? 0 : births[index(of: parameter.offset)]
  }

  func setBirth(of parameter: Parameter, _ step: Int) {
    guard step != birth(of: parameter) else { return }
    if births.isEmpty { births = [Int](repeating: 0, count: layout.parameters.count) }
    births[index(of: parameter.offset)] = step
  }

  /// These take no part in this step: it does not count for them.
  func hold(_ parameters: [Parameter]) {
    for parameter in parameters { setBirth(of: parameter, birth(of: parameter) + 1) }
  }

  /// Calls `body` with the parts of `offset..<(offset + count)` and the step each began at.
  func forEachAge(_ offset: Int, _ count: Int, _ body: (_ offset: Int, _ count: Int, _ birth: Int) -> Void) {
    guard !births.isEmpty else { return body(offset, count, 0) }
    var low = index(of: offset)
    var start = offset
    while start < offset + count {
      let end = min(offset + count, layout.parameters[low].range.upperBound)
      body(start, end - start, births[low])
      start = end
      low += 1
    }
  }
}

/// The numbers of one step, shared by all its rows.
struct AdamStep: Sendable {
  private let state: AdamState
  private let parameters: FloatBuffer
  private let options: AdamOptions
  private let step: Int
  /// Of a parameter that took all steps.
  private let whole: (rate: Float, correction: Float)
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
    self.step = step
    whole = Self.numbers(options, step)
  }

  private static func numbers(_ options: AdamOptions, _ step: Int) -> (rate: Float, correction: Float) {
    (
      Float(options.rate / (1 - pow(options.beta1, Double(step)))),
      Float(1 / (1 - pow(options.beta2, Double(step))).squareRoot())
    )
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
    state.forEachAge(offset, count) { start, count, birth in
      let n = birth == 0 ? whole : Self.numbers(options, max(1, step - birth))
      Elementwise.adam(
        count, parameters.base + start, state.first.base + start, state.second.base + start, g + (start - offset),
        decay: Float(options.l2), rate: n.rate, beta1: Float(options.beta1), beta2: Float(options.beta2),
        epsilon: Float(options.epsilon), correction: n.correction)
    }
  }
}
