import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Training

/// NextItNet against PyTorch: scores, losses, all gradients and optimizer steps.
@Suite struct NextItNetTests {
  static let pool = WorkerPool(threads: 2)

  static func network(alpha: Bool = true) throws -> NextItNet {
    try NextItNet(.init(items: 23, dim: 8, blocks: 3, dilations: [1, 4], kernel: 3, alpha: alpha))
  }

  @Test(arguments: [("nextitnet_softmax", true), ("nextitnet_plain", false)])
  func scoresLossAndGradients(name: String, alpha: Bool) throws {
    let fixture = try Fixture(name)
    let model = try fixture.model(Self.network(alpha: alpha))
    let set = try fixture.sequences(items: 23)

    var scores = [Float](repeating: .nan, count: set.count * 23)
    scores.withUnsafeMutableBufferPointer { buffer in
      let out = Shared(buffer.baseAddress!)
      Ranking.forEachTile(model, on: set, pool: Self.pool) { index, row in
        (out.pointer + index * 23).update(from: row, count: 23)
      }
    }
    #expect(worstDifference(scores, try fixture.floats("scores")) < 5e-6)

    for padsCount in [false, true] {
      let batch = Batch(set, Array(0..<set.count)[...], objective: .nextItem, padsCount: padsCount)
      let engine = StepEngine(
        model.network, loss: .softmax, length: set.length, batch: set.count, negatives: nil, pool: Self.pool)
      let (loss, gradients) = engine.lossAndGradients(model, batch)
      let expected = try fixture.floats(padsCount ? "loss_with_pads" : "loss")[0]
      #expect(abs(Float(loss) - expected) < 5e-6)
      if padsCount { continue }
      try expectEqual(gradients, fixture, "grad.", model.network.layout, tolerance: 3e-6)
    }
  }

  @Test func fiveDenseAdamSteps() throws {
    let fixture = try Fixture("nextitnet_softmax")
    let model = try fixture.model(Self.network())
    let set = try fixture.sequences(items: 23)
    let batch = Batch(set, Array(0..<set.count)[...], objective: .nextItem, padsCount: false)
    let engine = StepEngine(
      model.network, loss: .softmax, length: set.length, batch: set.count, negatives: nil, pool: Self.pool)
    let state = AdamState(model.network.layout)
    for step in 1...5 {
      let loss = engine.gradients(batch, parameters: model.values, negatives: nil)
      #expect(abs(Float(loss) - (try fixture.floats("step_losses"))[step - 1]) < 1e-5)
      let update = AdamStep(.init(rate: 0.01, lazy: false), state: state, parameters: model.values, step: step)
      engine.reduce(batch, lazy: false) { update.apply($0, $1, $2) }
      if [1, 3, 5].contains(step) {
        try expectEqual(model.values, fixture, "step\(step).", model.network.layout, tolerance: 2e-5)
      }
    }
  }

  @Test(arguments: [false, true])
  func fiveSampledSoftmaxSteps(lazy: Bool) throws {
    let fixture = try Fixture("nextitnet_sampled")
    let model = try fixture.model(Self.network())
    let state = AdamState(model.network.layout)
    let inputs = try ["", "_b"].map { suffix -> (Batch, Negatives) in
      let set = try fixture.sequences("tokens" + suffix, items: 23)
      var logExpected = [Float](repeating: 0, count: 23)
      let targets = (0..<set.count).flatMap { set.sequence($0).dropFirst() }
      for (item, value) in zip(targets, try fixture.floats("target_log_expected" + suffix)) {
        logExpected[Int(item)] = value
      }
      let items = try fixture.integers("negatives" + suffix)
      for (item, value) in zip(items, try fixture.floats("negative_log_expected" + suffix)) { logExpected[item] = value }
      return (
        Batch(set, Array(0..<set.count)[...], objective: .nextItem, padsCount: false),
        Negatives(items: items.map { Int32($0) }, logExpected: logExpected)
      )
    }
    let engines = inputs.map { input in
      StepEngine(
        model.network, loss: .sampledSoftmax(share: 0.3, distribution: .uniform), length: 11, batch: 6,
        negatives: input.1.items.count, pool: Self.pool)
    }
    let (loss, gradients) = engines[0].lossAndGradients(model, inputs[0].0, negatives: inputs[0].1)
    #expect(abs(Float(loss) - (try fixture.floats("loss"))[0]) < 5e-6)
    try expectEqual(gradients, fixture, "grad.", model.network.layout, tolerance: 3e-6)

    for step in 1...5 {
      let which = (step + 1) % 2
      let (batch, negatives) = inputs[which]
      _ = engines[which].gradients(batch, parameters: model.values, negatives: negatives)
      let update = AdamStep(.init(rate: 0.01, lazy: lazy), state: state, parameters: model.values, step: step)
      engines[which].reduce(batch, lazy: lazy) { update.apply($0, $1, $2) }
      if [1, 3, 5].contains(step) {
        try expectEqual(
          model.values, fixture, (lazy ? "lazy_adam" : "step") + "\(step).", model.network.layout, tolerance: 2e-5)
      }
    }
  }
}

/// Compares a buffer, parameter by parameter, with the fixture's tensors.
func expectEqual(
  _ buffer: FloatBuffer, _ fixture: Fixture, _ prefix: String, _ layout: ParameterLayout, tolerance: Float,
  leavingOut: (String) -> Bool = { _ in false }
) throws {
  for parameter in layout.parameters where !leavingOut(parameter.name) {
    let own = Array(UnsafeBufferPointer(start: buffer.base + parameter.offset, count: parameter.count))
    let difference = worstDifference(own, try fixture.floats(prefix + parameter.name))
    #expect(difference < tolerance, "\(prefix)\(parameter.name) differs by \(difference)")
  }
}
