import Evaluation
import Foundation
import Kernels
import Layers
import Models
import Testing

@testable import Datasets
@testable import Training

/// The rules of the authors' code that `protocol: stackrec` sets: see docs/fidelity.md.
@Suite struct ReferenceRulesTests {
  static func set(_ sequences: [[Int32]], names: [String]) -> SequenceSet {
    let length = sequences.map(\.count).max() ?? 0
    return SequenceSet(
      length: length, tokens: sequences.flatMap { [Int32](repeating: 0, count: length - $0.count) + $0 },
      users: (0..<Int32(sequences.count)).map { $0 }, times: nil, items: Vocabulary(names), userNames: Vocabulary([]),
      hasUsers: false, source: "test", process: nil)
  }

  @Test func theProtocolAddsAnItemForUnknownOnes() throws {
    let sequences = (0..<20).map { [Int32(1 + $0 % 3), 2, 3] }
    let set = Self.set(sequences, names: ["0", "a", "b", "c"])
    #expect(set.unknownItem == nil)
    #expect(set.itemsByAppearance == [0, 1, 2, 3])
    let split = try set.referenceSplit(seed: 1)
    #expect(split.train.items.names == ["0", "a", "b", "c", "<UNK>"])
    #expect(split.test.unknownItem == 4)
    #expect(split.train.itemsByAppearance == [4, 0, 1, 2, 3])
    #expect(split.test.count == 4)
    #expect(split.train.fraction(0.5).unknownItem == 4)
    let without = try set.referenceSplit(seed: 1, unknown: false)
    #expect(without.train.items.names == ["0", "a", "b", "c"])
    #expect(without.train.tokens == split.train.tokens)
    // Trainings with and without it are different trainings.
    #expect(without.train.identity != split.train.identity)
    // Data that has such an item gets no second one.
    #expect(try split.train.referenceSplit(seed: 1).train.items.count == 5)
  }

  /// TensorFlow's log-uniform sampler over all of V: P(k) = log((k + 2) / (k + 1)) / log(V + 1), without replacement, and
  /// expected counts of 1 - (1 - P)^tries.
  @Test func negativesByAppearance() {
    let set = Self.set([[1, 2, 3, 4]], names: ["0", "a", "b", "c", "d"]).addingUnknown()
    var loss = SampledSoftmax(share: 0.5)
    loss.order = .appearance
    let sampler = loss.sampler(set, seed: 3)
    #expect(sampler?.count == 3, "int(.5 * 6)")
    guard let sampler else { return }
    let order: [Int32] = [5, 0, 1, 2, 3, 4]
    var first = [Int32: Double]()
    let draws = 40_000
    for step in 0..<draws {
      let drawn = sampler.draw(step: UInt64(step))
      #expect(Set(drawn.items).count == 3)
      first[drawn.items[0], default: 0] += 1 / Double(draws)
    }
    for (rank, item) in order.enumerated() {
      let p = log(Double(rank + 2) / Double(rank + 1)) / log(7.0)
      #expect(abs((first[item] ?? 0) - p) < 5 * sqrt(p * (1 - p) / Double(draws)), "item \(item)")
    }
    // All items: the expected count of each is 1, whatever the number of tries.
    var every = SampledSoftmax(share: 1)
    every.order = .appearance
    let whole = every.sampler(set, seed: 3)?.draw(step: 1)
    #expect(whole.map { Set($0.items) } == Set(order))
    // The correction depends on the item's rank, also for the pad.
    guard let whole else { return }
    let tries = order.map { item in
      log1p(-Double(exp(whole.logExpected(of: item))))
        / log1p(-log(Double((order.firstIndex(of: item) ?? 0) + 2) / Double((order.firstIndex(of: item) ?? 0) + 1)) / log(7.0))
    }
    #expect(tries.allSatisfy { abs($0 - tries[0]) < 0.02 * tries[0] }, "\(tries)")
  }

  @Test func theProtocolOrdersNegativesWhereTheScriptDoesNot() throws {
    func order(_ loss: SampledSoftmax) -> ItemOrder? { (loss.asInReference as? SampledSoftmax)?.order }
    #expect(order(SampledSoftmax(share: 0.2)) == .appearance)
    #expect(order(SampledSoftmax(share: 0.2) { $0.order = .popularity }) == .popularity)
    #expect(order(SampledSoftmax(share: 0.2, distribution: .uniform)) == nil)
    #expect(SampledSoftmax(share: 0.2, distribution: .uniform) { $0.order = .appearance }.conflict != nil)
    #expect(SampledSoftmax(share: 0.2) { ($0.order, $0.scope) = (.appearance, .position) }.conflict != nil)
    var recipe = Recipe()
    recipe.loss = SampledSoftmax(share: 0.2)
    recipe.followReference(try NextItNet(.init(items: 9, dim: 4, blocks: 1, pads: .item)))
    #expect(recipe.ranking.ties == .number && recipe.ranking.ranksPad)
    #expect((recipe.loss as? SampledSoftmax)?.order == .appearance)
    #expect(recipe.rules.hasSuffix("ties: number, rank_pad: true"))
  }

  @Test(arguments: [0, 4] as [Int32])
  func masksWithTheItemOfTheModel(mask: Int32) throws {
    let set = Self.set([[1, 2, 3, 1, 2], [3, 2, 1, 3, 2]], names: ["0", "a", "b", "c", "<UNK>"])
    let network = try GRec(.init(.causal, .init(items: 5, dim: 4, blocks: 1, pads: .item), mask: mask))
    let batch = BatchMaker(set, network, loss: Softmax(), padsCount: true, seed: 1)([0, 1], step: 3)
    let masked = batch.items.indices.filter { batch.items[$0] != batch.originals[$0] }
    #expect(!masked.isEmpty)
    #expect(masked.allSatisfy { batch.items[$0] == mask })
    #expect(throws: ModelError.self) { try GRec(.init(.causal, .init(items: 5, dim: 4, blocks: 1), mask: 5)) }
    let again = try GRec(JSONDecoder().decode(GRec.Configuration.self, from: network.encodedConfiguration()))
    #expect(again.maskItem == mask)
  }
}
