import Kernels

/// A place between two steps of a training that it can go on from, to the same bits.
public struct TrainingCheckpoint {
  let state: TrainingState
  /// Evaluations so far took the mean rank of tied items, as version 0.1 did; later ones are expectations.
  public var hasMeanRanks = false

  init(state: TrainingState, hasMeanRanks: Bool = false) {
    self.state = state
    self.hasMeanRanks = hasMeanRanks
  }

  /// Steps taken so far, all phases counted.
  public var step: Int { state.step }
  public var phase: Int { state.phase.index + 1 }
}

/// What a training leaves for later.
public enum TrainingRecord {
  case underway(TrainingCheckpoint)
  /// With the state at the end, where the training ran to the end of its last phase: a longer one can go on from there.
  case finished(TrainingRun, end: TrainingCheckpoint?)
}

/// Who keeps what a training could go on from. A keeper that cannot write says so itself: the training goes on.
public protocol CheckpointKeeper {
  /// How often, counted in a phase's steps or in wall-clock time; nil: only when it is interrupted, and its end.
  var every: Extent? { get }
  func save(_ record: TrainingRecord)
  /// Right after a growth.
  func grew(_ checkpoint: TrainingCheckpoint)
}

/// When the next checkpoint is due.
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
