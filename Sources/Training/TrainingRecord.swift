import Growth
import Layers

// The numbers of a training, to and from what is written of them.
extension TrainingFile.Record {
  init(_ state: TrainingState) throws {
    self.init(
      isFinished: false, phase: state.phase, adamSteps: state.adamSteps, births: state.adam.births,
      bestBirths: state.bestMoments?.births, step: state.step, epoch: state.epoch, seconds: state.seconds,
      cpuSeconds: state.cpuSeconds, evaluationSeconds: state.evaluationSeconds, history: state.history.map { Point($0) },
      growths: state.growths.map { Growth($0) }, best: state.best ?? 0, newBlocks: state.newBlocks.sorted(),
      fallback: try state.fallback.map {
        Fallback(
          kind: $0.model.network.kind,
          configuration: String(decoding: try $0.model.network.encodedConfiguration(), as: UTF8.self), best: $0.best)
      }, stop: Stop(reason: "underway"))
  }

  init(_ run: TrainingRun) {
    let best = run.history.lastIndex { $0.step == run.best.step && $0.phase == run.best.phase }
    self.init(
      isFinished: true, phase: .init(), adamSteps: 0, births: [], step: run.steps, epoch: run.history.last?.epoch ?? 0,
      seconds: run.seconds, cpuSeconds: run.history.last?.cpuSeconds ?? 0, evaluationSeconds: run.evaluationSeconds,
      history: run.history.map { Point($0) }, growths: run.growths.map { Growth($0) }, best: best ?? 0, newBlocks: [],
      stop: Stop(run.stop))
  }

  func restore(_ state: inout TrainingState) {
    state.phase = phase
    state.adamSteps = adamSteps
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

  /// Could these numbers be of a training of such a model? Whoever wrote them may have made a mistake.
  func isConsistent(depth: Int, parameters: Int) -> Bool {
    func fits(_ births: [Int]?) -> Bool { births.map { $0.isEmpty || $0.count == parameters } ?? true }
    return history.indices.contains(best) && fits(births) && fits(bestBirths)
      && newBlocks.allSatisfy { (0..<depth).contains($0) } && (fallback.map { history.indices.contains($0.best) } ?? true)
      && phase.index >= 0 && phase.step >= 0 && step >= 0 && adamSteps >= 0 && growths.allSatisfy { $0.mark != nil }
      && history.allSatisfy { point in point.metrics.keys.allSatisfy { Metric(named: $0) != nil } }
  }
}

extension TrainingFile.Record.Point {
  init(_ point: HistoryPoint) {
    self.init(
      step: point.step, epoch: point.epoch, seconds: point.seconds, cpuSeconds: point.cpuSeconds, loss: point.loss,
      metrics: Dictionary(uniqueKeysWithValues: point.metrics.map { ($0.key.name, $0.value) }), phase: point.phase,
      blocks: point.blocks)
  }

  var point: HistoryPoint {
    var known: [Metric: Double] = [:]
    for (name, value) in metrics { if let metric = Metric(named: name) { known[metric] = value } }
    return HistoryPoint(
      step: step, epoch: epoch, seconds: seconds, cpuSeconds: cpuSeconds, loss: loss, metrics: known, phase: phase,
      blocks: blocks)
  }
}

extension TrainingFile.Record.Growth {
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

extension TrainingFile.Record.Stop {
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

extension Metric {
  /// `mrr@5`
  init?(named name: String) {
    let parts = name.split(separator: "@")
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let k = Int(parts[1]), k >= 1 else { return nil }
    self.init(kind, k)
  }
}
