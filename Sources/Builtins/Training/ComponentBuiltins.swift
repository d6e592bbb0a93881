import Interpreter
import Syntax
import Training

/// The functions of losses, optimizers and schedules. They are generated from the components' own declarations, so a new
/// component needs no change here.
extension Builtin {
  static let losses = Losses.kinds.filter { $0.hasFunction }.map { kind in
    component(kind, returns: LossSetting.type) { ($0 as? any Loss).map { LossSetting($0).value } }
  }

  static let optimizers = Optimizers.kinds.filter { $0.hasFunction }.map { kind in
    component(kind, returns: OptimizerSetting.type) { ($0 as? any Optimizer).map { OptimizerSetting($0).value } }
  }

  static let schedules = Schedules.kinds.filter { $0.hasFunction }.map { kind in
    component(kind, returns: ScheduleSetting.type) { ($0 as? any Schedule).map { ScheduleSetting($0).value } }
  }

  /// Reads one value from a call; nil if the argument was omitted and has no default.
  private typealias Reader = @Sendable (Call) throws -> Tree?

  private static func component(
    _ type: any Component.Type, returns result: ObjectType, _ value: @escaping @Sendable (any Component) -> Value?
  ) -> Builtin {
    Builtin(type.kind, type.summary, topic: "Training", returns: .object(result), example: type.example) { d in
      let readers = type.forms.map { key, form in (key: key, read: reader(key, form, type.defaultValue(key), &d)) }
      return { call in
        var values: [String: Tree] = [:]
        for (key, read) in readers { values[key] = try read(call) }
        do {
          let component = try type.init(component: values)
          if let conflict = component.conflict { throw call.error(.badValue, conflict) }
          guard let made = value(component) else { throw call.error(.badValue, "\(type.kind) cannot be created") }
          return made
        } catch let failure as Tree.Failure {
          throw call.error(.badValue, failure.message)
        }
      }
    }
  }

  private static func reader(_ key: String, _ form: FieldForm, _ fallback: Tree?, _ d: inout Declaration) -> Reader {
    switch form.kind {
    case .number: return declared(key, form, Kind<Double>.number.checked(form.problem), fallback, &d) { .number($0) }
    case .share: return declared(key, form, Kind<Double>.share.checked(form.problem), fallback, &d) { .number($0) }
    case .whole:
      return declared(key, form, Kind<Int>.whole.checked { form.problem(Double($0)) }, fallback, &d) { .whole(Int64($0)) }
    case .extent: return declared(key, form, Kind<Extent>.countedExtent, fallback, &d) { $0.tree }
    case .span: return declared(key, form, Kind<StepShare>.span, fallback, &d) { $0.tree }
    case .flag: return declared(key, form, Kind<Bool>.bool, fallback, &d) { .flag($0) }
    case .words(let words): return declared(key, form, Kind<String>.word(among: words), fallback, &d) { .text($0) }
    }
  }

  private static func declared<T: Sendable>(
    _ key: String, _ form: FieldForm, _ kind: Kind<T>, _ fallback: Tree?, _ d: inout Declaration,
    _ tree: @escaping @Sendable (T) -> Tree
  ) -> Reader {
    if form.isRequired {
      let argument = d.positional(key, kind, form.summary)
      return { tree(try $0[argument]) }
    }
    if form.isPositional {
      let argument = d.optionalPositional(key, kind, form.summary)
      return { try $0[argument].map(tree) }
    }
    let argument = d.optional(key, kind, form.summary, text: fallback.map { form.text ?? Adam.text(of: $0) })
    return { try $0[argument].map(tree) }
  }
}

extension Kind where T == StepShare {
  /// A share such as `2%`, or a number of steps.
  static var span: Kind<StepShare> {
    Kind(.oneOf([.quantity(.share), .quantity(.steps)])) { value throws(ConversionError) in
      switch value {
      case .quantity(let amount, .percent):
        guard amount >= 0 && amount <= 100 else { throw .value("must be from 0% to 100%") }
        return .share(amount / 100)
      case .quantity(let amount, .steps):
        guard amount >= 0, amount < 1e15, amount == amount.rounded() else { throw .value("must be a whole number of steps") }
        return .steps(Int(amount))
      default: throw .type
      }
    }
  }
}

extension Kind where T == String {
  /// One of the given words.
  static func word(among words: [String]) -> Kind<String> {
    Kind(.oneOf(words.map { .word($0) }), words: words) { value throws(ConversionError) in
      switch value {
      case .word(let word), .text(let word):
        guard words.contains(word) else { throw .word(word) }
        return word
      default: throw .type
      }
    }
  }
}
