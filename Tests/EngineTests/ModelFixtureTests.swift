import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Training

/// GRec, SASRec and SSE-PT against PyTorch: scores, losses, all gradients and five optimizer steps.
@Suite struct ModelFixtureTests {
  static let stack = NextItNet.Configuration(items: 23, dim: 8, blocks: 3, dilations: [1, 4], kernel: 3)

  static let cases: [String] = [
    "grec_causal", "grec_encoder_decoder", "sasrec", "sasrec_plain", "sasrec_dropout", "ssept",
  ]

  static func network(_ name: String) throws -> any Network {
    switch name {
    case "grec_causal": try GRec(.init(.causal, stack))
    case "grec_encoder_decoder": try GRec(.init(.encoderDecoder, stack))
    case "sasrec": try SASRec(.init(items: 23, length: 11, dim: 8, blocks: 3, heads: 2))
    case "sasrec_plain": try SASRec(.init(items: 23, length: 11, dim: 8, blocks: 3, heads: 1, alpha: false))
    case "sasrec_dropout": try SASRec(.init(items: 23, length: 11, dim: 8, blocks: 3, heads: 2, dropout: 0.3))
    default:
      try SASRec(
        .init(
          items: 23, length: 11, dim: 5, blocks: 3, heads: 2,
          users: .init(count: 7, dim: 3, sharing: .init(user: 0.8, item: 0.01))))
    }
  }

  /// Multipliers of a fixture.
  final class GivenMasks: DropoutMasks {
    let masks: [String: [Float]]

    init(_ fixture: Fixture) {
      masks = Dictionary(
        uniqueKeysWithValues: fixture.file.tensors.filter { $0.name.hasPrefix("dropout.") }.map { name, tensor in
          let place = String(name.dropFirst("dropout.".count))
          return (place == "embedding" ? place : "blocks." + place, tensor.floats)
        })
    }

