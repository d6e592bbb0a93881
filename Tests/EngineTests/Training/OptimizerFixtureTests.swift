import Foundation
import Kernels
import Testing

@testable import ModelFiles
@testable import Training

/// Compares optimizers and schedules with PyTorch.
@Suite struct OptimizerFixtureTests {
  private static let optimizers: [(name: String, make: @Sendable ([String: Any]) -> any Optimizer)] = [
    ("adamw", { adamW($0) }), ("adamw_98", { adamW($0) }),
    ("adam_98", { Adam(rate: number($0, "lr"), beta1: betas($0)[0], beta2: betas($0)[1], epsilon: number($0, "eps")) }),
    ("adagrad", { adagrad($0) }), ("adagrad_momentum", { adagrad($0) }),
  ]

  private static func number(_ config: [String: Any], _ keys: String...) -> Double {
    keys.compactMap { config[$0] as? Double }.first ?? 0
  }
  private static func betas(_ config: [String: Any]) -> [Double] { config["betas"] as? [Double] ?? [] }

  private static func adamW(_ config: [String: Any]) -> AdamW {
    AdamW {
      ($0.rate, $0.decay, $0.epsilon) = (number(config, "lr"), number(config, "weight_decay", "decay"), number(config, "eps", "epsilon"))
      ($0.beta1, $0.beta2) = (betas(config)[0], betas(config)[1])
    }
  }

  private static func adagrad(_ config: [String: Any]) -> Adagrad {
    Adagrad {
      ($0.rate, $0.momentum, $0.epsilon) = (number(config, "lr"), number(config, "momentum", "mu"), number(config, "epsilon", "eps"))
    }
  }

  private static func config(_ fixture: Fixture) throws -> [String: Any] {
    let text = try #require(fixture.file.metadata["config"])
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test(arguments: optimizers.map(\.name))
  func fiveSteps(name: String) throws {
    let fixture = try Fixture("recipe_optimizer_" + name)
    let optimizer = try #require(Self.optimizers.first { $0.name == name }).make(try Self.config(fixture))
    for tensor in ["matrix", "table", "vector", "scalar"] {
      let values = FloatBuffer(try fixture.floats("param." + tensor))
      let state = type(of: optimizer).stateNames.map { _ in FloatBuffer(count: values.count) }
      for step in 1...5 {
        let gradient = try fixture.floats("grad\(step).\(tensor)")
        optimizer.update(step: step, rate: optimizer.rate)(0, values.count, values.base, state.map(\.base), gradient)
        #expect(worstDifference(values.array, try fixture.floats("step\(step).\(tensor)")) < 2e-6, "\(tensor), step \(step)")
      }
    }
  }

  /// The moving average of the parameters that five steps make.
  @Test func movingAverage() throws {
    let fixture = try Fixture("recipe_optimizer_ema")
    let decay = Self.number(try Self.config(fixture), "ema")
    for tensor in ["matrix", "table", "vector", "scalar"] {
      let average = FloatBuffer(try fixture.floats("param." + tensor))
      for step in 1...5 {
        Elementwise.moveAverage(average.base, try fixture.floats("step\(step).\(tensor)"), decay: decay, average.count)
        #expect(worstDifference(average.array, try fixture.floats("ema\(step).\(tensor)")) < 1e-6, "\(tensor), step \(step)")
      }
    }
  }

  /// A first step of Adam is rate * g / (|g| + epsilon), whatever beta2 is. It was 6e-6 too long when 1 - beta2 was rounded and
  /// its correction was not.
  @Test(arguments: [0.9, 0.98, 0.99, 0.999, 0.9999])
  func theFirstStepOfAdamHasTheRightLength(beta2: Double) {
    let gradient: [Float] = [1, -1e-3, 3e-6, 2.5, -7e-2, 1e-7]
    let (values, m, v) = (FloatBuffer(count: 6), FloatBuffer(count: 6), FloatBuffer(count: 6))
    Adam(rate: 1, beta2: beta2).update(step: 1, rate: 1)(0, 6, values.base, [m.base, v.base], gradient)
    for (value, g) in zip(values.array, gradient.map(Double.init)) {
      #expect(abs(Double(value) / (-g / (abs(g) + 1e-8)) - 1) < 5e-7, "\(g)")
    }
  }

  /// The factor at every step, of a training of 40 steps whose rate is 0.01 and whose floor is 0.001.
  @Test func schedules() throws {
    let fixture = try Fixture("recipe_schedules")
    let warmup = StepShare.steps(5), floor = 0.1, again = StepShare.steps(6)
    let schedules: [(String, any Schedule)] = [
      ("constant", WarmUp { $0.warmup = warmup }), ("cosine", CosineDecay { ($0.warmup, $0.floor) = (warmup, floor) }),
      ("cosine_no_warm_up", CosineDecay { $0.floor = floor }), ("linear", LinearDecay { $0.warmup = warmup }),
      ("wsd_linear", WarmUpStableDecay { ($0.warmup, $0.floor, $0.decay) = (warmup, floor, .share(0.2)) }),
      ("wsd_1_sqrt", WarmUpStableDecay { ($0.warmup, $0.floor, $0.decay, $0.shape) = (warmup, floor, .steps(8), .root) }),
      ("cosine_again", CosineDecay { ($0.warmup, $0.floor, $0.rewarm) = (warmup, floor, again) }),
      ("linear_again", LinearDecay { ($0.warmup, $0.rewarm) = (warmup, again) }),
      ("wsd_linear_again", WarmUpStableDecay { ($0.warmup, $0.floor, $0.decay, $0.rewarm) = (warmup, floor, .share(0.2), again) }),
    ]
    let names = Set(fixture.file.tensors.map(\.name))
    for (name, schedule) in schedules where names.contains(name) {
      let expected = try fixture.floats(name)
      let growth = name.hasSuffix("_again") ? 12 : Int.max
      let rates = expected.indices.map { step in
        0.01
          * schedule.factor(
            StepPosition(
              step: step, planned: 40, phaseStep: step, phasePlanned: 40, sinceGrowth: step >= growth ? step - growth : nil))
      }
      #expect(worstDifference(rates.map { Float($0 * 100) }, expected.map { $0 * 100 }) < 1e-6, "\(name)")
    }
    #expect(names.intersection(schedules.map(\.0)).count >= 8)
  }
}
