import Datasets
import Foundation
import Kernels
import Layers
import Testing

@testable import ModelFiles
@testable import Training

/// Compares every loss with PyTorch: values and gradients of hidden states, rows and biases, computed by a whole step.
@Suite struct LossFixtureTests {
  static let names: [String] = {
    let folder = Fixture.root.appendingPathComponent("pytorch").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix("recipe_loss_") && $0.hasSuffix(".safetensors") }
      .map { String($0.dropLast(".safetensors".count)) }.sorted() + ["pairwise"]
  }()

  /// A network whose hidden states are rows of its item embedding, so that the gradient of the embedding is that of the hidden
  /// states.
  struct HiddenStates: Network {
    let layout: ParameterLayout
    let stacks: [BlockStack] = []
    let output: OutputTable
    let embedding: Embedding
    let objective = Objective.nextItem
    let pads = Pads.none
    let maximumLength: Int? = nil
    var kind: String { "hidden" }
    var options: [(name: String, value: String)] { [] }
    var rowTables: [RowTable] { [embedding.table] }

    init(positions: Int, items: Int, width: Int, bias: Bool, temperature: Double = 1, cosine: Bool = false) {
      let builder = LayoutBuilder()
      embedding = Embedding("hidden", rows: positions + 1, width: width, initial: .constant(0), in: builder)
      let table = Embedding("weight", rows: items, width: width, initial: .constant(0), in: builder)
      output =
        temperature == 1 && !cosine
        ? OutputTable("output", rows: items, width: width, weight: .constant(0), bias: bias ? .constant(0) : nil, in: builder)
        : OutputTable(tied: table, temperature: temperature, cosine: cosine)
      layout = builder.close()
    }

    func encodedConfiguration() throws -> Data { Data() }
    func withBlocks(_ count: Int) throws -> any Network { self }
    func withAlpha() throws -> any Network { self }
    func withTargets(_ count: Int) throws -> any Network { self }
    func savedCount(_ tile: Tile, training: Bool) -> Int { 0 }
    func scratchCount(_ tile: Tile) -> Int { 0 }
    func forward(_ input: TileInput, hidden: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass) {
      embedding.forward(input.tile.rows, ids: input.items, y: hidden, pass: pass)
    }
    func backward(_ input: TileInput, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass) {
      embedding.backward(input.tile.rows, ids: input.items, dy: d, into: pass.rowGradients[0], first: input.firstRow)
    }
  }

  private static func loss(_ config: [String: Any], negatives: Int) throws -> any Loss {
    let scope: NegativeScope =
      switch config["negatives"] as? String {
      case "own": .position
      case "sequence": .sequence
      default: .batch
      }
    switch config["loss"] as? String {
    case "softmax": return (config["label_smoothing"] as? Double).map { LabelSmoothing(share: $0) } ?? Softmax()
    case "sampled_softmax":
      return SampledSoftmax {
        ($0.negatives, $0.scope) = (negatives, scope)
        $0.hits = config["hits"] as? String == "kept" ? .keep : .remove
        $0.logq = config["lambda"] != nil
      }
    case "bce": return BinaryCrossEntropy { ($0.negatives, $0.scope) = (negatives, scope) }
    case "gbce":
      let t = try #require(config["t"] as? Double)
      return GeneralisedBCE { ($0.negatives, $0.scope, $0.t) = (negatives, scope, t) }
    case "bpr_max":
      let (reg, elu) = (config["lambda"] as? Double ?? 0, config["elu"] as? Double ?? 0)
      return BPRMax { ($0.negatives, $0.scope, $0.reg, $0.elu) = (negatives, scope, reg, elu) }
    default: return Pairwise(l2: 0.02)
    }
  }

  @Test(arguments: names)
  func lossAndGradients(name: String) throws {
    let fixture = try Fixture(name)
    let text = try #require(fixture.file.metadata["config"])
    let config = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let isPairwise = name == "pairwise"
    let hidden = try fixture.floats("hidden"), table = try fixture.floats(isPairwise ? "embedding" : "weight")
    let targets = try fixture.integers(isPairwise ? "positives" : "targets")
    let (n, width) = (targets.count, hidden.count / targets.count)
    let items = table.count / width
    let network = HiddenStates(
      positions: n, items: items, width: width, bias: config["bias"] as? Bool ?? false,
      temperature: config["temperature"] as? Double ?? 1, cosine: config["cosine"] as? Bool ?? false)
    let model = Model(network, seed: 0)
    for i in 0..<hidden.count { model.values[network.embedding.table.slot.offset + width + i] = hidden[i] }
    for i in 0..<table.count { model.values[network.output.weight.offset + i] = table[i] }
    if let bias = network.output.bias {
      for (i, value) in try fixture.floats("bias").enumerated() { model.values[bias.offset + i] = value }
    }

    // Positions of one sequence in the fixture are one sequence here; others have one position. Position i reads item i + 1.
    let sequenceOf = fixture.file["sequence"] == nil ? Array(0..<n) : try fixture.integers("sequence")
    let rows = (0...(sequenceOf.max() ?? 0)).map { sequence in (0..<n).filter { sequenceOf[$0] == sequence } }
    let length = (rows.map(\.count).max() ?? 0) + 1
    var tokens: [Int32] = []
    for positions in rows {
      tokens += [Int32](repeating: 0, count: length - 1 - positions.count)
      tokens += positions.map { Int32($0 + 1) } as [Int32]
      tokens.append(1)
    }
    let set = SequenceSet.fixed(length: length, tokens: tokens, items: n + 1)
    var batch = Batch(set, Array(0..<set.count)[...], objective: .nextItem, pads: .none, padsCount: false)
    let negatives = fixture.file["negatives"] == nil ? [] : try fixture.integers("negatives").map { Int32($0) }
    let weights = isPairwise ? [Float](repeating: 1 / Float(n), count: n) : try fixture.floats("weights")
    let isShared = config["negatives"] as? String == "shared"
    let perSequence = isShared || fixture.file["sequence"] == nil ? 0 : negatives.count / rows.count
    let perRow = isShared || perSequence > 0 || negatives.isEmpty ? 0 : negatives.count / n
    batch.negatives = [Int32](repeating: 0, count: batch.targets.count * perRow)
    batch.counts = batch.counts.map { _ in 1 }
    for row in batch.targets.indices where batch.items[row] > 0 {
      let position = Int(batch.items[row]) - 1
      batch.targets[row] = Int32(targets[position])
      batch.weights[row] = weights[position]
      for i in 0..<perRow { batch.negatives[row * perRow + i] = negatives[position * perRow + i] }
    }
    batch.sequenceNegatives = batch.cut.order.flatMap { negatives[($0 * perSequence)..<(($0 + 1) * perSequence)] }
    // The fixture gives ln q of targets and negatives, times a factor; an item has the same wherever it occurs.
    var logs = [Float](repeating: 0, count: items)
    if let factor = config["lambda"] as? Double, config["loss"] as? String == "sampled_softmax" {
      for (item, value) in zip(targets, try fixture.floats("log_q_targets")) { logs[item] = Float(factor) * value }
      for (item, value) in zip(negatives, try fixture.floats("log_q_negatives")) { logs[Int(item)] = Float(factor) * value }
      batch.logProbabilities = logs
    }

    let loss = try Self.loss(config, negatives: isShared ? negatives.count : max(perRow, perSequence))
    // Gradients of single rows are kept by look-up or added to whole tables.
    for scatters in loss.scatters && !isShared ? [false, true] : [false] {
      let engine = TiledStep(
        model, OptimizerState(Adam(), network.layout), loss: loss, length: length, batch: set.count, scatters: scatters,
        pool: NextItNetTests.pool)
      let (value, gradients) = engine.lossAndGradients(
        batch, negatives: isShared ? Negatives(items: negatives, logExpected: logs) : nil)
      try expect(value, gradients, fixture, network, isPairwise)
    }
  }

  private func expect(
    _ value: Double, _ gradients: FloatBuffer, _ fixture: Fixture, _ network: HiddenStates, _ isPairwise: Bool
  ) throws {
    let (n, items, width) = (network.embedding.table.rows - 1, network.output.rows, network.output.width)
    #expect(abs(Float(value) - (try fixture.floats("loss"))[0]) < 5e-6)
    func part(_ slot: Slot, _ count: Int) -> [Float] { (0..<count).map { gradients[slot.offset + $0] } }
    let ofHidden = Array(part(network.embedding.table.slot, (n + 1) * width)[width...])
    #expect(worstDifference(ofHidden, try fixture.floats("grad.hidden")) < 3e-6)
    let expected = try fixture.floats(isPairwise ? "grad.embedding" : "grad.weight")
    #expect(worstDifference(part(network.output.weight, items * width), expected) < 3e-6)
    if let bias = network.output.bias {
      #expect(worstDifference(part(bias, items), try fixture.floats("grad.bias")) < 3e-6)
    }
  }
}
