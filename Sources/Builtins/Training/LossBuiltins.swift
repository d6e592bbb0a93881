import Interpreter
import Syntax
import Training

extension Builtin {
  /// A builtin a loss.
  static let losses: [Builtin] = [sampledSoftmax]

  static let sampledSoftmax = Builtin(
    "sampled_softmax",
    "Softmax over the target and a share of the items as negatives, drawn anew for each batch, logits corrected by the log expected counts.",
    topic: "Training", returns: .object(LossSetting.type), example: "let loss = sampled_softmax(20%)"
  ) { d in
    let share = d.positional("share", .share, "share of the items that are negatives")
    let distribution = d.named(
      "distribution", Kind<NegativeDistribution>.word, default: .logUniform, "log_uniform",
      "how they are drawn: uniformly, or by popularity rank as log-uniform")
    return { call in
      let part = try call[share]
      guard part > 0 else { throw call.error(.badValue, "a share of 0% leaves no negatives", argument: "share") }
      return LossSetting(SampledSoftmax(share: part, distribution: try call[distribution])).value
    }
  }
}
