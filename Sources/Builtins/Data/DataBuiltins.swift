import Datasets
import Evaluation
import Foundation
import Interpreter
import Syntax
import Training

extension Builtin {
  static let data: [Builtin] = [load, download, synthetic, filter, window, loadTarget, syntheticTarget, describe] + splitting

  static let synthetic = Builtin(
    "synthetic",
    "Makes interaction histories by a known process in which order and longer context matter: a user follows several interests, drifts between them, and goes on in each where he left it. As the process is known, `compare` can say what the best possible ranking would score.",
    topic: "Data", returns: .object(HistoriesValue.type),
    example: "let events = synthetic(users: 100, items: 80, seed: 7)\nprint(events.users)  #> 100"
  ) { d in
    let users = d.named("users", .whole(from: 1, to: 10_000_000), default: 4000, "4_000", "how many users")
    let items = d.named("items", .whole(from: 2, to: 10_000_000), default: 1000, "1_000", "how many items")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the random numbers")
    return { call in
      let seed = UInt64(try call[seed])
      let (users, items) = (try call[users], try call[items])
      let made = try call.watched("making histories", "users") { watch in
        try SyntheticProcess.histories(users: users, items: items, seed: seed, watch: watch)
      }
      return .object(HistoriesValue(made))
    }
  }

  static let filter = Builtin(
    "filter",
    "Of histories: keeps the interactions that pass, then users and items with enough of them, again and again until all have (the k-core). Of a list: keeps the elements for which a function is true.",
    topic: "Data", returns: .any,
    example: "print([1, 2, 3, 4] |> filter(x => x > 2))  #> [3, 4]"
  ) { d in
    let value = d.positional("data", .any, "histories, or a list")
    let test = d.optionalPositional("test", .function, "for a list: true for what is kept")
    let minUser = d.named("min_user", .whole(from: 0), default: 0, "0", "least interactions of a user")
    let minItem = d.named("min_item", .whole(from: 0), default: 0, "0", "least interactions of an item")
    let minRating = d.optional("min_rating", .number, "interactions with a lower rating are left out")
    let from = d.optional("from", .date, "interactions before this date are left out")
    let before = d.optional("before", .date, "interactions from this date on are left out")
    let repeats = d.named(
      "repeats", Kind<EventFilter.Repeats>.word, default: .keep, "keep", "of a user's interactions with one item: all, or the first only")
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
            .data, "nothing is left: no users with \(user) and items with \(item) such interactions among \(histories.summary)",
            argument: "min_user", help: "filter less")
        }
        return .object(HistoriesValue(kept))
      }
      guard let elements = what.sequence else {
        throw call.error(.wrongType, "`data` of filter is a set of histories or a list, not \(what.described)", argument: "data")
      }
      guard let function = try call[test] else {
        throw call.error(.missingArgument, "filtering a list needs a function: filter(xs, x => x > 2)")
      }
      return .list(
        try elements.filter { element in
          let answer = try call.interpreter.call(function, [element], at: call.span(of: "test"))
          guard case .bool(let kept) = answer else {
            throw call.error(.wrongType, "the function of `filter` gives true or false, not \(answer.described)", argument: "test")
          }
          return kept
        })
    }
  }

  static let window = Builtin(
    "window",
    "Cuts every history into sequences of a fixed length; shorter ones are padded in front.",
    topic: "Data", returns: .object(SequencesValue.type),
    example: "let sequences = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20)\nprint(sequences.length)  #> 20"
  ) { d in
    let data = d.positional("histories", Kind<HistoriesValue>.object, "what to cut")
    let length = d.named("length", .whole(from: 2, to: 100_000), "items in a sequence, the last being the one to predict")
    let stride = d.optional("stride", .whole(from: 1), "items from one window's end to the next; left out: `length`, so that none overlap")
    let least = d.named("min_length", .whole(from: 2), default: 2, "2", "windows with fewer items are left out")
    let from = d.named(
      "from", Kind<WindowOptions.Anchor>.word, default: .end, "end",
      "where the first window stands: the last items of a history, or the first")
    return { call in
      let histories = (try call[data]).histories
      let options = WindowOptions(
        length: try call[length], stride: try call[stride], minimum: try call[least], from: try call[from])
      return .object(SequencesValue(try call.engine { try histories.windows(options) }, origin: (histories, options)))
    }
  }

  static let describe = Builtin(
    "describe", "Writes what there is to know of a value: the counts of data, the parts of a model, the course of a run.",
    topic: "Data", returns: .nothing, example: "describe([1, 2, 3])  #> [1, 2, 3]"
  ) { d in
    let value = d.positional("value", .any, "what to describe")
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
  /// How much the order of the items says: the simple methods on the test part.
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
  /// A data set, or a target data set.
  static var parts: Kind<Split> {
    Kind(.oneOf([.object(SplitValue.type), .object(TargetValue.type)])) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let data = object as? SplitValue { return data.split }
      if let target = object as? TargetValue { return target.split }
      throw .type
    }
  }
}
