import Datasets
import Evaluation
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
  static let type = ObjectType("a baseline", members: [("kind", .text, "popular, markov or item_knn")])
  let baseline: Baseline

  init(_ baseline: Baseline) { self.baseline = baseline }
  func member(_ name: String) -> Value? { name == "kind" ? .text(baseline.kind.rawValue) : nil }
  var summary: String { "baseline: \(baseline.title)" }
}

extension Builtin {
  static let judging: [Builtin] = [evaluate, compare, sampled, speedup, baseline, similarity, scores, recommend, sweep]

  static let evaluate = Builtin(
    "evaluate",
    "Ranks all items for every sequence's last item, given those before, and takes the metrics' means. Items that score the same are taken in every order alike (the expectation).",
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
      "metrics", Kind<Metric>.metric.list, default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "what to compute")
    let rank = candidates(&d)
    return { call in
      let set = try call[on]
      if case .list = try call[what] {
        throw call.error(
          .wrongType, "`evaluate` judges one model", argument: "model", help: "compare({ name: [run, run] }, on: ...) takes several")
      }
      let contender = try contender(call, try call[what], "model")
      let candidates = try call[rank]
      let chosen = try call[metrics]
      let ranks = try ranks(call, contender, set, candidates, limit: chosen.map(\.k).max())[0]
      let values = chosen.map { ($0, $0.mean(ranks)) }
      return .object(EvaluationValue(values, title: Self.title(set, candidates)))
    }
  }

  static func title(_ set: SequencesValue, _ candidates: RankingCandidates) -> String {
    let items = set.set.rankedItems.count - 1
    var ranked = "all \(NumberFormat.grouped(items)) items ranked"
    if case .sampled(let count, _) = candidates, count < items - 1 {
      ranked = "ranked among \(count) sampled items only (not comparable with full rankings)"
    }
    let rules = set.split?.evaluation == .stackrec ? ", protocol stackrec" : ""
    return "\(NumberFormat.grouped(set.set.count)) \(set.part) sequences, \(ranked)\(rules)"
  }

  static func candidates(_ d: inout Declaration) -> Argument<RankingCandidates> {
    d.named(
      "rank", Kind<RankingCandidates>.setting.orWords({ $0 == "all" ? .all : nil }, ["all"]),
      default: .all, "all", "among all items, or among some: sampled(99), for the transfer task")
  }

  static func contender(_ call: Call, _ value: Value, _ argument: String) throws -> Contender {
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

  /// Ranks of the targets, one list a model; `limit` as in `Ranking.ranks`.
  static func ranks(
    _ call: Call, _ contender: Contender, _ set: SequencesValue, _ candidates: RankingCandidates, limit: Int?,
    warns: Bool = true
  ) throws -> [[Rank]] {
    let pool = Engine.pool(call)
    switch contender {
    case .scorer(let scorer):
      if let baseline = scorer as? Baseline, baseline.items != set.set.rankedItems {
        throw call.error(
          .model, "the baseline was counted on other items than these sequences have", argument: "on",
          help: "judge a baseline on the data set it was made from")
      }
      return [try call.cancellable { Ranking.ranks(scorer, on: set.set, among: candidates, pool: $0) }]
    case .models(let models):
      return try models.map { entry in
        let entry = (model: entry.model.fitted(to: set.set), run: entry.run)
        if let mismatch = entry.model.known.mismatch(with: set.set, entry.model.model.network) {
          throw call.error(.model, mismatch.message, argument: "on", help: "judge a model on the data set it was built with")
        }
        if warns, let run = entry.run { warn(call, run, set) }
        let network = entry.model.model.network
        return try call.engine {
          try MemoryBudget.check(
            Ranking.bytes(network, length: set.set.length, threads: pool.threads, keepsScores: candidates != .all),
            "judging \(network.depth) blocks on sequences of \(set.set.length)")
          return try call.cancellable { Ranking.ranks(entry.model.model, on: set.set, among: candidates, limit: limit, pool: $0) }
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

  static let baseline = Builtin(
    "baseline",
    "A simple method: the most popular items, first-order Markov (how often an item followed the last one, popularity where nothing is known), or item-based nearest neighbours (cosine of the sequences two items are in, summed over the items of a sequence).",
    topic: "Judging", returns: .object(BaselineValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(baseline(data, kind: markov))  #> baseline: first-order Markov
      """
  ) { d in
    let data = d.positional("data", .parts, "the data set, or target, whose training part is counted")
    let kind = d.named("kind", Kind<Baseline.Kind>.word, "which one")
    let neighbours = d.optional(
      "neighbours", .whole(from: 1, to: 100_000), "for item_knn: neighbours that an item keeps", text: "\(Baseline.defaultNeighbours)")
    return { call in
      let chosen = try call[kind]
      if call.given(neighbours), chosen != .itemKNN {
        throw call.error(.badValue, "`neighbours` is for kind: item_knn", argument: "neighbours", help: "leave it out")
      }
      return .object(
        BaselineValue(
          try call.baseline(chosen, (try call[data]).train, neighbours: try call[neighbours] ?? Baseline.defaultNeighbours)))
    }
  }
}
