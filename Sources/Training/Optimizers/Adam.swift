import Glibc
import Kernels

/// Adam (Kingma and Ba, 2015) with bias correction:
///
///     g += l2 p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= rate mhat / (sqrt(vhat) + epsilon)
///
/// with mhat = m / (1 - b1^t) and vhat = v / (1 - b2^t) at step t, as PyTorch's `Adam`. TensorFlow 1 adds epsilon before the
/// correction, as the paper's second form does:
///
///     p -= rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)
public struct Adam: Optimizer, Equatable {
  public static let kind = "adam"
  public static let stateNames = ["first", "second"]
  public static let summary =
    "Adam (Kingma and Ba, 2015) with bias correction. Lazy: rows of embedding and output tables that a batch does not touch stay as they are; otherwise they move on by their decaying moments."
  public static let example = "let slow = adam(lr: 1e-4)"
  public static let samples = [
    Adam(), Adam(rate: 3e-3, beta1: 0.8, beta2: 0.98, epsilon: 1e-6, form: .tensorflow, lazy: false, l2: 0.01, clip: 1),
  ]
  public static let fields: [Field<Adam>] = [
    Field("lr", \.rate, FieldForm(.number, "learning rate", text: "1e-3", problem: NumberRule.positive)),
    Field("beta1", \.beta1, FieldForm(.number, "decay of the first moment", problem: NumberRule.fraction)),
    Field("beta2", \.beta2, FieldForm(.number, "decay of the second moment", problem: NumberRule.fraction)),
    Field(
      "epsilon", \.epsilon,
      FieldForm(.number, "added to the root of the second moment", text: "1e-8", problem: NumberRule.innerFraction)),
    Field(
      "form", \.form,
      .word(
        of: Form.self, "where epsilon is added: pytorch, to the root of the corrected second moment; tensorflow, to that of the uncorrected"
      )),
    Field("lazy", \.lazy, FieldForm(.flag, "leave untouched rows alone")),
    Field(
      "l2", \.l2,
      FieldForm(
        .number, "coefficient of an L2 penalty; with `lazy`, rows feel it when they are touched", problem: NumberRule.coefficient)),
    Field(
      "clip", \.clip,
      FieldForm(
        .number, "largest norm of a step's gradients, all parameters together; larger ones are scaled down to it",
        problem: NumberRule.positive)),
  ]

  public var rate: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  public var form: Form
  public var lazy: Bool
  /// L2 coefficient, added to the gradient as l2 * p.
  public var l2: Double
  public var clip: Double?

  /// Where epsilon is added.
  public enum Form: String, Codable, Sendable, CaseIterable { case pytorch, tensorflow }

  public init() { self.init(rate: 1e-3) }

  public init(
    rate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, form: Form = .pytorch, lazy: Bool = true,
    l2: Double = 0, clip: Double? = nil
  ) {
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.form = form
    self.lazy = lazy
    self.l2 = l2
    self.clip = clip
  }

  public func update(step: Int, rate: Double) -> OptimizerUpdate {
    // The kernel weighs gradients by 1 - beta in float32. With 0.999 this is 1.3e-5 less than 0.001, so the corrections must use
    // the same rounded betas; those of float64 would make every step 6e-6 too long.
    func sumOfWeights(_ beta: Double) -> Double { 1 - pow(Double(Float(beta)), Double(step)) }
    let second = sumOfWeights(beta2).squareRoot()
    let first = rate / sumOfWeights(beta1)
    let corrected = Float(form == .pytorch ? first : first * second)
    let correction = Float(form == .pytorch ? 1 / second : 1)
    let (l2, beta1, beta2, epsilon) = (Float(l2), Float(beta1), Float(beta2), Float(epsilon))
    return { offset, count, parameters, state, gradient in
      Elementwise.adam(
        count, parameters + offset, state[0] + offset, state[1] + offset, gradient, decay: l2, rate: corrected, beta1: beta1,
        beta2: beta2, epsilon: epsilon, correction: correction)
    }
  }
}
