import Testing

@testable import Datasets
@testable import Evaluation
@testable import ModelFiles
@testable import Training

@Suite struct RecommendationTests {
  private func top(_ scores: [Float], _ k: Int, without seen: [Int32] = []) -> [Int32] {
    var items = [Int32](repeating: 0, count: k)
    var values = [Float](repeating: 0, count: k)
    items.withUnsafeMutableBufferPointer { items in
      values.withUnsafeMutableBufferPointer { values in
        scores.withUnsafeBufferPointer { row in
          if let base = row.baseAddress { Recommendations.top(base, scores.count, without: seen, items, values) }
        }
      }
    }
    return items
  }

  /// Item 0 is the padding. Of items with equal scores the lower index comes first. An item with a score of NaN is
  /// never recommended.
  @Test func topItemsInOrder() {
    #expect(top([9, 1, 5, 3, 5], 3) == [2, 4, 3])
    #expect(top([9, 1, 5, 3, 5], 3, without: [2, 3]) == [4, 1, 0])
    #expect(top([9, -.infinity, .nan, 0], 3) == [3, 1, 0])
    #expect(top([0], 2) == [0, 0])
  }

  @Test func agreesWithSorting() {
    var state: UInt64 = 11
    let scores = (0..<500).map { _ -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / 1000
    }
    let seen: [Int32] = [3, 77, 200]
    let wanted = (1..<500).filter { !seen.contains(Int32($0)) }.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(20)
    #expect(top(scores, 20, without: seen) == wanted.map { Int32($0) })
  }

  /// Computed by hand for four items and the lists [1, 2], [1, 2], [1, 3].
  @Test func beyondAccuracy() {
    let model = Recommendations(k: 2, items: [1, 2, 1, 2, 1, 3])
    let beyond = model.beyond(uses: [0, 4, 2, 1, 1])
    #expect(beyond.coverage == 0.75)
    // Counts 0, 1, 2, 3: (-3 * 0 - 1 * 1 + 1 * 2 + 3 * 3) / (4 * 6).
    #expect(abs(beyond.gini - 10.0 / 24) < 1e-12)
    #expect(abs(beyond.novelty - (3 * 1 + 2 * 2 + 1 * 3) / 6.0) < 1e-12)
    #expect(abs(beyond.popularity - (3 * 4 + 2 * 2 + 1) / 6.0 / 2) < 1e-12)
  }

  /// Cosines computed by hand for the sequences {1, 2}, {1, 2, 3} and {3, 4}.
  @Test func itemNeighbours() throws {
    let data = ProcessingTests.histories([[1, 2], [2, 1, 3], [3, 4]], items: 5)
    let set = try data.windows(length: 3)
    let baseline = Baseline(.itemKNN, train: set)
    let test = try ProcessingTests.histories([[1, 3, 4]], items: 5).windows(length: 3)
    var scores = [Float](repeating: 0, count: 5)
    scores.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { baseline.scores(test, 0, into: base) } }
    // Counts of common sequences, with the counts of both items in parentheses. Item 1: 2 with item 2 (2, 2), 1 with
    // item 3 (2, 2). Item 3: 1 with items 1 and 2 (2, 2), 1 with item 4 (2, 1).
    let wanted: [Float] = [0, 0.5, 1 + 0.5, 0.5, 1 / Float(2).squareRoot()]
    #expect(zip(scores, wanted).allSatisfy { abs($0 - $1) < 1e-5 }, "\(scores)")
  }
}
