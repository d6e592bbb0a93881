import Basics
import Datasets
import Evaluation
import Interpreter
import Kernels
import Syntax

/// The columns of `compare` beyond accuracy, of the lists of the k best items: coverage, novelty and popularity bias.
struct BeyondColumns {
  let k: Int
  var names: [String] { ["coverage@\(k)", "novelty@\(k)", "popularity@\(k)"] }
  var titles: [String] { ["Coverage@\(k)", "Novelty@\(k)", "Popularity@\(k)"] }
  private let set: SequenceSet
  private let uses: [Int]
  /// For every sequence, the items that are left out of its list.
  private let hidden: [[Int32]]

  /// - Parameters:
  ///   - k: the length of the lists.
  ///   - sequences: the lists are of what follows the sequences without their last items.
  ///   - rule: says which items are left out of the lists, as they are left out of rankings.
  init(_ call: Builtin.Call, k: Int, _ sequences: SequencesValue, _ rule: RankingRule) throws {
    guard sequences.set.targetItems == nil else {
      throw call.error(
        .badValue, "the items of target data have no interactions to count", argument: "beyond", help: "remove it")
    }
    guard rule.candidates == .all else {
      throw call.error(.badValue, "lists of the best items need rankings of all items", argument: "beyond", help: "remove it, or `rank`")
    }
    self.k = min(k, sequences.set.items.count - 1)
    let set = sequences.set
    self.set = set
    guard let split = sequences.split else {
      throw call.error(
        .badValue, "novelty and popularity count interactions of a training part, and these sequences have none", argument: "beyond",
        help: "give a part of a split: on: data.test")
    }
    uses = split.train.eventUses()
    hidden = rule.hide == .none ? [] : (0..<set.count).map { rule.hide.items(set, $0) }
  }

  /// The values of every model of a method, one list for each column.
  func values(_ call: Builtin.Call, _ method: ComparedMethod) throws -> [[Double]] {
    let (set, k, hidden) = (set, k, hidden)
    let lists: [Recommendations]
    switch method {
    case .scorer(let scorer):
      lists = [
        try call.cancellable("recommending by \(scorer.title)") { Recommendations(scorer, for: set, k: k, seen: hidden, pool: $0) }
      ]
    case .models(let models):
      lists = try models.map { entry in
        let model = entry.model.fitted(to: set).model
        return try call.cancellable("recommending") { Recommendations(model, for: set, k: k, seen: hidden, pool: $0) }
      }
    }
    let all = lists.map { $0.beyond(uses: uses) }
    return [all.map(\.coverage), all.map(\.novelty), all.map(\.popularity)]
  }
}
