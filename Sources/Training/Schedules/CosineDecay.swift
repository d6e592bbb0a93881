import Glibc

/// Cosine decay (Loshchilov and Hutter, 2017): after W steps of warm-up, step s of T has the factor
/// `f + (1 - f) (1 + cos(pi (s - W) / (T - W))) / 2`.
public struct CosineDecay: Schedule, Equatable {
  public static let kind = "cosine"
  public static let summary = "Linear warm-up, then decay along a cosine to the floor at the end of the run or phase."
  public static let example = "let schedule = cosine(warmup: 2%)"
  public static let samples = [
    CosineDecay { ($0.warmup, $0.rewarm, $0.floor) = (.steps(3), .steps(2), 0.1) }, CosineDecay { $0.over = .phase },
  ]
  public static let fields: [Field<CosineDecay>] = [
    Field("warmup", \.warmup, ScheduleForms.warmup), Field("floor", \.floor, ScheduleForms.floor),
    Field("rewarm", \.rewarm, ScheduleForms.rewarm), Field("over", \.over, ScheduleForms.over),
  ]

  public var warmup = StepShare.none
  public var floor = 0.0
  public var rewarm = StepShare.none
  public var over = Course.Scope.run

  public init() {}
  init(_ change: (inout CosineDecay) -> Void) { change(&self) }

  public var needsLength: Bool { true }

  public func factor(_ position: StepPosition) -> Double {
    Course(warmup: warmup, rewarm: rewarm, over: over).factor(position) { s, total, warmup in
      guard let total else { return 1 }
      return floor + (1 - floor) * (1 + cos(.pi * Course.part(s, from: warmup, to: total))) / 2
    }
  }
}
