import Datasets
import Interpreter
import Syntax
import Training

extension Builtin {
  static let splitting: [Builtin] = [split, parts, fraction]

  static let split = Builtin(
    "split",
    """
    Cuts sequences into training, validation and test part. Validation stops the training and chooses the best parameters; test judges; no sequence is in two parts, and what is asked for in one is not shown in another: where windows overlap, whole users go into a part.
    """,
    topic: "Data", returns: .object(SplitValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7)
        |> window(length: 20)
        |> split(train: 80%, valid: 10%, test: 10%, seed: 10)
      print(data.test.length)  #> 20
      """
  ) { d in
    let data = d.positional("sequences", .windows, "what to split; a sequence file needs no `window` before")
    let train = d.named("train", .share, default: 0.8, "80%", "share to train on")
    let valid = d.named("valid", .share, default: 0.1, "10%", "share to choose by")
    let test = d.named("test", .share, default: 0.1, "10%", "share to judge by")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the shuffling")
    let rule = d.named(
      "by", Kind<SplitRule>.word, default: .sequence, "sequence",
      "what goes into a part: shuffled sequences, shuffled users, the sequences of a stretch of time, or of every user the last item (test) and the one before (validation)"
    )
    let order = d.named(
      "order", Kind<ShareOrder>.word, default: .shuffled, "shuffled",
      "of the training sequences: a share of them is then a random one, or the oldest (time)")
    let rules = d.named(
      "protocol", Kind<EvaluationProtocol>.word, default: .heldOut, "held_out",
      "stackrec: as the authors' code, 80 % train and 20 % test, which also stops the training; for comparison only")
    return { call in
      let windows = try call[data]
      let seed = UInt64(try call[seed])
      let oldestFirst = try call[order] == .time
      let (by, isReference) = (try call[rule], try call[rules] == .stackrec)
      let shares = [("train", call.given(train)), ("valid", call.given(valid)), ("test", call.given(test))].first(where: \.1)?.0
      if isReference, by != .sequence {
        throw call.error(.badValue, "protocol stackrec splits by sequence", argument: "by")
      }
      if let shares, isReference || by == .leaveLastOut {
        throw call.error(
          .badValue,
          isReference
            ? "protocol stackrec sets the shares itself: 80 % and 20 %"
            : "leave_last_out has no shares: every user gives one sequence to test",
          argument: shares)
      }
      let parts = try call.engine {
        if isReference { return try windows.set.referenceSplit(seed: seed, oldestFirst: oldestFirst) }
        switch by {
        case .leaveLastOut:
          guard let origin = windows.origin else {
            throw DataError("leave_last_out needs the histories that sequences were cut from", argument: "by")
          }
          return try origin.histories.leaveLastOut(origin.window)
        case .time:
          return try windows.set.splitByTime(train: try call[train], valid: try call[valid], test: try call[test])
        case .sequence, .user:
          return try windows.set.split(
            train: try call[train], valid: try call[valid], test: try call[test], seed: seed, oldestFirst: oldestFirst,
            byUser: by == .user)
        }
      }
      return .object(SplitValue(parts))
    }
  }

  /// What shares of the training sequences are taken by.
  enum ShareOrder: String, Sendable, CaseIterable { case shuffled, time }

  static let parts = Builtin(
    "parts",
    "A data set of parts that are there as files of their own: sequences of one length, whose items are known by their names.",
    topic: "Data", returns: .object(SplitValue.type),
    example: """
      write("a,b\\nb,c\\n", "out/train.csv")
      write("c,a\\n", "out/test.csv")
      let data = parts(train: load("out/train.csv", format: sequences), valid: load("out/test.csv", format: sequences),
        test: load("out/test.csv", format: sequences))
      print(data.train.count, data.items)  #> 2 3
      """
  ) { d in
    let train = d.named("train", .sequences, "the sequences to train on")
    let valid = d.named("valid", .sequences, "those that choose the best parameters")
    let test = d.named("test", .sequences, "those that judge")
    return { call in
      let sets = [try call[train], try call[valid], try call[test]]
      return .object(SplitValue(try call.engine { try Split(train: sets[0], valid: sets[1], test: sets[2]) }))
    }
  }

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
          split.fraction(part, label: "\(NumberFormat.text(part * 100)) %")))
    }
  }
}

/// Sequences, and the histories they were cut from where those are known.
struct Windows {
  let set: SequenceSet
  let origin: (histories: Histories, window: WindowOptions)?
}

extension Kind where T == Windows {
  /// Sequences, or histories of a file whose lines are sequences already.
  static var windows: Kind<Windows> {
    Kind(.oneOf([.object(SequencesValue.type), .object(HistoriesValue.type)])) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let sequences = object as? SequencesValue { return Windows(set: sequences.set, origin: sequences.origin) }
      guard let histories = (object as? HistoriesValue)?.histories else { throw .type }
      guard let length = histories.lineLength, length >= 2 else {
        throw .value("is histories of any length: cut them into sequences first, |> window(length: 20)")
      }
      let window = WindowOptions(length: length)
      do throws(DataError) {
        return Windows(set: try histories.windows(window), origin: (histories, window))
      } catch {
        throw .value(error.message)
      }
    }
  }
}

extension Kind where T == SequenceSet {
  static var sequences: Kind<SequenceSet> {
    let inner = Kind<Windows>.windows
    return Kind(inner.type) { value throws(ConversionError) in try inner.value(of: value).set }
  }
}
