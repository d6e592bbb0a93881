import Evaluation
import Interpreter
import Syntax
import Training

/// How much sooner a run reaches the best metric of another run, for one or several pairs of runs.
final class SpeedupValue: ObjectValue {
  static let type = ObjectType(
    "a speed-up",
    members: [
      ("ratio", .any, "ratio of training times, the other run's over this one's (mean over pairs); nil if the target was not reached"),
      ("cpu", .any, "the same for processor time"),
      ("steps", .any, "the same for steps"), ("target", .number, "the metric value to reach (of the first pair)"),
      ("reached", .number, "number of pairs in which the target was reached"), ("pairs", .number, "number of pairs of runs"),
      ("ratios", .list(.any), "ratio of training times of each pair; nil where the target was not reached"),
      ("interval", .any, "half the 95 % confidence interval of the mean ratio; nil for fewer than two pairs"),
      (
        "curve", .list(.record(nil)),
        "for the first pair: target, seconds, over_seconds and ratio for every metric value that `over` reached"
      ),
    ])

  let speedups: [Speedup]

  init(_ speedups: [Speedup]) { self.speedups = speedups }

  private func values(_ body: (Speedup) -> Double?) -> [Double] { speedups.compactMap(body) }

  /// The mean, if every pair reached the target. A mean over only those that did would be biased upwards.
  private func mean(_ values: [Double]) -> Value {
    values.count == speedups.count ? .number(values.reduce(0, +) / Double(values.count)) : .nothing
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "ratio": return mean(values(\.ratio))
    case "cpu": return mean(values(\.cpuRatio))
    case "steps": return mean(values(\.stepRatio))
    case "target": return .number(speedups[0].target)
    case "reached": return .number(Double(values(\.ratio).count))
    case "pairs": return .number(Double(speedups.count))
    case "ratios": return .list(speedups.map { $0.ratio.map { .number($0) } ?? .nothing })
    case "interval":
      let ratios = values(\.ratio)
      return ratios.count == speedups.count ? Significance.interval95(ratios).map { .number($0) } ?? .nothing : .nothing
    case "curve":
      return .list(
        speedups[0].curve.map { point in
          .record(
            Record([
              ("target", .number(point.target)), ("seconds", point.seconds.map { .number($0) } ?? .nothing),
              ("over_seconds", .number(point.over)), ("ratio", point.ratio.map { .number($0) } ?? .nothing),
            ]))
        })
    default: return nil
    }
  }

  var summary: String {
    guard speedups.count > 1 else { return Self.description(of: speedups[0]) }
    let ratios = values(\.ratio)
    guard ratios.count == speedups.count else {
      return "reached in \(ratios.count) of \(speedups.count) pairs of runs: " + speedups.map(Self.short).joined(separator: ", ")
    }
    let mean = ratios.reduce(0, +) / Double(ratios.count)
    let spread = Significance.interval95(ratios).map { " ± \(NumberFormat.fixed($0, digits: 2)) (95 % confidence interval)" } ?? ""
    return "\(NumberFormat.fixed(mean, digits: 2))x\(spread) over \(ratios.count) pairs of runs: "
      + speedups.map(Self.short).joined(separator: ", ")
  }

  private static func short(_ speedup: Speedup) -> String {
    speedup.ratio.map { $0.isFinite ? "\(NumberFormat.fixed($0, digits: 2))x" : "at once" } ?? "never"
  }

  private static func description(of speedup: Speedup) -> String {
    let target = "\(speedup.metric.title) \(NumberFormat.fixed(speedup.target, digits: 4))"
    guard speedup.over.seconds > 0 else {
      return "none: the other run never became better than before its first step (\(target))"
    }
    guard let reached = speedup.reached, let ratio = speedup.ratio else {
      return
        "not reached: the other run has \(target) after \(NumberFormat.duration(speedup.over.seconds)), the best of this run is \(NumberFormat.fixed(speedup.best, digits: 4))"
    }
    guard ratio.isFinite else {
      return
        "at once: this run has \(target) before its first step, the other run after \(NumberFormat.duration(speedup.over.seconds))"
    }
    return
      "\(NumberFormat.fixed(ratio, digits: 2))x (\(target) after \(NumberFormat.duration(reached.seconds)) instead of \(NumberFormat.duration(speedup.over.seconds)) of training; \(Int(reached.steps.rounded())) instead of \(Int(speedup.over.steps.rounded())) steps; without evaluations, which took \(NumberFormat.duration(speedup.evaluation.run)) and \(NumberFormat.duration(speedup.evaluation.over)))"
      + (speedup.wasImproving ? "; the other run was still improving when it ended" : "")
  }
}

extension Builtin {
  static let speedup = Builtin(
    "speedup",
    "Measures how much sooner a run reaches the best metric value of another run. Training time counts from the start of the first phase, without evaluations; between two evaluations it is interpolated linearly. Two lists of runs are compared pair by pair.",
    topic: "Evaluation", returns: .object(SpeedupValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> train(data, run: 4steps, eval_every: 2steps, batch: 32)
      print(speedup([run, run], over: [run, run], on: mrr@5).pairs)  #> 2
      """
  ) { d in
    let run = d.positional("run", Kind<RunValue>.object.oneOrMore, "the run that should be faster, or a list of them")
    let over = d.named("over", Kind<RunValue>.object.oneOrMore, "the run to compare with, or a list of as many runs")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "a metric that both runs were evaluated on")
    return { call in
      let chosen = try call[metric]
      let (runs, others) = (try call[run].map(\.run), try call[over].map(\.run))
      guard !runs.isEmpty, runs.count == others.count else {
        throw call.error(
          .badValue, "pairs need two lists of the same length, at least 1; these have \(runs.count) and \(others.count) runs",
          argument: "over")
      }
      return .object(
        SpeedupValue(
          try zip(runs, others).map { run, other in
            guard run.isValidated(like: other) else {
              throw call.error(
                .badValue, "\(run.name) and \(other.name) were evaluated on different sequences, or among different items",
                argument: "over",
                help: "train both on the same split")
            }
            guard let speedup = Speedup(run, over: other, on: chosen) else {
              throw call.error(
                .badValue, "one of the runs was not evaluated on \(chosen.name)", argument: "on",
                help: "name it in the training: metrics: [\(chosen.name)]")
            }
            return speedup
          }))
    }
  }
}
