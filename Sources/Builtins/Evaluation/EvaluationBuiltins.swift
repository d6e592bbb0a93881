import Datasets
import Evaluation
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// A method that can be evaluated: models (several for several seeds, each with its run if known), or a scorer such as a
/// baseline.
enum ComparedMethod {
  case models([(model: ModelValue, run: TrainingRun?)])
  case scorer(any Scorer)
}

/// A baseline, ready to be evaluated.
final class BaselineValue: ObjectValue {
  static let type = ObjectType("a baseline", members: [("kind", .text, "popular, markov or item_knn")])
  let baseline: Baseline

  init(_ baseline: Baseline) { self.baseline = baseline }
  func member(_ name: String) -> Value? { name == "kind" ? .text(baseline.kind.rawValue) : nil }
  var summary: String { "baseline: \(baseline.title)" }
}

extension Builtin {
  static let evaluation: [Builtin] = [
    evaluate.known(as: "test", "metrics", "accuracy", "mrr", "hit rate", "recall", "ndcg"),
    compare.known(as: "t-test", "p-value", "significance", "confidence interval", "wilcoxon", "table of results", "benchmark"),
    sampled.known(as: "sampled metrics", "99 negatives"), speedup, baseline.known(as: "popularity", "markov", "knn", "itemknn"), similarity,
    scores.known(as: "logits", "predict"), recommend.known(as: "predict", "top-k", "inference", "serve"),
    sweep.known(as: "grid search", "hyperparameter", "tuning", "optuna"),
  ]

