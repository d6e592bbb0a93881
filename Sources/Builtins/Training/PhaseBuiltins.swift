import Evaluation
import Growth
import Interpreter
import Syntax
import Training

extension Builtin {
  static let phase = Builtin(
    "phase", "One phase of a `stackrec` training: first a growth, if `to` or `by` is given, then training for `run`.",
    topic: "Training", returns: .object(Phase.type), example: "let deeper = phase(to: 8, by: adjacent, run: 500steps)"
  ) { d in
    let run = d.optional("run", .extent, "how long: steps, epochs or a time; default: until `stop` of the training ends it")
    let to = d.optional("to", .whole(from: 1, to: 4096), "number of blocks to grow to; default if `by` is given: twice as many")
    let by = d.optional(
      "by", Kind<GrowthChoice>.choice,
      "the growth operator, which chooses the source of each new block, or auto, which tries several and goes on with the best; default if `to` is given: adjacent"
    )
    let carry = d.named(
      "carry", .carry, default: .all, "all",
      "which parameters the growth carries over: all; reference (as in the authors' code); preserving (the scores stay the same); or a list of parts"
    )
    let state = d.optional(
      "optimizer", Kind<Phase.StateRule>.word,
      "the optimizer's state at the growth: reset; copy, every copied parameter has that of its source; kept, it goes on except in new blocks; default: copy if `carry` names the optimizer, else reset"
    )
    let share = d.named("data", .share, default: 1, "100%", "share of the training sequences; a smaller share is a subset of a larger one")
    let when = d.optional(
      "when", Kind<Phase.Rule>.setting,
      "grow as soon as a metric stops improving (plateau), rises too slowly (slope), or a share of the whole training is over (budget): ends the previous phase, if its own `run` has not ended it before"
    )
    let rate = d.named(
      "rate", Kind<Double>.number.checked { $0 > 0 && $0 <= 1000 ? nil : "must be above 0 and at most 1000" }, default: 1, "1",
      "factor of the learning rate in this phase")
    let length = d.optional(
      "length", .whole(from: 2, to: 100_000), "train on this many of the latest items of every sequence only; default: all")
    let freeze = d.optional("freeze", Kind<Frozen>.word, "old: train only the new parameters at first (needs `for`)")
    let frozenFor = d.optional("for", .countedExtent, "how long `freeze` lasts")
    return { call in
      let choice = try call[by]
      let phase = Phase(
        run: try call[run], to: try call[to], by: choice?.operation, carry: try call[carry], dataShare: try call[share],
        when: try call[when], freezeOld: try call[frozenFor], optimizer: try call[state], rate: try call[rate],
        length: try call[length], trial: choice?.trial)
      for (name, isGiven) in [("carry", call.given(carry)), ("optimizer", call.given(state))] where isGiven && phase.trial != nil {
        throw call.error(
          .badValue, "`by: auto` chooses this by trying", argument: name,
          help: "remove it, or name the candidates: by: auto(among: [phase(by: cross, carry: preserving), phase(by: adjacent)])")
      }
      if choice?.isForWholeTraining == true {
        throw call.error(
          .badValue, "`to` of auto is for stackrec(grow: auto(to: 16))", argument: "by", help: "write phase(to: 16, by: auto)")
      }
      guard call.given(freeze) == call.given(frozenFor) else {
        throw call.error(
          .missingArgument, "`freeze` and `for` belong together", argument: call.given(freeze) ? "freeze" : "for",
          help: "write freeze: old, for: 200steps")
      }
      if call.given(freeze) && !phase.grows {
        throw call.error(
          .missingArgument, "`freeze` needs a growth in the same phase", argument: "freeze",
          help: "give `to:` or `by:` too")
      }
      guard phase.dataShare > 0 else {
        throw call.error(.badValue, "a share of 0% leaves nothing to train on", argument: "data")
      }
      if call.given(carry) && !phase.grows {
        throw call.error(.missingArgument, "`carry` needs a growth in the same phase", argument: "carry", help: "give `to:` or `by:` too")
      }
      if call.given(state) && !phase.grows {
        throw call.error(
          .missingArgument, "`optimizer` needs a growth in the same phase", argument: "optimizer", help: "give `to:` or `by:` too")
      }
      var text = "phase"
      if let to = phase.to { text += " to \(to) blocks" }
      return .object(SettingValue(phase, text))
    }
  }

