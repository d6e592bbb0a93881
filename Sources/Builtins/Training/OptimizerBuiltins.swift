import Interpreter
import Training

extension Builtin {
  /// A builtin an optimizer.
  static let optimizers: [Builtin] = [adam]

  static let adam = Builtin(
    "adam",
    "Adam (Kingma and Ba, 2015) with bias correction. Lazy: rows of embedding and output tables that a batch does not touch stay as they are; otherwise they move on by their decaying moments.",
    topic: "Training", returns: .object(OptimizerSetting.type), example: "let slow = adam(lr: 1e-4)"
  ) { d in
    let defaults = Adam()
    let rate = d.named(
      "lr", Kind<Double>.number.checked { $0 > 0 && $0.isFinite ? nil : "must be above 0" }, default: defaults.rate,
      "1e-3", "learning rate")
    let unit = Kind<Double>.number.checked { $0 >= 0 && $0 < 1 ? nil : "must be from 0 to below 1" }
    let beta1 = d.named("beta1", unit, default: defaults.beta1, "0.9", "decay of the first moment")
    let beta2 = d.named("beta2", unit, default: defaults.beta2, "0.999", "decay of the second moment")
    let epsilon = d.named(
      "epsilon", Kind<Double>.number.checked { $0 > 0 && $0 < 1 ? nil : "must be above 0 and below 1" }, default: defaults.epsilon, "1e-8",
      "added to the root of the second moment")
    let lazy = d.named("lazy", .bool, default: defaults.lazy, "true", "leave untouched rows alone")
    let l2 = d.named(
      "l2", Kind<Double>.number.checked { $0 >= 0 && $0 < 1e6 ? nil : "must not be negative, nor above 1e6" }, default: 0, "0",
      "coefficient of an L2 penalty; with `lazy`, rows feel it when they are touched")
    let clip = d.optional(
      "clip", Kind<Double>.number.checked { $0 > 0 && $0.isFinite ? nil : "must be above 0" },
      "largest norm of a step's gradients, all parameters together; larger ones are scaled down to it")
    return { call in
      OptimizerSetting(
        Adam(
          rate: try call[rate], beta1: try call[beta1], beta2: try call[beta2], epsilon: try call[epsilon], lazy: try call[lazy],
          l2: try call[l2], clip: try call[clip])
      ).value
    }
  }
}
