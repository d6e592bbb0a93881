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

/// Stores the bytes of every checkpoint of a run.
private final class MemoryKeeper: CheckpointKeeper {
  let every: Extent?
  private let known: Vocabularies
  private let identity: TrainingIdentity
  private(set) var files: [Data] = []
  private(set) var growths = 0
  private(set) var finished: Data?

  init(every: Extent?, _ data: Split, _ identity: TrainingIdentity) {
    self.every = every
    known = Vocabularies(data.train)
    self.identity = identity
  }

  func save(_ record: TrainingRecord) {
    guard let data = try? TrainingFile.contents(record, known, identity).data() else { return }
    if case .finished = record { finished = data } else { files.append(data) }
  }

  func grew(_ checkpoint: TrainingCheckpoint) {
    growths += 1
    save(.underway(checkpoint))
  }
}

/// The result of a run without times.
private struct Outcome: Equatable {
  let values: [Float]
  let metrics: [[Metric: Double]]
  let losses: [Double?]
  let steps: [Int]
  let growths: [Int]
  let stop: StopReason

  init(_ run: TrainingRun) {
    values = run.model.values.array
    metrics = run.history.map(\.metrics)
    losses = run.history.map(\.loss)
    steps = run.history.map(\.step)
    growths = run.growths.map(\.step)
    stop = run.stop
  }
}

@Suite struct CheckpointTests {
  private static let data = TrainerTests.data

