/// Adagrad (Duchi et al., 2011) with momentum, as GRU4Rec uses it:
///
///     a += g^2;  m = mu m - rate g / sqrt(a + epsilon);  p += m
public struct Adagrad: Optimizer, Equatable {
  public static let kind = "adagrad"
  public static let stateNames = ["squares", "momentum"]
  public static let summary =
    "Adagrad with momentum (Duchi et al., 2011; Hidasi et al., 2016). Lazy: rows of embedding and output tables that a batch does not touch stay as they are, and so does their momentum."
  public static let example = "let steep = adagrad(lr: 0.05, momentum: 0.4)"
  public static let samples = [
    Adagrad(), Adagrad { ($0.rate, $0.momentum, $0.epsilon, $0.lazy, $0.clip) = (0.02, 0.4, 1e-5, false, 1) },
  ]
  public static let fields: [Field<Adagrad>] = [
    Field("lr", \.rate, FieldForm(.number, "learning rate", problem: NumberRule.positive)),
    Field("momentum", \.momentum, FieldForm(.number, "part of the previous change that is repeated", problem: NumberRule.fraction)),
    Field(
      "epsilon", \.epsilon,
      FieldForm(.number, "added to the sum of squares, inside the root", text: "1e-6", problem: NumberRule.innerFraction)),
    Field("lazy", \.lazy, FieldForm(.flag, "leave untouched rows alone")),
    Field(
      "clip", \.clip,
      FieldForm(
        .number, "largest norm of a step's gradients, all parameters together; larger ones are scaled down to it",
        problem: NumberRule.positive)),
  ]

  public var rate = 0.05
  public var momentum = 0.0
  public var epsilon = 1e-6
  public var lazy = true
  public var clip: Double?

  public init() {}
  init(_ change: (inout Adagrad) -> Void) { change(&self) }

  public func update(step: Int, rate: Double) -> OptimizerUpdate {
    let (rate, mu, epsilon) = (Float(rate), Float(momentum), Float(epsilon))
    return { offset, count, parameters, state, gradient in
      let (p, a, m) = (parameters + offset, state[0] + offset, state[1] + offset)
      for i in 0..<count {
        let g = gradient[i]
        a[i] += g * g
        m[i] = mu * m[i] - rate * g / (a[i] + epsilon).squareRoot()
        p[i] += m[i]
      }
    }
  }
}
