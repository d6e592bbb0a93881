import Basics
import Datasets
import Evaluation
import Foundation
import Interpreter
import ModelFiles
import Syntax
import Training

/// Recommended items for users, best first.
final class RecommendationsValue: ObjectValue {
  static let type = ObjectType(
    "recommendations",
    members: [
      ("count", .number, "number of lists"), ("k", .number, "number of items in each"),
      ("rows", .list(.record(nil)), "a record for each list: user, items and scores"),
      ("coverage", .number, "share of all items that occur in at least one list"),
      ("gini", .number, "Gini coefficient of how often items are recommended: 0 if all equally often, 1 if only one item"),
      ("novelty", .number, "mean of -log2 of an item's share of the interactions, in bits"),
      ("popularity", .number, "mean number of interactions of recommended items, divided by the mean over all items"),
    ])

  let lists: Recommendations
  let users: [String]
  let names: Vocabulary
  private let uses: [Int]
  /// Whether there is a list for every sequence of a set, and not for every user.
  private let isBySequence: Bool

  init(_ lists: Recommendations, users: [String], names: Vocabulary, uses: [Int], isBySequence: Bool = false) {
    self.isBySequence = isBySequence
    self.lists = lists
    self.users = users
    self.names = names
    self.uses = uses
  }

  func row(_ index: Int) -> (items: [String], scores: [Float]) {
    let slots = (index * lists.k)..<((index + 1) * lists.k)
    let filled = slots.filter { lists.items[$0] != 0 }
    return (filled.map { names.name(lists.items[$0]) }, filled.map { lists.scores[$0] })
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "count": .number(Double(users.count))
    case "k": .number(Double(lists.k))
    case "rows": .list(elements ?? [])
    case "coverage": .number(lists.beyond(uses: uses).coverage)
    case "gini": .number(lists.beyond(uses: uses).gini)
    case "novelty": .number(lists.beyond(uses: uses).novelty)
    case "popularity": .number(lists.beyond(uses: uses).popularity)
    default: nil
    }
  }

  var elements: [Value]? {
    users.indices.map { index in
      let row = row(index)
      return .record(
        Record([
          ("user", .text(users[index])), ("items", .list(row.items.map { .text($0) })),
          ("scores", .list(row.scores.map { .number(Double($0)) })),
        ]))
    }
  }

  var summary: String {
    "the best \(NumberFormat.count(lists.k, "item")) for \(NumberFormat.count(users.count, isBySequence ? "sequence" : "user"))"
  }

  var display: String {
    let shown = users.indices.prefix(10).map { "  \(users[$0]): \(row($0).items.prefix(10).joined(separator: ", "))" }
    return ([summary] + shown + (users.count > 10 ? ["  ..."] : [])).joined(separator: "\n")
  }

  /// Writes a CSV row per item, or a JSON object per list.
  func write(isCSV: Bool, put: ([UInt8]) throws -> Void) throws {
    var text = isCSV ? "user,rank,item,score\n" : ""
    for index in users.indices {
      let row = row(index)
      if isCSV {
        text += Grid.csv(row.items.indices.map { [users[index], "\($0 + 1)", row.items[$0], "\(row.scores[$0])"] })
      } else {
        let names = row.items.map(Escapes.json).joined(separator: ", ")
        text +=
          "{\"user\": \(Escapes.json(users[index])), \"items\": [\(names)], \"scores\": [\(row.scores.map { "\($0)" }.joined(separator: ", "))]}\n"
      }
      if text.utf8.count > 1 << 20 {
        try put(Array(text.utf8))
        text = ""
      }
    }
    try put(Array(text.utf8))
  }
}

