import Datasets
import Interpreter
import Syntax

/// Functions that show what is in a data set, with the names of the file.
extension Builtin {
  static let looking: [Builtin] = [
    head.known(as: "first rows", "peek", "preview"), history.known(as: "interactions of a user", "user history"),
    counts.known(as: "popularity", "value_counts", "item counts"), sequence.known(as: "sample", "getitem"),
  ]

  static let head = Builtin(
    "head",
    "The first interactions of histories, the first sequences of a set, or the first elements of a list. Interactions and sequences have the names and times of the file.",
    topic: "Data", returns: .any,
    example: """
      write("user,item,time\\n7,a,2020-01-01\\n7,b,2020-01-02\\n8,a,2020-01-03\\n", "out/log.csv")
      print(head(load("out/log.csv"), 2))
      #> ──────────────────────
      #> user  item  time
      #> ──────────────────────
      #> 7     a     2020-01-01
      #> 7     b     2020-01-02
      #> ──────────────────────
      """
  ) { d in
    let data = d.positional("data", .any, "histories, sequences, or a list")
    let count = d.optionalPositional("count", .whole(from: 1, to: 1_000_000), "how many; default: 10")
    return { call in
      let (value, count) = (try call[data], try call[count] ?? 10)
      if case .object(let object) = value, let histories = (object as? HistoriesValue)?.histories {
        let rows = try rows(call, histories, limit: count) { _ in true }
        return .object(TableValue(records: rows, names: columns(histories)))
      }
      if case .object(let object) = value, let sequences = (object as? SequencesValue)?.set {
        let rows = (0..<min(count, sequences.count)).map { record(sequences, $0) }
        return .object(TableValue(records: rows, names: rows.first?.keys ?? []))
      }
      if case .object(let object) = value, let table = object as? TableValue {
        let rows = table.records.prefix(count).compactMap { if case .record(let record) = $0 { record } else { nil } }
        return .object(TableValue(records: rows, names: rows.first?.keys ?? []))
      }
      guard let elements = value.sequence else {
        throw call.error(.wrongType, "`data` of `head` is histories, sequences or a list, not \(value.described)", argument: "data")
      }
      return .list(Array(elements.prefix(count)))
    }
  }

  static let history = Builtin(
    "history", "The interactions of one user, oldest first, with the names, times and ratings of the file.", topic: "Data",
    returns: .object(TableValue.type),
    example: """
      write("user,item,time\\n7,a,2020-01-01\\n8,a,2020-01-03\\n7,b,2020-01-02\\n", "out/log.csv")
      print(history(load("out/log.csv"), "7").rows |> map(r => r.item))  #> ["a", "b"]
      """
  ) { d in
    let data = d.positional("histories", Kind<HistoriesValue>.object, "the histories")
    let user = d.positional("user", .text, "the name of the user")
    return { call in
      let (histories, name) = ((try call[data]).histories, try call[user])
      guard let number = histories.users.numbers()[name] else {
        throw call.error(
          .missingKey, "there is no user \"\(name)\"", argument: "user",
          help: histories.users.names.first.map { "users are named as in the file, for example \"\($0)\"" })
      }
      let rows = try rows(call, histories, limit: .max) { $0 == number }
      return .object(TableValue(records: rows, names: columns(histories)))
    }
  }

  static let counts = Builtin(
    "counts", "How often each item occurs, the most frequent first, with its share of all interactions.", topic: "Data",
    returns: .object(TableValue.type),
    example: """
      write("user,item\\n7,a\\n8,a\\n8,b\\n", "out/log.csv")
      print(counts(load("out/log.csv")).rows |> map(r => r.count))  #> [2, 1]
      """
  ) { d in
    let data = d.positional("histories", Kind<HistoriesValue>.object, "the histories")
    return { call in
      let histories = try call.engine { [histories = (try call[data]).histories] in try histories.checked() }
      var uses = [Int](repeating: 0, count: histories.items.count)
      for item in histories.events { uses[Int(item)] += 1 }
      try call.work.checkInterrupt()
      let all = Double(max(1, histories.events.count))
      let order = (1..<uses.count).filter { uses[$0] > 0 }.sorted { (uses[$1], $0) < (uses[$0], $1) }
      let rows = order.map { item in
        Record([
          ("item", .text(histories.items.name(Int32(item)))), ("count", .number(Double(uses[item]))),
          ("share", .number(Double(uses[item]) / all)),
        ])
      }
      return .object(TableValue(records: rows, names: ["item", "count", "share"], digits: 6))
    }
  }

  static let sequence = Builtin(
    "sequence",
    "One sequence of a set, with the names of its user and items and, if the data has them, the times: its items, and the last one, which is the target.",
    topic: "Data", returns: .record(nil),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 5) |> split(by: leave_last_out)
      print(len(sequence(data.test, 0).items))  #> 5
      """
  ) { d in
    let data = d.positional("sequences", Kind<SequencesValue>.object, "the sequences, for example data.test")
    let index = d.positional("index", .whole(from: 0), "which one, from 0")
    return { call in
      let (set, index) = ((try call[data]).set, try call[index])
      guard index < set.count else {
        throw call.error(
          .badValue, "there are \(set.count) sequences, counted from 0 to \(set.count - 1)", argument: "index",
          help: "give a smaller number")
      }
      return .record(record(set, index))
    }
  }

  private static func columns(_ histories: Histories) -> [String] {
    ["user", "item"] + (histories.times == nil ? [] : ["time"]) + (histories.ratings == nil ? [] : ["rating"])
  }

  /// Interactions of histories whose owner passes, as records.
  private static func rows(
    _ call: Call, _ histories: Histories, limit: Int, _ passes: (Int32) -> Bool
  ) throws -> [Record] {
    let histories = try call.engine { try histories.checked() }
    var rows: [Record] = []
    for h in 0..<histories.count where passes(histories.owners[h]) {
      for e in histories.offsets[h]..<histories.offsets[h + 1] {
        if rows.count == limit { return rows }
        var record = Record([
          ("user", .text(histories.hasUsers ? histories.users.name(histories.owners[h]) : "")),
          ("item", .text(histories.items.name(histories.events[e]))),
        ])
        if let times = histories.times { record["time"] = .date(Double(times[e]) / Double(histories.ticksPerSecond)) }
        if let ratings = histories.ratings { record["rating"] = .number(Double(ratings[e])) }
        rows.append(record)
      }
    }
    return rows
  }

  private static func record(_ set: SequenceSet, _ index: Int) -> Record {
    let items = set.events(index)
    var record = Record([
      ("user", .text(set.hasUsers ? set.userNames.name(set.user(index)) : "")),
      ("items", .list(items.map { .text(set.items.name($0)) })),
    ])
    if let targets = set.targetItems, let last = items.last {
      record["items"] = .list(items.dropLast().map { .text(set.items.name($0)) })
      record["target"] = .text(targets.name(last))
    } else {
      record["target"] = items.last.map { .text(set.items.name($0)) } ?? .nothing
    }
    if set.hasTimes { record["times"] = .list(set.eventSeconds(index).map { .date($0) }) }
    return record
  }
}