  static let evaluate = Builtin(
    "evaluate",
    "Evaluates a model: for every sequence, ranks all items as candidates for the last item, given the items before it, and returns the means of the metrics. Ties count as their expectation over all orders of the tied items.",
    topic: "Evaluation", returns: .object(EvaluationValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let result = evaluate(baseline(data, kind: popular), on: data.test, metrics: [hr@10])
      print(result[hr@10] > 0)  #> true
      """
  ) { d in
    let what = d.positional("model", .any, "a model, a run, or a baseline")
    let on = d.named("on", Kind<SequencesValue>.object, "the sequences, e.g. data.test")
    let metrics = d.named(
      "metrics", Kind<Metric>.metric.list, default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "the metrics")
    let ranking = RankingArguments(&d)
    return { call in
      let set = try call[on]
      if case .list = try call[what] {
        throw call.error(
          .wrongType, "`evaluate` takes one model", argument: "model", help: "compare({ name: [run, run] }, on: ...) takes several")
      }
      let method = try method(call, try call[what], "model")
      let rule = try ranking.rule(call, set)
      let chosen = try call[metrics]
      let ranks = try ranks(call, method, set, rule, limit: chosen.map(\.k).max())[0]
      let values = chosen.map { ($0, $0.mean(ranks)) }
      return .object(EvaluationValue(values, title: Self.title(set, rule)))
    }
  }

  static func title(_ set: SequencesValue, _ rule: RankingRule) -> String {
    let items = set.set.rankedItems.count - 1
    var ranked = "all \(NumberFormat.grouped(items)) items ranked"
    if case .sampled(let count, _) = rule.candidates, count < items - 1 {
      ranked = "ranked among \(count) sampled items only (not comparable with full rankings)"
    }
    let rules = rule.captions.map { ", \($0)" }.joined() + (set.split?.evaluation == .stackrec ? ", protocol stackrec" : "")
    return "\(NumberFormat.grouped(set.set.count)) \(set.part) sequences, \(ranked)\(rules)"
  }

  /// The arguments for ties and the pad.
  struct TieArguments: Sendable {
    private let ties: Argument<RankingRule.Ties?>
    private let pad: Argument<Bool?>

    init(_ d: inout Declaration) {
      ties = d.optional(
        "ties", Kind<RankingRule.Ties>.word,
        "items with the target's score: the expectation over their orders, or those with a lower number first (number); default: expectation, in protocol stackrec number"
      )
      pad = d.optional(
        "rank_pad", .bool, "rank the pad too, for models with pads: item; default: false, in protocol stackrec true")
    }

    /// Sets what the call gives.
    func apply(_ call: Call, to rule: inout RankingRule) throws {
      rule.ties = try call[ties] ?? rule.ties
      rule.ranksPad = try call[pad] ?? rule.ranksPad
    }
  }

  /// The arguments of functions that rank targets.
  struct RankingArguments: Sendable {
    private let rank: Argument<RankingCandidates>
    private let hide: Argument<HiddenItems>
    private let tieRule: TieArguments

    init(_ d: inout Declaration) {
      rank = d.named(
        "rank", Kind<RankingCandidates>.setting.orWords({ $0 == "all" ? .all : nil }, ["all"]),
        default: .all, "all",
        "candidates to rank the target among: all items, or a sample such as sampled(99), which is for the transfer task")
      hide = d.named(
        "hide", Kind<HiddenItems>.word, default: .none, "none",
        "items to leave out of the ranking: none, those of the sequence (window), or those of the user's whole history (seen)")
      tieRule = TieArguments(&d)
    }

    func rule(_ call: Call, _ sequences: SequencesValue) throws -> RankingRule {
      try Self.check(call, try call[hide], sequences.set)
      var rule = RankingRule(try call[rank], hide: try call[hide])
      if sequences.split?.evaluation == .stackrec { rule.followReference() }
      try tieRule.apply(call, to: &rule)
      return rule
    }

    static func check(_ call: Call, _ hide: HiddenItems, _ set: SequenceSet) throws {
      guard hide.isKnown(for: set) else {
        throw call.error(
          .badValue, "this data does not know the items of a history before its sequences", argument: "hide",
          help: "split by leave_last_out, or use hide: window")
      }
    }
  }

  static func method(_ call: Call, _ value: Value, _ argument: String) throws -> ComparedMethod {
    if case .list(let values) = value, !values.isEmpty {
      var all: [(ModelValue, TrainingRun?)] = []
      for value in values {
        guard case .models(let models) = try method(call, value, argument) else {
          throw call.error(.wrongType, "a list must contain runs or models only", argument: argument)
        }
        all += models
      }
      return .models(all)
    }
    if case .word(let word) = value {
      throw call.error(.unknownName, "there is nothing called `\(word)`", argument: argument)
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

  /// Ranks of the targets, one list per model.
  ///
  /// - Parameters:
  ///   - limit: the largest k of the metrics, as in `Ranking.ranks`; nil: exact ranks.
  ///   - warns: note runs that are evaluated on sequences they may have been trained on.
  static func ranks(
    _ call: Call, _ method: ComparedMethod, _ set: SequencesValue, _ rule: RankingRule, limit: Int?,
    warns: Bool = true
  ) throws -> [[Rank]] {
    let pool = Engine.pool(call)
    switch method {
    case .scorer(var scorer):
      if let baseline = scorer as? Baseline, baseline.items != set.set.rankedItems {
        // In the transfer task the followers belong to another vocabulary than the items before them.
        if set.set.targetItems == nil, let fitted = baseline.reordered(set.set.rankedItems) {
          scorer = fitted
        } else {
          throw call.error(
            .model, "the items of the baseline are not the items of these sequences", argument: "on",
            help: "evaluate a baseline on the data set that it was created from")
        }
      }
      let known = scorer
      return [try call.cancellable("evaluating \(scorer.title)") { Ranking.ranks(known, on: set.set, by: rule, pool: $0) }]
    case .models(let models):
      return try models.map { entry in
        let entry = (model: entry.model.fitted(to: set.set), run: entry.run)
        if let mismatch = entry.model.known.mismatch(with: set.set, entry.model.model.network) {
          throw call.error(.model, mismatch.message, argument: "on", help: "evaluate a model on the data set that it was built with")
        }
        if warns, let run = entry.run { warn(call, run, set) }
        let network = entry.model.model.network
        return try call.engine {
          try MemoryBudget.check(
            Ranking.bytes(network, length: set.set.length, threads: pool.threads, keepsScores: rule.candidates != .all),
            "evaluating \(network.depth) blocks on sequences of \(set.set.length)")
          return try call.cancellable("evaluating") {
            Ranking.ranks(entry.model.model, on: set.set, by: rule, limit: limit, pool: $0)
          }
        }
      }
    }
  }

  /// Notes that a run is evaluated on sequences that it was, or may have been, trained on.
  private static func warn(_ call: Call, _ run: TrainingRun, _ set: SequencesValue) {
    if set.set === run.data.train {
      call.interpreter.host.note("\(run.name) is evaluated on the sequences it was trained on")
    } else if set.set !== run.data.test && set.set !== run.data.valid {
      call.interpreter.host.note(
        "\(run.name) was trained on another split than the one it is evaluated on: it may have been trained on these sequences")
    }
  }

  static let baseline = Builtin(
    "baseline",
    "Creates a simple baseline: popular (most frequent items first), markov (first-order: items by how often they followed the last item, with popularity as a fallback), or item_knn (item-based nearest neighbours: the cosine similarity of two items by the sequences they occur in, summed over the items of a sequence).",
    topic: "Evaluation", returns: .object(BaselineValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(baseline(data, kind: markov))  #> baseline: first-order Markov
      """
  ) { d in
    let data = d.positional("data", .parts, "the data set, or target data set, whose training part is used")
    let kind = d.named("kind", Kind<Baseline.Kind>.word, "which baseline")
    let neighbours = d.optional(
      "neighbours", .whole(from: 1, to: 100_000), "for item_knn: number of neighbours per item", text: "\(Baseline.defaultNeighbours)")
    return { call in
      let chosen = try call[kind]
      if call.given(neighbours), chosen != .itemKNN {
        throw call.error(.badValue, "`neighbours` is only for kind: item_knn", argument: "neighbours", help: "remove it")
      }
      return .object(
        BaselineValue(
          try call.baseline(chosen, (try call[data]).train, neighbours: try call[neighbours] ?? Baseline.defaultNeighbours)))
    }
  }
}