extension Builtin {
  static let recommend = Builtin(
    "recommend",
    "Recommends the next item: the items that a model ranks highest for each user, by name. The input is each user's whole history, or each sequence of a set including its last item.",
    topic: "Evaluation", returns: .object(RecommendationsValue.type),
    example: """
      let events = synthetic(users: 60, items: 80, seed: 7)
      let data = events |> window(length: 20) |> split(seed: 1)
      let lists = nextitnet(data, dim: 8, blocks: 1) |> recommend(events, k: 3, length: 20)
      print(lists.count, len(lists.rows[0].items))  #> 60 3
      """
  ) { d in
    let model = d.positional("model", .model, "a model, or a run")
    let from = d.positional("from", .any, "histories, or a set of sequences")
    let k = d.named("k", .whole(from: 1, to: 10_000), default: 20, "20", "number of items per user")
    let seen = d.named("seen", .bool, default: false, "false", "whether items that the user already interacted with may be recommended")
    let length = d.optional(
      "length", .whole(from: 2, to: 100_000), "number of positions, including the one to predict; default: as the model was trained")
    let users = d.optional("users", Kind<String>.text.list, "only these users, by name")
    let at = d.optional(
      "at", .date,
      "for models that read when the target happens (time: target): the date of the recommendation; default: that of each user's last interaction"
    )
    return { call in
      let model = try call[model]
      guard model.known.targets == nil else {
        throw call.error(.model, "this model was fine-tuned: the items it ranks are not the items it reads", argument: "model")
      }
      if call.given(at), model.model.network.timeReference != .target {
        throw call.error(.badValue, "this model does not read when the target happens", argument: "at", help: "remove it")
      }
      let contexts = try contexts(call, model, try call[from], try call[length], try call[users], at: try call[at])
      let set = contexts.set
      if let mismatch = model.known.mismatch(with: set, model.model.network) {
        throw call.error(.model, mismatch.message, argument: "from", help: "give the data the model was built with")
      }
      let k = min(try call[k], set.items.count - 1)
      let left = try call[seen] ? [] : contexts.seen.map { Array(Set($0)).sorted() }
      let lists = try call.cancellable("recommending") { Recommendations(model.model, for: set, k: k, seen: left, pool: $0) }
      return .object(
        RecommendationsValue(lists, users: contexts.users, names: set.items, uses: contexts.uses, isBySequence: contexts.isBySequence))
    }
  }

  private struct Contexts {
    let set: SequenceSet
    let users: [String]
    let seen: [[Int32]]
    let uses: [Int]
    let isBySequence: Bool
  }

  /// What a user had: items, and their times if the data has them.
  private struct Row {
    var user: Int32
    var items: [Int32]
    var times: [Int64]?

    /// The same row with other item numbers, without items whose number is 0.
    func renumbered(_ map: [Int32]) -> Row {
      let kept = items.indices.filter { map[Int(items[$0])] != 0 }
      return Row(user: user, items: kept.map { map[Int(items[$0])] }, times: times.map { times in kept.map { times[$0] } })
    }
  }

  /// Renumbers items and users as the model does, and drops those that the model does not know: data that was filtered
  /// less than the training data has more of them.
  private static func known(
    _ call: Call, _ model: ModelValue, _ rows: [Row], _ items: Vocabulary, _ users: Vocabulary
  ) -> ([Row], Vocabulary, Vocabulary) {
    let known = model.known
    var (rows, users) = (rows, users)
    if items != known.items {
      let numbers = known.items.numbers()
      let map = items.names.enumerated().map { $0 == 0 ? 0 : numbers[$1] ?? 0 }
      let unknownItems = map.dropFirst().count { $0 == 0 }
      if unknownItems > 0 { call.interpreter.host.note("\(unknownItems) items that the model does not know are ignored") }
      rows = rows.map { $0.renumbered(map) }
    }
    if model.model.network.embedsUsers, let knownUsers = known.users, knownUsers != users {
      let numbers = knownUsers.numbers()
      let map = users.names.map { numbers[$0] ?? -1 }
      let before = rows.count
      rows = rows.map { Row(user: map[Int($0.user)], items: $0.items, times: $0.times) }.filter { $0.user >= 0 }
      if rows.count < before { call.interpreter.host.note("\(before - rows.count) users that the model does not know are ignored") }
      users = knownUsers
    }
    return (rows, known.items, users)
  }

