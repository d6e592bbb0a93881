import Datasets
import Foundation
import Growth
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// Checkpoints of all earlier versions can be read: Tests/Fixtures/checkpoints/vN.
///
/// A new version of the format gets a new folder, written with `SRS_WRITE_CHECKPOINTS=1`. Existing folders are never
/// written again.
@Suite struct OldVersionTests {
  private static let root = Fixture.root.appendingPathComponent("checkpoints")

  /// The contents of a file as numbers that do not depend on the machine.
  private struct Content: Codable, Equatable {
    var kind: String
    var step: Int
    var phase: Int
    var depth: Int
    var items: [String]
    var sums: [String: Double]
    var metrics: [Double]
  }

  private static func sum(_ values: FloatBuffer) -> Double {
    values.array.enumerated().reduce(0) { $0 + Double($1.offset % 7 + 1) * Double($1.element) }
  }

  private static func content(_ checkpoint: TrainingCheckpoint, _ model: Model, _ known: Vocabularies) -> Content {
    let state = checkpoint.state
    return Content(
      kind: state.model.network.kind, step: state.step, phase: state.phase.index, depth: state.model.network.depth,
      items: Array(known.items.names.prefix(5)),
      sums: [
        "now": sum(state.model.values), "best": sum(state.bestValues), "first": sum(state.optimizer.tensors[0]),
        "second": sum(state.optimizer.tensors[1]),
        "model": sum(model.values),
      ], metrics: state.history.map { $0.metrics[Metric(.mrr, 5)] ?? -1 })
  }

  private static let data: Split? = try? SyntheticProcess.histories(users: 60, items: 40, seed: 2).windows(length: 8)
    .split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)

  private static let recipe: Recipe = {
    var recipe = Recipe(phases: [
      Phase(run: .steps(6)),
      Phase(run: .steps(9), to: 4, by: .cross, carry: .parts([.blocks, .norm, .alpha, .output], optimizer: true)),
    ])
    recipe.batch = 32
    recipe.evaluateEvery = .steps(4)
    recipe.loss = SampledSoftmax(share: 0.3)
    recipe.optimizer = Adam(rate: 1e-3, clip: 2)
    return recipe
  }()

  private final class LastKeeper: CheckpointKeeper {
    let every: Extent? = .steps(5)
    var last: TrainingCheckpoint?
    func save(_ record: TrainingRecord) { if case .underway(let checkpoint) = record { last = checkpoint } }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }

  private static func network(_ kind: String, _ data: Split) throws -> any Network {
    let items = data.train.items.count
    if kind == "nextitnet" { return try NextItNet(.init(items: items, dim: 4, blocks: 2)) }
    let users = SASRec.Users(count: data.train.userNames.count, dim: 2, sharing: .init(user: 0.5, item: 0.1))
    return try SASRec(.init(items: items, length: 8, dim: 4, blocks: 2, dropout: 0.2, users: users))
  }

  private static func write(_ kind: String, into folder: URL) throws {
    let data = try #require(Self.data)
    let known = Vocabularies(data.train)
    let keeper = LastKeeper()
    let trainer = Trainer(recipe, data: data, pool: WorkerPool(threads: 1), observer: TestObserver(), keeper: keeper)
    let start = Model(try network(kind, data), seed: 5)
    let run = try trainer.run(start)
    let checkpoint = try #require(keeper.last)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var contents = try TrainingFile.contents(.underway(checkpoint), known, TrainingIdentity(start, data, recipe))
    contents.metadata["fingerprint"] = "\(kind)-v\(ModelFile.version)"
    try contents.data().write(to: folder.appendingPathComponent("\(kind).training.safetensors"))
    try ModelFile.contents(run.model, known).data().write(to: folder.appendingPathComponent("\(kind).model.safetensors"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(content(checkpoint, run.model, known)).write(to: folder.appendingPathComponent("\(kind).json"))
  }

  @Test func everyVersionCanBeReadAndResumed() throws {
    let present = Self.root.appendingPathComponent("v\(ModelFile.version)")
    if ProcessInfo.processInfo.environment["SRS_WRITE_CHECKPOINTS"] != nil, !FileManager.default.fileExists(atPath: present.path) {
      for kind in ["nextitnet", "ssept"] { try Self.write(kind, into: present) }
    }
    let data = try #require(Self.data)
    let versions = try FileManager.default.contentsOfDirectory(atPath: Self.root.path).sorted()
    #expect(versions.contains("v\(ModelFile.version)"))
    for version in versions {
      for kind in ["nextitnet", "ssept"] {
        let stem = Self.root.appendingPathComponent("\(version)/\(kind)")
        let wanted = try JSONDecoder().decode(Content.self, from: Data(contentsOf: stem.appendingPathExtension("json")))
        let model = try ModelFile.read(stem.path + ".model.safetensors")
        let contents = try TrainingFile.read(
          stem.path + ".training.safetensors", fingerprints: ["\(kind)-\(version)"], Self.recipe)
        guard case .underway(let checkpoint) = contents else {
          Issue.record("\(stem.path) was read as finished")
          continue
        }
        #expect(Self.content(checkpoint, model.model, model.known) == wanted)
        #expect(checkpoint.step > 6 && checkpoint.step < 15)
        let start = Model(try Self.network(kind, data), seed: 5)
        let trainer = Trainer(Self.recipe, data: data, pool: WorkerPool(threads: 1), observer: TestObserver())
        let rest = try trainer.run(start, from: checkpoint)
        #expect(rest.steps == 15 && rest.stop == .finished && rest.model.network.depth == wanted.depth)
      }
    }
  }
}
