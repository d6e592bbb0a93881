import Datasets
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// What can be compared: runs and models, several of them for several seeds, or a baseline.
enum Contender {
  case models([(model: ModelValue, run: TrainingRun?)])
  case scorer(any Scorer)
}

/// A simple method, ready to be judged.
final class BaselineValue: ObjectValue {
  static let type = ObjectType("a baseline", members: [("kind", .text, "popular or markov")])
  let baseline: Baseline

  init(_ baseline: Baseline) { self.baseline = baseline }
  func member(_ name: String) -> Value? { name == "kind" ? .text(baseline.kind.rawValue) : nil }
  var summary: String { "baseline: \(baseline.title)" }
}

/// How much sooner one run got where another did.
final class SpeedupValue: ObjectValue {
  static let type = ObjectType(
    "a speed-up",
    members: [
      ("ratio", .any, "how many times sooner, by training time; nil if never"),
      ("cpu", .any, "how many times less processor time; nil if never"),
      ("steps", .any, "how many times fewer steps; nil if never"), ("target", .number, "the quality both reach"),
    ])

  let speedup: Speedup

  init(_ speedup: Speedup) { self.speedup = speedup }

  func member(_ name: String) -> Value? {
    switch name {
    case "ratio": speedup.ratio.map { .number($0) } ?? .nothing
    case "cpu": speedup.reached.map { .number(speedup.over.cpuSeconds / max($0.cpuSeconds, 1e-9)) } ?? .nothing
    case "steps": speedup.reached.map { .number(speedup.over.steps / max($0.steps, 1)) } ?? .nothing
    case "target": .number(speedup.target)
    default: nil
    }
  }

  var summary: String {
    let target = "\(speedup.metric.title) \(NumberFormat.fixed(speedup.target, digits: 4))"
    guard speedup.over.seconds > 0 else {
      return "none: the run measured against was never better than before its first step (\(target))"
    }
    guard let reached = speedup.reached, let ratio = speedup.ratio else {
      return
        "not reached: \(target) took \(NumberFormat.duration(speedup.over.seconds)), the best here is \(NumberFormat.fixed(speedup.best, digits: 4))"
    }
    return
      "\(NumberFormat.fixed(ratio, digits: 2))x (\(target) after \(NumberFormat.duration(reached.seconds)) instead of \(NumberFormat.duration(speedup.over.seconds)) of training; \(Int(reached.steps.rounded())) instead of \(Int(speedup.over.steps.rounded())) steps)"
      + (speedup.wasImproving ? "; the run measured against was still getting better when it ended" : "")
  }
}

extension Builtin {
  static let judging: [Builtin] = [evaluate, compare, sampled, speedup, baseline, similarity, scores]

