import Evaluation
import Growth
import Layers

/// The state of a training without its tensors, as JSON for a checkpoint.
struct CheckpointRecord: Codable {
  var isFinished: Bool
  var phase: TrainingState.PhaseState
  /// The number of steps of the optimizer. The name in files is from version 0.1, which had Adam only.
  var optimizerSteps: Int
  /// For each parameter, the optimizer's step count at which its own count began; empty: 0 for all.
  var startSteps: [Int]
  /// The same for the `best_` tensors; nil if the file has none.
  var bestStartSteps: [Int]?
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
  /// How metrics treat tied items: `expectation`; nil in files of version 0.1, which used the mean rank.
  var ties: String?

  private enum CodingKeys: String, CodingKey {
    case isFinished, phase
    case optimizerSteps = "adamSteps"
    case startSteps = "births"
    case bestStartSteps = "bestBirths"
    case step, epoch, seconds, cpuSeconds, evaluationSeconds, history, growths, best, newBlocks, fallback, stop, ties
  }

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
    var trials: [GrowthMark.Trial]?
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

// Conversions between the state of a training and its record.
extension CheckpointRecord {
  static let ties = "expectation"

  init(_ state: TrainingState) throws {
    self.init(
      isFinished: false, phase: state.phase, optimizerSteps: state.optimizer.steps, startSteps: state.optimizer.starts,
      bestStartSteps: state.bestOptimizer?.starts, step: state.step, epoch: state.epoch, seconds: state.seconds,
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
      isFinished: true, phase: .init(), optimizerSteps: 0, startSteps: [], step: run.steps, epoch: run.history.last?.epoch ?? 0,
      seconds: run.seconds, cpuSeconds: run.history.last?.cpuSeconds ?? 0, evaluationSeconds: run.evaluationSeconds,
      history: run.history.map { Point($0) }, growths: run.growths.map { Growth($0) }, best: best ?? 0, newBlocks: [],
      stop: Stop(run.stop), ties: Self.ties)
  }

  /// Marks the training as finished.
  mutating func finish(_ reason: StopReason) {
    isFinished = true
    stop = Stop(reason)
  }

  /// Copies the record into a state, except the parameters and the optimizer's state, which are restored separately.
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

  /// Whether the numbers are possible for a training of such a model and recipe. A file may come from a faulty or hostile
  /// program, so no index may lie outside of its list and no sum may overflow.
  func isConsistent(depth: Int, parameters: Int, phases: Int) -> Bool {
    func fits(_ startSteps: [Int]?) -> Bool { startSteps.map { $0.isEmpty || $0.count == parameters } ?? true }
    func areCounts(_ numbers: Int...) -> Bool { numbers.allSatisfy { (0...1_000_000_000_000_000).contains($0) } }
    func areTimes(_ numbers: Double...) -> Bool { numbers.allSatisfy { $0 >= 0 && $0 < 1e12 } }
    return history.indices.contains(best) && fits(startSteps) && fits(bestStartSteps)
      && (startSteps + (bestStartSteps ?? [])).allSatisfy { areCounts($0) }
      && newBlocks.allSatisfy { (0..<depth).contains($0) } && (fallback.map { history.indices.contains($0.best) } ?? true)
      && (0..<phases).contains(phase.index) && areCounts(phase.step, phase.waiting, phase.plateauWaiting, phase.lossCount)
      && areCounts(step, optimizerSteps) && areTimes(epoch, seconds, cpuSeconds, evaluationSeconds, phase.startSeconds)
      && growths.allSatisfy {
        $0.mark != nil && areCounts($0.step, $0.from, $0.to) && areTimes($0.epoch, $0.seconds)
          && ($0.trials ?? []).allSatisfy { areTimes($0.seconds) && areCounts($0.steps) }
      }
      && history.allSatisfy { point in
        point.metrics.keys.allSatisfy { Metric(named: $0) != nil } && areCounts(point.step, point.phase, point.blocks)
          && areTimes(point.epoch, point.seconds, point.cpuSeconds)
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
      carry: mark.carry, trials: mark.trials.isEmpty ? nil : mark.trials)
  }

  /// nil if there is no such growth operator.
  var mark: GrowthMark? {
    GrowthOperator(rawValue: by).map {
      GrowthMark(step: step, epoch: epoch, seconds: seconds, from: from, to: to, by: $0, carry: carry, trials: trials ?? [])
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
