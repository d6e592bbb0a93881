import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Compares sampled softmax and lazy Adam with PyTorch, on NextItNet.
@Suite struct NextItNetTests {
  static let pool = WorkerPool(threads: 2)

  static func network(alpha: Bool = true) throws -> NextItNet {
    try NextItNet(.init(items: 23, dim: 8, blocks: 3, dilations: [1, 4], kernel: 3, alpha: alpha, pads: .item))
  }

  /// Dense, lazy, and lazy with epsilon before the correction, which PyTorch's `SparseAdam` has for tables.
  @Test(arguments: [("step", false, Adam.Form.pytorch), ("lazy_adam", true, .pytorch), ("lazy", true, .tensorflow)])
  func fiveSampledSoftmaxSteps(results: String, lazy: Bool, form: Adam.Form) throws {
    let fixture = try Fixture("nextitnet_sampled")
    let model = try fixture.model(Self.network())
    let state = OptimizerState(Adam(), model.network.layout)
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
        Batch(set, Array(0..<set.count)[...], objective: .nextItem, pads: .item, padsCount: false),
        Negatives(items: items.map { Int32($0) }, logExpected: logExpected)
      )
    }
    let engines = inputs.map { input in
      let loss = SampledSoftmax(share: Double(input.1.items.count) / 22, distribution: .uniform)
      return TiledStep(model, state, loss: loss, length: 11, batch: 6, pool: Self.pool)
    }
    let (loss, gradients) = engines[0].lossAndGradients(inputs[0].0, negatives: inputs[0].1)
    #expect(abs(Float(loss) - (try fixture.floats("loss"))[0]) < 5e-6)
    try expectEqual(gradients, fixture, "grad.", model.network.layout, tolerance: 3e-6)

    for step in 1...5 {
      let which = (step + 1) % 2
      let (batch, negatives) = inputs[which]
      _ = engines[which].step(batch, Adam(rate: 0.01, form: form, lazy: lazy), negatives: negatives)
      if [1, 3, 5].contains(step) {
        // In the last case PyTorch updates dense parameters by `Adam`, whose epsilon differs; this changes the others slightly.
        let tolerance: Float = form == .tensorflow ? 2e-4 : 2e-5
        try expectEqual(model.values, fixture, results + "\(step).", model.network.layout, tolerance: tolerance)
      }
    }
  }
}

/// Compares a buffer with the tensors of a fixture, parameter by parameter.
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
