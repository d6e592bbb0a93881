import Evaluation
import Interpreter
import Kernels
import Training

/// Reports the progress of a training: a line that is overwritten on a terminal, one line per evaluation elsewhere.
final class ProgressReporter: TrainingObserver {
  private let host: any InterpreterHost
  private var lastShown = 0.0

  private let recorder: RunRecorder?
  private let curve: LiveCurve?

  init(_ host: any InterpreterHost, _ recorder: RunRecorder?, _ curve: LiveCurve? = nil) {
    self.host = host
    self.recorder = recorder
    self.curve = curve
  }

  var shouldStop: Bool { host.isInterrupted }

  func planned(name: String, blocks: Int, parameters: Int, bytes: Double) {
    host.milestone(
      "\(name): \(NumberFormat.count(blocks, "block")), \(NumberFormat.grouped(parameters)) parameters, about \(NumberFormat.grouped(Int((bytes / 1e6).rounded(.up)))) MB to train"
    )
  }

  func stepped(_ progress: TrainingProgress) {
    let now = ProcessClock.wall()
    guard now - lastShown > 0.1 else { return }
    lastShown = now
    host.progress(line(progress, columns: host.width - 1))
  }

  func evaluating(_ share: Double, name: String) {
    let now = ProcessClock.wall()
    // Short evaluations do not replace the line of the last step.
    if share == 0 { lastShown = now }
    guard now - lastShown > 0.5 else { return }
    lastShown = now - 0.4
    host.progress("\(name) · validation, \(Int(share * 100)) %")
  }

  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) {
    recorder?.evaluated(point)
    curve?.add(point)
    // On a terminal the live line already shows the evaluation; a log file needs one line for each.
    if !host.showsLiveProgress { host.milestone(line(progress)) }
  }

  func grew(_ mark: GrowthMark, name: String) {
    curve?.grew(at: mark.step)
    for trial in mark.trials {
      let value = trial.value.map { NumberFormat.fixed($0, digits: 4) } ?? "diverged"
      host.milestone(
        "\(name): tried \(trial.name): \(value) after \(NumberFormat.count(trial.steps, "step")), \(NumberFormat.duration(trial.seconds))")
    }
    host.milestone(
      "\(name): step \(mark.step), stacked \(mark.from) -> \(NumberFormat.count(mark.to, "block")) (\(mark.by.rawValue), carry \(mark.carry))"
    )
  }

  func finish() { host.progress(nil) }

  func finished(_ run: TrainingRun) {
    host.progress(nil)
    if case .finished = run.stop, let last = run.history.last, last.phase + 1 < run.recipe.phases.count {
      host.note(
        "\(run.name): the training was over before phase \(last.phase + 2) of \(run.recipe.phases.count), so it ends with \(NumberFormat.count(run.model.network.depth, "block")): make `run` longer"
      )
    }
    curve?.add(nil, isLast: true)
    host.milestone(
      "\(run.name): \(run.stop.text) after \(NumberFormat.count(run.steps, "step")), \(NumberFormat.duration(run.seconds)) training; best \(run.recipe.watch.title) \(NumberFormat.fixed(run.best.metrics[run.recipe.watch] ?? 0, digits: 4)) at step \(run.best.step)"
    )
    if run.best.step == 0, run.steps > 0, run.stop == .finished {
      host.note(
        "no evaluation was better than the one before the first step: is the learning rate too high (optimizer: adam(lr: 1e-3)), or the run too short?"
      )
    }
  }

  /// The progress in one line. If it has more characters than `columns`, the speed is left out first, then the rate, the loss,
  /// the blocks, the phase and the name, but never the metric and the time that is left.
  private func line(_ p: TrainingProgress, columns: Int = .max) -> String {
    var parts: [(text: String, isLeftOut: Int)] = [(p.name, 6)]
    if p.phases > 1 { parts.append(("phase \(p.phase)/\(p.phases)", 5)) }
    parts.append((NumberFormat.count(p.blocks, "block"), 4))
    parts.append(("step \(p.step)" + (p.plannedSteps.map { "/\($0)" } ?? ""), .max))
    parts.append(
      ("\(NumberFormat.fixed(p.stepsPerSecond, digits: 1)) steps/s, \(NumberFormat.grouped(Int(min(p.sequencesPerSecond, 1e12)))) seq/s", 1)
    )
    if let loss = p.loss { parts.append(("loss \(NumberFormat.fixed(loss, digits: 4))", 3)) }
    parts.append(("lr \(NumberFormat.text(p.rate))", 2))
    if let value = p.value {
      let trend = value >= (p.best ?? value) ? "↑" : "↓"
      parts.append(("\(p.watched.title) \(NumberFormat.fixed(value, digits: 4)) \(trend)", .max))
    }
    if let left = p.secondsLeft { parts.append(("\(NumberFormat.duration(left)) left", .max)) }
    var line = parts.map(\.text).joined(separator: " · ")
    for rank in 1...6 where line.count > columns {
      parts.removeAll { $0.isLeftOut == rank }
      line = parts.map(\.text).joined(separator: " · ")
    }
    return line
  }
}
