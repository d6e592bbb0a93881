import Evaluation
import Growth
import Interpreter
import Syntax
import Training

extension Builtin {
  static let phase = Builtin(
    "phase", "A stretch of a `stackrec` training: first a growth, if `to` or `by` is given, then `run`.",
    topic: "Training", returns: .object(Phase.type), example: "let deeper = phase(to: 8, by: adjacent, run: 500steps)"
  ) { d in
    let run = d.optional("run", .extent, "how long; left out: until `stop` of the training ends it")
    let to = d.optional("to", .whole(from: 1, to: 4096), "depth to grow to; left out with `by`: twice as deep")
    let by = d.optional("by", Kind<GrowthOperator>.word, "where new blocks come from; left out with `to`: adjacent")
    let carry = d.named("carry", .carry, default: .all, "all", "what is carried over at the growth")
    let share = d.named("data", .share, default: 1, "100%", "share of the training sequences; shares are nested")
    let when = d.optional(
      "when", Kind<Phase.Plateau>.setting,
      "grow as soon as the metric stands still: ends the phase before, if its own `run` has not")
    let freeze = d.optional("freeze", Kind<Frozen>.word, "old: at first train only what the growth added (needs `for`)")
    let frozenFor = d.optional("for", .countedExtent, "how long `freeze` lasts")
    return { call in
      let phase = Phase(
        run: try call[run], to: try call[to], by: try call[by], carry: try call[carry], dataShare: try call[share],
        when: try call[when], freezeOld: try call[frozenFor])
      guard call.given(freeze) == call.given(frozenFor) else {
        throw call.error(
          .missingArgument, "`freeze` and `for` belong together", argument: call.given(freeze) ? "freeze" : "for",
          help: "write freeze: old, for: 200steps")
      }
      if call.given(freeze) && !phase.grows {
        throw call.error(
          .missingArgument, "without a growth there is nothing old to freeze", argument: "freeze",
          help: "give `to:` or `by:` too")
      }
      guard phase.dataShare > 0 else {
        throw call.error(.badValue, "a share of 0% leaves nothing to train on", argument: "data")
      }
      if call.given(carry) && !phase.grows {
        throw call.error(.missingArgument, "`carry` says nothing without a growth", argument: "carry", help: "give `to:` or `by:` too")
      }
      var text = "phase"
      if let to = phase.to { text += " to \(to) blocks" }
      return .object(SettingValue(phase, text))
    }
  }

  /// What can be frozen.
  enum Frozen: String, Sendable, CaseIterable { case old }

  static let plateau = Builtin(
    "plateau",
    "When a metric on the validation part has not got better in so many evaluations: the sign that a stacked model should grow.",
    topic: "Training", returns: .object(Phase.Plateau.type),
    example: "let deeper = phase(to: 16, when: plateau(2, on: mrr@5), run: 500steps)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "evaluations without a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Phase.Plateau(try call[count], on: try call[metric])
      return .object(SettingValue(rule, "plateau(\(rule.evaluations), on: \(rule.metric.name))"))
    }
  }

  static let patience = Builtin(
    "patience", "Stops when a metric has not got better in so many evaluations.", topic: "Training",
    returns: .object(Patience.type), example: "let stop = patience(8, on: mrr@5)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "how many evaluations to wait for a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Patience(evaluations: try call[count], metric: try call[metric])
      return .object(SettingValue(rule, "patience(\(rule.evaluations), on: \(rule.metric.name))"))
    }
  }
}
