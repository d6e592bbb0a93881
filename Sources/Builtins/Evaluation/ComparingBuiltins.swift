import Datasets
import Evaluation
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// A test of paired differences, and what the pairs are.
struct PairedTest {
  enum Kind: String, Sendable, CaseIterable {
    case none, wilcoxon
    case pairedT = "paired_t"
    case bootstrap
  }
  enum Correction: String, Sendable, CaseIterable { case none, holm, bonferroni }
  enum Pairs: String, Sendable, CaseIterable { case sequences, seeds }
  enum Spread: String, Sendable, CaseIterable { case std, ci95 }

  let kind: Kind
  let pairs: Pairs
  let sides: Significance.Sides
  let correction: Correction

  func p(_ differences: [Double]) -> Double {
    switch kind {
    // Where no pair differs there is nothing to be seen.
    case .wilcoxon: Significance.wilcoxon(differences, sides: sides) ?? 1
    case .pairedT: Significance.pairedT(differences, sides: sides) ?? 1
    // A bootstrap over a handful of pairs calls anything significant.
    case .bootstrap:
      Significance.signFlips(differences, sides: sides) ?? Significance.bootstrap(differences, sides: sides)?.p ?? 1
    case .none: 1
    }
  }

  /// Rank-biserial correlation for ranks, Cohen's d for means.
  func effect(_ differences: [Double]) -> Double? {
    kind == .wilcoxon ? Significance.rankBiserial(differences) : Significance.cohensD(differences)
  }

  var effectName: String { kind == .wilcoxon ? "rank-biserial" : "d" }

  func corrected(_ p: [Double]) -> [Double] {
    switch correction {
    case .none: p
    case .holm: Significance.holm(p)
    case .bonferroni: Significance.bonferroni(p)
    }
  }

  /// - Parameter count: how many pairs there are.
  func description(against first: String, count: Int) -> String {
    let name =
      switch kind {
      case .wilcoxon: "Wilcoxon signed-rank test"
      case .pairedT: "paired t test"
      case .bootstrap:
        count <= Significance.exactPairs
          ? "exact permutation test (\(count) pairs are too few for a bootstrap)" : "paired bootstrap (9,999 resamples)"
      case .none: ""
      }
    let rule = correction == .none ? "not corrected" : "\(correction.rawValue.capitalized)-corrected"
    return
      "\(sides == .two ? "two-sided" : "one-sided") \(name) over \(pairs.rawValue) against \(first), \(rule): * p < 0.05, ** p < 0.01, *** p < 0.001"
  }
}

