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
      "\(name): \(blocks) blocks, \(NumberFormat.grouped(parameters)) parameters, about \(NumberFormat.grouped(Int((bytes / 1e6).rounded(.up)))) MB to train"
    )
  }

  func stepped(_ progress: TrainingProgress) {
    let now = ProcessClock.wall()
    guard now - lastShown > 0.1 else { return }
    lastShown = now
    host.progress(line(progress))
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
    host.milestone("\(name): step \(mark.step), stacked \(mark.from) -> \(mark.to) blocks (\(mark.by.rawValue), carry \(mark.carry))")
  }

  func finish() { host.progress(nil) }

  func finished(_ run: TrainingRun) {
    host.progress(nil)
    curve?.add(nil, isLast: true)
    host.milestone(
      "\(run.name): \(run.stop.text) after \(run.steps) steps, \(NumberFormat.duration(run.seconds)) training; best \(run.recipe.watch.title) \(NumberFormat.fixed(run.best.metrics[run.recipe.watch] ?? 0, digits: 4)) at step \(run.best.step)"
    )
  }

  private func line(_ p: TrainingProgress) -> String {
    var parts = [p.name]
    if p.phases > 1 { parts.append("phase \(p.phase)/\(p.phases)") }
    parts.append("\(p.blocks) blocks")
    parts.append("step \(p.step)" + (p.plannedSteps.map { "/\($0)" } ?? ""))
    parts.append(
      "\(NumberFormat.fixed(p.stepsPerSecond, digits: 1)) steps/s, \(NumberFormat.grouped(Int(min(p.sequencesPerSecond, 1e12)))) seq/s")
    if let loss = p.loss { parts.append("loss \(NumberFormat.fixed(loss, digits: 4))") }
    parts.append("lr \(NumberFormat.text(p.rate))")
    if let value = p.value {
      let trend = value >= (p.best ?? value) ? "↑" : "↓"
      parts.append("\(p.watched.title) \(NumberFormat.fixed(value, digits: 4)) \(trend)")
    }
    if let left = p.secondsLeft { parts.append("\(NumberFormat.duration(left)) left") }
    return parts.joined(separator: " · ")
  }
}
