/// What schedules with a warm-up have in common: their place in the run or in the phase, and warming up again after a growth.
///
/// With W steps of warm-up the factor of step s, from 0, is `(s + 1) / W` for s < W. After a growth at step r the factor is
/// `(s - r) / w` times that of step r + w, for w steps of warming up again (Shen et al., 2022).
public struct Course: Sendable, Equatable {
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// One course over all phases.
    case run
    /// Every phase has its own.
    case phase
  }

  var warmup: StepShare
  var rewarm: StepShare
  var over: Scope

  /// The factor at a step.
  ///
  /// - Parameter body: the factor at step s, counted from 0, after the warm-up of W steps, of T steps.
  func factor(_ position: StepPosition, _ body: (_ s: Int, _ total: Int?, _ warmup: Int) -> Double) -> Double {
    let (step, total) = over == .run ? (position.step, position.planned) : (position.phaseStep, position.phasePlanned)
    let warmup = warmup.steps(of: total) ?? 0
    func value(_ s: Int) -> Double { s < warmup ? Double(s + 1) / Double(warmup) : body(s, total, warmup) }
    let again = rewarm.steps(of: total) ?? 0
    if let since = position.sinceGrowth, since < again {
      return Double(since) / Double(again) * value(step - since + again)
    }
    return value(step)
  }

  /// The part of the way from step `first` to `total` that step s has gone, from 0 to 1.
  static func part(_ s: Int, from first: Int, to total: Int) -> Double {
    total > first ? min(1, max(0, Double(s - first) / Double(total - first))) : 1
  }
}

/// The options of schedules.
enum ScheduleForms {
  static let warmup = FieldForm(.span, "linear warm-up: a share of the steps, or a number of them", text: "0steps")
  static let rewarm = FieldForm(.span, "warm-up after every growth: a share of the steps, or a number of them", text: "0steps")
  static let over = FieldForm.word(of: Course.Scope.self, "one course over the whole run, or one for every phase")
  static let floor = FieldForm(.number, "the rate at the end, as a part of the optimizer's", problem: NumberRule.fraction)
}
