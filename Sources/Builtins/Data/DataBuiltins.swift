import Datasets
import Evaluation
import Foundation
import Interpreter
import Syntax
import Training

extension Builtin {
  static let data: [Builtin] =
    [
      load.known(as: "read data", "csv", "import data", "dataset"), download.known(as: "movielens", "public data"),
      synthetic.known(as: "toy data", "generate", "simulate"), filter.known(as: "k-core", "min interactions"),
      window.known(as: "sequence length", "max_len", "truncate", "pad"), loadTarget, syntheticTarget,
      describe.known(as: "summary", "info", "shape", "type"),
    ] + looking + splitting

  static let synthetic = Builtin(
    "synthetic",
    "Generates interaction histories with a known process in which order and long context matter: each user follows several interests, drifts between them, and resumes each one where it stopped. Because the process is known, `compare` can report what the best possible ranking scores.",
    topic: "Data", returns: .object(HistoriesValue.type),
    example: "let events = synthetic(users: 100, items: 80, seed: 7)\nprint(events.users)  #> 100"
  ) { d in
    let users = d.named("users", .whole(from: 1, to: 10_000_000), default: 4000, "4_000", "how many users")
    let items = d.named("items", .whole(from: 2, to: 10_000_000), default: 1000, "1_000", "how many items")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the random numbers")
    return { call in
      let seed = UInt64(try call[seed])
      let (users, items) = (try call[users], try call[items])
      let made = try call.withProgress("generating histories", "users") { watch in
        try SyntheticProcess.histories(users: users, items: items, seed: seed, watch: watch)
      }
      return .object(HistoriesValue(made))
    }
  }

  static let filter = Builtin(
    "filter",
    "For histories: removes interactions that fail a condition, then repeatedly removes users and items with too few interactions until all remaining ones have enough (the k-core). For a list: keeps the elements for which a function returns true.",
    topic: "Data", returns: .any,
    example: "print([1, 2, 3, 4] |> filter(x => x > 2))  #> [3, 4]"
  ) { d in
    let value = d.positional("data", .any, "histories, or a list")
    let test = d.optionalPositional("test", .function, "for a list: returns true for the elements to keep")
    let minUser = d.named("min_user", .whole(from: 0), default: 0, "0", "minimum number of interactions of a user")
    let minItem = d.named("min_item", .whole(from: 0), default: 0, "0", "minimum number of interactions of an item")
    let minRating = d.optional("min_rating", .number, "remove interactions with a lower rating")
    let from = d.optional("from", .date, "remove interactions before this date")
    let before = d.optional("before", .date, "remove interactions on or after this date")
    let repeats = d.named(
      "repeats", Kind<EventFilter.Repeats>.word, default: .keep, "keep",
      "which interactions of a user with the same item to keep: all (keep), or only the first")
    return { call in
      let what = try call[value]
      if case .object(let object) = what, let histories = object as? HistoriesValue {
        if call.given(test) {
          throw call.error(.wrongType, "histories are filtered by `min_user` and `min_item`, not by a function", argument: "test")
        }
        let (user, item) = (try call[minUser], try call[minItem])
        let passing = EventFilter(
          minRating: try call[minRating].map { Float($0) }, from: try call[from], before: try call[before], repeats: try call[repeats])
        let kept = try call.engine { try histories.histories.filtered(minUser: user, minItem: item, passing) }
        guard !kept.events.isEmpty else {
          throw call.error(
            .data, "no interactions are left of \(histories.summary), with at least \(user) per user and \(item) per item",
            argument: "min_user", help: "use smaller minimums or weaker conditions")
        }
        return .object(HistoriesValue(kept))
      }
      guard let elements = what.sequence else {
        throw call.error(.wrongType, "`data` of `filter` must be a set of histories or a list, not \(what.described)", argument: "data")
      }
      guard let function = try call[test] else {
        throw call.error(.missingArgument, "filtering a list needs a function: filter(xs, x => x > 2)")
      }
      return .list(
        try elements.filter { element in
          let answer = try call.interpreter.call(function, [element], at: call.span(of: "test"))
          guard case .bool(let kept) = answer else {
            throw call.error(
              .wrongType, "the function given to `filter` must return true or false, not \(answer.described)", argument: "test")
          }
          return kept
        })
    }
  }

  static let window = Builtin(
    "window",
    "Cuts every history into sequences of at most `length` items. Short histories stay short and cost only what they hold.",
    topic: "Data", returns: .object(SequencesValue.type),
    example: "let sequences = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20)\nprint(sequences.length)  #> 20"
  ) { d in
    let data = d.positional("histories", Kind<HistoriesValue>.object, "the histories to cut")
    let length = d.named("length", .whole(from: 2, to: 100_000), "number of items in a sequence; the last one is the item to predict")
    let stride = d.optional(
      "stride", .whole(from: 1), "number of items between the ends of two consecutive windows; default: `length`, so windows do not overlap"
    )
    let least = d.named("min_length", .whole(from: 2), default: 2, "2", "drop windows with fewer items")
    let from = d.named(
      "from", Kind<WindowOptions.Anchor>.word, default: .end, "end",
      "where the first window is placed: at the end of a history, or at its start")
    let most = d.optional(
      "max_windows", .whole(from: 1),
      "largest number of windows of a history, counted from where `from` says: 1 keeps the latest items only; default: no limit")
    return { call in
      let histories = (try call[data]).histories
      let options = WindowOptions(
        length: try call[length], stride: try call[stride], minimum: try call[least], from: try call[from], most: try call[most])
      let set = try call.engine { try histories.windows(options, isCancelled: call.isCancelled) }
      try call.work.checkInterrupt()
      return .object(SequencesValue(set, origin: (histories, options)))
    }
  }

  static let describe = Builtin(
    "describe", "Prints the details of a value: the counts of a data set, the parameters of a model, the results of a run.",
    topic: "Data", returns: .nothing, example: "describe([1, 2, 3])  #> [1, 2, 3]"
  ) { d in
    let value = d.positional("value", .any, "the value to describe")
    return { call in
      let what = try call[value]
      call.interpreter.host.write(what.printed + "\n")
      if case .object(let object) = what, let data = object as? SplitValue {
        call.interpreter.host.write("  \(try orderSignal(data.split, call))\n")
      }
      return .nothing
    }
  }
}

extension Builtin {
  /// HR@10 of the popularity and first-order Markov baselines on the test part. Their difference shows how much
  /// information the order of the items carries.
  fileprivate static func orderSignal(_ split: Split, _ call: Call) throws -> String {
    let metric = Metric(.hr, 10)
    let parts = try [Baseline.Kind.popular, .markov].map { kind in
      let baseline = try call.baseline(kind, split.train)
      let value = metric.mean(try call.cancellable { Ranking.ranks(baseline, on: split.test, pool: $0) })
      return "\(baseline.title) \(NumberFormat.fixed(value, digits: 4))"
    }
    return "\(metric.title) on the test part without a model: \(parts.joined(separator: ", "))"
  }
}

extension Kind where T == Split {
  /// The split of a data set or of a target data set.
  static var parts: Kind<Split> {
    Kind(.oneOf([.object(SplitValue.type), .object(TargetValue.type)])) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let data = object as? SplitValue { return data.split }
      if let target = object as? TargetValue { return target.split }
      throw .type
    }
  }
}
