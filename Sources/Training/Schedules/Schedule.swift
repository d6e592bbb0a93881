/// A learning-rate schedule. To add a schedule, add a file with its type and a line in `Schedules`.
public protocol Schedule: Component {
  /// The factor by which the optimizer's learning rate is multiplied at a step.
  func factor(_ position: StepPosition) -> Double
  /// Whether the number of steps of the training must be known in advance.
  var needsLength: Bool { get }
}

extension Schedule {
  public var needsLength: Bool { false }
}

/// All schedules.
public enum Schedules {
  public static let kinds: [any Schedule.Type] = [
    ConstantRate.self, WarmUp.self, CosineDecay.self, LinearDecay.self, WarmUpStableDecay.self,
  ]
}

/// The position of a step in the training, in its phase, and since the last growth. Steps count from 0.
public struct StepPosition: Sendable, Equatable {
  /// The index of the step in the training.
  public let step: Int
  /// The number of steps of the training; nil if it is not known in advance, e.g. with early stopping.
  public let planned: Int?
  /// The index of the step in its phase.
  public let phaseStep: Int
  /// The number of steps of the phase; nil if it is not known in advance.
  public let phasePlanned: Int?
  /// The number of steps since the last growth; nil before the first growth.
  public let sinceGrowth: Int?

  public init(step: Int, planned: Int?, phaseStep: Int, phasePlanned: Int?, sinceGrowth: Int?) {
    self.step = step
    self.planned = planned
    self.phaseStep = phaseStep
    self.phasePlanned = phasePlanned
    self.sinceGrowth = sinceGrowth
  }

  /// The step before this one; the first step of a phase returns itself.
  var before: StepPosition {
    guard phaseStep > 0 else { return self }
    return StepPosition(
      step: step - 1, planned: planned, phaseStep: phaseStep - 1, phasePlanned: phasePlanned, sinceGrowth: sinceGrowth.map { $0 - 1 })
  }
}
