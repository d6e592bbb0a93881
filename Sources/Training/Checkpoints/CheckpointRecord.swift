import Evaluation
import Growth
import Layers

/// The numbers of a training, as JSON.
struct CheckpointRecord: Codable {
  var isFinished: Bool
  var phase: TrainingState.PhaseState
  /// Steps of the optimizer.
  var adamSteps: Int
  /// Steps that it had taken when each parameter began; empty: 0 for all.
  var births: [Int]
  /// The same of `best_` tensors; nil: there are none.
  var bestBirths: [Int]?
  var step: Int
  var epoch: Double
  var seconds: Double
  var cpuSeconds: Double
  var evaluationSeconds: Double
  var history: [Point]
  var growths: [Growth]
  var best: Int
  var newBlocks: [Int]
  var fallback: Fallback?
  var stop: Stop
  /// How metrics treat tied items: `expectation`; nil in files of version 0.1, which took the mean rank.
  var ties: String?

  struct Point: Codable {
    let step: Int
    let epoch, seconds, cpuSeconds: Double
    let loss: Double?
    var rate: Double?
    let metrics: [String: Double]
    let phase, blocks: Int
  }

  struct Growth: Codable {
    let step: Int
    let epoch, seconds: Double
    let from, to: Int
    let by, carry: String
  }

  struct Fallback: Codable {
    let kind, configuration: String
    let best: Int
  }

  struct Stop: Codable {
    let reason: String
    var count: Int?
    var name: String?
  }
}

// The numbers of a training, to and from what is written of them.
extension CheckpointRecord {
  static let ties = "expectation"

  init(_ state: TrainingState) throws {
    self.init(
      isFinished: false, phase: state.phase, adamSteps: state.optimizer.steps, births: state.optimizer.starts,
      bestBirths: state.bestOptimizer?.starts, step: state.step, epoch: state.epoch, seconds: state.seconds,
      cpuSeconds: state.cpuSeconds, evaluationSeconds: state.evaluationSeconds, history: state.history.map { Point($0) },
      growths: state.growths.map { Growth($0) }, best: state.best ?? 0, newBlocks: state.newBlocks.sorted(),
      fallback: try state.fallback.map {
        Fallback(
          kind: $0.model.network.kind,
          configuration: String(decoding: try $0.model.network.encodedConfiguration(), as: UTF8.self), best: $0.best)
      }, stop: Stop(reason: "underway"), ties: Self.ties)
  }

  init(_ run: TrainingRun) {
    let best = run.history.lastIndex { $0.step == run.best.step && $0.phase == run.best.phase }
    self.init(
      isFinished: true, phase: .init(), adamSteps: 0, births: [], step: run.steps, epoch: run.history.last?.epoch ?? 0,
      seconds: run.seconds, cpuSeconds: run.history.last?.cpuSeconds ?? 0, evaluationSeconds: run.evaluationSeconds,
      history: run.history.map { Point($0) }, growths: run.growths.map { Growth($0) }, best: best ?? 0, newBlocks: [],
      stop: Stop(run.stop), ties: Self.ties)
  }

  /// Makes it the record of a training that ended in this state.
  mutating func finish(_ reason: StopReason) {
    isFinished = true
    stop = Stop(reason)
  }

  func restore(_ state: inout TrainingState) {
    state.phase = phase
    state.step = step
    state.epoch = epoch
    state.seconds = seconds
    state.cpuSeconds = cpuSeconds
    state.evaluationSeconds = evaluationSeconds
    state.history = history.map(\.point)
    state.growths = growths.compactMap(\.mark)
    state.best = best
    state.newBlocks = Set(newBlocks)
  }

  /// Could these numbers be of a training of such a model and recipe? Whoever wrote them may have made a mistake, or mean
  /// harm: nothing here may lead outside of a list, or past what a sum can hold.
  func isConsistent(depth: Int, parameters: Int, phases: Int) -> Bool {
    func fits(_ births: [Int]?) -> Bool { births.map { $0.isEmpty || $0.count == parameters } ?? true }
    func counts(_ numbers: Int...) -> Bool { numbers.allSatisfy { (0...1_000_000_000_000_000).contains($0) } }
    func times(_ numbers: Double...) -> Bool { numbers.allSatisfy { $0 >= 0 && $0 < 1e12 } }
    return history.indices.contains(best) && fits(births) && fits(bestBirths)
      && (births + (bestBirths ?? [])).allSatisfy { counts($0) }
      && newBlocks.allSatisfy { (0..<depth).contains($0) } && (fallback.map { history.indices.contains($0.best) } ?? true)
      && (0..<phases).contains(phase.index) && counts(phase.step, phase.waiting, phase.plateauWaiting, phase.lossCount)
      && counts(step, adamSteps) && times(epoch, seconds, cpuSeconds, evaluationSeconds, phase.startSeconds)
      && growths.allSatisfy { $0.mark != nil && counts($0.step, $0.from, $0.to) && times($0.epoch, $0.seconds) }
      && history.allSatisfy { point in
        point.metrics.keys.allSatisfy { Metric(named: $0) != nil } && counts(point.step, point.phase, point.blocks)
          && times(point.epoch, point.seconds, point.cpuSeconds)
      }
  }
}

extension CheckpointRecord.Point {
  init(_ point: HistoryPoint) {
    self.init(
      step: point.step, epoch: point.epoch, seconds: point.seconds, cpuSeconds: point.cpuSeconds, loss: point.loss, rate: point.rate,
      metrics: Dictionary(uniqueKeysWithValues: point.metrics.map { ($0.key.name, $0.value) }), phase: point.phase,
      blocks: point.blocks)
  }

  var point: HistoryPoint {
    var known: [Metric: Double] = [:]
    for (name, value) in metrics { if let metric = Metric(named: name) { known[metric] = value } }
    return HistoryPoint(
      step: step, epoch: epoch, seconds: seconds, cpuSeconds: cpuSeconds, loss: loss, rate: rate, metrics: known, phase: phase,
      blocks: blocks)
  }
}

extension CheckpointRecord.Growth {
  init(_ mark: GrowthMark) {
    self.init(
      step: mark.step, epoch: mark.epoch, seconds: mark.seconds, from: mark.from, to: mark.to, by: mark.by.rawValue,
      carry: mark.carry)
  }

  /// nil: of an operator that there is not.
  var mark: GrowthMark? {
    GrowthOperator(rawValue: by).map {
      GrowthMark(step: step, epoch: epoch, seconds: seconds, from: from, to: to, by: $0, carry: carry)
    }
  }
}

extension CheckpointRecord.Stop {
  init(_ reason: StopReason) {
    switch reason {
    case .finished: self.init(reason: "finished")
    case .patience(let count, let metric): self.init(reason: "patience", count: count, name: metric.name)
    case .interrupted: self.init(reason: "interrupted")
    case .diverged(let step, let parameter): self.init(reason: "diverged", count: step, name: parameter)
    }
  }

  var value: StopReason {
    switch reason {
    case "patience": name.flatMap { Metric(named: $0) }.map { .patience(count ?? 0, $0) } ?? .finished
    case "interrupted": .interrupted
    case "diverged": .diverged(step: count ?? 0, parameter: name)
    default: .finished
    }
  }
}
