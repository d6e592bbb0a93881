/// How the learning rate changes in the course of a training. A schedule is a file with a type, and a line in `Schedules`.
public protocol Schedule: Component {
  /// What the optimizer's rate is multiplied with at a step.
  func factor(_ place: StepPlace) -> Double
}

/// All schedules.
public enum Schedules {
  public static let kinds: [any Schedule.Type] = [ConstantRate.self]
}

/// Where a step stands, counted from 0: in the whole training, in its phase, and since the last growth. What is planned is
/// nil where it is not known, as for a training that ends by patience.
public struct StepPlace: Sendable, Equatable {
  public let step: Int
  public let planned: Int?
  public let phaseStep: Int
  public let phasePlanned: Int?
  /// Since the last growth of the training; nil before the first.
  public let sinceGrowth: Int?

  public init(step: Int, planned: Int?, phaseStep: Int, phasePlanned: Int?, sinceGrowth: Int?) {
    self.step = step
    self.planned = planned
    self.phaseStep = phaseStep
    self.phasePlanned = phasePlanned
    self.sinceGrowth = sinceGrowth
  }

  /// The step before; the first has none, and is its own.
  var before: StepPlace {
    guard phaseStep > 0 else { return self }
    return StepPlace(
      step: step - 1, planned: planned, phaseStep: phaseStep - 1, phasePlanned: phasePlanned, sinceGrowth: sinceGrowth.map { $0 - 1 })
  }
}
