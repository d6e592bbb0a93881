import Kernels
import Layers
import Models
import Testing

@testable import Datasets
@testable import Evaluation
@testable import Training

/// Batches of sequences of unequal length.
@Suite struct BatchCutTests {
  @Test(arguments: [1, 7, 40, 256], [2, 20, 50])
  func everySequenceIsInOneTile(batch: Int, limit: Int) {
    var numbers = RandomStream(seed: 3, "lengths").numbers(at: UInt64(batch * 100 + limit))
    let lengths = (0..<batch).map { _ in 1 + numbers.below(limit) }
    for objective in Objective.allCases {
      let cut = BatchCut(lengths, limit: limit, objective: objective)
      #expect(cut.order.sorted() == Array(0..<batch))
      #expect(cut.parts.flatMap { Array($0.sequences) } == Array(0..<batch))
      #expect(cut.rows == cut.parts.reduce(0) { $0 + $1.tile.rows })
      let largest = BatchCut.largestRows(limit: limit, batch: batch, objective: objective)
      var row = 0
      for part in cut.parts {
        #expect(part.firstRow == row && part.tile.rows <= max(largest, part.tile.positions))
        row += part.tile.rows
        for (b, slot) in part.sequences.enumerated() {
          let positions = max(0, objective.positions(length: lengths[cut.order[slot]]))
          #expect(part.tile.positions - part.tile.start(b) == positions)
          #expect(b == 0 || part.tile.start(b) >= part.tile.start(b - 1), "the longest comes first")
        }
      }
    }
  }

  /// Full sequences are cut as in version 0.1: in their order, at most 16 to a tile, evenly over 8 lanes.
  @Test(arguments: [1, 8, 9, 50, 128, 250, 256])
  func fullSequencesKeepTheirOrder(batch: Int) {
    let cut = BatchCut([Int](repeating: 20, count: batch), limit: 20, objective: .nextItem)
    let size = min(16, max(1, (batch + 7) / 8))
    #expect(cut.order == Array(0..<batch))
    #expect(cut.parts.map(\.sequences) == stride(from: 0, to: batch, by: size).map { $0..<min(batch, $0 + size) })
    #expect(cut.parts.allSatisfy { $0.tile.starts.isEmpty && $0.tile.positions == 19 })
  }

  /// Negatives of a sequence differ from each other and from its items, and the draw ends, also where nearly all items are taken
  /// or few have a count.
  @Test(arguments: [NegativeDistribution.uniform, .logUniform, .popularity], [1, 7, 15, 19])
  func negativesOfASequenceAreOthers(distribution: NegativeDistribution, count: Int) {
    let set = SequenceSet.fixed(length: 5, tokens: [1, 2, 3, 4, 1, 0, 0, 2, 2, 3], items: 24)
    let rule = OwnNegatives(count: count, per: .sequence, distribution: distribution)
    var batch = Batch(set, [0, 1], objective: .nextItem, pads: .none, padsCount: false)
    OwnNegativeSampler(rule, popularity: set.uses(), seed: 3).draw(into: &batch, step: 5)
    #expect(batch.sequenceNegatives.count == 2 * count)
    for (slot, index) in batch.cut.order.enumerated() {
      let drawn = batch.sequenceNegatives[(slot * count)..<((slot + 1) * count)]
      #expect(Set(drawn).count == count && drawn.allSatisfy { $0 > 0 && $0 < 24 })
      #expect(Set(drawn).isDisjoint(with: set.events(index)))
    }
  }

  @Test func memoryFollowsTheHistories() {
    let set = SequenceSet.fixed(length: 4, tokens: [0, 0, 1, 2, 0, 0, 0, 0, 3, 0, 1, 2, 0, 0, 0, 4], items: 5)
    #expect((0..<4).map { Array(set.events($0)) } == [[1, 2], [], [3, 0, 1, 2], [4]])
    #expect((0..<4).map { set.eventCount($0) } == [2, 0, 4, 1])
    #expect(set.tokens == [0, 0, 1, 2, 0, 0, 0, 0, 3, 0, 1, 2, 0, 0, 0, 4])
    #expect(Array(set.sequence(3)) == [0, 0, 0, 4] && set.target(3) == 4 && set.target(1) == 0)
    #expect(Array(set.selecting([3, 0]).tokens) == [0, 0, 0, 4, 0, 0, 1, 2])
    // The hash is that of the padded sequences, as in version 0.1.
    var (padded, rows) = (WordHash(), WordHash())
    set.tokens.withUnsafeBytes { padded.add($0) }
    RaggedRows(length: 4, padded: set.tokens).addPadded(to: &rows)
    #expect(padded.value == rows.value)
  }

  /// Every model gives a sequence the same scores among others as alone; more sequences than are sorted together.
  @Test(arguments: Registry.samples(.init(items: 30, length: 9, users: 3, width: 16)))
  func scoresDoNotDependOnOtherSequences(sample: ModelSample) throws {
    let model = Model(try sample.network(), seed: 4)
    var numbers = RandomStream(seed: 8, "tokens").numbers()
    var tokens: [Int32] = []
    let count = 5000
    for _ in 0..<count {
      let pads = numbers.below(9)
      tokens += (0..<9).map { $0 < pads ? 0 : Int32(1 + numbers.below(29)) }
    }
    let users = (0..<count).map { Int32($0 % 3) }
    let set = SequenceSet.fixed(length: 9, tokens: tokens, items: 30, users: users)
    let all = GrowthTests.scores(model, set)
    let chosen = [0, 1, 17, 2500, 4079, 4080, 4999]
    for index in chosen {
      let events = Array(set.events(index))
      let alone = SequenceSet.fixed(
        length: max(2, events.count), tokens: events.count == 1 ? [0] + events : events, items: 30, users: [users[index]])
      #expect(worstDifference(GrowthTests.scores(model, alone), Array(all[(index * 30)..<((index + 1) * 30)])) < 2e-5, "\(index)")
    }
  }
}
