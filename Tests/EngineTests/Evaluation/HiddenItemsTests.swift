import Foundation
import Kernels
import Layers
import Models
import Testing

@testable import Datasets
@testable import Evaluation

/// Items that are left out of rankings.
@Suite struct HiddenItemsTests {
  private static let pool = WorkerPool(threads: 2)

  /// Two histories, cut to windows of three: the earlier items are known from the history only.
  private static func parts() throws -> Split {
    let text =
      "user,item,time\n"
      + [(1, "abcdefg"), (2, "gfedcba")].flatMap { user, items in
        items.enumerated().map { "\(user),\($1),\($0)\n" }
      }.joined()
    return try withFile(Data(text.utf8)) { path in
      try Histories.read(path, .init(format: .table)).histories.leaveLastOut(WindowOptions(length: 3))
    }
  }

  @Test func itemsOfTheWindowOrOfTheHistory() throws {
    let set = try Self.parts().test
    #expect(set.knowsEarlier)
    for index in 0..<set.count {
      func names(_ rule: HiddenItems) -> String { rule.items(set, index).map { set.items.name($0) }.sorted().joined() }
      let isFirst = set.items.name(set.target(index)) == "g"
      #expect(names(.none) == "" && names(.window) == (isFirst ? "ef" : "bc"))
      #expect(names(.seen) == (isFirst ? "abcdef" : "bcdefg"))
    }
    let train = try Self.parts().train
    #expect(HiddenItems.seen.isKnown(for: set) && !HiddenItems.seen.isKnown(for: train))
  }

  /// The ranks are those among the items that are left, counted one by one, for models, scorers and sampled candidates.
  @Test func ranksWithoutHiddenItems() throws {
    let parts = try Self.parts()
    let model = Model(try NextItNet(.init(items: parts.test.items.count, dim: 16, blocks: 1)), seed: 2)
    for rule in HiddenItems.allCases {
      var expected = [Rank](repeating: .beyond, count: parts.test.count)
      expected.withUnsafeMutableBufferPointer { buffer in
        let out = Shared(buffer.baseAddress!)
        let set = parts.test
        Ranking.forEachTile(model, on: set, pool: Self.pool) { index, scores in
          let hidden = Set(rule.items(set, index).map { Int($0) })
          let (target, others) = (Int(set.target(index)), (1..<set.items.count).filter { !hidden.contains($0) })
          out.pointer[index] = Rank(
            above: others.count { scores[$0] > scores[target] }, tied: others.count { $0 != target && scores[$0] == scores[target] })
        }
      }
      #expect(Ranking.ranks(model, on: parts.test, by: RankingRule(hide: rule), pool: Self.pool) == expected, "\(rule)")
      #expect(Ranking.ranks(model, on: parts.test, by: RankingRule(.sampled(100, seed: 1), hide: rule), pool: Self.pool) == expected)
    }
    // A scorer that gives every item the same score ranks the target in the middle of those that are left.
    let flat = Baseline(.popular, train: parts.train)
    let ranks = Ranking.ranks(flat, on: parts.test, by: RankingRule(hide: .seen), pool: Self.pool)
    #expect(ranks.allSatisfy { $0 == Rank(above: 0) }, "one item is left: the target")
  }

  /// Of many items only the hidden ones are subtracted, also where counting stops early.
  @Test func countingStopsAtTheLimit() {
    var numbers = RandomStream(seed: 5, "tokens").numbers()
    let tokens = (0..<(200 * 6)).map { _ in Int32(1 + numbers.below(299)) }
    let set = SequenceSet.fixed(length: 6, tokens: tokens, items: 300)
    guard let network = try? SASRec(.init(items: 300, length: 6, dim: 16, blocks: 1)) else { return }
    let model = Model(network, seed: 3)
    let exact = Ranking.ranks(model, on: set, by: RankingRule(hide: .window), pool: Self.pool)
    let limited = Ranking.ranks(model, on: set, by: RankingRule(hide: .window), limit: 10, pool: Self.pool)
    #expect(zip(exact, limited).allSatisfy { $0.above >= 10 ? $1 == .beyond : $0 == $1 })
    #expect(exact != Ranking.ranks(model, on: set, pool: Self.pool))
  }
}
