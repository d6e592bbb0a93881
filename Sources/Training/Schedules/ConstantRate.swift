/// The constant schedule: every step has the learning rate of the optimizer.
public struct ConstantRate: Schedule {
  public static let kind = "constant"
  public static let summary = "The optimizer's rate at every step."
  public static let example = "schedule: constant"
  public static let fields: [Field<ConstantRate>] = []
  public init() {}
  public func factor(_ position: StepPosition) -> Double { 1 }
}
