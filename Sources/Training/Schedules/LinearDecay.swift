/// Linear decay: after W steps of warm-up, step s of T has the factor `f + (1 - f) (T - s) / (T - W)`.
public struct LinearDecay: Schedule, Equatable {
  public static let kind = "linear"
  public static let summary = "Linear warm-up, then linear decay to the floor at the end of the run or phase."
  public static let example = "let schedule = linear(warmup: 2%)"
  public static let samples = [
    LinearDecay { ($0.warmup, $0.rewarm, $0.floor) = (.share(0.3), .share(0.2), 0.1) }, LinearDecay { $0.over = .phase },
  ]
  public static let fields: [Field<LinearDecay>] = [
    Field("warmup", \.warmup, ScheduleForms.warmup), Field("floor", \.floor, ScheduleForms.floor),
    Field("rewarm", \.rewarm, ScheduleForms.rewarm), Field("over", \.over, ScheduleForms.over),
  ]

  public var warmup = StepShare.none
  public var floor = 0.0
  public var rewarm = StepShare.none
  public var over = Course.Scope.run

  public init() {}
  init(_ change: (inout LinearDecay) -> Void) { change(&self) }

  public var needsLength: Bool { true }

  public func factor(_ position: StepPosition) -> Double {
    Course(warmup: warmup, rewarm: rewarm, over: over).factor(position) { s, total, warmup in
      guard let total else { return 1 }
      return 1 - (1 - floor) * Course.part(s, from: warmup, to: total)
    }
  }
}
