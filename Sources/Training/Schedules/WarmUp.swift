/// A constant rate after a linear warm-up.
public struct WarmUp: Schedule, Equatable {
  public static let kind = "warm_up"
  public static let summary = "Linear warm-up to the optimizer's rate, which then stays; after a growth it can warm up again."
  public static let example = "let schedule = warm_up(warmup: 100steps)"
  public static let samples = [
    WarmUp { ($0.warmup, $0.rewarm) = (.steps(3), .steps(2)) }, WarmUp { ($0.warmup, $0.over) = (.share(0.25), .phase) },
  ]
  public static let fields: [Field<WarmUp>] = [
    Field("warmup", \.warmup, ScheduleForms.warmup), Field("rewarm", \.rewarm, ScheduleForms.rewarm),
    Field("over", \.over, ScheduleForms.over),
  ]

  public var warmup = StepShare.none
  public var rewarm = StepShare.none
  public var over = Course.Scope.run

  public init() {}
  init(_ change: (inout WarmUp) -> Void) { change(&self) }

  public var needsLength: Bool { warmup.isRelative || rewarm.isRelative }

  public func factor(_ position: StepPosition) -> Double {
    Course(warmup: warmup, rewarm: rewarm, over: over).factor(position) { _, _, _ in 1 }
  }
}
