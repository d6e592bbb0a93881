import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Compares ranks counted panel by panel with ranks from all scores, and evaluation of the last position with that of
/// all positions.
@Suite struct RankingTests {
  static let pool = NextItNetTests.pool

  /// A model with random residual weights, so that its blocks change the hidden states.
  static func model(_ dilations: [Int], blocks: Int, items: Int = 200, kernel: Int = 3) throws -> Model {
    let network = try NextItNet(
      .init(items: items, dim: 32, blocks: blocks, dilations: dilations, kernel: kernel, alpha: true))
    let model = Model(network, seed: 5)
    for parameter in network.layout.parameters {
      for i in parameter.range {
        if parameter.part == .alpha { model.values.base[i] = 0.6 }
        if parameter.part == .embedding || parameter.part == .blocks { model.values.base[i] *= 10 }
      }
    }
    return model
  }

  static func set(_ count: Int, length: Int, items: Int, targets: [Int32] = []) -> SequenceSet {
    var numbers = RandomStream(seed: 3, "sequences").numbers()
    var tokens = (0..<(count * length)).map { _ in Int32(1 + numbers.below(items - 1)) }
    for (row, target) in targets.enumerated() { tokens[(row + 1) * length - 1] = target }
    return SequenceSet.fixed(length: length, tokens: tokens, items: items)
  }

  /// Many items have scores with the same bits, and some scores are NaN.
  @Test(arguments: [nil, 1, 10, 50, 199, 500])
  func ranksOfAModel(limit: Int?) throws {
    let model = try Self.model([1, 4], blocks: 2)
    let set = Self.set(75, length: 12, items: 200, targets: [77, 130, 131, 199])
    let (output, values) = (model.network.output, model.values)
    for item in stride(from: 3, to: 200, by: 4) {
      // The same row as the previous item, in another panel and another vector register.
      let twin = (item * 37 + 70) % 200
      (values.base + output.weight.offset + item * 32).update(
        from: values.base + output.weight.offset + twin * 32, count: 32)
      if let bias = output.bias { values.base[bias.offset + item] = values.base[bias.offset + twin] }
    }
    if let bias = output.bias {
      values.base[bias.offset + 77] = .nan
      values.base[bias.offset + 130] = .infinity
      values.base[bias.offset + 131] = -.infinity
      // The padding is not ranked, even with a high score.
      values.base[bias.offset] = .nan
    }
    // Targets with scores of NaN and infinity, and targets in the last panel, which has fewer than 64 items.
    #expect(Set((0..<75).map { set.target($0) }).isSuperset(of: [77, 130, 131, 199]))
    var expected = [Rank](repeating: .beyond, count: set.count)
    expected.withUnsafeMutableBufferPointer { buffer in
      let out = Shared(buffer.baseAddress!)
      Ranking.forEachTile(model, on: set, pool: Self.pool) { index, row in
        out.pointer[index] = Ranking.rank(of: Int(set.target(index)), row, items: 200)
      }
    }
    #expect(expected.contains { $0.tied > 0 }, "some are tied")
    if let limit { expected = expected.map { $0.above < limit ? $0 : .beyond } }
    #expect(Ranking.ranks(model, on: set, limit: limit, pool: Self.pool) == expected)
  }

  /// Compares lists that are built panel by panel with sorted scores, including equal scores and NaN.
  @Test func listsOfAModel() throws {
    let model = try Self.model([1, 4], blocks: 2)
    let set = Self.set(30, length: 12, items: 200)
    let (output, values) = (model.network.output, model.values)
    for item in stride(from: 3, to: 190, by: 4) {
      (values.base + output.weight.offset + (item + 9) * 32).update(
        from: values.base + output.weight.offset + item * 32, count: 32)
      if let bias = output.bias { values.base[bias.offset + item + 9] = values.base[bias.offset + item] }
    }
    if let bias = output.bias { (values.base[bias.offset], values.base[bias.offset + 70]) = (100, .nan) }
    let scores = GrowthTests.scores(model, set)
    let seen = (0..<set.count).map { [Int32(1 + $0), Int32(150 + $0)] }
    let lists = Recommendations(model, for: set, k: 25, seen: seen, pool: Self.pool)
    for row in 0..<set.count {
      let own = scores[(row * 200)..<((row + 1) * 200)].map { $0 }
      let wanted = (1..<200).filter { !own[$0].isNaN && !seen[row].contains(Int32($0)) }
        .sorted { (own[$1], $0) < (own[$0], $1) }.prefix(25)
      #expect(lists.items[(row * 25)..<((row + 1) * 25)].map { Int($0) } == Array(wanted))
      #expect(lists.scores[(row * 25)..<((row + 1) * 25)].map { $0 } == wanted.map { own[$0] })
    }
  }

  /// Evaluation skips positions that the last output does not depend on. The last output has the same bits as with all
  /// positions.
  @Test(arguments: [[1, 4], [1, 2, 4, 8], [2], [4, 2], [3, 6], [16], [1]], [4, 19, 20, 35])
  func lastStepAlone(dilations: [Int], positions: Int) throws {
    for (blocks, kernel) in [(1, 3), (3, 3), (4, 3), (2, 2)] {
      let network = try Self.model(dilations, blocks: blocks, kernel: kernel)
      let set = Self.set(5, length: positions + 1, items: 200)
      func hidden(_ mode: Pass.Mode) -> [Float] {
        let (network, values) = (network.network, network.values)
        let input = EvaluationInput(set, Array(0..<5), network: network)
        let prepared = FloatBuffer(count: network.layout.preparedCount)
        network.prepare(values, into: prepared, training: false, pool: Self.pool)
        let saved = FloatBuffer(count: network.savedCount(input.tile, training: mode == .training))
        let scratch = FloatBuffer(count: network.scratchCount(input.tile))
        let hidden = FloatBuffer(count: input.tile.rows * network.width)
        let pass = Pass(
          parameters: values.base, prepared: prepared.base, gradients: scratch.base, scratch: scratch.base,
          rowGradients: [], mode: mode)
        input.with { network.forward($0, hidden: hidden.base, saved: saved.base, pass: pass) }
        return Array(hidden.array[((positions - 1) * 5 * network.width)...])
      }
      let all = hidden(.training)
      #expect(hidden(.evaluation) == all, "\(blocks) blocks of \(kernel) taps")
      #expect(Set(all).count > 100)
    }
  }
}