    func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, place: String, sequence: Int, rate: Double) {
      let all = masks[place] ?? []
      for i in 0..<count { mask[i] = all[sequence * count + i] }
    }
  }

  struct Case {
    let fixture: Fixture
    let model: Model
    let set: SequenceSet
    let batch: Batch
    let engine: StepEngine
    let dropout: (any DropoutMasks)?

    init(_ name: String) throws {
      fixture = try Fixture(name)
      model = try fixture.model(ModelFixtureTests.network(name))
      let isShared = name == "ssept"
      set = try fixture.sequences(items: 23, users: isShared ? try fixture.integers("users") : nil)
      var masked: [[Int]] = []
      if fixture.file["mask"] != nil {
        let mask = try fixture.integers("mask")
        let length = set.length
        masked = (0..<set.count).map { b in (0..<length).filter { mask[b * length + $0] == 1 } }
      }
      var batch = Batch(
        set, Array(0..<set.count)[...], objective: model.network.objective, padsCount: false,
        masking: { [masked] place in masked.isEmpty ? [] : Set(masked[place]) })
      if isShared {
        let tokens = try fixture.integers("swapped_tokens")
        let swapped = try fixture.integers("swapped_users")
        for tile in batch.cut.tiles {
          for (b, place) in tile.enumerated() {
            batch.users[place] = Int32(swapped[place])
            for t in 0..<10 { batch.items[tile.lowerBound * 10 + t * tile.count + b] = Int32(tokens[place * 10 + t]) }
          }
        }
      }
      self.batch = batch
      engine = StepEngine(
        model.network, loss: .softmax, length: set.length, batch: set.count, negatives: nil, pool: NextItNetTests.pool)
      dropout = name == "sasrec_dropout" ? GivenMasks(fixture) : nil
    }
  }

  @Test(arguments: cases)
  func scoresLossAndGradients(name: String) throws {
    let c = try Case(name)
    #expect(worstDifference(GrowthTests.scores(c.model, c.set), try c.fixture.floats("scores")) < 1e-5)
    let (loss, gradients) = c.engine.lossAndGradients(c.model, c.batch, dropout: c.dropout)
    #expect(abs(Float(loss) - (try c.fixture.floats("loss"))[0]) < 5e-6)
    try expectEqual(gradients, c.fixture, "grad.", c.model.network.layout, tolerance: 3e-6)
  }

  @Test(arguments: cases)
  func fiveAdamSteps(name: String) throws {
    let c = try Case(name)
    let state = AdamState(c.model.network.layout)
    for step in 1...5 {
      let loss = c.engine.gradients(c.batch, parameters: c.model.values, negatives: nil, dropout: c.dropout)
      #expect(abs(Float(loss) - (try c.fixture.floats("step_losses"))[step - 1]) < 2e-5)
      let update = AdamStep(.init(rate: 0.01, lazy: false), state: state, parameters: c.model.values, step: step)
      c.engine.reduce(c.batch, lazy: false) { update.apply($0, $1, $2) }
      if [1, 3, 5].contains(step) {
        // A bias on the keys has no gradient but rounding, out of which Adam makes steps.
        try expectEqual(c.model.values, c.fixture, "step\(step).", c.model.network.layout, tolerance: 5e-5) {
          $0.hasSuffix("key.bias")
        }
      }
    }
  }

  @Test(arguments: cases)
  func gradientsByFiniteDifferences(name: String) throws {
    let c = try Case(name)
    GradientTests.check(c.model, c.engine, c.batch, dropout: c.dropout)
  }

  /// The stochastic replacements: how often, never a pad, targets untouched.
  @Test func sharedEmbeddingsReplaceUsersAndItems() throws {
    let set = SequenceSet.fixed(
      length: 20, tokens: (0..<20_000).map { (i: Int) -> Int32 in i % 20 < 5 ? 0 : Int32(1 + i * 7 % 49) }, items: 50,
      users: Array(repeating: 3, count: 1000))
    let plain = Batch(set, Array(0..<1000)[...], objective: .nextItem, padsCount: false)
    var batch = plain
    batch.share(.init(user: 0.8, item: 0.1), users: 100, items: 50, seed: 4, step: 9)
    #expect(batch.targets == plain.targets)
    let swapped = zip(batch.items, plain.items).filter { $0 != $1 }.count
    let filled = plain.items.filter { $0 != 0 }.count
    #expect(zip(batch.items, plain.items).allSatisfy { $1 != 0 || $0 == 0 })
    // 1 in 49 draws its own item again.
    let itemShare = Double(swapped) / Double(filled)
    #expect(abs(itemShare - 0.098) < 0.01)
    let userShare = Double(batch.users.count { $0 != 3 }) / 1000
    #expect(abs(userShare - 0.792) < 0.05)
    #expect(Set(batch.users).count > 90 && batch.users.allSatisfy { $0 >= 0 && $0 < 100 })
    var again = plain
    again.share(.init(user: 0.8, item: 0.1), users: 100, items: 50, seed: 4, step: 9)
    #expect(again.items == batch.items && again.users == batch.users)
    again = plain
    again.share(.init(user: 0.8, item: 0.1), users: 100, items: 50, seed: 4, step: 10)
    #expect(again.items != batch.items)
  }

  @Test func dropoutMasksHaveTheirRate() {
    var mask = [Float](repeating: .nan, count: 100_003)
    StreamMasks(seed: 1, step: 5).fill(&mask, count: mask.count, place: "blocks.0.ff1", sequence: 3, rate: 0.2)
    #expect(mask.allSatisfy { $0 == 0 || $0 == 1.25 })
    let share = Double(mask.count { $0 == 0 }) / 100_003
    #expect(abs(share - 0.2) < 0.005)
    var other = mask
    StreamMasks(seed: 1, step: 5).fill(&other, count: mask.count, place: "blocks.0.ff1", sequence: 4, rate: 0.2)
    let both = Double(zip(mask, other).count { $0 == 0 && $1 == 0 }) / 100_003
    #expect(abs(both - 0.04) < 0.003)
    StreamMasks(seed: 1, step: 5).fill(&other, count: mask.count, place: "blocks.0.ff1", sequence: 3, rate: 0.2)
    #expect(mask == other)
  }

  @Test func pairwiseLossOfTheTransferTask() throws {
    let fixture = try Fixture("pairwise")
    let hidden = try fixture.floats("hidden"), table = try fixture.floats("embedding")
    let builder = LayoutBuilder()
    let output = OutputTable("target_embedding", rows: 11, width: 8, weight: .constant(0), in: builder)
    _ = builder.close()
    let parameters = FloatBuffer(table)
    let head = OutputHead(
      output, loss: .pairwise(l2: 0.02), parameters: parameters,
      columns: OutputColumns(output, negatives: 0))
    let h = FloatBuffer(hidden), p = FloatBuffer(count: 48), n = FloatBuffer(count: 48), empty = FloatBuffer(count: 0)
    let positives = try fixture.integers("positives"), negatives = try fixture.integers("negatives")
    let weights = [Float](repeating: 1 / 6, count: 6)
    let loss = head.run(
      .init(
        count: 6, targets: positives.map { Int32($0) }.withUnsafeBufferPointer { Self.copy($0) },
        weights: weights.withUnsafeBufferPointer { Self.copy($0) },
        negatives: negatives.map { Int32($0) }.withUnsafeBufferPointer { Self.copy($0) }),
      hidden: h.base, gradients: empty.base, own: .init(vectors: p.base, bias: empty.base, negatives: n.base),
      memory: .init(rows: 6, width: 8, columns: 1))
    #expect(abs(Float(loss) - (try fixture.floats("loss"))[0]) < 1e-6)
    #expect(worstDifference(h.array, try fixture.floats("grad.hidden")) < 1e-6)
    var gradient = [Float](repeating: 0, count: 88)
    for row in 0..<6 {
      for c in 0..<8 {
        gradient[positives[row] * 8 + c] += p[row * 8 + c]
        gradient[negatives[row] * 8 + c] += n[row * 8 + c]
      }
    }
    #expect(worstDifference(gradient, try fixture.floats("grad.embedding")) < 1e-6)
  }

  /// Fine-tuning starts with the trained network and fresh targets, from a fine-tuned model too.
  @Test func retargetedModelsKeepAllButTheirTargets() throws {
    let trained = try GrowthTests.trained(blocks: 2)
    let once = try trained.retargeted(12, seed: 1)
    for i in 0..<once.values.count { once.values[i] += 1 }
    let twice = try once.retargeted(12, seed: 2)
    #expect(twice.parameter("blocks.1.conv1.weight") == once.parameter("blocks.1.conv1.weight"))
    #expect(twice.parameter("target_embedding.weight") == Model(twice.network, seed: 2).parameter("target_embedding.weight"))
    #expect(once.network.layout["output.weight"] == nil)
  }

  static func copy<T>(_ values: UnsafeBufferPointer<T>) -> UnsafePointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
    _ = memory.initialize(from: values)
    return UnsafePointer(memory.baseAddress!)
  }
}
