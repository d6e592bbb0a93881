/// Warm-up, stable rate, decay (Hu et al., 2024; Hägele et al., 2024): the last `decay` steps fall to the floor f, along a line
/// or as 1 minus a root. With x from 0 to 1 over these steps the factor is `f + (1 - f) (1 - x)` or `f + (1 - f) (1 - sqrt x)`.
public struct WarmUpStableDecay: Schedule, Equatable {
  public static let kind = "wsd"
  public static let summary = "Warm-up, a stable rate, and decay to the floor over the last steps of the run or phase."
  public static let example = "let schedule = wsd(warmup: 2%, decay: 10%)"
  public static let samples = [
    WarmUpStableDecay { ($0.warmup, $0.rewarm, $0.floor, $0.decay) = (.steps(3), .steps(2), 0.1, .steps(4)) },
    WarmUpStableDecay { ($0.over, $0.shape) = (.phase, .root) },
  ]
  public static let fields: [Field<WarmUpStableDecay>] = [
    Field("warmup", \.warmup, ScheduleForms.warmup),
    Field(
      "decay", \.decay, FieldForm(.span, "the last steps, in which the rate falls: a share of the steps, or a number of them", text: "10%")),
    Field("shape", \.shape, .word(of: Shape.self, "how it falls: along a line, or as 1 minus a square root")),
    Field("floor", \.floor, ScheduleForms.floor), Field("rewarm", \.rewarm, ScheduleForms.rewarm),
    Field("over", \.over, ScheduleForms.over),
  ]

  public enum Shape: String, Codable, Sendable, CaseIterable {
    case line
    case root = "one_minus_sqrt"
  }

  public var warmup = StepShare.none
  public var decay = StepShare.share(0.1)
  public var shape = Shape.line
  public var floor = 0.0
  public var rewarm = StepShare.none
  public var over = Course.Scope.run

  public init() {}
  init(_ change: (inout WarmUpStableDecay) -> Void) { change(&self) }

  public var needsLength: Bool { true }

  public func factor(_ position: StepPosition) -> Double {
    Course(warmup: warmup, rewarm: rewarm, over: over).factor(position) { s, total, _ in
      guard let total, let decay = decay.steps(of: total) else { return 1 }
      let start = max(0, total - decay)
      if s < start { return 1 }
      let x = Course.part(s, from: start, to: total)
      return floor + (1 - floor) * (1 - (shape == .line ? x : x.squareRoot()))
    }
  }
}
