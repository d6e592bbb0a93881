import Datasets
import Kernels
import Layers
import Models
import Testing

@testable import Growth
@testable import Training

/// The tables of sources, and what every carry rule takes along.
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

  @Test func whatCannotBeIsRefused() {
    for operation in GrowthOperator.allCases {
      #expect(throws: GrowthError.self) { try operation.sources(from: 4, to: 4) }
      #expect(throws: GrowthError.self) { try operation.sources(from: 4, to: 2) }
    }
    #expect(throws: GrowthError.self) { try GrowthOperator.topCross.sources(from: 4, to: 9) }
    #expect(throws: GrowthError.self) { try GrowthOperator.dilationAware.sources(from: 3, to: 6, period: 2) }
    #expect(throws: GrowthError.self) { try GrowthOperator.trimmedSeam.sources(from: 4, to: 7) }
  }

  static let kinds = ["nextitnet", "grec_causal", "grec_encoder_decoder", "sasrec", "ssept"]

  /// A model whose every value is its own, alphas included.
  static func trained(_ kind: String = "nextitnet", blocks: Int, alpha: Bool = true) throws -> Model {
    let stack = NextItNet.Configuration(items: 12, dim: 8, blocks: blocks, alpha: alpha)
    let users = SASRec.Users(count: 1, dim: 4, sharing: .init(user: 0.5, item: 0.1))
    let network: any Network =
      switch kind {
      case "nextitnet": try NextItNet(stack)
      case "grec_causal": try GRec(.init(.causal, stack))
      case "grec_encoder_decoder": try GRec(.init(.encoderDecoder, stack))
      case "sasrec": try SASRec(.init(items: 12, length: 12, dim: 8, blocks: blocks, heads: 2, alpha: alpha))
      default: try SASRec(.init(items: 12, length: 12, dim: 4, blocks: blocks, heads: 2, alpha: alpha, users: users))
      }
    let model = Model(network, seed: 9)
    var numbers = RandomStream(seed: 2, "values").numbers()
    for i in 0..<model.values.count { model.values[i] = Float(numbers.normal() * 0.4) }
    return model
  }

  @Test(arguments: GrowthOperator.allCases, kinds)
  func valuesByTheTable(operation: GrowthOperator, kind: String) throws {
    let old = try Self.trained(kind, blocks: 4)
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
          let named = inReference.contains { place.local.hasPrefix($0 + ".") }
          taken = carry == .reference ? named : carry == .all ? true : isNorm
        } else {
          source = parameter.name
          let isItem = ["item_embedding", "encoder_embedding"].contains { parameter.name.hasPrefix($0) }
          let isEmbedding = parameter.name.contains("embedding")
          let isProjector = parameter.name.hasPrefix("projector")
          taken = carry == .reference ? isItem || isProjector : carry == .all ? true : isEmbedding || isNorm
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

  /// out = x + 0 * y is x to the last bit, so the scores are too. Blocks that end in a norm keep them to the epsilon of
  /// the norm.
  @Test(arguments: [(GrowthOperator.adjacent, 8), (.cross, 8), (.dilationAware, 8), (.adjacent, 16), (.cross, 6), (.random, 8)], kinds)
  func preservingGrowthKeepsTheScores(growth: (by: GrowthOperator, depth: Int), kind: String) throws {
    let old = try Self.trained(kind, blocks: 4)
    let set = SequenceSet.fixed(length: 12, tokens: (0..<240).map { Int32($0 * 7 % 11 + 1) }, items: 12)
    let (new, plan) = try old.grown(by: growth.by, to: growth.depth, carry: .preserving)
    #expect(new.network.depth == growth.depth)
    #expect(plan.kept.filter { $0 }.count == 4)
    let (before, after) = (Self.scores(old, set), Self.scores(new, set))
    if kind == "sasrec" || kind == "ssept" {
      #expect(worstDifference(after, before) < 2e-5)
    } else {
      #expect(after == before)
    }
    // The copies are there: only their alpha is silent.
    let silent = plan.kept.indices.filter { !plan.kept[$0] }
    for block in silent {
      for parameter in new.network.layout.parameters where parameter.block?.index == block && parameter.part == .alpha {
        #expect(new.parameter(parameter.name) == [0])
      }
      for parameter in new.network.layout.parameters where parameter.block?.index == block && parameter.part == .blocks {
        #expect(growth.by == .random || new.parameter(parameter.name)?.contains { $0 != 0 } == true)
      }
    }
  }

  /// A model without residual weights gets some: 1 for the kept blocks, 0 for the copies.
  @Test(arguments: kinds)
  func preservingGrowthOfModelsWithoutAlpha(kind: String) throws {
    let old = try Self.trained(kind, blocks: 2, alpha: false)
    let set = SequenceSet.fixed(length: 12, tokens: (0..<240).map { Int32($0 * 7 % 11 + 1) }, items: 12)
    let (new, plan) = try old.grown(by: .adjacent, to: 4, carry: .preserving)
    #expect(worstDifference(Self.scores(new, set), Self.scores(old, set)) < 2e-5)
    let alphas = new.network.layout.parameters.filter { $0.part == .alpha }
    #expect(alphas.allSatisfy { new.parameter($0.name) == [plan.kept[$0.block?.index ?? 0] ? 1 : 0] })
    #expect(!alphas.isEmpty)
  }

  @Test func preservingIsRefusedWhereItCannotHold() throws {
    #expect(throws: GrowthError.self) { try Self.trained(blocks: 4).grown(by: .embedding, to: 8, carry: .preserving) }
  }

  @Test func momentsMoveWithTheirParameters() throws {
    let old = try Self.trained(blocks: 2)
    let (new, plan) = try old.grown(by: .adjacent, to: 4, carry: .parts(Set(ParameterPart.allCases), optimizer: true))
    let before = AdamState(old.network.layout), after = AdamState(new.network.layout)
    for i in 0..<before.first.count { before.first[i] = Float(i) }
    plan.transfer(from: before.first, to: after.first)
    let from = try #require(old.network.layout["blocks.1.conv2.weight"])
    let to = try #require(new.network.layout["blocks.3.conv2.weight"])
    #expect(Array(after.first.values[to.range]) == Array(before.first.values[from.range]))
  }
}
