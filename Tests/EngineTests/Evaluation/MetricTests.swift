import Datasets
import Foundation
import Kernels
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

@Suite struct MetricTests {
  /// The fixture has mean ranks for ties. Without ties, they equal the ranks of `Ranking`.
  @Test func againstAnIndependentImplementation() throws {
    let fixture = try Fixture("metrics")
    let scores = try fixture.floats("scores")
    let targets = try fixture.integers("targets")
    let ranks = targets.enumerated().map { row, target in
      Ranking.rank(of: target, Array(scores[(row * 30)..<((row + 1) * 30)]), items: 30)
    }
    #expect(ranks.map { Float($0.above) + Float($0.tied) / 2 } == (try fixture.floats("ranks")))
    #expect(ranks.contains { $0.tied > 0 })
    for kind in Metric.Kind.allCases {
      for k in 1...29 {
        let metric = Metric(kind, k)
        // The expected value is the mean over all orders of the tied items.
        let expected = ranks.map { rank in
          (0...rank.tied).reduce(0.0) { $0 + metric.value(Rank(above: rank.above + $1)) } / Double(rank.tied + 1)
        }
        #expect(abs(metric.mean(ranks) - expected.reduce(0, +) / Double(ranks.count)) < 1e-12, "\(metric.name)")
      }
    }
  }

  /// Computed by hand for 4 items. The score of the padding, item 0, is ignored.
  @Test func ranksWithTies() {
    #expect(Ranking.rank(of: 2, [9, 3, 2, 1, 0], items: 5) == Rank(above: 1))
    #expect(Ranking.rank(of: 1, [9, 3, 3, 1, 0], items: 5) == Rank(above: 0, tied: 1))
    #expect(Ranking.rank(of: 1, [0, 0, 0, 0, 0], items: 5) == Rank(above: 0, tied: 3))
    // Other items with a score of NaN count as higher; a target with a score of NaN comes last.
    #expect(Ranking.rank(of: 1, [0, 1, .nan, .nan, 0], items: 5) == Rank(above: 2))
    #expect(Ranking.rank(of: 3, [0, 1, 2, .nan, 0], items: 5) == Rank(above: 3))
  }

  @Test func valuesByHand() {
    #expect(Metric(.mrr, 5).value(Rank(above: 1)) == 0.5)
    #expect(Metric(.hr, 5).value(Rank(above: 4)) == 1)
    #expect(Metric(.hr, 5).value(Rank(above: 4, tied: 1)) == 0.5)
    #expect(Metric(.hr, 5).value(Rank(above: 5)) == 0)
    #expect(Metric(.hr, 5).value(.beyond) == 0)
    #expect(abs(Metric(.ndcg, 10).value(Rank(above: 2)) - 0.5) < 1e-12)
    #expect(Metric(.mrr, 5).mean([]) == 0)
    // With one relevant item.
    #expect(Metric(.recall, 5).value(Rank(above: 4)) == 1 && Metric(.recall, 5).value(Rank(above: 5)) == 0)
    #expect(Metric(.precision, 5).value(Rank(above: 4)) == 0.2 && Metric(.precision, 5).value(Rank(above: 5)) == 0)
    #expect(Metric(.map, 5).value(Rank(above: 3)) == 0.25 && Metric(named: "map@5")?.title == "MAP@5")
    #expect(Metric(named: "recall@10")?.title == "Recall@10" && Metric(named: "precision@3")?.name == "precision@3")
    #expect(Metric(.mrr, 1).mean([Rank(above: 0), Rank(above: 1)]) == 0.5)
    // Two items are tied at the top; each is the target of one sequence.
    #expect(Metric(.hr, 1).mean([Rank(above: 0, tied: 1), Rank(above: 0, tied: 1)]) == 0.5)
    #expect(Metric(.mrr, 2).value(Rank(above: 0, tied: 1)) == 0.75)
  }

  /// A scorer with constant scores gets the metric of a random ranking of 20 items: HR@k is k / 20.
  @Test(arguments: Metric.Kind.allCases)
  func aConstantScorerIsARandomRanking(kind: Metric.Kind) {
    let rank = Ranking.rank(of: 7, [Float](repeating: 1, count: 21), items: 21)
    for k in 1...20 {
      let metric = Metric(kind, k)
      let random = (0..<20).reduce(0.0) { $0 + metric.value(Rank(above: $1)) } / 20
      #expect(abs(metric.value(rank) - random) < 1e-15)
    }
    #expect(abs(Metric(.hr, 9).value(rank) - 0.45) < 1e-15 && abs(Metric(.hr, 10).value(rank) - 0.5) < 1e-15)
  }

  /// The sequences are 1 2 3, 1 2 3 and 1 2 1: item 2 is followed by 3 twice and by 1 once.
  @Test func baselinesByHand() {
    let set = SequenceSet.fixed(length: 3, tokens: [1, 2, 3, 1, 2, 3, 1, 2, 1], items: 5)
    let scores = FloatBuffer(count: 5)
    let popular = Baseline(.popular, train: set)
    popular.scores(set, 0, into: scores.base)
    #expect(scores.array == [0, 4, 3, 2, 0])
    let markov = Baseline(.markov, train: set)
    markov.scores(set, 0, into: scores.base)
    // Item 3 followed 2 twice, item 1 once. Items 2 and 4 never did; 2 is more popular than 4.
    #expect(scores[3] > scores[1] && scores[1] > scores[2] && scores[2] > scores[4])
    let unknown = SequenceSet.fixed(length: 3, tokens: [1, 4, 1], items: 5)
    markov.scores(unknown, 0, into: scores.base)
    #expect(scores[1] > scores[2] && scores[2] > scores[3])
  }
}
