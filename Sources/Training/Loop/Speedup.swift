import Evaluation

/// The speed-up of one run over another: how much less training it needs to reach the best metric of the other.
public struct Speedup: Sendable {
  public let metric: Metric
  /// The target value: the best value of the other run.
  public let target: Double
  /// The training that a run needed to reach the target, without evaluation.
  public struct Cost: Sendable {
    public let seconds: Double
    public let cpuSeconds: Double
    public let steps: Double
  }
  /// The cost of the target for the other run.
  public let over: Cost
  /// The cost of the target for this run, over all phases; nil if it never reached the target.
  public let reached: Cost?
  /// The best value of this run.
  public let best: Double

  /// The ratio of training times. Infinite if this run reached the target before its first step; nil if it never did or if the
  /// other run needed no time.
  public var ratio: Double? { over.seconds > 0 ? reached.map { over.seconds / $0.seconds } : nil }
  public var cpuRatio: Double? { over.cpuSeconds > 0 ? reached.map { over.cpuSeconds / $0.cpuSeconds } : nil }
  public var stepRatio: Double? { over.steps > 0 ? reached.map { over.steps / $0.steps } : nil }

  /// The seconds that evaluation took in both runs. They are not part of the costs.
  public let evaluation: (run: Double, over: Double)

  /// The speed-up for one target value.
  public struct CurvePoint: Sendable {
    public let target: Double
    /// The training time of this run in seconds; nil if it never reached the target.
    public let seconds: Double?
    /// The training time of the other run in seconds.
    public let over: Double
    public var ratio: Double? { seconds.map { over / $0 } }
  }
  /// One point for every evaluation at which the other run improved on its best value so far.
  public let curve: [CurvePoint]
  /// Whether the last evaluation of the other run was its best. With more training, its best value might be higher.
  public let wasImproving: Bool

  /// - Parameters:
  ///   - run: the run whose speed-up is computed.
  ///   - other: the run it is compared with.
  ///   - metric: the metric on the validation part.
  /// - Returns: nil if one of the runs was never evaluated on the metric.
  public init?(_ run: TrainingRun, over other: TrainingRun, on metric: Metric) {
    let values = other.history.compactMap { $0.metrics[metric] }
    guard let target = values.max(), run.history.contains(where: { $0.metrics[metric] != nil }) else { return nil }
    self.metric = metric
    self.target = target
    guard let over = Self.reach(target, other.history, metric) else { return nil }
    self.over = over
    wasImproving = values.count > 1 && values.last == target
    reached = Self.reach(target, run.history, metric)
    evaluation = (run.evaluationSeconds, other.evaluationSeconds)
    var top = -Double.infinity
    curve = other.history.compactMap { point in
      guard let value = point.metrics[metric], value > top else { return nil }
      top = value
      return CurvePoint(target: value, seconds: Self.reach(value, run.history, metric)?.seconds, over: point.seconds)
    }
    best = run.history.compactMap { $0.metrics[metric] }.max() ?? 0
  }

  /// The cost at which the metric first reaches the target, interpolated linearly between two evaluations; nil if it never
  /// does.
  static func reach(_ target: Double, _ history: [HistoryPoint], _ metric: Metric) -> Cost? {
    var before: HistoryPoint?
    for point in history {
      guard let value = point.metrics[metric] else { continue }
      if value >= target {
        guard let before, let low = before.metrics[metric], value > low else {
          return Cost(seconds: point.seconds, cpuSeconds: point.cpuSeconds, steps: Double(point.step))
        }
        let share = (target - low) / (value - low)
        func between(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
        return Cost(
          seconds: between(before.seconds, point.seconds),
          cpuSeconds: between(before.cpuSeconds, point.cpuSeconds),
          steps: between(Double(before.step), Double(point.step)))
      }
      before = point
    }
    return nil
  }
}
