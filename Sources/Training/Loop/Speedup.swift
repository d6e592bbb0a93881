import Evaluation

/// How much sooner one run reaches what another one reached at its best.
public struct Speedup: Sendable {
  public let metric: Metric
  /// The quality both reach: the best of `over`.
  public let target: Double
  public struct Cost: Sendable {
    public let seconds: Double
    public let cpuSeconds: Double
    public let steps: Double
  }
  /// What `over` took to get there.
  public let over: Cost
  /// What the other run took, all its phases counted; nil if it never got there.
  public let reached: Cost?
  /// The best it got to.
  public let best: Double

  /// Ratio of training times, evaluation left out; infinite where the target was there before the first step.
  public var ratio: Double? { over.seconds > 0 ? reached.map { over.seconds / $0.seconds } : nil }
  public var cpuRatio: Double? { over.cpuSeconds > 0 ? reached.map { over.cpuSeconds / $0.cpuSeconds } : nil }
  public var stepRatio: Double? { over.steps > 0 ? reached.map { over.steps / $0.steps } : nil }

  /// Seconds of evaluation of the two whole runs, which are in none of the times.
  public let evaluation: (run: Double, over: Double)

  /// The speed-up to one quality.
  public struct CurvePoint: Sendable {
    public let target: Double
    /// nil: never.
    public let seconds: Double?
    public let over: Double
    public var ratio: Double? { seconds.map { over / $0 } }
  }
  /// For every value by which `over` got better than ever before.
  public let curve: [CurvePoint]
  /// Was the other run's last evaluation its best? Then more training would have set a higher bar.
  public let wasImproving: Bool

  /// - Returns: nil where `over` was never evaluated on the metric.
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

  /// When the metric first reaches the target: between two evaluations, by a straight line.
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
