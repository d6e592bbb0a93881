import Evaluation

/// Why a run ended.
public enum StopReason: Sendable, Equatable {
  case finished
  case patience(Int, Metric)
  case interrupted
  /// The loss was not finite at this step. The run's model has the best parameters of the evaluations before. `parameter` is
  /// the first parameter with a value that is not finite; nil if all are finite, so that an activation overflowed.
  case diverged(step: Int, parameter: String?)

  public var text: String {
    switch self {
    case .finished: "ran to its end"
    case .patience(let count, let metric): "no better \(metric.title) in \(count) evaluations"
    case .interrupted: "interrupted"
    case .diverged(let step, let parameter):
      "the loss was not a finite number at step \(step)" + (parameter.map { ", nor was \($0)" } ?? "")
    }
  }

  var isDivergence: Bool {
    if case .diverged = self { return true }
    return false
  }
}