  /// Sequences whose last position is empty (the item to predict), with the items that each user already had.
  private static func contexts(
    _ call: Call, _ model: ModelValue, _ from: Value, _ given: Int?, _ wanted: [String]?, at seconds: Double?
  ) throws -> Contexts {
    guard case .object(let object) = from else {
      throw call.error(.wrongType, "`from` of recommend is histories or sequences, not \(from.described)", argument: "from")
    }
    var rows: [Row] = []
    var perSecond: Int64 = 1
    var (items, users, hasUsers, length): (Vocabulary, Vocabulary, Bool, Int)
    switch object {
    case let value as HistoriesValue:
      let histories = try call.engine { try value.histories.checked() }
      (items, users, hasUsers) = (histories.items, histories.users, histories.hasUsers)
      guard let known = given ?? model.model.network.maximumLength ?? model.length else {
        throw call.error(
          .missingArgument, "the length of the model's training sequences is not known", help: "give it, for example length: 20")
      }
      length = known
      perSecond = histories.ticksPerSecond
      for h in 0..<histories.count {
        let times = histories.times.map { Array($0[histories.offsets[h]..<histories.offsets[h + 1]]) }
        rows.append(Row(user: histories.owners[h], items: Array(histories.history(h)), times: times))
      }
    case let value as SequencesValue:
      let set = value.set
      (items, users, hasUsers, length) = (set.items, set.userNames, set.hasUsers, given ?? set.length)
      perSecond = set.ticksPerSecond
      for index in 0..<set.count {
        rows.append(Row(user: set.user(index), items: Array(set.events(index)), times: set.eventTimes(index).map { Array($0) }))
      }
    default:
      throw call.error(.wrongType, "`from` of recommend is histories or sequences, not \(from.described)", argument: "from")
    }
    (rows, items, users) = Self.known(call, model, rows, items, users)
    var uses = [Int](repeating: 0, count: items.count)
    for row in rows { for item in row.items { uses[Int(item)] += 1 } }
    if let wanted {
      let numbers = users.numbers()
      let chosen = try wanted.map { name -> Int32 in
        guard let number = numbers[name] else {
          throw call.error(.missingKey, "there is no user \"\(name)\"", argument: "users")
        }
        return number
      }
      let set = Set(chosen)
      rows = rows.filter { set.contains($0.user) }
    }
    guard !rows.isEmpty else {
      throw call.error(.badValue, "there is no user to recommend items to", argument: call.given(name: "users") ? "users" : "from")
    }
    var tokens: [Int32] = []
    tokens.reserveCapacity(rows.count * length)
    for row in rows {
      let recent = row.items.suffix(length - 1)
      tokens.append(contentsOf: repeatElement(0, count: length - 1 - recent.count))
      tokens.append(contentsOf: recent)
      tokens.append(0)
    }
    var times: [Int64]?
    if model.model.network.timeReference != nil {
      let now = seconds.map { Histories.firstTick($0, perSecond: perSecond) }
      if let now {
        let later = rows.count { $0.times?.last ?? .min > now }
        if later > 0 { call.interpreter.host.note("\(later) of \(rows.count) users have interactions after the date of `at`") }
      }
      times = rows.flatMap { row in
        let recent = (row.times ?? []).suffix(length - 1)
        return [Int64](repeating: 0, count: length - 1 - recent.count) + recent + [now ?? recent.last ?? 0]
      }
      if rows.contains(where: { $0.times == nil }) { times = nil }
    }
    let set = SequenceSet(
      length: length, tokens: tokens, users: rows.map(\.user), times: times, ticksPerSecond: perSecond, items: items, userNames: users,
      hasUsers: hasUsers,
      source: "contexts", process: nil)
    return Contexts(
      set: set, users: rows.map { users.name($0.user) }, seen: rows.map(\.items), uses: uses, isBySequence: object is SequencesValue)
  }
}