extension Builtin {
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
      "metrics", Kind<Metric>.metric.list, default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "what to compute")
    let baselines = d.named(
      "baselines", Kind<Baseline.Kind>.word.list, default: [.popular, .markov], "[popular, markov]",
      "simple methods to print below")
    let rank = candidates(&d)
    let test = d.named(
      "test", Kind<PairedTest.Kind>.word, default: .none, "none",
      "a test of every method against the first: Wilcoxon's signed ranks, paired t, or the bootstrap")
    let pairs = d.named(
      "over", Kind<PairedTest.Pairs>.word, default: .sequences, "sequences",
      "what the test pairs: test sequences (a method's mean over its runs), or the runs of the methods' lists, seed by seed")
    let sides = d.named(
      "sides", Kind<Significance.Sides>.word, default: .two, "two",
      "of the test: a difference in either direction, or only for the better (greater)")
    let correct = d.named(
      "correct", Kind<PairedTest.Correction>.word, default: .holm, "holm", "of its p-values, for as many tests as the table has")
    let interval = d.named(
      "interval", Kind<PairedTest.Spread>.word, default: .std, "std",
      "what stands behind the mean of several runs: their standard deviation, or half the 95 % interval of the mean")
    let mixed = d.named(
      "mixed", .bool, default: false, "false", "put runs that were trained on other splits than the one they are judged on into one table")
    return { call in
      let candidates = try call[rank]
      let set = try call[on]
      let chosen = try call[metrics]
      guard let limit = chosen.map(\.k).max() else {
        throw call.error(.badValue, "a table needs a metric", argument: "metrics")
      }
      let test = PairedTest(kind: try call[test], pairs: try call[pairs], sides: try call[sides], correction: try call[correct])
      let spread = try call[interval]
      var rows: [Table.Row] = []
      var judged: [[[Rank]]] = []
      for (name, value) in try call[what].fields {
        let contender = try contender(call, value, "methods")
        if try !call[mixed] { try refuseMixture(call, name, contender, set) }
        judged.append(try ranks(call, contender, set, candidates, limit: limit, warns: try call[mixed]))
        rows.append(row(name, contender, judged[judged.count - 1], chosen, spread, isReference: false))
      }
      if test.kind != .none { rows = try tested(call, rows, judged, chosen, test) }
      guard !rows.isEmpty else { throw call.error(.badValue, "there is nothing to compare", argument: "methods") }
      for scorer in try references(call, set, try call[baselines]) {
        let contender = Contender.scorer(scorer)
        rows.append(
          row(scorer.title, contender, try ranks(call, contender, set, candidates, limit: limit), chosen, spread, isReference: true))
      }
      var caption = title(set, candidates) + "; ties by expectation; " + (set.split.map { "split \($0.rule)" } ?? "no split")
      if set.set.process != nil { caption += "; synthetic data" }
      let counts = Set(judged.map(\.count)).sorted()
      if let most = counts.last, most > 1 {
        caption +=
          "; mean ± \(spread == .std ? "standard deviation" : "half the 95 % interval") over \(counts.map(String.init).joined(separator: " or ")) runs"
      }
      if test.kind != .none, let first = rows.first?.name, let ranks = judged.first {
        let pairs = test.pairs == .seeds ? ranks.count : ranks.first?.count ?? 0
        caption += "; " + test.description(against: first, count: pairs)
      }
      var table = Table(caption: caption, factNames: ["blocks", "steps", "training"], metrics: chosen, rows: rows)
      table.spreadName = spread.rawValue
      if test.kind != .none { table.effectName = test.effectName }
      return .object(TableValue(table))
    }
  }

  /// A run that chose its parameters on another split may have been trained on what it is judged by here; and figures
  /// of different protocols are not to be read side by side.
  private static func refuseMixture(_ call: Call, _ name: String, _ contender: Contender, _ set: SequencesValue) throws {
    guard case .models(let models) = contender else { return }
    for run in models.compactMap(\.run) {
      let data = run.data
      if let split = set.split, split.evaluation != data.evaluation {
        throw call.error(
          .badValue,
          "\(name) was trained under protocol \(data.evaluation.rawValue), and is judged here under \(split.evaluation.rawValue)",
          argument: "methods", help: "figures of two protocols cannot be compared; mixed: true puts them into one table all the same")
      }
      let isKnown = [data.test, data.valid, data.train].contains { (part: SequenceSet) -> Bool in
        part === set.set || part.hasSameSequences(as: set.set) && part.items == set.set.items
      }
      if set.split != nil && !isKnown {
        throw call.error(
          .badValue, "\(name) was trained on another split (\(data.rule)): it may have seen the sequences it is judged on",
          argument: "methods", help: "train all methods on one split; mixed: true makes the table all the same")
      }
    }
  }

  /// The rows with the p-values of their differences from the first one.
  private static func tested(
    _ call: Call, _ rows: [Table.Row], _ judged: [[[Rank]]], _ metrics: [Metric], _ test: PairedTest
  ) throws -> [Table.Row] {
    guard rows.count > 1 else { return rows }
    if test.pairs == .seeds, let odd = judged.firstIndex(where: { $0.count != judged[0].count || $0.count < 2 }) {
      throw call.error(
        .badValue, "a test over seeds needs as many runs of every method, at least 2; \(rows[odd].name) has \(judged[odd].count)",
        argument: "over", help: "give each method a list of runs, or test over sequences")
    }
    func values(_ ranks: [[Rank]], _ metric: Metric) -> [Double] {
      switch test.pairs {
      case .sequences: ranks[0].indices.map { i in ranks.reduce(0) { $0 + metric.value($1[i]) } / Double(ranks.count) }
      case .seeds: ranks.map { metric.mean($0) }
      }
    }
    var ps: [Double] = []
    var effects: [Double?] = []
    for ranks in judged.dropFirst() {
      for metric in metrics {
        let differences = zip(values(ranks, metric), values(judged[0], metric)).map { $0 - $1 }
        ps.append(test.p(differences))
        effects.append(test.effect(differences))
      }
    }
    ps = test.corrected(ps)
    return rows.enumerated().map { index, row in
      guard index > 0, index < judged.count else { return row }
      let cells = row.cells.enumerated().map { m, cell in
        let place = (index - 1) * metrics.count + m
        return Table.Cell(value: cell.value, spread: cell.spread, p: ps[place], effect: effects[place])
      }
      return Table.Row(name: row.name, facts: row.facts, cells: cells, isReference: row.isReference)
    }
  }

  private static func references(_ call: Call, _ set: SequencesValue, _ kinds: [Baseline.Kind]) throws -> [any Scorer] {
    var scorers: [any Scorer] = []
    if let split = set.split { scorers += try kinds.map { try call.baseline($0, split.train) } }
    if let oracle = Oracle(set.set) { scorers.append(oracle) }
    return scorers
  }

  private static func row(
    _ name: String, _ contender: Contender, _ ranks: [[Rank]], _ metrics: [Metric], _ spread: PairedTest.Spread, isReference: Bool
  ) -> Table.Row {
    let cells = metrics.map { metric -> Table.Cell in
      let values = ranks.map { metric.mean($0) }
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation =
        values.count > 1
        ? (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot() : nil
      return Table.Cell(value: mean, spread: spread == .std ? deviation : Significance.interval95(values))
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
}
