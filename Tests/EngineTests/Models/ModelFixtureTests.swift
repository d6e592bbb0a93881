import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Compares every model with PyTorch: scores, losses, all gradients and five optimizer steps.
@Suite struct ModelFixtureTests {
  /// Every registered model has a fixture.
  @Test func everyModelHasAFixture() throws {
    let kinds = try Set(Fixture.models.map { try Fixture($0).network().kind })
    #expect(kinds == Set(Registry.kinds.map(\.name)))
  }

  /// The dropout masks of a fixture, `(B, T, d)` or `(B, heads, T, T)`. A shorter sequence uses those of its own positions,
  /// which are the last ones.
  final class GivenMasks: DropoutMasks {
    let masks: [String: (shape: [Int], values: [Float])]
    /// The index in the fixture of each sequence of the batch.
    let order: [Int]

    init(_ fixture: Fixture, _ order: [Int]) {
      self.order = order
      masks = Dictionary(
        uniqueKeysWithValues: fixture.file.tensors.filter { $0.name.hasPrefix("dropout.") }.map { name, tensor in
          let layer = String(name.dropFirst("dropout.".count))
          return (layer == "embedding" ? layer : "blocks." + layer, (tensor.shape, tensor.floats))
        })
    }

    func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, layer: String, sequence: Int, rate: Double) {
      guard let (shape, all) = masks[layer] else { return }
      let size = shape.dropFirst().reduce(1, *)
      let end = (order[sequence] + 1) * size
      guard shape.count == 4 else {
        for i in 0..<count { mask[i] = all[end - count + i] }
        return
      }
      let (heads, whole) = (shape[1], shape[2])
      let own = Int(Double(count / heads).squareRoot())
      for head in 0..<heads {
        for i in 0..<own {
          for j in 0..<own {
            let row = (order[sequence] * heads + head) * whole + whole - own + i
            mask[(head * own + i) * own + j] = all[row * whole + whole - own + j]
          }
        }
      }
    }
  }

  struct Case {
    let fixture: Fixture
    let model: Model
    let set: SequenceSet
    let batch: Batch
    let engine: TiledStep
    let dropout: (any DropoutMasks)?

    init(_ name: String) throws {
      fixture = try Fixture(name)
      model = try fixture.model(fixture.network())
      let isShared = fixture.file["swapped_users"] != nil
      set = try fixture.sequences(items: 23, users: isShared ? try fixture.integers("users") : nil)
      var masked: [[Int]] = []
      if fixture.file["mask"] != nil {
        let mask = try fixture.integers("mask")
        let length = set.length
        masked = (0..<set.count).map { b in (0..<length).filter { mask[b * length + $0] == 1 } }
      }
      let (network, length) = (model.network, set.length)
      var batch = Batch(
        set, Array(0..<set.count)[...], objective: network.objective, pads: network.pads, padsCount: false,
        readsTimes: network.timeReference != nil,
        masking: { [masked] index, items in masked.isEmpty ? [] : Set(masked[index].map { $0 - (length - items.count) }) })
      if isShared {
        let tokens = try fixture.integers("swapped_tokens")
        let swapped = try fixture.integers("swapped_users")
        for part in batch.cut.parts {
          for (b, slot) in part.sequences.enumerated() {
            let (index, tile) = (batch.cut.order[slot], part.tile)
            batch.users[slot] = Int32(swapped[index])
            for t in tile.start(b)..<tile.positions {
              batch.items[part.firstRow + t * tile.sequences + b] = Int32(tokens[index * 10 + 10 - tile.positions + t])
            }
          }
        }
      }
      self.batch = batch
      engine = TiledStep(model, on: set)
      dropout = fixture.file.tensors.contains { $0.name.hasPrefix("dropout.") } ? GivenMasks(fixture, batch.cut.order) : nil
    }
  }

  @Test(arguments: Fixture.models)
  func scoresLossAndGradients(name: String) throws {
    let c = try Case(name)
    let difference = worstDifference(GrowthTests.scores(c.model, c.set), try c.fixture.floats("scores"))
    #expect(difference < 1e-5)
    let (loss, gradients) = c.engine.lossAndGradients(c.batch, dropout: c.dropout)
    #expect(abs(Float(loss) - (try c.fixture.floats("loss"))[0]) < 5e-6)
    if c.fixture.file["loss_with_pads"] != nil, c.fixture.file["mask"] == nil, c.fixture.file["swapped_users"] == nil {
      let batch = Batch(c.set, Array(0..<c.set.count)[...], objective: c.model.network.objective, pads: .item, padsCount: true)
      let padded = c.engine.gradients(batch, negatives: nil, dropout: c.dropout)
      #expect(abs(Float(padded) - (try c.fixture.floats("loss_with_pads"))[0]) < 5e-6)
    }
    try expectEqual(gradients, c.fixture, "grad.", c.model.network.layout, tolerance: 3e-6)
  }

  @Test(arguments: Fixture.models)
  func fiveAdamSteps(name: String) throws {
    let c = try Case(name)
    for step in 1...5 {
      let loss = c.engine.step(c.batch, Adam(rate: 0.01, lazy: false), dropout: c.dropout)
      let difference = abs(Float(loss) - (try c.fixture.floats("step_losses"))[step - 1])
      // Cosines are divided by a small temperature.
      #expect(difference < (c.model.network.output.isCosine ? 5e-5 : 2e-5))
      if [1, 3, 5].contains(step) {
        // The gradient of the key bias is 0 up to rounding errors, which Adam scales to full steps.
        try expectEqual(c.model.values, c.fixture, "step\(step).", c.model.network.layout, tolerance: 5e-5) {
          $0.hasSuffix("key.bias")
        }
      }
    }
  }

  @Test(arguments: Fixture.models)
  func gradientsByFiniteDifferences(name: String) throws {
    let c = try Case(name)
    GradientTests.check(c.model, c.engine, c.batch, dropout: c.dropout)
  }

  /// Stochastic shared embeddings: replacements have the right frequency, never replace padding, and leave targets unchanged.
  @Test func sharedEmbeddingsReplaceUsersAndItems() throws {
    let set = SequenceSet.fixed(
      length: 20, tokens: (0..<20_000).map { (i: Int) -> Int32 in i % 20 < 5 ? 0 : Int32(1 + i * 7 % 49) }, items: 50,
      users: Array(repeating: 3, count: 1000))
    let plain = Batch(set, Array(0..<1000)[...], objective: .nextItem, pads: .item, padsCount: false)
    var batch = plain
    batch.share(.init(user: 0.8, item: 0.1), users: 100, items: 50, seed: 4, step: 9)
    #expect(batch.targets == plain.targets)
    let swapped = zip(batch.items, plain.items).filter { $0 != $1 }.count
    let filled = plain.items.filter { $0 != 0 }.count
    #expect(zip(batch.items, plain.items).allSatisfy { $1 != 0 || $0 == 0 })
    // One of 49 replacements draws the same item again.
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
    StreamMasks(seed: 1, step: 5).fill(&mask, count: mask.count, layer: "blocks.0.ff1", sequence: 3, rate: 0.2)
    #expect(mask.allSatisfy { $0 == 0 || $0 == 1.25 })
    let share = Double(mask.count { $0 == 0 }) / 100_003
    #expect(abs(share - 0.2) < 0.005)
    var other = mask
    StreamMasks(seed: 1, step: 5).fill(&other, count: mask.count, layer: "blocks.0.ff1", sequence: 4, rate: 0.2)
    let both = Double(zip(mask, other).count { $0 == 0 && $1 == 0 }) / 100_003
    #expect(abs(both - 0.04) < 0.003)
    StreamMasks(seed: 1, step: 5).fill(&other, count: mask.count, layer: "blocks.0.ff1", sequence: 3, rate: 0.2)
    #expect(mask == other)
  }

  /// Fine-tuning starts with the trained network and a new output layer, also when the model has been fine-tuned before.
  @Test func retargetedModelsKeepAllButTheOutputLayer() throws {
    let trained = try GrowthTests.trained("nextitnet", blocks: 2)
    let once = try trained.retargeted(12, seed: 1)
    for i in 0..<once.values.count { once.values[i] += 1 }
    let twice = try once.retargeted(12, seed: 2)
    #expect(twice.parameter("blocks.1.conv1.weight") == once.parameter("blocks.1.conv1.weight"))
    #expect(twice.parameter("target_embedding.weight") == Model(twice.network, seed: 2).parameter("target_embedding.weight"))
    #expect(once.network.layout["output.weight"] == nil)
  }
}
