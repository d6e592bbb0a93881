import Glibc
import Kernels

/// AdamW (Loshchilov and Hutter, 2019): `p -= rate decay p` for every parameter, then a step of Adam.
public struct AdamW: Optimizer, Equatable {
  public static let kind = "adamw"
  public static let stateNames = Adam.stateNames
  public static let summary =
    "AdamW (Loshchilov and Hutter, 2019): Adam with decoupled weight decay of every parameter, biases and norms included, as PyTorch's default. Lazy: rows that a batch does not touch stay as they are, without decay."
  public static let example = "let slow = adamw(lr: 1e-3, decay: 0.01)"
  public static let samples = [
    AdamW(),
    AdamW {
      ($0.rate, $0.beta1, $0.beta2, $0.epsilon) = (3e-3, 0.8, 0.98, 1e-6)
      ($0.decay, $0.lazy, $0.clip) = (0.1, false, 1)
    },
  ]
  public static let fields: [Field<AdamW>] = [
    Field("lr", \.rate, FieldForm(.number, "learning rate", text: "1e-3", problem: NumberRule.positive)),
    Field("decay", \.decay, FieldForm(.number, "weight decay, times the learning rate in each step", problem: NumberRule.coefficient)),
    Field("beta1", \.beta1, FieldForm(.number, "decay of the first moment", problem: NumberRule.fraction)),
    Field("beta2", \.beta2, FieldForm(.number, "decay of the second moment", problem: NumberRule.fraction)),
    Field(
      "epsilon", \.epsilon,
      FieldForm(.number, "added to the root of the second moment", text: "1e-8", problem: NumberRule.innerFraction)),
    Field("lazy", \.lazy, FieldForm(.flag, "leave untouched rows alone")),
    Field(
      "clip", \.clip,
      FieldForm(
        .number, "largest norm of a step's gradients, all parameters together; larger ones are scaled down to it",
        problem: NumberRule.positive)),
  ]

  public var rate = 1e-3
  public var decay = 0.01
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var epsilon = 1e-8
  public var lazy = true
  public var clip: Double?

  public init() {}
  init(_ change: (inout AdamW) -> Void) { change(&self) }

  public func update(step: Int, rate: Double) -> OptimizerUpdate {
    let adam = Adam(rate: self.rate, beta1: beta1, beta2: beta2, epsilon: epsilon).update(step: step, rate: rate)
    let kept = Float(1 - rate * decay)
    return { offset, count, parameters, state, gradient in
      Elementwise.scale(parameters + offset, parameters + offset, kept, count)
      adam(offset, count, parameters, state, gradient)
    }
  }
}