  private static func model(_ name: String) throws -> Model {
    Model(try #require(TrainerTests.samples.first { $0.name == name }).network(), seed: 5)
  }

  /// A recipe with growths that carry the optimizer's state over, freeze old blocks, wait for a plateau, and can fall back.
  private static let recipe: Recipe = {
    var recipe = Recipe(phases: [
      Phase(run: .steps(6)),
      Phase(run: .steps(9), to: 4, by: .cross, carry: .parts([.blocks, .norm, .alpha, .output], optimizer: true)),
      Phase(run: .steps(7), dataShare: 1, when: nil),
      Phase(
        run: .steps(6), to: 5, by: .topCross, carry: .all, when: .init(plateau: 1, on: Metric(.hr, 5)), freezeOld: .steps(3),
        optimizer: .kept),
    ])
    recipe.batch = 64
    recipe.evaluateEvery = .steps(4)
    recipe.seed = 3
    recipe.patience = 6
    recipe.optimizer = Adam(rate: 1e-3, clip: 2)
    recipe.loss = SampledSoftmax(share: 0.3)
    recipe.averageDecay = 0.7
    return recipe
  }()

  /// A training of a given length that begins without blocks, on short sequences at first, and chooses a growth by trying.
  private static let chosen: Recipe = {
    var recipe = Self.recipe
    recipe.length = .steps(30)
    recipe.patience = nil
    recipe.phases = [
      Phase(length: 5), Phase(to: 2, by: .random, when: .init(budget: 0.2)),
      Phase(
        when: .init(budget: 0.5), rate: 0.5,
        trial: GrowthTrial(
          run: .steps(3),
          candidates: [.init(by: .cross, carry: .all), .init(by: .adjacent, carry: .preserving, rate: 2), .init(by: .middle, carry: .all)])),
    ]
    return recipe
  }()

  private static func trainer(_ observer: TestObserver, _ keeper: (any CheckpointKeeper)? = nil, _ recipe: Recipe = recipe) -> Trainer {
    Trainer(recipe, data: data, pool: WorkerPool(threads: 2), observer: observer, keeper: keeper)
  }

  private static func write(_ data: Data) throws -> String {
    let path = NSTemporaryDirectory() + "stackrec-checkpoint-\(UUID().uuidString).safetensors"
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func read(_ data: Data, _ identity: TrainingIdentity) throws -> TrainingFile.Contents {
    let path = try write(data)
    defer { unlink(path) }
    return try TrainingFile.read(path, identity, recipe)
  }

  @Test(arguments: TrainerTests.samples)
  func everyCheckpointResumesToTheSameBits(sample: ModelSample) throws {
    let model = try Self.model(sample.name)
    let identity = try TrainingIdentity(model, Self.data, Self.recipe)
    let keeper = MemoryKeeper(every: .steps(1), Self.data, identity)
    let whole = try Self.trainer(TestObserver(), keeper).run(model)
    #expect(keeper.growths == 2)
    #expect(keeper.files.count > 12)
    let expected = Outcome(whole)
    for file in keeper.files {
      guard case .underway(let checkpoint) = try Self.read(file, identity) else {
        Issue.record("an unfinished training was read as finished")
        continue
      }
      let rest = try Self.trainer(TestObserver()).run(model, from: checkpoint)
      #expect(Outcome(rest) == expected, "from step \(checkpoint.step), phase \(checkpoint.phase)")
    }
    guard case .finished(let finished) = try Self.read(try #require(keeper.finished), identity) else {
      Issue.record("a finished training was read as unfinished")
      return
    }
    #expect(Outcome(finished.run(Self.recipe, name: "run", Self.data)) == expected)
    #expect(finished.run(Self.recipe, name: "run", Self.data).best.step == whole.best.step)
  }

  /// Runs are interrupted at every step, also between phases, and resumed in memory.
  @Test func resumedRunsHaveTheSameBits() throws {
    let model = try Self.model("nextitnet")
    let whole = try Self.trainer(TestObserver()).run(model)
    #expect(!whole.canResume)
    for stop in 0..<whole.steps {
      let observer = TestObserver()
      observer.stopAfter = stop
      let part = try Self.trainer(observer).run(model)
      #expect(part.stop == .interrupted && part.canResume)
      let rest = try Self.trainer(TestObserver()).resume(part)
      #expect(Outcome(rest) == Outcome(whole), "stopped after step \(stop)")
      // Resuming does not change the interrupted run.
      #expect(Outcome(try Self.trainer(TestObserver()).resume(part)) == Outcome(whole))
    }
  }

  /// The same for a training that begins without blocks, follows a budget and tries growths: in memory and by checkpoints.
  @Test func resumedChoicesHaveTheSameBits() throws {
    let model = Model(try SASRec(.init(items: Self.data.train.items.count, length: 12, dim: 16, blocks: 0)), seed: 5)
    let identity = try TrainingIdentity(model, Self.data, Self.chosen)
    let keeper = MemoryKeeper(every: .steps(1), Self.data, identity)
    let whole = try Self.trainer(TestObserver(), keeper, Self.chosen).run(model)
    #expect(whole.growths.map(\.from) == [0, 2] && whole.growths.first?.step == 6 && whole.steps == 30)
    let trials = try #require(whole.growths.last).trials
    #expect(trials.map(\.name) == ["cross, all", "adjacent, preserving, rate 2.0", "middle, all"])
    #expect(trials.map(\.steps) == [2, 2, 2] && whole.growths.last?.step == 15 + 4)
    for stop in stride(from: 0, to: whole.steps + 6, by: 1) {
      let observer = TestObserver()
      observer.stopAfter = stop
      let part = try Self.trainer(observer, nil, Self.chosen).run(model)
      let rest = try Self.trainer(TestObserver(), nil, Self.chosen).resume(part)
      #expect(Outcome(rest) == Outcome(whole), "stopped after \(stop) steps, trials included")
    }
    #expect(keeper.files.count > 20)
    for file in keeper.files {
      let path = try Self.write(file)
      defer { unlink(path) }
      guard case .underway(let checkpoint) = try TrainingFile.read(path, identity, Self.chosen) else { continue }
      #expect(Outcome(try Self.trainer(TestObserver(), nil, Self.chosen).run(model, from: checkpoint)) == Outcome(whole))
    }
  }

  /// Every flipped byte and every truncation is an error.
  @Test func damagedCheckpointsAreErrors() throws {
    let model = try Self.model("ssept")
    let identity = try TrainingIdentity(model, Self.data, Self.recipe)
    let keeper = MemoryKeeper(every: .steps(9), Self.data, identity)
    _ = try Self.trainer(TestObserver(), keeper).run(model)
    let whole = try #require(keeper.files.last)
    let headerLength = Int(whole.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    // Every byte of the header's first names, every 211th of the rest without its padding, and every 9,973rd of the tensors.
    let header = Array(0..<32) + Array(stride(from: 32, to: 8 + headerLength - 8, by: 211))
    for offset in header + Array(stride(from: 8 + headerLength, to: whole.count, by: 9973)) {
      var damaged = whole
      damaged[offset] ^= 1 << UInt8(offset % 7)
      #expect(throws: ModelFile.Failure.self, "byte \(offset)") { try Self.read(damaged, identity) }
    }
    for length in stride(from: 0, to: whole.count, by: whole.count / 40) {
      #expect(throws: ModelFile.Failure.self, "cut at \(length)") { try Self.read(whole.prefix(length), identity) }
    }
    let other = try TrainingIdentity(Model(model.network, seed: 9), Self.data, Self.recipe)
    #expect(throws: ModelFile.Failure.self) { try Self.read(whole, other) }
    // The checkpoint can be read as a model, which has the best parameters.
    let path = try Self.write(whole)
    defer { unlink(path) }
    #expect(try ModelFile.read(path).model.network.kind == "ssept")
  }

  /// Impossible values with correct checksums are errors and do not crash the program.
  @Test func impossibleValuesAreErrors() throws {
    let model = try Self.model("nextitnet")
    let identity = try TrainingIdentity(model, Self.data, Self.recipe)
    let keeper = StoredKeeper(identity, Self.data)
    _ = try Self.trainer(TestObserver(), keeper).run(model)
    let file = try #require(keeper.last)
    let text = try #require(file.metadata["training"])
    let changes: [(String, String)] = [
      (#""index":\d+"#, #""index":4"#), (#""index":\d+"#, #""index":-1"#), (#""waiting":\d+"#, #""waiting":9223372036854775807"#),
      (#""lossCount":\d+"#, #""lossCount":-3"#), (#""adamSteps":\d+"#, #""adamSteps":9223372036854775807"#),
      (#""seconds":[0-9.e-]+"#, #""seconds":1e300"#), (#""epoch":[0-9.e-]+"#, #""epoch":-1"#), (#""best":\d+"#, #""best":1000"#),
      (#""newBlocks":\[[^\]]*\]"#, #""newBlocks":[99]"#), (#""births":\[[^\]]*\]"#, #""births":[1]"#),
      (#""by":"\w+""#, #""by":"nothing""#), (#""from":\d+"#, #""from":-9223372036854775808"#),
    ]
    for (pattern, replacement) in changes {
      var changed = file
      let other = text.replacing(try Regex(pattern), with: replacement)
      #expect(other != text, "\(pattern) was not found")
      changed.metadata["training"] = other
      let bytes = try changed.data()
      #expect(throws: ModelFile.Failure.self, "\(replacement)") { try Self.read(bytes, identity) }
    }
    let whole = try file.data()
    #expect(throws: Never.self) { try Self.read(whole, identity) }
  }

  /// Right checksums over another version, another kind of file, and names and shapes that do not fit: each is an error that
  /// says what is wrong.
  @Test func versionsNamesAndShapesAreChecked() throws {
    let model = try Self.model("nextitnet")
    let identity = try TrainingIdentity(model, Self.data, Self.recipe)
    let keeper = StoredKeeper(identity, Self.data)
    _ = try Self.trainer(TestObserver(), keeper).run(model)
    let whole = try SafeTensors(try #require(keeper.last).data())
    func problem(_ change: (inout SafeTensors) throws -> Void) throws -> ModelFile.Failure.Problem? {
      var file = whole
      try change(&file)
      var checksum = TensorChecksum(file.metadata)
      for (name, tensor) in file.tensors.sorted(by: { $0.name < $1.name }) {
        checksum.begin(name, tensor.shape)
        tensor.floats.withUnsafeBytes { checksum.add($0) }
      }
      file.metadata["checksum"] = checksum.text
      do {
        _ = try Self.read(file.data(), identity)
        return nil
      } catch let failure as ModelFile.Failure {
        return failure.problem
      }
    }
    func rename(_ file: inout SafeTensors, _ name: String, _ other: String) throws {
      let place = try #require(file.tensors.firstIndex { $0.name == name })
      file.tensors[place].name = other
    }
    #expect(try problem { _ in } == nil)
    #expect(try problem { $0.metadata["version"] = "2" } == .version("2"))
    #expect(try problem { $0.metadata["version"] = nil } == .version("?"))
    #expect(try problem { $0.metadata["format"] = "another" } == .notAModel)
    let changes: [(inout SafeTensors) throws -> Void] = [
      { try rename(&$0, "output.bias", "output.bais") }, { try rename(&$0, "training/current/output.bias", "training/current/other") },
      { try rename(&$0, "training/first/output.bias", "training/third/output.bias") },
      { $0.tensors.removeAll { $0.name == "training/second/output.weight" } },
      { file in
        let place = try #require(file.tensors.firstIndex { $0.name == "item_embedding.weight" })
        let tensor = file.tensors[place].tensor
        file.tensors[place].tensor = .init(shape: tensor.shape.reversed(), tensor.floats)
      },
      { file in
        let place = try #require(file.tensors.firstIndex { $0.name == "training/current/output.weight" })
        let tensor = file.tensors[place].tensor
        file.tensors[place].tensor = .init(shape: [tensor.shape[0] * tensor.shape[1]], tensor.floats)
      },
      // A model has no tensors of a training.
      { $0.metadata["format"] = ModelFile.modelFormat }, { $0.metadata["kind"] = "none" }, { $0.metadata["items"] = "[]" },
      { $0.metadata["seed"] = "-1" }, { $0.metadata["training"] = nil },
    ]
    for (number, change) in changes.enumerated() {
      guard case .contents(let message) = try problem(change) else {
        Issue.record("change \(number) was not found")
        continue
      }
      #expect(!message.isEmpty)
    }
  }

  /// Keeps the tensors and metadata of the last checkpoint's file.
  private final class StoredKeeper: CheckpointKeeper {
    let every: Extent? = .steps(5)
    private let identity: TrainingIdentity
    private let known: Vocabularies
    private(set) var last: StoredTensors?

    init(_ identity: TrainingIdentity, _ data: Split) {
      self.identity = identity
      known = Vocabularies(data.train)
    }

    func save(_ record: TrainingRecord) {
      if case .underway(let checkpoint) = record, checkpoint.phase > 1 { last = try? TrainingFile.contents(record, known, identity) }
    }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }

  /// Bytes after the last tensor, gaps, and tensors that share bytes are errors.
  @Test func everyByteBelongsToOneTensor() throws {
    let whole = try SafeTensors(tensors: [("a", .init(shape: [2], [1, 2])), ("b", .init(shape: [1], [3]))]).data()
    #expect(throws: Never.self) { try SafeTensors(whole) }
    #expect(throws: TensorHeader.FormatError.self) { try SafeTensors(whole + Data([0])) }
    for header in [
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    ] {
      var data = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
      data.append(Data(header.utf8))
      data.append(Data(count: 12))
      #expect(throws: TensorHeader.FormatError.self, "\(header)") { try SafeTensors(data) }
    }
  }

  private static func file(_ header: String, _ rest: Data = Data()) -> Data {
    var data = Data()
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    return data + Data(header.utf8) + rest
  }

  /// Only `__metadata__` is a map of texts, wherever it stands in the header; a model's file has one.
  @Test func onlyMetadataIsAMapOfTexts() throws {
    let tensor = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    let texts = #""__metadata__":{"format":"x","version":"1"}"#
    for header in ["{\(texts),\(tensor)}", "{\(tensor),\(texts)}"] {
      #expect(try SafeTensors(Self.file(header, Data(count: 4))).metadata == ["format": "x", "version": "1"])
    }
    for other in ["__metadatb__", "a-map", "zzz"] {
      let map = "\"\(other)\":{\"format\":\"y\"}"
      for header in ["{\(texts),\(map),\(tensor)}", "{\(map),\(texts),\(tensor)}", "{\(map),\(tensor)}", "{\(tensor),\(map)}"] {
        #expect {
          try SafeTensors(Self.file(header, Data(count: 4)))
        } throws: {
          guard let message = ($0 as? TensorHeader.FormatError)?.message else { return false }
          return message.contains(other) && message.contains("__metadata__")
        }
      }
    }
    #expect {
      try SafeTensors(Self.file(#"{"__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, Data(count: 4)))
    } throws: {
      ($0 as? TensorHeader.FormatError)?.message.contains("a map of texts was expected") == true
    }
    let path = try Self.write(Self.file("{\(tensor)}", Data(count: 4)))
    defer { unlink(path) }
    #expect {
      try ModelFile.read(path)
    } throws: {
      guard let failure = $0 as? ModelFile.Failure, case .contents(let message) = failure.problem else { return false }
      return failure.path == path && message.contains("__metadata__") && message.contains("expected")
    }
  }

  /// A header is limited, however large the file is, and none is written that could not be read again.
  @Test func longHeadersAreRefused() throws {
    let path = try Self.write(Self.file("{}"))
    defer { unlink(path) }
    // A file of holes, whose first bytes name a header of 100 MB and one byte.
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.write(contentsOf: withUnsafeBytes(of: UInt64(100_000_001).littleEndian) { Data($0) })
    try file.truncate(atOffset: 200_000_000)
    try file.close()
    #expect {
      try ModelFile.read(path)
    } throws: {
      guard let failure = $0 as? ModelFile.Failure, case .notTensors(let message) = failure.problem else { return false }
      return failure.path == path && message.contains("100000001") && message.contains("at most 100000000")
    }
    let names = String(repeating: "a", count: 100_000_000)
    #expect(throws: LongHeader.self) { try TensorHeader(entries: [:], metadata: ["items": names]).data() }
  }

  /// A header with sizes larger than the file does not allocate memory.
  @Test func sizesAreCheckedAgainstTheFile() throws {
    let model = try Self.model("nextitnet")
    let identity = try TrainingIdentity(model, Self.data, Self.recipe)
    for header in [
      #"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#,
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "[]", "{", "",
      String(repeating: "[", count: 100_000),
    ] {
      var data = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
      data.append(Data(header.utf8))
      #expect(throws: ModelFile.Failure.self) { try Self.read(data, identity) }
    }
    var long = Data(repeating: 0xff, count: 7) + Data([0x00])
    #expect(throws: ModelFile.Failure.self) { try Self.read(long, identity) }
    long[7] = 0xff
    #expect(throws: ModelFile.Failure.self) { try Self.read(long, identity) }
  }

  /// Measures the gradients after clipping by Adam's first moment, which is a tenth of the gradient after one step.
  @Test func clippingScalesAllGradientsByTheSameFactor() throws {
    func moments(_ clip: Double?) throws -> [Float] {
      var recipe = Self.recipe
      recipe.optimizer = Adam(rate: 1e-3, clip: clip)
      recipe.phases = [Phase(run: .steps(1))]
      let model = try Self.model("nextitnet")
      let keeper = StateKeeper()
      let trainer = Trainer(recipe, data: Self.data, pool: WorkerPool(threads: 2), observer: TestObserver(), keeper: keeper)
      _ = try trainer.run(model)
      return try #require(keeper.first)
    }
    let free = try moments(nil)
    let norm = free.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() * 10
    let clipped = try moments(norm / 4)
    let after = clipped.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() * 10
    #expect(abs(after - norm / 4) < 1e-5 * norm)
    #expect(zip(free, clipped).allSatisfy { abs($0 / 4 - $1) <= 1e-6 * max(abs($0), 1e-6) })
    #expect(try moments(norm * 2) == free)
  }

  private final class StateKeeper: CheckpointKeeper {
    let every: Extent? = .steps(1)
    private(set) var first: [Float]?
    func save(_ record: TrainingRecord) {
      if case .underway(let checkpoint) = record { first = checkpoint.state.optimizer.tensors[0].array }
    }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }

  @Test func stepsWithSpikesAreSkipped() throws {
    var recipe = Self.recipe
    recipe.spikeGuard = 1.0000001
    recipe.optimizer = Adam(rate: 1e-12, clip: 2)
    recipe.phases = [Phase(run: .steps(20))]
    // At a learning rate that changes nothing, about half of the losses are above their running mean.
    let model = try Self.model("nextitnet")
    let keeper = CountKeeper()
    _ = try Trainer(recipe, data: Self.data, pool: WorkerPool(threads: 2), observer: TestObserver(), keeper: keeper).run(model)
    #expect(keeper.taken > 2 && keeper.taken < 19, "\(keeper.taken) of 20 steps")
  }

  private final class CountKeeper: CheckpointKeeper {
    let every: Extent? = .steps(1)
    private(set) var taken = 0
    func save(_ record: TrainingRecord) { if case .underway(let checkpoint) = record { taken = checkpoint.state.optimizer.steps } }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }
}
