import Kernels

/// The state of a training between two steps. Resuming from it gives the same bits as a training without interruption.
public struct TrainingCheckpoint {
  let state: TrainingState
  /// Evaluations so far took the mean rank of tied items, as version 0.1 did; later ones are expectations.
  public var hasMeanRanks = false

  init(state: TrainingState, hasMeanRanks: Bool = false) {
    self.state = state
    self.hasMeanRanks = hasMeanRanks
  }

  /// The number of steps so far, over all phases.
  public var step: Int { state.step }
  /// The number of the phase, from 1.
  public var phase: Int { state.phase.index + 1 }
}

/// What a training saves.
public enum TrainingRecord {
  case underway(TrainingCheckpoint)
  /// A finished run. If it reached the end of its last phase, `end` is its last state, from which a longer training can
  /// continue.
  case finished(TrainingRun, end: TrainingCheckpoint?)
}

/// Saves checkpoints. A failure to save does not stop the training; the keeper itself must report it.
public protocol CheckpointKeeper {
  /// The interval between checkpoints, in steps or epochs of a phase or in wall-clock time; nil: only at an interruption and
  /// at the end.
  var every: Extent? { get }
  func save(_ record: TrainingRecord)
  /// Called right after a growth.
  func grew(_ checkpoint: TrainingCheckpoint)
}

/// Decides when the next checkpoint is due.
struct CheckpointSchedule {
  private let stepsBetween: Int?
  private let secondsBetween: Double?
  private var last = ProcessClock.wall()

  init(_ every: Extent?, steps: (Extent) -> Int?) {
    stepsBetween = every.flatMap(steps).map { max(1, $0) }
    if case .seconds(let seconds)? = every { secondsBetween = seconds } else { secondsBetween = nil }
  }

  mutating func isDue(at step: Int) -> Bool {
    if let stepsBetween { return step % stepsBetween == 0 }
    guard let secondsBetween, ProcessClock.wall() - last >= secondsBetween else { return false }
    last = ProcessClock.wall()
    return true
  }
}
