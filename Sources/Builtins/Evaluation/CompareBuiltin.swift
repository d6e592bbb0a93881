import Basics
import Datasets
import Evaluation
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// A significance test of paired differences.
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

  func p(_ differences: [Double], isCancelled: () -> Bool) -> Double {
    switch kind {
    // nil: all differences are equal, or there are too few of them. That is no evidence for a difference.
    case .wilcoxon: Significance.wilcoxon(differences, sides: sides) ?? 1
    case .pairedT: Significance.pairedT(differences, sides: sides) ?? 1
    // With few pairs a bootstrap finds nearly every difference significant, so all sign flips are enumerated instead.
    case .bootstrap:
      Significance.signFlips(differences, sides: sides) ?? Significance.bootstrap(differences, sides: sides, isCancelled: isCancelled)?.p
        ?? 1
    case .none: 1
    }
  }

  /// The effect size: rank-biserial correlation for the Wilcoxon test, Cohen's d for the others.
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

  /// The test in words, for a caption.
  ///
  /// - Parameter count: the number of pairs.
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
    "Evaluates several models on the same sequences and returns a table, with simple baselines below. For synthetic data the table also has the best possible ranking. A list of runs (several seeds) gives the mean and the standard deviation.",
    topic: "Evaluation", returns: .object(TableValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let table = compare({ Popular: baseline(data, kind: popular) }, on: data.test, metrics: [hr@10], baselines: [])
      print(len(table.rows))  #> 2
      """
  ) { d in
    let what = d.positional("methods", .record, "name: a run, a model, a baseline, or a list of runs or models")
    let on = d.named("on", Kind<SequencesValue>.object, "the sequences, e.g. data.test")
    let metrics = d.named(
      "metrics", Kind<Metric>.metric.list, default: Recipe().metrics, "[mrr@5, hr@5, ndcg@5]", "the metrics")
    let baselines = d.named(
      "baselines", Kind<Baseline.Kind>.word.list, default: [.popular, .markov], "[popular, markov]",
      "simple methods to add below the compared ones")
    let ranking = RankingArguments(&d)
    let test = d.named(
      "test", Kind<PairedTest.Kind>.word, default: .none, "none",
      "a significance test of every method against the first: Wilcoxon's signed-rank test, paired t test, or paired bootstrap")
    let pairs = d.named(
      "over", Kind<PairedTest.Pairs>.word, default: .sequences, "sequences",
      "the pairs of the test: sequences (with the mean over a method's runs for each), or seeds (the runs of the lists, in order)")
    let sides = d.named(
      "sides", Kind<Significance.Sides>.word, default: .two, "two",
      "two: test for a difference in either direction; greater: only for an improvement over the first method")
    let correct = d.named(
      "correct", Kind<PairedTest.Correction>.word, default: .holm, "holm", "correction of the p-values for the number of tests in the table"
    )
    let interval = d.named(
      "interval", Kind<PairedTest.Spread>.word, default: .std, "std",
      "the value after ± for several runs: the standard deviation, or half the 95 % confidence interval of the mean")
    let beyond = d.optional(
      "beyond", .whole(from: 1, to: 10_000),
      "add columns beyond accuracy of the lists of this many best items: coverage (share of all items that occur in a list), novelty (mean of -log2 of an item's share of the training interactions, in bits) and popularity (mean interactions of listed items, divided by the mean over all items)"
    )
    let mixed = d.named(
      "mixed", .bool, default: false, "false", "allow runs that were trained on a different split than the one they are evaluated on")
    return { call in
      let set = try call[on]
      let rule = try ranking.rule(call, set)
      let chosen = try call[metrics]
      guard let limit = chosen.map(\.k).max() else {
        throw call.error(.badValue, "the list of metrics is empty", argument: "metrics")
      }
      let test = PairedTest(kind: try call[test], pairs: try call[pairs], sides: try call[sides], correction: try call[correct])
      let spread = try call[interval]
      let columns = try call[beyond].map { try BeyondColumns(call, k: $0, set, rule) }
      var rows: [Table.Row] = []
      var ranksOfMethods: [[[Rank]]] = []
      var (rules, readers): ([String], [String]) = ([], [])
      for (name, value) in try call[what].fields {
        let method = try method(call, value, "methods")
        if try !call[mixed] { try rejectMixture(call, name, method, set) }
        if readsTargetTime(method) { readers.append(name) }
        for trained in referenceRules(method) where !rules.contains(trained) { rules.append(trained) }
        ranksOfMethods.append(try ranks(call, method, set, rule, limit: limit, warns: try call[mixed]))
        rows.append(
          row(
            name, method, ranksOfMethods[ranksOfMethods.count - 1], chosen, spread, isReference: false,
            beyond: try columns?.values(call, method) ?? []))
      }
      if test.kind != .none { rows = try tested(call, rows, ranksOfMethods, chosen, test) }
      guard !rows.isEmpty else { throw call.error(.badValue, "the record of methods is empty", argument: "methods") }
      for scorer in try references(call, set, try call[baselines]) {
        let method = ComparedMethod.scorer(scorer)
        rows.append(
          row(
            scorer.title, method, try ranks(call, method, set, rule, limit: limit), chosen, spread, isReference: true,
            beyond: try columns?.values(call, method) ?? []))
      }
      var caption =
        title(set, rule) + (rule.ties == .expectation ? "; ties by expectation; " : "; ")
        + (set.split.map { "split \($0.rule)" } ?? "no split")
      if !rules.isEmpty { caption += "; trained with \(rules.joined(separator: " or "))" }
      if !readers.isEmpty { caption += "; \(readers.joined(separator: ", ")): the time of the target is an input" }
      if set.set.process != nil { caption += "; synthetic data" }
      let counts = Set(ranksOfMethods.map(\.count)).sorted()
      if let most = counts.last, most > 1 {
        caption +=
          "; mean ± \(spread == .std ? "standard deviation" : "half the 95 % confidence interval") over \(counts.map(String.init).joined(separator: " or ")) runs"
      }
      if test.kind != .none, let first = rows.first?.name, let ranks = ranksOfMethods.first {
        let pairs = test.pairs == .seeds ? ranks.count : ranks.first?.count ?? 0
        caption += "; " + test.description(against: first, count: pairs)
      }
      var table = Table(caption: caption, factNames: ["blocks", "steps", "training"], metrics: chosen, rows: rows)
      if let columns { table.beyond = (columns.names, columns.titles) }
      table.spreadName = spread.rawValue
      if test.kind != .none { table.effectName = test.effectName }
      return .object(TableValue(table))
    }
  }

  /// Whether a model reads when the target happens, which others do not know.
  private static func readsTargetTime(_ method: ComparedMethod) -> Bool {
    guard case .models(let models) = method else { return false }
    return models.contains { $0.model.model.network.timeReference == .target }
  }

  /// The rules of the trainings by the authors' protocol: they are part of what the metrics mean.
  private static func referenceRules(_ method: ComparedMethod) -> [String] {
    guard case .models(let models) = method else { return [] }
    return models.compactMap(\.run).filter { $0.data.evaluation == .stackrec }.map(\.recipe.rules)
  }

  /// Throws for a run of another split or protocol. A run that was trained on another split may have been trained on the
  /// sequences it is evaluated on, and metrics of different protocols are not comparable.
  private static func rejectMixture(_ call: Call, _ name: String, _ method: ComparedMethod, _ set: SequencesValue) throws {
    guard case .models(let models) = method else { return }
    for run in models.compactMap(\.run) {
      let data = run.data
      if let split = set.split, split.evaluation != data.evaluation {
        throw call.error(
          .badValue,
          "\(name) was trained with protocol \(data.evaluation.rawValue), but is evaluated with \(split.evaluation.rawValue)",
          argument: "methods", help: "metrics of different protocols are not comparable; mixed: true puts them into one table anyway")
      }
      let isKnown = [data.test, data.valid, data.train].contains { (part: SequenceSet) -> Bool in
        part === set.set || part.hasSameSequences(as: set.set) && part.items == set.set.items
      }
      if set.split != nil && !isKnown {
        throw call.error(
          .badValue, "\(name) was trained on another split (\(data.rule)): it may have been trained on the sequences it is evaluated on",
          argument: "methods", help: "train all methods on one split; mixed: true makes the table anyway")
      }
    }
  }

  /// The rows, with p-values and effect sizes of their differences from the first row.
  private static func tested(
    _ call: Call, _ rows: [Table.Row], _ ranksOfMethods: [[[Rank]]], _ metrics: [Metric], _ test: PairedTest
  ) throws -> [Table.Row] {
    guard rows.count > 1 else { return rows }
    if test.pairs == .seeds, let odd = ranksOfMethods.firstIndex(where: { $0.count != ranksOfMethods[0].count || $0.count < 2 }) {
      throw call.error(
        .badValue,
        "a test over seeds needs the same number of runs for every method, at least 2; \(rows[odd].name) has \(ranksOfMethods[odd].count)",
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
    for ranks in ranksOfMethods.dropFirst() {
      for metric in metrics {
        let differences = zip(values(ranks, metric), values(ranksOfMethods[0], metric)).map { $0 - $1 }
        ps.append(test.p(differences, isCancelled: call.isCancelled))
        try call.work.checkInterrupt()
        effects.append(test.effect(differences))
      }
    }
    ps = test.corrected(ps)
    return rows.enumerated().map { index, row in
      guard index > 0, index < ranksOfMethods.count else { return row }
      let cells = row.cells.enumerated().map { m, cell in
        let test = (index - 1) * metrics.count + m
        return Table.Cell(value: cell.value, spread: cell.spread, p: ps[test], effect: effects[test])
      }
      return Table.Row(name: row.name, facts: row.facts, cells: cells, isReference: row.isReference, beyond: row.beyond)
    }
  }

  private static func references(_ call: Call, _ set: SequencesValue, _ kinds: [Baseline.Kind]) throws -> [any Scorer] {
    var scorers: [any Scorer] = []
    if let split = set.split { scorers += try kinds.map { try call.baseline($0, split.train) } }
    if let oracle = Oracle(set.set) { scorers.append(oracle) }
    return scorers
  }

  private static func row(
    _ name: String, _ method: ComparedMethod, _ ranks: [[Rank]], _ metrics: [Metric], _ spread: PairedTest.Spread, isReference: Bool,
    beyond: [[Double]]
  ) -> Table.Row {
    func cell(_ values: [Double]) -> Table.Cell {
      let deviation = values.count > 1 ? SampleStatistics.deviation(values) : nil
      return Table.Cell(value: SampleStatistics.mean(values), spread: spread == .std ? deviation : Significance.interval95(values))
    }
    let cells = metrics.map { metric in cell(ranks.map { metric.mean($0) }) }
    return Table.Row(name: name, facts: facts(method), cells: cells, isReference: isReference, beyond: beyond.map(cell))
  }

  private static func facts(_ method: ComparedMethod) -> [String] {
    guard case .models(let models) = method else { return ["", "", ""] }
    let runs = models.compactMap(\.run)
    let seconds = runs.map(\.seconds).reduce(0, +) / Double(max(1, runs.count))
    return [
      "\(models[0].model.model.network.depth)", runs.isEmpty ? "" : "\(runs.map(\.steps).reduce(0, +) / runs.count)",
      runs.isEmpty ? "" : NumberFormat.duration(seconds),
    ]
  }
}
