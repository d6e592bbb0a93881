import Datasets
import Interpreter
import Syntax
import Training

extension Builtin {
  static let splitting: [Builtin] = [
    split.known(as: "leave-one-out", "train test split", "holdout", "validation"), parts, fraction.known(as: "subset", "sample"),
  ]

  static let split = Builtin(
    "split",
    """
    Splits sequences into a training, a validation and a test part. The validation part decides when to stop and which parameters are best; the test part is only for the final evaluation. No sequence is in two parts. Where windows overlap, whole users go into one part, so that the target of one part is not an input of another.
    """,
    topic: "Data", returns: .object(SplitValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7)
        |> window(length: 20)
        |> split(train: 80%, valid: 10%, test: 10%, seed: 10)
      print(data.test.length)  #> 20
      """
  ) { d in
    let data = d.positional(
      "sequences", .windows, "the sequences to split; histories from a file of sequences of one length need no `window`")
    let train = d.named("train", .share, default: 0.8, "80%", "share of the training part")
    let valid = d.named("valid", .share, default: 0.1, "10%", "share of the validation part")
    let test = d.named("test", .share, default: 0.1, "10%", "share of the test part")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the shuffle")
    let rule = d.named(
      "by", Kind<SplitRule>.word, default: .sequence, "sequence",
      "how parts are formed: from shuffled sequences, from shuffled users, by time (oldest to newest), with each user's last item as test and the one before as validation (leave_last_out), or by two moments: what happened before the first trains (global_time)"
    )
    let hold = d.named(
      "hold", .whole(from: 1, to: 100_000), default: 1, "1",
      "for leave_last_out: number of items of each user in the test part, and in the validation part; each is the target of one sequence")
    let validFrom = d.optional(
      "valid_from", .date, "for global_time: the date at which the validation part begins; default: by the shares of interactions")
    let testFrom = d.optional("test_from", .date, "for global_time: the date at which the test part begins")
    let targets = d.named(
      "targets", Kind<TargetChoice>.word, default: .last, "last",
      "for global_time: which interactions of a user in a part are targets: the last, the first, or all")
    let cold = d.named(
      "cold_items", Kind<ColdItems>.word, default: .keep, "keep",
      "for leave_last_out and global_time, items without an interaction in the training part: keep them, or drop them from sequences, targets and rankings"
    )
    let order = d.named(
      "order", Kind<ShareOrder>.word, default: .shuffled, "shuffled",
      "order of the training sequences: a share of them is then a random one (shuffled), or the oldest ones (time)")
    let rules = d.named(
      "protocol", Kind<EvaluationProtocol>.word, default: .heldOut, "held_out",
      "held_out: three separate parts; stackrec: as in the authors' code, 80 % train and 20 % test, where the test part also serves as validation; for comparison only"
    )
    let unknown = d.optional(
      "unknown_item", .bool,
      "for protocol stackrec: the vocabulary gets an item <UNK> that no sequence has, as in the authors' code; a model that masks items does it with this one",
      text: "true")
    return { call in
      let windows = try call[data]
      let seed = UInt64(try call[seed])
      let oldestFirst = try call[order] == .time
      let (by, isReference) = (try call[rule], try call[rules] == .stackrec)
      let shares = [("train", call.given(train)), ("valid", call.given(valid)), ("test", call.given(test))].first(where: \.1)?.0
      if isReference, by != .sequence {
        throw call.error(.badValue, "protocol stackrec splits by sequence", argument: "by")
      }
      let given = SplitMoments(valid: try call[validFrom], test: try call[testFrom])
      if let wrong = wrongArgument(by, { call.given(name: $0) }, given) {
        throw call.error(.badValue, wrong.message, argument: wrong.name, help: wrong.help)
      }
      if let shares, isReference || by == .leaveLastOut {
        throw call.error(
          .badValue,
          isReference
            ? "protocol stackrec fixes the shares: 80 % and 20 %"
            : "leave_last_out has no shares: every user contributes one sequence to the test part",
          argument: shares)
      }
      if call.given(unknown), !isReference {
        throw call.error(.badValue, "`unknown_item` is only for protocol: stackrec", argument: "unknown_item", help: "remove it")
      }
      let hasUnknown = try call[unknown] ?? true
      let parts = try call.engine {
        if isReference { return try windows.set.referenceSplit(seed: seed, oldestFirst: oldestFirst, unknown: hasUnknown) }
        switch by {
        case .leaveLastOut, .globalTime:
          guard let origin = windows.origin else {
            throw DataError("\(by.rawValue) needs the histories that the sequences were cut from", argument: "by")
          }
          let (hold, cold, choice) = (try call[hold], try call[cold], try call[targets])
          let cuts = given.cuts ?? .shares(valid: try call[valid], test: try call[test])
          let parts = Result {
            by == .globalTime
              ? try origin.histories.globalTime(origin.window, cuts, targets: choice, cold: cold, isCancelled: call.isCancelled)
              : try origin.histories.leaveLastOut(origin.window, hold: hold, cold: cold, isCancelled: call.isCancelled)
          }
          // An error of incomplete parts is not the one to report.
          try call.work.checkInterrupt()
          return try parts.get().ordered(oldestFirst)
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

  /// The dates of a global time split.
  private struct SplitMoments {
    let valid, test: Double?
    var cuts: TimeCuts? { if let valid, let test { .moments(valid: valid, test: test) } else { nil } }
  }

  /// An argument of `split` that does not fit the rule; nil if all fit.
  private static func wrongArgument(_ rule: SplitRule, _ isGiven: (String) -> Bool, _ moments: SplitMoments)
    -> (name: String, message: String, help: String)?
  {
    let fitting: [(String, [SplitRule])] = [
      ("hold", [.leaveLastOut]), ("valid_from", [.globalTime]), ("test_from", [.globalTime]), ("targets", [.globalTime]),
      ("cold_items", [.leaveLastOut, .globalTime]),
    ]
    for (name, rules) in fitting where isGiven(name) && !rules.contains(rule) {
      let names = rules.map { "by: \($0.rawValue)" }.joined(separator: " and ")
      return (name, "`\(name)` is only for \(names)", "remove it, or split \(names)")
    }
    guard rule == .globalTime else { return nil }
    if isGiven("train") {
      return ("train", "global_time trains on everything before the validation part", "give valid and test only, or two dates")
    }
    if (moments.valid == nil) != (moments.test == nil) {
      return (
        moments.valid == nil ? "test_from" : "valid_from", "a global time split needs both moments or neither",
        "give valid_from and test_from"
      )
    }
    for name in ["valid", "test"] where moments.valid != nil && isGiven(name) {
      return (name, "the shares and the moments exclude each other", "remove `\(name)`, or valid_from and test_from")
    }
    return nil
  }

  /// The order of the training sequences. A share of them is its beginning.
  enum ShareOrder: String, Sendable, CaseIterable { case shuffled, time }

  static let parts = Builtin(
    "parts",
    "Builds a data set from three parts that come from separate files. Their sequences must have the same length; items are matched by name.",
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
    let valid = d.named("valid", .sequences, "the sequences by which the best parameters are chosen")
    let test = d.named("test", .sequences, "the sequences for the final evaluation")
    return { call in
      let sets = [try call[train], try call[valid], try call[test]]
      return .object(SplitValue(try call.engine { try Split(train: sets[0], valid: sets[1], test: sets[2]) }))
    }
  }

  static let fraction = Builtin(
    "fraction", "Keeps a share of a data set's training sequences. A smaller share is a subset of a larger one.", topic: "Data",
    returns: .object(SplitValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(fraction(data, 50%).train.count < data.train.count)  #> true
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set")
    let share = d.positional("share", .share, "share of the training part")
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

/// Sequences, and the histories they were cut from, if known.
struct Windows {
  let set: SequenceSet
  let origin: (histories: Histories, window: WindowOptions)?
}

extension Kind where T == Windows {
  /// Sequences, or histories whose lines all have the same length and so are sequences already.
  static var windows: Kind<Windows> {
    Kind(.oneOf([.object(SequencesValue.type), .object(HistoriesValue.type)])) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let sequences = object as? SequencesValue { return Windows(set: sequences.set, origin: sequences.origin) }
      guard let histories = (object as? HistoriesValue)?.histories else { throw .type }
      guard let length = histories.lineLength, length >= 2 else {
        throw .value("has histories of different lengths: cut them into sequences first, |> window(length: 20)")
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
