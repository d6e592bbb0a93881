import Growth
import Interpreter
import Training

/// How a growth is chosen: by an operator, or by trying candidates.
struct GrowthChoice: ScriptSetting {
  static let type = ObjectType("a growth such as auto(trial: 100steps)")
  let operation: GrowthOperator?
  let trial: GrowthTrial?
  /// The depth at the end, if the choice is for all growths of a training.
  var to: Int?

  var isForWholeTraining: Bool { to != nil }
}

extension Kind where T == GrowthChoice {
  /// A call of `auto`, or the word, which then lacks the depth.
  static var automatic: Kind<GrowthChoice> {
    Kind<GrowthChoice>.setting.orWords({ $0 == "auto" ? GrowthChoice(operation: nil, trial: GrowthTrial()) : nil }, ["auto"])
  }

  /// An operator, the word `auto`, or a call of `auto`.
  static var choice: Kind<GrowthChoice> {
    Kind<GrowthChoice>.setting.orWords(
      { word in
        if word == "auto" { return GrowthChoice(operation: nil, trial: GrowthTrial()) }
        return GrowthOperator(rawValue: word).map { GrowthChoice(operation: $0, trial: nil) }
      }, GrowthOperator.allCases.map(\.rawValue) + ["auto"])
  }
}