  static let evaluate = Builtin(
    "evaluate",
    "Ranks all items for every sequence's last item, given those before, and takes the metrics' means. Ties count half.",
    topic: "Judging", returns: .object(EvaluationValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let result = evaluate(baseline(data, kind: popular), on: data.test, metrics: [hr@10])
      print(result[hr@10] > 0)  #> true
      """
  ) { d in
    let what = d.positional("model", .any, "a model, a run, or a baseline")
    let on = d.named("on", Kind<SequencesValue>.object, "the sequences, e.g. data.test")
    let metrics = d.named(
      "metrics", Kind<Metric>.metric.list, default: TrainingOptions().metrics, "[mrr@5, hr@5, ndcg@5]", "what to compute")
    let rank = candidates(&d)
    return { call in
      let set = try call[on]
      if case .list = try call[what] {
        throw call.error(
          .wrongType, "`evaluate` judges one model", argument: "model", help: "compare({ name: [run, run] }, on: ...) takes several")
      }
      let contender = try contender(call, try call[what], "model")
      let candidates = try call[rank]
      let ranks = try ranks(call, contender, set, candidates)[0]
      let values = try call[metrics].map { ($0, $0.mean(ranks: ranks)) }
      return .object(EvaluationValue(values, title: Self.title(set, candidates)))
    }
  }

  private static func title(_ set: SequencesValue, _ candidates: RankingCandidates) -> String {
    let items = set.set.rankedItems.count - 1
    var ranked = "all \(NumberFormat.grouped(items)) items ranked"
    if case .sampled(let count, _) = candidates, count < items - 1 {
      ranked = "ranked among \(count) sampled items only (not comparable with full rankings)"
    }
    let rules = set.split?.evaluation == .stackrec ? ", protocol stackrec" : ""
    return "\(NumberFormat.grouped(set.set.count)) \(set.part) sequences, \(ranked)\(rules)"
  }

  private static func candidates(_ d: inout Declaration) -> Argument<RankingCandidates> {
    d.named(
      "rank", Kind<SettingValue<RankingCandidates>>.setting(RankingCandidates.self).orWords({ $0 == "all" ? .all : nil }, ["all"]),
      default: .all, "all", "among all items, or among some: sampled(99), for the transfer task")
  }

  static let compare = Builtin(
    "compare",
    "A table of models judged on the same sequences, with the baselines a reviewer asks for below; for synthetic data also the best any ranking can do. A list of runs gives mean and standard deviation.",
    topic: "Judging", returns: .object(TableValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let table = compare({ Popular: baseline(data, kind: popular) }, on: data.test, metrics: [hr@10], baselines: [])
      print(len(table.rows))  #> 2
      """
  ) { d in
    let what = d.positional("methods", .record, "name: run, model, baseline, or a list of runs")
    let on = d.named("on", Kind<SequencesValue>.object, "the sequences, e.g. data.test")
    let metrics = d.named(
      "metrics", Kind<Metric>.metric.list, default: TrainingOptions().metrics, "[mrr@5, hr@5, ndcg@5]", "what to compute")
    let baselines = d.named(
      "baselines", Kind<Baseline.Kind>.word.list, default: Baseline.Kind.allCases, "[popular, markov]",
      "simple methods to print below")
    let rank = candidates(&d)
    let test = d.named(
      "test", Kind<PairedTest>.word, default: .none, "none",
      "a two-sided test of every method against the first, over the test sequences (means over seeds): wilcoxon signed rank")
    let correct = d.named(
      "correct", Kind<Correction>.word, default: .holm, "holm", "of its p-values, for as many tests as the table has")
    return { call in
      let candidates = try call[rank]
      let set = try call[on]
      let chosen = try call[metrics]
      guard !chosen.isEmpty else { throw call.error(.badValue, "a table needs a metric", argument: "metrics") }
      var rows: [Table.Row] = []
      var judged: [[[Double]]] = []
      for (name, value) in try call[what].fields {
        let contender = try contender(call, value, "methods")
        judged.append(try ranks(call, contender, set, candidates))
        rows.append(row(name, contender, judged[judged.count - 1], chosen, isReference: false))
      }
      if try call[test] == .wilcoxon { rows = tested(rows, judged, chosen, try call[correct]) }
      guard !rows.isEmpty else { throw call.error(.badValue, "there is nothing to compare", argument: "methods") }
      for scorer in references(set, try call[baselines]) {
        let contender = Contender.scorer(scorer)
        rows.append(row(scorer.title, contender, try ranks(call, contender, set, candidates), chosen, isReference: true))
      }
      var caption = title(set, candidates) + "; ties count half; " + (set.split.map { "split \($0.rule)" } ?? "no split")
      if set.set.process != nil { caption += "; synthetic data" }
      if try call[test] == .wilcoxon, let first = rows.first?.name {
        let rule = try call[correct] == .none ? "not corrected" : "\(try call[correct].rawValue.capitalized)-corrected"
        caption += "; p: two-sided Wilcoxon signed-rank test over sequences against \(first), \(rule)"
      }
      return .object(
        TableValue(Table(caption: caption, factNames: ["blocks", "steps", "training"], metrics: chosen, rows: rows)))
    }
  }

  enum PairedTest: String, Sendable, CaseIterable { case none, wilcoxon }
  enum Correction: String, Sendable, CaseIterable { case none, holm, bonferroni }

  /// The rows with the p-values of their differences from the first one. Pairs are test sequences; a method of several
  /// seeds counts with its mean over them.
  private static func tested(
    _ rows: [Table.Row], _ judged: [[[Double]]], _ metrics: [Metric], _ correction: Correction
  ) -> [Table.Row] {
    guard rows.count > 1 else { return rows }
    func values(_ ranks: [[Double]], _ metric: Metric) -> [Double] {
      ranks[0].indices.map { i in ranks.reduce(0) { $0 + metric.value(rank: $1[i]) } / Double(ranks.count) }
    }
    var ps: [Double] = []
    for ranks in judged.dropFirst() {
      for metric in metrics {
        let pairs = zip(values(ranks, metric), values(judged[0], metric))
        // Where no sequence differs there is nothing to be seen.
        ps.append(Significance.wilcoxon(pairs.map { $0 - $1 }) ?? 1)
      }
    }
    switch correction {
    case .none: break
    case .holm: ps = Significance.holm(ps)
    case .bonferroni: ps = Significance.bonferroni(ps)
    }
    return rows.enumerated().map { index, row in
      guard index > 0, index < judged.count else { return row }
      let cells = row.cells.enumerated().map { m, cell in
        Table.Cell(value: cell.value, deviation: cell.deviation, p: ps[(index - 1) * metrics.count + m])
      }
      return Table.Row(name: row.name, facts: row.facts, cells: cells, isReference: row.isReference)
    }
  }

  private static func references(_ set: SequencesValue, _ kinds: [Baseline.Kind]) -> [any Scorer] {
    var scorers: [any Scorer] = []
    if let split = set.split { scorers += kinds.map { Baseline($0, train: split.train) } }
    if let oracle = Oracle(set.set) { scorers.append(oracle) }
    return scorers
  }

  private static func row(
    _ name: String, _ contender: Contender, _ ranks: [[Double]], _ metrics: [Metric], isReference: Bool
  ) -> Table.Row {
    let cells = metrics.map { metric -> Table.Cell in
      let values = ranks.map { metric.mean(ranks: $0) }
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation =
        values.count > 1
        ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
      return Table.Cell(value: mean, deviation: deviation)
    }
    return Table.Row(name: name, facts: facts(contender), cells: cells, isReference: isReference)
  }

  private static func facts(_ contender: Contender) -> [String] {
    guard case .models(let models) = contender else { return ["", "", ""] }
    let runs = models.compactMap(\.run)
    let seconds = runs.map(\.seconds).reduce(0, +) / Double(max(1, runs.count))
    return [
      "\(models[0].model.model.network.depth)", runs.isEmpty ? "" : "\(runs.map(\.steps).reduce(0, +) / runs.count)",
      runs.isEmpty ? "" : NumberFormat.duration(seconds),
    ]
  }

  private static func contender(_ call: Call, _ value: Value, _ argument: String) throws -> Contender {
    if case .list(let values) = value, !values.isEmpty {
      var all: [(ModelValue, TrainingRun?)] = []
      for value in values {
        guard case .models(let models) = try contender(call, value, argument) else {
          throw call.error(.wrongType, "a list holds runs or models", argument: argument)
        }
        all += models
      }
      return .models(all)
    }
    guard case .object(let object) = value else {
      throw call.error(.wrongType, "expected a run, a model or a baseline, found \(value.described)", argument: argument)
    }
    switch object {
    case let run as RunValue: return .models([(run.modelValue, run.run)])
    case let model as ModelValue: return .models([(model, nil)])
    case let baseline as BaselineValue: return .scorer(baseline.baseline)
    default:
      throw call.error(.wrongType, "expected a run, a model or a baseline, found \(value.described)", argument: argument)
    }
  }

  /// Ranks of the targets, one list a model.
  private static func ranks(
    _ call: Call, _ contender: Contender, _ set: SequencesValue, _ candidates: RankingCandidates
  ) throws -> [[Double]] {
    let pool = Engine.pool(call)
    switch contender {
    case .scorer(let scorer):
      if let baseline = scorer as? Baseline, baseline.items != set.set.rankedItems {
        throw call.error(
          .model, "the baseline was counted on other items than these sequences have", argument: "on",
          help: "judge a baseline on the data set it was made from")
      }
      return [Ranking.ranks(scorer, on: set.set, among: candidates, pool: pool)]
    case .models(let models):
      return try models.map { entry in
        if let objection = entry.model.known.objection(to: set.set, entry.model.model.network) {
          throw call.error(.model, objection, argument: "on", help: "judge a model on the data set it was built with")
        }
        if let run = entry.run { warn(call, run, set) }
        let network = entry.model.model.network
        return try call.engine {
          try MemoryLimit.check(
            Ranking.bytes(network, length: set.set.length, threads: pool.threads),
            "judging \(network.depth) blocks on sequences of \(set.set.length)")
          return Ranking.ranks(entry.model.model, on: set.set, among: candidates, pool: pool)
        }
      }
    }
  }

  /// Says it where a run is judged on sequences that it may have been trained on.
  private static func warn(_ call: Call, _ run: TrainingRun, _ set: SequencesValue) {
    if set.set === run.data.train {
      call.interpreter.host.note("\(run.name) is judged on the sequences it was trained on")
    } else if set.set !== run.data.test && set.set !== run.data.valid {
      call.interpreter.host.note(
        "\(run.name) was trained on another split than the one it is judged on: it may have seen these sequences")
    }
  }

  static let speedup = Builtin(
    "speedup",
    "How much sooner a run reaches the best of another, by training time from the very beginning of its first phase, evaluation left out. Between two evaluations the time is taken from a straight line.",
    topic: "Judging", returns: .object(SpeedupValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> train(data, run: 4steps, eval_every: 2steps, batch: 32)
      print(speedup(run, over: run, on: mrr@5).ratio)  #> 1
      """
  ) { d in
    let run = d.positional("run", Kind<RunValue>.object, "the run that should be faster")
    let over = d.named("over", Kind<RunValue>.object, "the run it is measured against")
    let metric = d.named("on", .metric, default: Metric(.mrr, 5), "mrr@5", "a metric both were evaluated on")
    return { call in
      let chosen = try call[metric]
      guard (try call[run]).run.isJudged(like: (try call[over]).run) else {
        throw call.error(
          .badValue, "the two runs were judged on different sequences, or among different items", argument: "over",
          help: "train both on the same split")
      }
      guard let speedup = Speedup((try call[run]).run, over: (try call[over]).run, on: chosen) else {
        throw call.error(
          .badValue, "one of the runs was not evaluated on \(chosen.name)", argument: "on",
          help: "name it in the training: metrics: [\(chosen.name)]")
      }
      return .object(SpeedupValue(speedup))
    }
  }

  static let baseline = Builtin(
    "baseline",
    "A simple method: the most popular items, or first-order Markov (how often an item followed the last one, popularity where nothing is known).",
    topic: "Judging", returns: .object(BaselineValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(baseline(data, kind: markov))  #> baseline: first-order Markov
      """
  ) { d in
    let data = d.positional("data", .parts, "the data set, or target, whose training part is counted")
    let kind = d.named("kind", Kind<Baseline.Kind>.word, "which one")
    return { call in .object(BaselineValue(Baseline(try call[kind], train: (try call[data]).train))) }
  }
}
