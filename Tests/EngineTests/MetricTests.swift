import Datasets
import Foundation
import Kernels
import Testing

@testable import Training

@Suite struct MetricTests {
  @Test func againstAnIndependentImplementation() throws {
    let fixture = try Fixture("metrics")
    let scores = try fixture.floats("scores")
    let targets = try fixture.integers("targets")
    let ranks = targets.enumerated().map { row, target in
      Ranking.rank(of: target, Array(scores[(row * 30)..<((row + 1) * 30)]), items: 30)
    }
    #expect(ranks.map { Float($0) } == (try fixture.floats("ranks")))
    for kind in Metric.Kind.allCases {
      for k in [5, 10] {
        let metric = Metric(kind, k)
        let expected = try fixture.floats(metric.name)[0]
        #expect(abs(Float(metric.mean(ranks: ranks)) - expected) < 1e-6, "\(metric.name)")
      }
    }
  }

  /// Worked by hand: 4 items; the pad's score, in front, does not count.
  @Test func ranksWithTies() {
    #expect(Ranking.rank(of: 2, [9, 3, 2, 1, 0], items: 5) == 1)
    #expect(Ranking.rank(of: 1, [9, 3, 3, 1, 0], items: 5) == 0.5)
    // A constant scorer gets the middle, no credit.
    #expect(Ranking.rank(of: 1, [0, 0, 0, 0, 0], items: 5) == 1.5)
    // Others that are not numbers count as above; a target that is none comes last.
    #expect(Ranking.rank(of: 1, [0, 1, .nan, .nan, 0], items: 5) == 2)
    #expect(Ranking.rank(of: 3, [0, 1, 2, .nan, 0], items: 5) == 3)
  }

  @Test func valuesByHand() {
    #expect(Metric(.mrr, 5).value(rank: 1) == 0.5)
    #expect(Metric(.hr, 5).value(rank: 4) == 1)
    #expect(Metric(.hr, 5).value(rank: 4.5) == 1)
    #expect(Metric(.hr, 5).value(rank: 5) == 0)
    #expect(abs(Metric(.ndcg, 10).value(rank: 2) - 0.5) < 1e-12)
    #expect(Metric(.mrr, 5).mean(ranks: []) == 0)
    #expect(Metric(.mrr, 1).mean(ranks: [0, 1]) == 0.5)
  }

  /// Sequences 1 2 3, 1 2 3, 1 2 1: after 2 comes 3 twice and 1 once.
  @Test func baselinesByHand() {
    let set = SequenceSet.fixed(length: 3, tokens: [1, 2, 3, 1, 2, 3, 1, 2, 1], items: 5)
    let scores = FloatBuffer(count: 5)
    let popular = Baseline(.popular, train: set)
    popular.scores(set, 0, into: scores.base)
    #expect(scores.array == [0, 4, 3, 2, 0])
    let markov = Baseline(.markov, train: set)
    markov.scores(set, 0, into: scores.base)
    // 3 followed 2 twice, 1 once; 2 and 4 never did, and 2 is the more popular.
    #expect(scores[3] > scores[1] && scores[1] > scores[2] && scores[2] > scores[4])
    let unknown = SequenceSet.fixed(length: 3, tokens: [1, 4, 1], items: 5)
    markov.scores(unknown, 0, into: scores.base)
    #expect(scores[1] > scores[2] && scores[2] > scores[3])
  }
}
