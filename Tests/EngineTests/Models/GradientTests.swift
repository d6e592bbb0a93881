import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Compares the gradients of whole models with finite differences, for every parameter tensor.
@Suite struct GradientTests {
  /// Moves one parameter tensor along its gradient: the directional derivative must be the norm of the gradient.
  static func check(
    _ model: Model, _ engine: TiledStep, _ batch: Batch, negatives: Negatives? = nil, dropout: (any DropoutMasks)? = nil
  ) {
    let (_, gradients) = engine.lossAndGradients(batch, negatives: negatives, dropout: dropout)
    var visited = 0
    for parameter in model.network.layout.parameters {
      let range = parameter.range
      let g = range.map { Double(gradients[$0]) }
      let length = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
      visited += 1
      guard length > 1e-4 else { continue }
      let old = range.map { model.values[$0] }
      let largest = g.map { abs($0) }.max() ?? 1
      // The largest change of a value. A large step may cross the kink of a ReLU, and a small step suffers from
      // rounding. A wrong gradient agrees with neither.
      let slopes = [5e-4, 1e-4, 2.5e-5].map { largestMove -> Double in
        let h = largestMove / (largest / length)
        func loss(_ sign: Double) -> Double {
          for (i, index) in range.enumerated() { model.values[index] = old[i] + Float(sign * h * g[i] / length) }
          return engine.gradients(batch, negatives: negatives, dropout: dropout)
        }
        return (loss(1) - loss(-1)) / (2 * h)
      }
      for (i, index) in range.enumerated() { model.values[index] = old[i] }
      #expect(
        slopes.contains { abs($0 - length) < 0.02 * length + 5e-4 }, "\(parameter.name): \(slopes) instead of \(length)")
    }
    #expect(visited == model.network.layout.parameters.count)
  }

  /// Every sample of every model. All values are random, so that every block contributes to the loss.
  @Test(arguments: Registry.samples(.init(items: 23, length: 9, users: 5, width: 8)), [true, false])
  func everyModel(sample: ModelSample, alpha: Bool) throws { try Self.check(sample, blocks: 2, alpha: alpha) }

  /// Training may begin without any block.
  @Test(arguments: Registry.samples(.init(items: 23, length: 9, users: 5, width: 8)))
  func everyModelWithoutBlocks(sample: ModelSample) throws { try Self.check(sample, blocks: 0, alpha: true) }

  private static func check(_ sample: ModelSample, blocks: Int, alpha: Bool) throws {
    let network = try sample.network(blocks: blocks, alpha: alpha)
    let model = Model(network, seed: 3)
    var numbers = RandomStream(seed: 2, "values").numbers()
    for i in 0..<model.values.count { model.values[i] += Float(numbers.normal() * 0.3) }
    let set = SequenceSet.fixed(
      length: 9, tokens: (0..<54).map { (i: Int) -> Int32 in i % 9 < i / 18 ? 0 : Int32(1 + i * 7 % 22) }, items: 23,
      users: [0, 3, 2, 4, 1, 3], times: (0..<54).map { Int64(1_000_000 + $0 * $0 * $0 * 40) })
    let batch = BatchMaker(set, network, loss: Softmax(), padsCount: false, seed: 4)(Array(0..<set.count), step: 1)
    Self.check(model, TiledStep(model, on: set), batch, dropout: StreamMasks(seed: 1, step: 5))
  }

  /// Every loss, on a model with the output layer that the loss needs.
  @Test(arguments: LossSample.all)
  func everyLoss(sample: LossSample) throws {
    let model = try GrowthTests.trained("nextitnet", blocks: 2)
    // Some sequences begin with padding, whose positions do not contribute to the loss.
    let set = SequenceSet.fixed(
      length: 9, tokens: (0..<54).map { (i: Int) -> Int32 in i % 9 < i / 18 ? 0 : Int32(1 + i * 7 % 11) }, items: 12)
    let batch = BatchMaker(set, model.network, loss: sample.loss, padsCount: false, seed: 4)(Array(0..<set.count), step: 1)
    let sampler = sample.loss.sampler(set, seed: 1)
    Self.check(model, TiledStep(model, loss: sample.loss, on: set), batch, negatives: sampler?.draw(step: 3))
  }
}

/// A loss with its options, for tests that apply to all losses.
struct LossSample: Sendable, CustomStringConvertible {
  let loss: any Loss
  var description: String { loss.name }

  static let all: [LossSample] = Losses.kinds.flatMap { kind in kind.samples.map { LossSample(loss: $0) } }
}
