import Evaluation
import Interpreter
import Training

/// An engine setting that a script creates and passes to a function: an optimizer, a loss, a phase.
protocol ScriptSetting: Sendable {
  /// The type in the language, by which the checker distinguishes settings.
  static var type: ObjectType { get }
}

/// A setting as a value of the language.
final class SettingValue<Setting: ScriptSetting>: ObjectValue {
  static var type: ObjectType { Setting.type }
  let setting: Setting
  let summary: String

  init(_ setting: Setting, _ summary: String) {
    self.setting = setting
    self.summary = summary
  }
}

extension Kind where T: ScriptSetting {
  static var setting: Kind<T> {
    Kind(.object(T.type)) { value throws(ConversionError) in
      guard case .object(let object) = value, let found = object as? SettingValue<T> else { throw .type }
      return found.setting
    }
  }
}

/// A loss as a setting.
struct LossSetting: ScriptSetting {
  static let type = ObjectType("a loss such as sampled_softmax(20%)")
  let loss: any Loss

  init(_ loss: any Loss) { self.loss = loss }

  /// Losses without options, which a script writes as a word.
  static let words = Losses.kinds.filter { $0.isPlain }.map { $0.kind }
  static func word(_ name: String) -> LossSetting? {
    Losses.kinds.first { $0.kind == name && words.contains(name) }.map { LossSetting($0.init()) }
  }

  var value: Value { .object(SettingValue(self, loss.name)) }
}

/// An optimizer as a setting.
struct OptimizerSetting: ScriptSetting {
  static let type = ObjectType("an optimizer such as adam(lr: 1e-3)")
  let optimizer: any Optimizer

  init(_ optimizer: any Optimizer) { self.optimizer = optimizer }

  var value: Value {
    .object(SettingValue(self, optimizer.text))
  }
}

/// A learning-rate schedule as a setting.
struct ScheduleSetting: ScriptSetting {
  static let type = ObjectType("a learning-rate schedule")
  let schedule: any Schedule

  init(_ schedule: any Schedule) { self.schedule = schedule }

  /// Schedules without options, which a script writes as a word.
  static let words = Schedules.kinds.filter { $0.isPlain }.map { $0.kind }
  static func word(_ name: String) -> ScheduleSetting? {
    Schedules.kinds.first { $0.kind == name && words.contains(name) }.map { ScheduleSetting($0.init()) }
  }

  var value: Value { .object(SettingValue(self, schedule.text)) }
}

/// Early stopping: after `evaluations` evaluations without a better value of `metric`.
struct Patience: ScriptSetting {
  static let type = ObjectType("a stopping rule such as patience(8, on: mrr@5)")
  let evaluations: Int
  let metric: Metric
}

extension Phase: ScriptSetting {
  static let type = ObjectType("a phase such as phase(run: 500steps)")
}

extension Phase.Rule: ScriptSetting {
  static let type = ObjectType("a rule such as plateau(2, on: mrr@5)")
}

extension RankingCandidates: ScriptSetting {
  static let type = ObjectType("candidates such as sampled(99)")
}