  static let auto = Builtin(
    "auto",
    "Growth that needs no numbers. In `phase(by: auto)` or `phase(by: auto(trial: 100steps))` several candidates grow the same model and are trained for a short while; the best one by the watched metric goes on. The steps and the time of all trials count; together they take at most half of the phase. `stackrec(grow: auto(to: 32), run: 60epochs)` doubles the blocks until there are 32: each time when the learning curve is flat (slope 5%), or else when the shallow model has had its share of half of the run, and each time with a trial.",
    topic: "Training", returns: .object(GrowthChoice.type),
    example: "let deeper = phase(to: 16, by: auto(trial: 100steps), run: 500steps)"
  ) { d in
    let to = d.optional("to", .whole(from: 1, to: 4096), "for `grow` of stackrec: number of blocks at the end")
    let trial = d.named("trial", .countedExtent, default: .epochs(1), "1epochs", "how long each candidate is trained, at most")
    let among = d.optional(
      "among", Kind<Phase>.setting.list,
      "the candidates, as phases with `by`, `carry`, `optimizer` and `rate`; default: cross and adjacent, each preserving and with carry: all, the optimizer's state kept"
    )
    return { call in
      var trialRule = GrowthTrial(run: try call[trial])
      if let phases = try call[among] {
        guard !phases.isEmpty else { throw call.error(.badValue, "there is no candidate", argument: "among") }
        trialRule.candidates = try phases.map { phase in
          guard phase.run == nil, phase.to == nil, phase.when == nil, phase.freezeOld == nil, phase.trial == nil, phase.dataShare == 1,
            phase.length == nil
          else {
            throw call.error(
              .badValue, "a candidate has only `by`, `carry`, `optimizer` and `rate`", argument: "among",
              help: "the phase itself says the rest: phase(to: 16, run: 500steps, by: auto(among: [phase(by: cross, carry: preserving)]))")
          }
          return GrowthTrial.Candidate(
            by: phase.by ?? .adjacent, carry: phase.carry, optimizer: phase.optimizer, rate: phase.rate)
        }
      }
      let choice = GrowthChoice(operation: nil, trial: trialRule, to: try call[to])
      return .object(SettingValue(choice, choice.to.map { "auto(to: \($0))" } ?? "auto"))
    }
  }

  static let budget = Builtin(
    "budget",
    "A condition for growth: a share of the whole training is over. The length of the training is `run` of `stackrec`.",
    topic: "Training", returns: .object(Phase.Rule.type),
    example: "let deeper = phase(to: 16, when: budget(80%))"
  ) { d in
    let share = d.positional("share", .share, "the share of the steps, or of the time")
    return { call in
      let part = try call[share]
      guard part > 0, part < 1 else { throw call.error(.badValue, "must be above 0% and below 100%", argument: "share") }
      return .object(SettingValue(Phase.Rule(budget: part), "budget(\(NumberFormat.text(part * 100))%)"))
    }
  }

  /// What can be frozen.
  enum Frozen: String, Sendable, CaseIterable { case old }

  static let plateau = Builtin(
    "plateau",
    "A condition for growth: a metric on the validation part has not improved for a number of evaluations.",
    topic: "Training", returns: .object(Phase.Rule.type),
    example: "let deeper = phase(to: 16, when: plateau(2, on: mrr@5), run: 500steps)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "number of evaluations without a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Phase.Rule(plateau: try call[count], on: try call[metric])
      return .object(SettingValue(rule, "plateau(\(try call[count]), on: \(try call[metric].name))"))
    }
  }

  static let slope = Builtin(
    "slope",
    "A condition for growth: the learning curve has become flat. The slope is that of a straight line through the evaluations since half of the phase's steps (at least 4), of the metric divided by its best value in the phase, over log2 of the steps. slope(5%): less than 5 % more per doubling of the steps.",
    topic: "Training", returns: .object(Phase.Rule.type),
    example: "let deeper = phase(to: 16, when: slope(5%, on: ndcg@10), run: 500steps)"
  ) { d in
    let share = d.positional("share", .share, "growth begins below this rise per doubling of the steps")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Phase.Rule(slope: try call[share], on: try call[metric])
      return .object(SettingValue(rule, "slope(\(NumberFormat.text(try call[share] * 100))%, on: \(try call[metric].name))"))
    }
  }

  static let patience = Builtin(
    "patience",
    "An early-stopping rule: stops when a metric on the validation part has not improved for a number of evaluations. The same metric chooses the best parameters.",
    topic: "Training",
    returns: .object(Patience.type), example: "let stop = patience(8, on: mrr@5)"
  ) { d in
    let count = d.positional("evaluations", .whole(from: 1), "number of evaluations without a better value")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "the metric, on the validation part")
    return { call in
      let rule = Patience(evaluations: try call[count], metric: try call[metric])
      return .object(SettingValue(rule, "patience(\(rule.evaluations), on: \(rule.metric.name))"))
    }
  }
}
