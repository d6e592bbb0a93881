import Datasets
import Foundation
import Kernels
import Layers
import Testing

@testable import ModelFiles
@testable import Models
@testable import Training

/// Expected values, computed by the independent PyTorch program in Tests/Fixtures/pytorch.
struct Fixture {
  let file: SafeTensors

  /// The folder of all fixtures.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  init(_ name: String) throws {
    file = try SafeTensors(contentsOf: Self.root.appendingPathComponent("pytorch/\(name).safetensors").path)
  }

  /// The network described by the fixture's metadata, in the same form as in a model file.
  func network() throws -> any Network {
    let kind = try #require(file.metadata["kind"]), configuration = try #require(file.metadata["configuration"])
    return try Registry.network(kind, Data(configuration.utf8))
  }

  /// All fixtures of whole models trained with the full softmax, by name.
  static let models: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("pytorch").path)) ?? []
    return names.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(".safetensors".count)) }.sorted().filter { name in
      guard let fixture = try? Fixture(name) else { return false }
      return fixture.file.metadata["kind"] != nil && fixture.file["negatives"] == nil
    }
  }()

  func floats(_ name: String) throws -> [Float] { try #require(file[name], "no tensor \(name)").floats }

  func integers(_ name: String) throws -> [Int] { try #require(file[name]?.integers, "no tensor \(name)").map { Int($0) } }

  /// A model with the fixture's parameters. The fixture must have exactly the parameters of the network.
  func model(_ network: any Network, prefix: String = "param.") throws -> Model {
    let values = FloatBuffer(count: network.layout.count)
    for parameter in network.layout.parameters {
      let tensor = try #require(file[prefix + parameter.name], "no tensor \(prefix + parameter.name)")
      #expect(tensor.shape == parameter.shape, "\(parameter.name)")
      for (i, value) in tensor.floats.enumerated() { values[parameter.offset + i] = value }
    }
    let names = file.tensors.filter { $0.name.hasPrefix(prefix) }.map { String($0.name.dropFirst(prefix.count)) }
    #expect(Set(names) == Set(network.layout.parameters.map(\.name)))
    return Model(network, values: values, seed: 0)
  }

  /// The sequences of a tensor (B, t).
  func sequences(_ name: String = "tokens", items: Int, users: [Int]? = nil) throws -> SequenceSet {
    let tensor = try #require(file[name])
    let times = try file["times"].map { _ in try integers("times").map { Int64($0) } }
    return SequenceSet.fixed(
      length: tensor.shape[1], tokens: try integers(name).map { Int32($0) }, items: items,
      users: users?.map { Int32($0) }, times: times)
  }
}

extension SequenceSet {
  /// A set made by hand.
  static func fixed(length: Int, tokens: [Int32], items: Int, users: [Int32]? = nil, times: [Int64]? = nil) -> SequenceSet {
    SequenceSet(
      length: length, tokens: tokens, users: users ?? [Int32](repeating: 0, count: tokens.count / length), times: times,
      items: Vocabulary((0..<items).map { "\($0)" }), userNames: Vocabulary(["u"]), hasUsers: users != nil,
      source: "by hand", process: nil)
  }
}

/// The largest difference of two lists, relative to the larger of 1 and the largest value.
func worstDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  let scale = max(1, b.map { abs($0) }.max() ?? 0)
  return zip(a, b).map { $0 - $1 }.map { $0.isNaN ? .infinity : abs($0) }.max().map { $0 / scale } ?? 0
}

extension TiledStep {
  /// Training steps of a model with a whole set as one batch.
  convenience init(
    _ model: Model, loss: any Loss = Softmax(), on set: SequenceSet, state: OptimizerState? = nil,
    pool: WorkerPool = NextItNetTests.pool
  ) {
    self.init(
      model, state ?? OptimizerState(Adam(), model.network.layout), loss: loss, length: set.length, batch: set.count, pool: pool)
  }

  /// Loss and gradients of one batch. The gradients have the layout of the parameters.
  func lossAndGradients(
    _ batch: Batch, negatives: Negatives? = nil, lazy: Bool = false, dropout: (any DropoutMasks)? = nil
  ) -> (Double, FloatBuffer) {
    let loss = gradients(batch, negatives: negatives, dropout: dropout)
    exchange()
    let result = FloatBuffer(count: state.parameters.count)
    forEachGradient(lazy: lazy) { offset, count, g in (result.base + offset).update(from: g, count: count) }
    return (loss, result)
  }

  /// One training step. Returns the loss.
  func step(
    _ batch: Batch, _ optimizer: any Optimizer, negatives: Negatives? = nil, dropout: (any DropoutMasks)? = nil
  ) -> Double {
    let loss = gradients(batch, negatives: negatives, dropout: dropout)
    exchange()
    update(optimizer, rate: optimizer.rate)
    return loss
  }
}
