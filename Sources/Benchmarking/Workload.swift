import Datasets
import Foundation
import Kernels
import Layers
import Models
import Training

/// A workload of a benchmark: a network, its loss, and the data of a training or an evaluation. Benchmarks/peers has the same
/// workloads in PyTorch.
public struct Workload: Sendable {
  public let name: String
  public let summary: String
  let items: Int
  let batch: Int
  let loss: any Loss
  let task: Task
  let make: @Sendable () throws -> any Network

  enum Task: Sendable {
    case training
    /// A full ranking of this number of sequences.
    case evaluation(Int)
  }

  /// The default number of timed steps. One step of an evaluation workload is a whole evaluation.
  public var defaultSteps: Int {
    if case .evaluation = task { return 5 }
    return 20
  }

  static let length = 20
  static let users = 10_000

  private init(
    _ name: String, _ summary: String, items: Int, batch: Int = 256, loss: any Loss, task: Task = .training,
    make: @escaping @Sendable () throws -> any Network
  ) {
    self.name = name
    self.summary = summary
    self.items = items + 1
    self.batch = batch
    self.loss = loss
    self.task = task
    self.make = make
  }

  private static let sampled = SampledSoftmax(share: 0.2)

  private static func stack(_ blocks: Int, items: Int) -> NextItNet.Configuration {
    .init(items: items + 1, dim: 64, blocks: blocks)
  }

  public static let all: [Workload] = [
    Workload("nextitnet-32-sampled", "NextItNet, 32 blocks, 3,590 items, sampled softmax 20 %", items: 3590, loss: sampled) {
      try NextItNet(stack(32, items: 3590))
    },
    Workload("nextitnet-8-24k-sampled", "NextItNet, 8 blocks, 24,000 items, sampled softmax 20 %", items: 24_000, loss: sampled) {
      try NextItNet(stack(8, items: 24_000))
    },
    Workload("nextitnet-16-full", "NextItNet, 16 blocks, 3,590 items, full softmax", items: 3590, loss: Softmax()) {
      try NextItNet(stack(16, items: 3590))
    },
    Workload("sasrec-24-full", "SASRec, 24 blocks, 3,590 items, full softmax", items: 3590, loss: Softmax()) {
      try SASRec(.init(items: 3591, length: length, dim: 64, blocks: 24))
    },
    Workload("ssept-8", "SSE-PT, 8 blocks, d 128, dropout 0.2, 3,590 items, full softmax", items: 3590, loss: Softmax()) {
      try SASRec(
        .init(
          items: 3591, length: length, dim: 64, blocks: 8, dropout: 0.2,
          users: .init(count: users, dim: 64, sharing: .init(user: 0.8, item: 0.01))))
    },
    Workload("grec-8", "GRec, 8 encoder and 8 decoder blocks, 3,590 items, softmax at the gaps", items: 3590, loss: Softmax()) {
      try GRec(.init(.encoderDecoder, stack(8, items: 3590)))
    },
    Workload(
      "evaluate-16-24k", "evaluation of 10,000 sequences, NextItNet, 16 blocks, 24,000 items, all ranked", items: 24_000,
      loss: Softmax(), task: .evaluation(10_000)
    ) {
      try NextItNet(stack(16, items: 24_000))
    },
  ]

  /// Small workloads, one per model, for counting instructions: see Benchmarks/instructions.
  public static let small: [Workload] = [
    Workload("small-nextitnet", "a small step of NextItNet, sampled softmax", items: 400, batch: 16, loss: sampled) {
      try NextItNet(stack(2, items: 400))
    },
    Workload("small-grec", "a small step of GRec, full softmax", items: 400, batch: 16, loss: Softmax()) {
      try GRec(.init(.encoderDecoder, stack(2, items: 400)))
    },
    Workload("small-sasrec", "a small step of SASRec, full softmax", items: 400, batch: 16, loss: Softmax()) {
      try SASRec(.init(items: 401, length: length, dim: 64, blocks: 2, heads: 2))
    },
    Workload("small-ssept", "a small step of SSE-PT with dropout, full softmax", items: 400, batch: 16, loss: Softmax()) {
      try SASRec(
        .init(
          items: 401, length: length, dim: 32, blocks: 2, dropout: 0.2,
          users: .init(count: users, dim: 32, sharing: .init(user: 0.8, item: 0.01))))
    },
  ]

  /// Sequences of uniformly drawn items. A tenth of them begins with pads.
  func sequences(_ count: Int) -> SequenceSet {
    var numbers = RandomStream(seed: 1, "benchmark").numbers()
    var tokens: [Int32] = []
    for _ in 0..<count {
      let pads = numbers.below(10) == 0 ? numbers.below(Self.length / 2) : 0
      tokens += (0..<Self.length).map { $0 < pads ? 0 : Int32(1 + numbers.below(items - 1)) }
    }
    return SequenceSet(
      length: Self.length, tokens: tokens, users: (0..<count).map { Int32($0 % Self.users) }, times: nil,
      items: Vocabulary((0..<items).map(String.init)), userNames: Vocabulary((0..<Self.users).map(String.init)),
      hasUsers: true, source: "benchmark", process: nil)
  }

  /// Floating-point operations of the matrix products of one step, without the padding of convolutions.
  func operations(_ network: any Network) -> Double {
    let passes: Double
    let sequences: Double
    switch task {
    case .training: (passes, sequences) = (3, Double(batch))
    case .evaluation(let count): (passes, sequences) = (1, Double(count))
    }
    let d = Double(network.width)
    let time = Double(network.positions(length: Self.length))
    var perSequence = 0.0
    for stack in network.stacks {
      for block in stack.blocks { perSequence += block.operations(positions: Int(time)) }
    }
    perSequence += network.operationsBesidesBlocks(positions: Int(time))
    let columns =
      switch loss.reach(rows: items) {
      case .table: Double(items)
      case .candidates(let count): Double(count)
      case .rows(let negatives), .sequences(let negatives): Double(1 + negatives)
      }
    var rows = network.objective.predictedPositions(Int(time))
    if case .evaluation = task { rows = 1 }
    return passes * sequences * (perSequence + 2 * rows * d * columns)
  }
}
