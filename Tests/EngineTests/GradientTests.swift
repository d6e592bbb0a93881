import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Training

/// Gradients of whole models by finite differences, every parameter visited.
@Suite struct GradientTests {
  /// Moves one parameter along its own gradient: the slope of the loss there must be the gradient's length.
  static func check(
    _ model: Model, _ engine: StepEngine, _ batch: Batch, negatives: Negatives? = nil, dropout: (any DropoutMasks)? = nil
  ) {
    let (_, gradients) = engine.lossAndGradients(model, batch, negatives: negatives, dropout: dropout)
    var visited = 0
    for parameter in model.network.layout.parameters {
      let range = parameter.range
      let g = range.map { Double(gradients[$0]) }
      let length = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
      visited += 1
      guard length > 1e-4 else { continue }
      let old = range.map { model.values[$0] }
      let largest = g.map { abs($0) }.max() ?? 1
      // A step moves no value by more than so much. A large one may cross the kink of a ReLU, a small one drown in
      // rounding; a wrong gradient fits neither.
      let slopes = [5e-4, 1e-4, 2.5e-5].map { largestMove -> Double in
        let h = largestMove / (largest / length)
        func loss(_ sign: Double) -> Double {
          for (i, place) in range.enumerated() { model.values[place] = old[i] + Float(sign * h * g[i] / length) }
          return engine.gradients(batch, parameters: model.values, negatives: negatives, dropout: dropout)
        }
        return (loss(1) - loss(-1)) / (2 * h)
      }
      for (i, place) in range.enumerated() { model.values[place] = old[i] }
      #expect(
        slopes.contains { abs($0 - length) < 0.02 * length + 5e-4 }, "\(parameter.name): \(slopes) instead of \(length)")
    }
    #expect(visited == model.network.layout.parameters.count)
  }

  @Test(arguments: [true, false])
  func nextItNet(alpha: Bool) throws {
    let fixture = try Fixture(alpha ? "nextitnet_softmax" : "nextitnet_plain")
    let model = try fixture.model(NextItNetTests.network(alpha: alpha))
    let set = try fixture.sequences(items: 23)
    let batch = Batch(set, Array(0..<set.count)[...], objective: .nextItem, padsCount: false)
    let engine = StepEngine(
      model.network, loss: .softmax, length: set.length, batch: set.count, negatives: nil, pool: NextItNetTests.pool)
    Self.check(model, engine, batch)
  }

  @Test func sampledSoftmax() throws {
    let fixture = try Fixture("nextitnet_softmax")
    let model = try fixture.model(NextItNetTests.network())
    let set = try fixture.sequences(items: 23)
    let batch = Batch(set, Array(0..<set.count)[...], objective: .nextItem, padsCount: false)
    let sampler = NegativeSampler(
      share: 0.3, distribution: .logUniform, popularity: (0..<23).map { 100 - $0 }, seed: 1)
    let engine = StepEngine(
      model.network, loss: .sampledSoftmax(share: 0.3, distribution: .logUniform), length: set.length,
      batch: set.count, negatives: sampler.count, pool: NextItNetTests.pool)
    Self.check(model, engine, batch, negatives: sampler.draw(step: 3))
  }
}
