import Datasets
import Foundation
import Growth
import Kernels
import Layers
import Models
import Testing

@testable import Training

/// Keeps every checkpoint of a run, as bytes.
private final class MemoryKeeper: CheckpointKeeper {
  let every: Extent?
  private let known: Vocabularies
  private let fingerprint: String
  private(set) var files: [Data] = []
  private(set) var growths = 0
  private(set) var finished: Data?

  init(every: Extent?, _ data: Split, _ fingerprint: String) {
    self.every = every
    known = Vocabularies(data.train)
    self.fingerprint = fingerprint
  }

  func save(_ record: TrainingRecord) {
    guard let data = try? TrainingFile.data(record, known, fingerprint: fingerprint) else { return }
    if case .finished = record { finished = data } else { files.append(data) }
  }

  func grew(_ checkpoint: TrainingCheckpoint) {
    growths += 1
    save(.underway(checkpoint))
  }
}

/// What a run came to, times left out.
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

  private static func network(_ kind: String) throws -> any Network {
    let items = data.train.items.count
    let stack = NextItNet.Configuration(items: items, dim: 16, blocks: 2)
    let users = SASRec.Users(count: data.train.userNames.count, dim: 8, sharing: .init(user: 0.5, item: 0.1))
    switch kind {
    case "nextitnet": return try NextItNet(stack)
    case "grec_causal": return try GRec(.init(.causal, stack))
    case "grec_encoder_decoder": return try GRec(.init(.encoderDecoder, stack))
    case "sasrec": return try SASRec(.init(items: items, length: 12, dim: 16, blocks: 2, dropout: 0.2))
    default: return try SASRec(.init(items: items, length: 12, dim: 8, blocks: 2, dropout: 0.2, users: users))
    }
  }

  private static let options: TrainingOptions = {
    var options = TrainingOptions()
    options.batch = 64
    options.evaluateEvery = .steps(4)
    options.seed = 3
    options.patience = 6
    options.optimizer.clip = 2
    options.loss = .sampledSoftmax(share: 0.3, distribution: .logUniform)
    return options
  }()

  /// Growths that carry the optimizer, freeze, wait for a plateau and may fall back.
  private static let phases = [
    Phase(run: .steps(6)),
    Phase(run: .steps(9), to: 4, by: .cross, carry: .parts([.blocks, .norm, .alpha, .output], optimizer: true)),
    Phase(run: .steps(7), dataShare: 1, when: nil),
    Phase(
      run: .steps(6), to: 5, by: .topCross, carry: .all, when: .init(1, on: Metric(.hr, 5)), freezeOld: .steps(3)),
  ]

  private static func trainer(_ observer: TestObserver, _ keeper: (any CheckpointKeeper)? = nil) -> Trainer {
    Trainer(options, data: data, pool: WorkerPool(threads: 2), observer: observer, keeper: keeper)
  }

  private static func write(_ data: Data) throws -> String {
    let path = NSTemporaryDirectory() + "stackrec-checkpoint-\(UUID().uuidString).safetensors"
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func read(_ data: Data, _ fingerprint: Fingerprint) throws -> TrainingFile.Contents {
    let path = try write(data)
    defer { unlink(path) }
    return try TrainingFile.read(path, fingerprint: fingerprint, describe: { "\($0)" }, make: Networks.make)
  }

  @Test(arguments: ["nextitnet", "grec_causal", "grec_encoder_decoder", "sasrec", "ssept"])
  func everyCheckpointLeadsToTheSameBits(kind: String) throws {
    let model = Model(try Self.network(kind), seed: 5)
    let fingerprint = try Fingerprint(model, Self.data, Self.options, Self.phases)
    let keeper = MemoryKeeper(every: .steps(1), Self.data, fingerprint.text)
    let whole = try Self.trainer(TestObserver(), keeper).run(model, Self.phases)
    #expect(keeper.growths == 2)
    #expect(keeper.files.count > 12)
    let expected = Outcome(whole)
    for file in keeper.files {
      guard case .underway(let checkpoint) = try Self.read(file, fingerprint) else {
        Issue.record("a training that goes on was read as finished")
        continue
      }
      let rest = try Self.trainer(TestObserver()).run(model, Self.phases, from: checkpoint)
      #expect(Outcome(rest) == expected, "from step \(checkpoint.step), phase \(checkpoint.phase)")
    }
    guard case .finished(let finished) = try Self.read(try #require(keeper.finished), fingerprint) else {
      Issue.record("a finished training was read as one that goes on")
      return
    }
    #expect(Outcome(finished.run(Self.options, Self.data)) == expected)
    #expect(finished.run(Self.options, Self.data).best.step == whole.best.step)
  }

  /// Stopped at every step, between phases too, and resumed in memory.
  @Test func interruptedRunsGoOnToTheSameBits() throws {
    let model = Model(try Self.network("nextitnet"), seed: 5)
    let whole = try Self.trainer(TestObserver()).run(model, Self.phases)
    #expect(!whole.canResume)
    for stop in 0..<whole.steps {
      let observer = TestObserver()
      observer.stopAfter = stop
      let part = try Self.trainer(observer).run(model, Self.phases)
      #expect(part.stop == .interrupted && part.canResume)
      let rest = try Self.trainer(TestObserver()).resume(part)
      #expect(Outcome(rest) == Outcome(whole), "stopped after step \(stop)")
      // The interrupted run is as it was.
      #expect(Outcome(try Self.trainer(TestObserver()).resume(part)) == Outcome(whole))
    }
  }

  @Test func anythingElseHasAnotherFingerprint() throws {
    let model = Model(try Self.network("nextitnet"), seed: 5)
    func print(_ model: Model, _ options: TrainingOptions, _ phases: [Phase], _ data: Split = Self.data) throws -> String {
      try Fingerprint(model, data, options, phases).text
    }
    var seen = [try print(model, Self.options, Self.phases)]
    seen.append(try print(Model(model.network, seed: 6), Self.options, Self.phases))
    seen.append(try print(model, Self.options, Array(Self.phases.dropLast())))
    seen.append(try print(model, Self.options, Self.phases, Self.data.fraction(0.5, told: "half")))
    let changes: [(inout TrainingOptions) -> Void] = [
      { $0.batch = 65 }, { $0.loss = .softmax }, { $0.optimizer.rate = 2e-3 }, { $0.optimizer.clip = nil },
      { $0.evaluateEvery = .steps(5) }, { $0.seed = 4 }, { $0.patience = nil }, { $0.watch = Metric(.hr, 5) },
      { $0.padsInLoss = true }, { $0.spikeGuard = 3 },
    ]
    for change in changes {
      var options = Self.options
      change(&options)
      seen.append(try print(model, options, Self.phases))
    }
    #expect(Set(seen).count == seen.count)
    #expect(try print(model.copy(), Self.options, Self.phases) == seen[0])
  }

  /// No flipped byte and no cut goes unnoticed; nothing crashes.
  @Test func damageIsAnError() throws {
    let model = Model(try Self.network("ssept"), seed: 5)
    let fingerprint = try Fingerprint(model, Self.data, Self.options, Self.phases)
    let keeper = MemoryKeeper(every: .steps(9), Self.data, fingerprint.text)
    _ = try Self.trainer(TestObserver(), keeper).run(model, Self.phases)
    let whole = try #require(keeper.files.last)
    let headerLength = Int(whole.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    // Every 211th byte of the header (its padding excepted, which says nothing), every 9,973rd of the rest.
    let header = stride(from: 0, to: 8 + headerLength - 8, by: 211)
    for place in Array(header) + Array(stride(from: 8 + headerLength, to: whole.count, by: 9973)) {
      var damaged = whole
      damaged[place] ^= 1 << UInt8(place % 7)
      #expect(throws: ModelFile.Failure.self, "byte \(place)") { try Self.read(damaged, fingerprint) }
    }
    for length in stride(from: 0, to: whole.count, by: whole.count / 40) {
      #expect(throws: ModelFile.Failure.self, "cut at \(length)") { try Self.read(whole.prefix(length), fingerprint) }
    }
    let other = try Fingerprint(Model(model.network, seed: 9), Self.data, Self.options, Self.phases)
    #expect(throws: ModelFile.Failure.self) { try Self.read(whole, other) }
    // As a model it is whole: its best parameters.
    let path = try Self.write(whole)
    defer { unlink(path) }
    #expect(try ModelFile.read(path, describe: { "\($0)" }, make: Networks.make).model.network.kind == "ssept")
  }

  /// A header that claims more than there is takes no memory.
  @Test func claimsAreHeldAgainstTheFile() throws {
    let model = Model(try Self.network("nextitnet"), seed: 5)
    let fingerprint = try Fingerprint(model, Self.data, Self.options, Self.phases)
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
      #expect(throws: ModelFile.Failure.self) { try Self.read(data, fingerprint) }
    }
    var long = Data(repeating: 0xff, count: 7) + Data([0x00])
    #expect(throws: ModelFile.Failure.self) { try Self.read(long, fingerprint) }
    long[7] = 0xff
    #expect(throws: ModelFile.Failure.self) { try Self.read(long, fingerprint) }
  }

  /// Norm of the gradients after clipping, seen through one step of plain numbers: Adam's first moment is a tenth of it.
  @Test func clippingScalesAllGradientsAlike() throws {
    func moments(_ clip: Double?) throws -> [Float] {
      var options = Self.options
      options.optimizer.clip = clip
      let model = Model(try Self.network("nextitnet"), seed: 5)
      let keeper = StateKeeper()
      let trainer = Trainer(options, data: Self.data, pool: WorkerPool(threads: 2), observer: TestObserver(), keeper: keeper)
      _ = try trainer.run(model, [Phase(run: .steps(1))])
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
      if case .underway(let checkpoint) = record { first = checkpoint.state.adam.first.array }
    }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }

  @Test func spikesAreNotTaken() throws {
    var options = Self.options
    options.spikeGuard = 1.0000001
    options.optimizer.rate = 1e-12
    // At a rate that changes nothing, about half of the losses are above their running mean.
    let model = Model(try Self.network("nextitnet"), seed: 5)
    let keeper = CountKeeper()
    _ = try Trainer(options, data: Self.data, pool: WorkerPool(threads: 2), observer: TestObserver(), keeper: keeper)
      .run(model, [Phase(run: .steps(20))])
    #expect(keeper.taken > 2 && keeper.taken < 19, "\(keeper.taken) of 20 steps")
  }

  private final class CountKeeper: CheckpointKeeper {
    let every: Extent? = .steps(1)
    private(set) var taken = 0
    func save(_ record: TrainingRecord) { if case .underway(let checkpoint) = record { taken = checkpoint.state.adamSteps } }
    func grew(_ checkpoint: TrainingCheckpoint) {}
  }
}
