import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation

/// Compares ranks by every combination of rules with ranks from sorted scores.
@Suite struct RankingRuleTests {
  static let pool = NextItNetTests.pool
  static let items = 200

  /// A model in which many items have equal scores, also with the pad.
  static func model(_ pads: Pads) throws -> Model {
    let network = try NextItNet(.init(items: items, dim: 32, blocks: 1, dilations: [1], alpha: true, pads: pads))
    let model = Model(network, seed: 5)
    let (output, values) = (network.output, model.values)
    for item in stride(from: 0, to: items, by: 3) {
      let twin = item * 37 % items
      (values.base + output.weight.offset + item * 32).update(from: values.base + output.weight.offset + twin * 32, count: 32)
      if let bias = output.bias { values.base[bias.offset + item] = values.base[bias.offset + twin] }
    }
    (values.base + output.weight.offset).update(from: values.base + output.weight.offset + 150 * 32, count: 32)
    return model
  }

  /// The position of the target among the items that are ranked, and the number of its ties, from all scores.
  static func rank(_ scores: [Float], _ target: Int, _ rule: RankingRule, pads: Pads, hidden: [Int32]) -> Rank {
    let first = rule.ranksPad && pads == .item ? 0 : 1
    let others = (first..<scores.count).filter { $0 != target && !hidden.contains(Int32($0)) }
    let above = others.filter { scores[$0] > scores[target] }.count
    let tied = others.filter { scores[$0] == scores[target] }
    return rule.ties == .expectation ? Rank(above: above, tied: tied.count) : Rank(above: above + tied.filter { $0 < target }.count)
  }

  @Test(arguments: Pads.allCases, HiddenItems.allCases.filter { $0 != .seen })
  func everyRule(pads: Pads, hide: HiddenItems) throws {
    let model = try Self.model(pads)
    let targets = (0..<60).map { Int32(1 + $0 * 3 % 199) }
    let set = RankingTests.set(targets.count, length: 8, items: Self.items, targets: targets)
    let scores = GrowthTests.scores(model, set)
    for ties in RankingRule.Ties.allCases {
      for ranksPad in [false, true] {
        let rule = RankingRule(hide: hide, ties: ties, ranksPad: ranksPad)
        let expected = (0..<set.count).map { index in
          Self.rank(
            Array(scores[(index * Self.items)..<((index + 1) * Self.items)]), Int(set.target(index)), rule, pads: pads,
            hidden: hide.items(set, index))
        }
        #expect(Ranking.ranks(model, on: set, by: rule, pool: Self.pool) == expected, "\(rule)")
        let limited = expected.map { $0.above < 20 ? $0 : Rank.beyond }
        #expect(Ranking.ranks(model, on: set, by: rule, limit: 20, pool: Self.pool) == limited, "\(rule)")
        // All other items are candidates, so the slower way must give the same, but it never draws the pad.
        if !ranksPad {
          var sampled = rule
          sampled.candidates = .sampled(Self.items - 3 - set.length, seed: 1)
          #expect(Ranking.ranks(model, on: set, by: sampled, pool: Self.pool).allSatisfy { ties == .expectation || $0.tied == 0 })
        }
        if ties == .number { #expect(expected.allSatisfy { $0.tied == 0 }) }
      }
    }
    let tied = Ranking.ranks(model, on: set, by: RankingRule(hide: hide), pool: Self.pool)
    #expect(tied.contains { $0.tied > 0 }, "some are tied")
  }

  /// Baselines have no score for the pad.
  @Test func baselinesNeverRankThePad() {
    struct Flat: Scorer {
      let title = "flat"
      func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>) {
        scores.update(repeating: 1, count: RankingRuleTests.items)
      }
    }
    let set = RankingTests.set(4, length: 8, items: Self.items, targets: [1, 7, 199, 20])
    let ranks = Ranking.ranks(Flat(), on: set, by: RankingRule(hide: .none, ties: .number, ranksPad: true), pool: Self.pool)
    #expect(ranks == [0, 6, 198, 19].map { Rank(above: $0) })
  }
}
