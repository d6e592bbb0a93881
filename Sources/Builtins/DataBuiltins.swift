import Datasets
import Foundation
import Interpreter
import Syntax
import Training

extension Builtin {
  static let data: [Builtin] = [load, synthetic, filter, window, split, fraction, loadTarget, syntheticTarget, describe]

  static let load = Builtin(
    "load",
    "Reads interactions from a file: sequences (one a line), MovieLens ratings, or a table with a header. What had to be guessed is told.",
    topic: "Data", returns: .object(HistoriesValue.type),
    example: "let events = load(\"ratings.dat\", format: movielens)"
  ) { d in
    let file = d.positional("file", .text, "path of the file")
    let format = d.optional("format", Kind<DataFormat>.word, "how it is laid out; left out: found out and told")
    let pad = d.optional("pad", .text, "the item that pads sequences in front")
    let user = d.optional("user", .text, "name of the column with users")
    let item = d.optional("item", .text, "name of the column with items")
    let time = d.optional("time", .text, "name of the column with times")
    return { call in
      let options = ReadingOptions(
        format: try call[format], pad: try call[pad], user: try call[user], item: try call[item],
        time: try call[time])
      let path = try call.inputPath(try call[file])
      let result = try call.engine { try Histories.read(path, options) }
      for note in result.notes { call.interpreter.host.note(note) }
      return .object(HistoriesValue(result.histories))
    }
  }

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
      let made = try call.engine {
        try SyntheticProcess.histories(users: try call[users], items: try call[items], seed: seed)
      }
      return .object(HistoriesValue(made))
    }
  }

  static let filter = Builtin(
    "filter",
    "Of histories: keeps users and items with enough interactions, again and again until all have (the k-core). Of a list: keeps the elements for which a function is true.",
    topic: "Data", returns: .any,
    example: "print([1, 2, 3, 4] |> filter(x => x > 2))  #> [3, 4]"
  ) { d in
    let value = d.positional("data", .any, "histories, or a list")
    let test = d.optionalPositional("test", .function, "for a list: true for what is kept")
    let minUser = d.named("min_user", .whole(from: 0), default: 0, "0", "least interactions of a user")
    let minItem = d.named("min_item", .whole(from: 0), default: 0, "0", "least interactions of an item")
    return { call in
      let what = try call[value]
      if case .object(let object) = what, let histories = object as? HistoriesValue {
        if call.given(test) {
          throw call.error(.wrongType, "histories are filtered by `min_user` and `min_item`, not by a function", argument: "test")
        }
        let (user, item) = (try call[minUser], try call[minItem])
        let kept = histories.histories.filtered(minUser: user, minItem: item)
        guard !kept.events.isEmpty else {
          throw call.error(
            .data, "nothing is left: no users with \(user) and items with \(item) interactions among \(histories.summary)",
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
    "Cuts every history into sequences of a fixed length, counted from its end; shorter ones are padded in front.",
    topic: "Data", returns: .object(SequencesValue.type),
    example: "let sequences = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20)\nprint(sequences.length)  #> 20"
  ) { d in
    let data = d.positional("histories", Kind<HistoriesValue>.object, "what to cut")
    let length = d.named("length", .whole(from: 2, to: 100_000), "items in a sequence, the last being the one to predict")
    let stride = d.optional("stride", .whole(from: 1), "items from one window's end to the next; left out: `length`, so that none overlap")
    let least = d.named("min_length", .whole(from: 2), default: 2, "2", "windows with fewer items are left out")
    return { call in
      let source = try call[data]
      let (length, stride, least) = (try call[length], try call[stride], try call[least])
      return .object(
        SequencesValue(
          try call.engine { try source.histories.windows(length: length, stride: stride, minimum: least) }))
    }
  }

  static let split = Builtin(
    "split",
    "Shuffles sequences and cuts them into training, validation and test part. Validation stops the training and chooses the best parameters; test judges; no sequence is in two parts.",
    topic: "Data", returns: .object(SplitValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7)
        |> window(length: 20)
        |> split(train: 80%, valid: 10%, test: 10%, seed: 10)
      print(data.test.length)  #> 20
      """
  ) { d in
    let data = d.positional("sequences", .sequences, "what to split; a sequence file needs no `window` before")
    let train = d.named("train", .share, default: 0.8, "80%", "share to train on")
    let valid = d.named("valid", .share, default: 0.1, "10%", "share to choose by")
    let test = d.named("test", .share, default: 0.1, "10%", "share to judge by")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the shuffling")
    let order = d.named(
      "order", Kind<ShareOrder>.word, default: .shuffled, "shuffled",
      "of the training sequences: a share of them is then a random one, or the oldest (time)")
    let rules = d.named(
      "protocol", Kind<EvaluationProtocol>.word, default: .heldOut, "held_out",
      "stackrec: as the authors' code, 80 % train and 20 % test, which also stops the training; for comparison only")
    return { call in
      let set = try call[data]
      let seed = UInt64(try call[seed])
      let oldestFirst = try call[order] == .time
      let parts = try call.engine {
        guard try call[rules] == .stackrec else {
          return try set.split(
            train: try call[train], valid: try call[valid], test: try call[test], seed: seed, oldestFirst: oldestFirst)
        }
        if let given = [("train", call.given(train)), ("valid", call.given(valid)), ("test", call.given(test))].first(where: \.1) {
          throw call.error(.badValue, "protocol stackrec sets the shares itself: 80 % and 20 %", argument: given.0)
        }
        return try set.referenceSplit(seed: seed, oldestFirst: oldestFirst)
      }
      return .object(SplitValue(parts))
    }
  }

  /// What shares of the training sequences are taken by.
  enum ShareOrder: String, Sendable, CaseIterable { case shuffled, time }

  static let fraction = Builtin(
    "fraction", "A share of a data set's training sequences; smaller shares lie inside larger ones.", topic: "Data",
    returns: .object(SplitValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(fraction(data, 50%).train.count < data.train.count)  #> true
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set")
    let share = d.positional("share", .share, "how much of its training part")
    return { call in
      let split = (try call[data]).split
      let part = try call[share]
      guard part > 0 else { throw call.error(.badValue, "a share of 0% leaves nothing to train on", argument: "share") }
      return .object(
        SplitValue(
          split.fraction(part, told: "\(NumberFormat.text(part * 100)) %")))
    }
  }

  static let describe = Builtin(
    "describe", "Writes what there is to know of a value: the counts of data, the parts of a model, the course of a run.",
    topic: "Data", returns: .nothing, example: "describe([1, 2, 3])  #> [1, 2, 3]"
  ) { d in
    let value = d.positional("value", .any, "what to describe")
    return { call in
      call.interpreter.host.write((try call[value]).printed + "\n")
      return .nothing
    }
  }
}

extension Kind where T == SequenceSet {
  /// Sequences, or histories of a file whose lines are sequences already.
  static var sequences: Kind<SequenceSet> {
    Kind(.oneOf([.object(SequencesValue.type), .object(HistoriesValue.type)])) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let sequences = object as? SequencesValue { return sequences.set }
      guard let histories = (object as? HistoriesValue)?.histories else { throw .type }
      guard let length = histories.lineLength, length >= 2 else {
        throw .value("is histories of any length: cut them into sequences first, |> window(length: 20)")
      }
      do throws(DataError) {
        return try histories.windows(length: length)
      } catch {
        throw .value(error.message)
      }
    }
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
