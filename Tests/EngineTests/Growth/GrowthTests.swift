import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import Growth
@testable import ModelFiles
@testable import Training

/// Source tables of the growth operators, and the values that each carry rule copies.
@Suite struct GrowthTests {
  static func copies(_ sources: [Int]) -> [BlockSource] { sources.map { .copy(of: $0) } }

  @Test func tablesOfTheReference() throws {
    #expect(try GrowthOperator.adjacent.sources(from: 4, to: 8) == Self.copies([0, 0, 1, 1, 2, 2, 3, 3]))
    #expect(try GrowthOperator.cross.sources(from: 4, to: 8) == Self.copies([0, 1, 2, 3, 0, 1, 2, 3]))
    #expect(
      try GrowthOperator.random.sources(from: 2, to: 4) == [.copy(of: 0), .copy(of: 1), .fresh, .fresh])
    #expect(try GrowthOperator.embedding.sources(from: 2, to: 3) == [.fresh, .fresh, .fresh])
    // New depth L + k, k = 2.
    #expect(try GrowthOperator.topCross.sources(from: 4, to: 6) == Self.copies([0, 1, 2, 3, 2, 3]))
    #expect(try GrowthOperator.topAdjacent.sources(from: 4, to: 6) == Self.copies([0, 1, 2, 2, 3, 3]))
    #expect(
      try GrowthOperator.dilationAware.sources(from: 4, to: 8, period: 2)
        == Self.copies([0, 1, 0, 1, 2, 3, 2, 3]))
    #expect(try GrowthOperator.middle.sources(from: 4, to: 6) == Self.copies([0, 1, 2, 1, 2, 3]))
    #expect(try GrowthOperator.trimmedSeam.sources(from: 4, to: 6) == Self.copies([0, 1, 2, 1, 2, 3]))
    #expect(try GrowthOperator.adjacent.sources(from: 4, to: 6) == Self.copies([0, 0, 1, 2, 2, 3]))
  }

  @Test func impossibleGrowthIsAnError() {
    for operation in GrowthOperator.allCases {
      #expect(throws: GrowthError.self) { try operation.sources(from: 4, to: 4) }
      #expect(throws: GrowthError.self) { try operation.sources(from: 4, to: 2) }
    }
    #expect(throws: GrowthError.self) { try GrowthOperator.topCross.sources(from: 4, to: 9) }
    #expect(throws: GrowthError.self) { try GrowthOperator.dilationAware.sources(from: 3, to: 6, period: 2) }
    #expect(throws: GrowthError.self) { try GrowthOperator.trimmedSeam.sources(from: 4, to: 7) }
  }

  static let samples = Registry.samples(.init(items: 12, length: 12, users: 1, width: 8))

  /// A model with random values in place of initial ones, as if it had been trained.
  static func trained(_ name: String, blocks: Int, alpha: Bool = true) throws -> Model {
    try trained(#require(samples.first { $0.name == name }), blocks: blocks, alpha: alpha)
  }

  static func trained(_ sample: ModelSample, blocks: Int, alpha: Bool = true) throws -> Model {
    let network = try sample.network(blocks: blocks, alpha: alpha)
    let model = Model(network, seed: 9)
    var numbers = RandomStream(seed: 2, "values").numbers()
    for i in 0..<model.values.count { model.values[i] = Float(numbers.normal() * 0.4) }
    return model
  }

  @Test(arguments: GrowthOperator.allCases, samples)
  func valuesFollowTheSourceTable(operation: GrowthOperator, sample: ModelSample) throws {
    let old = try Self.trained(sample, blocks: 4)
    let inReference = ["conv1", "conv2", "query", "key", "value"]
    for carry in [Carry.reference, .all, .parts([.norm], optimizer: false)] {
      let to = operation == .trimmedSeam ? 6 : 8
      let (new, plan) = try old.grown(by: operation, to: to, carry: carry)
      let fresh = Model(new.network, seed: new.seed)
      for parameter in new.network.layout.parameters {
        let values = new.parameter(parameter.name)
        let taken: Bool
        let source: String?
        let isNorm = parameter.name.contains("norm")
        if let place = parameter.block {
          if case .copy(let index) = plan.sources[place.index] {
            source = "\(place.stack).\(index).\(place.local)"
          } else {
            source = nil
          }
          // The lower half of StackR keeps its alpha and LN in the convolutional models.
          let isConvolutional = old.network.layout["blocks.0.conv1.weight"] != nil
          let isKept = operation == .random && isConvolutional && (isNorm || parameter.part == .alpha)
          let named = inReference.contains { place.local.hasPrefix($0 + ".") } || isKept
          taken = carry == .reference ? named : carry == .all ? true : isNorm
        } else {
          source = parameter.name
          let isEmbedding = parameter.name.contains("embedding")
          let isProjector = parameter.name.hasPrefix("projector")
          taken = carry == .reference ? isEmbedding || isProjector : carry == .all ? true : isEmbedding || isNorm
        }
        if let source, taken {
          #expect(values == old.parameter(source), "\(carry.name) \(parameter.name)")
        } else {
          #expect(values == fresh.parameter(parameter.name), "\(carry.name) \(parameter.name) is fresh")
        }
      }
    }
  }

  static func scores(_ model: Model, _ set: SequenceSet) -> [Float] {
    let v = model.network.output.rows
    var scores = [Float](repeating: .nan, count: set.count * v)
    scores.withUnsafeMutableBufferPointer { buffer in
      let out = Shared(buffer.baseAddress!)
      Ranking.forEachTile(model, on: set, pool: NextItNetTests.pool) { index, row in
        (out.pointer + index * v).update(from: row, count: v)
      }
    }
    return scores
  }

  /// out = x + 0 * y is exactly x, so the scores keep their bits. Blocks that end in a norm keep them up to the epsilon
  /// of the norm.
  @Test(arguments: [(GrowthOperator.adjacent, 8), (.cross, 8), (.dilationAware, 8), (.adjacent, 16), (.cross, 6), (.random, 8)], samples)
  func preservingGrowthKeepsTheScores(growth: (by: GrowthOperator, depth: Int), sample: ModelSample) throws {
    let old = try Self.trained(sample, blocks: 4)
    let set = SequenceSet.fixed(length: 12, tokens: (0..<240).map { Int32($0 * 7 % 11 + 1) }, items: 12)
    guard old.network.stacks.allSatisfy({ $0.blocks.allSatisfy(\.canBeSilent) }) else {
      #expect(throws: GrowthError.self) { try old.grown(by: growth.by, to: growth.depth, carry: .preserving) }
      return
    }
    let (new, plan) = try old.grown(by: growth.by, to: growth.depth, carry: .preserving)
    #expect(new.network.depth == growth.depth)
    #expect(plan.kept.filter { $0 }.count == 4)
    let (before, after) = (Self.scores(old, set), Self.scores(new, set))
    if old.network.stacks.contains(where: { $0.blocks.contains { !$0.norms.isEmpty } }) {
      #expect(worstDifference(after, before) < 2e-5)
    } else {
      #expect(after == before)
    }
    // The copies have their source's weights; only their alpha, or their output layers, are 0.
    let silent = plan.kept.indices.filter { !plan.kept[$0] }
    for block in silent {
      for parameter in new.network.layout.parameters where parameter.block?.index == block && parameter.part == .alpha {
        #expect(new.parameter(parameter.name) == [0])
      }
      for parameter in new.network.layout.parameters where parameter.block?.index == block && parameter.silences {
        #expect(new.parameter(parameter.name)?.allSatisfy { $0 == 0 } == true)
      }
      for parameter in new.network.layout.parameters
      where parameter.block?.index == block && parameter.part == .blocks && !parameter.silences {
        #expect(growth.by == .random || new.parameter(parameter.name)?.contains { $0 != 0 } == true)
      }
    }
  }

  /// A model without residual weights gets some: 1 for the kept blocks, 0 for the copies.
  @Test(arguments: samples)
  func preservingGrowthOfModelsWithoutAlpha(sample: ModelSample) throws {
    let old = try Self.trained(sample, blocks: 2, alpha: false)
    // Others become silent by their output layers, or not at all.
    guard !old.network.layout.parameters.contains(where: \.silences), old.network.stacks[0].blocks[0].canBeSilent else { return }
    let set = SequenceSet.fixed(length: 12, tokens: (0..<240).map { Int32($0 * 7 % 11 + 1) }, items: 12)
    let (new, plan) = try old.grown(by: .adjacent, to: 4, carry: .preserving)
    #expect(worstDifference(Self.scores(new, set), Self.scores(old, set)) < 2e-5)
    let alphas = new.network.layout.parameters.filter { $0.part == .alpha }
    #expect(alphas.allSatisfy { new.parameter($0.name) == [plan.kept[$0.block?.index ?? 0] ? 1 : 0] })
    #expect(!alphas.isEmpty)
  }

  /// Growth from no block: the first blocks are new, and may start as the identity.
  @Test(arguments: samples)
  func growthFromNoBlock(sample: ModelSample) throws {
    let old = try Self.trained(sample, blocks: 0)
    let set = SequenceSet.fixed(
      length: 12, tokens: (0..<60).map { (i: Int) -> Int32 in i % 12 < i / 20 ? 0 : Int32(1 + i * 5 % 11) }, items: 12)
    #expect(throws: GrowthError.noBlocks) { try old.grown(by: .cross, to: 2, carry: .all) }
    let (plain, plan) = try old.grown(by: .random, to: 2, carry: .all)
    #expect(plain.network.depth == 2 && plan.newBlocks == [0, 1])
    let blocks = plain.network.stacks.flatMap(\.blocks)
    guard blocks.allSatisfy(\.canBeSilent), old.network.closingNorm != nil || blocks.allSatisfy(\.norms.isEmpty) else {
      #expect(throws: GrowthError.self) { try old.grown(by: .random, to: 2, carry: .preserving) }
      return
    }
    let (silent, _) = try old.grown(by: .random, to: 2, carry: .preserving)
    let scores = Self.scores(old, set)
    // The first normalisation divides by a variance of the embeddings, which is small for some sequences.
    #expect(worstDifference(Self.scores(silent, set), scores) < 1e-4)
    #expect(worstDifference(Self.scores(plain, set), scores) > 1e-4 || plain.network.layout.parameters.contains { $0.part == .alpha })
  }

  @Test func preservingIsAnErrorWhereItIsImpossible() throws {
    #expect(throws: GrowthError.self) { try Self.trained("nextitnet", blocks: 4).grown(by: .embedding, to: 8, carry: .preserving) }
  }

  @Test func optimizerMomentsFollowTheirParameters() throws {
    let old = try Self.trained("nextitnet", blocks: 2)
    let (new, plan) = try old.grown(by: .adjacent, to: 4, carry: .parts(Set(ParameterPart.allCases), optimizer: true))
    let before = FloatBuffer(count: old.network.layout.count), after = FloatBuffer(count: new.network.layout.count)
    for i in 0..<before.count { before[i] = Float(i) }
    plan.transfer(from: before, to: after)
    let from = try #require(old.network.layout["blocks.1.conv2.weight"])
    let to = try #require(new.network.layout["blocks.3.conv2.weight"])
    #expect(Array(after.values[to.range]) == Array(before.values[from.range]))
  }
}
