import Syntax

/// A function of the library, declared once: checking, help, completion and the reference all read this.
public struct Builtin: Sendable {
  public struct Parameter: Sendable {
    public let name: String
    public let type: ValueType
    public let words: [String]
    public let elementWords: [String]
    /// What the Tab key offers besides.
    public let suggest: (@Sendable (_ call: String) -> [String])?
    /// Given by place; the others by name.
    public let positional: Bool
    /// As it is written; nil: must be given.
    public let defaultText: String?
    public let summary: String
    /// Instead of the names of its types.
    let told: String?
    /// Does a value fit? Used where a value is known before the call.
    let accepts: @Sendable (Value) throws(ConversionError) -> Void

    public var required: Bool { defaultText == nil }
  }

  /// What a function does to the world, or the world to it. Whoever keeps results, as cached notebooks do, asks.
  public struct Effects: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Its result depends on a file that the script names.
    public static let reads = Effects(rawValue: 1)
    /// It writes a file that the script names.
    public static let writes = Effects(rawValue: 2)
    /// Its result may differ the next time, with the same arguments: a clock, a list of runs.
    public static let changes = Effects(rawValue: 4)
  }

  public let name: String
  public let summary: String
  /// What it belongs to, for the reference: "Data", "Models", ...
  public let topic: String
  public let parameters: [Parameter]
  public let result: ValueType
  /// What it does to the world besides giving a value.
  public let effects: Effects
  public let example: String
  private(set) var body: @Sendable (Call) throws -> Value
  /// The last parameter by place takes all that is left.
  let hasRest: Bool
  /// The body for plain numbers, without the ceremony; nil where the body must say what is wrong.
  let ofNumber: (@Sendable (Double) -> Double?)?
  let ofNumbers: (@Sendable (Double, Double) -> Double?)?

  /// Declares a function: `make` names its parameters, in order, and returns its body.
  ///
  ///     Builtin("twice", "Doubles a number.", topic: "Maths", returns: .number, example: "twice(4)") { d in
  ///       let x = d.positional("x", .number, "what to double")
  ///       return { call in .number(2 * (try call[x])) }
  ///     }
  public init(
    _ name: String, _ summary: String, topic: String, returns result: ValueType, effects: Effects = [], example: String,
    _ make: (inout Declaration) -> @Sendable (Call) throws -> Value
  ) {
    var declaration = Declaration()
    self.name = name
    self.summary = summary
    self.topic = topic
    self.result = result
    self.effects = effects
    self.example = example
    body = make(&declaration)
    parameters = declaration.parameters
    hasRest = declaration.hasRest
    ofNumber = declaration.ofNumber
    ofNumbers = declaration.ofNumbers
  }

  /// The same, with a look at its arguments and its result before that is given back.
  public func checked(_ check: @escaping @Sendable (Call, Value) throws -> Void) -> Builtin {
    var copy = self
    let body = body
    copy.body = { call in
      let result = try body(call)
      try check(call, result)
      return result
    }
    return copy
  }

  /// The parameters of a builtin while it is declared. Each returns the key its body reads the argument with.
  public struct Declaration {
    fileprivate var parameters: [Parameter] = []
    fileprivate var hasRest = false
    /// A way round the body for calls with one plain number; nil sends the call to the body.
    var ofNumber: (@Sendable (Double) -> Double?)?
    /// The same for two numbers.
    var ofNumbers: (@Sendable (Double, Double) -> Double?)?

    /// Any number of arguments by place, as the last of them.
    public mutating func rest(_ name: String, _ summary: String) -> Argument<[Value]> {
      hasRest = true
      return add(name, Kind<[Value]>.sequence, positional: true, defaultText: "", summary, fallback: { [] })
    }

    public mutating func positional<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T> {
      add(name, kind, positional: true, defaultText: nil, summary, fallback: nil)
    }

    /// By place or left out.
    public mutating func optionalPositional<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T?> {
      add(name, kind.optional, positional: true, defaultText: "nil", summary, fallback: { nil })
    }

    /// By name; must be given.
    public mutating func named<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T> {
      add(name, kind, positional: false, defaultText: nil, summary, fallback: nil)
    }

    /// By name, with a default that is written as `text`.
    public mutating func named<T: Sendable>(
      _ name: String, _ kind: Kind<T>, default value: T, _ text: String, _ summary: String
    ) -> Argument<T> {
      add(name, kind, positional: false, defaultText: text, summary, fallback: { value })
    }

    /// By name or left out.
    ///
    /// - Parameter text: what it is then, as it is written, where that is known.
    public mutating func optional<T>(_ name: String, _ kind: Kind<T>, _ summary: String, text: String? = nil) -> Argument<T?> {
      add(name, text == nil ? kind.optional : kind.orNothing, positional: false, defaultText: text ?? "nil", summary, fallback: { nil })
    }

    private mutating func add<T>(
      _ name: String, _ kind: Kind<T>, positional: Bool, defaultText: String?, _ summary: String,
      fallback: (@Sendable () -> T)?
    ) -> Argument<T> {
      let convert = kind.convert
      parameters.append(
        Parameter(
          name: name, type: kind.type, words: kind.words, elementWords: kind.elementWords, suggest: kind.suggest, positional: positional,
          defaultText: defaultText, summary: summary, told: kind.told,
          accepts: { value throws(ConversionError) in _ = try convert(value) }))
      return Argument(index: parameters.count - 1, kind: kind, fallback: fallback)
    }
  }

  /// The key of a declared parameter.
  public struct Argument<T>: Sendable {
    fileprivate let index: Int
    fileprivate let kind: Kind<T>
    fileprivate let fallback: (@Sendable () -> T)?
  }

  /// One call: its arguments as typed Swift values, and the interpreter around it.
  public struct Call {
    public let builtin: Builtin
    public let interpreter: Interpreter
    public let span: Span
    public let values: [Value?]
    let spans: [Span?]

    public subscript<T>(_ argument: Argument<T>) -> T {
      get throws {
        guard let value = values[argument.index] else {
          if let fallback = argument.fallback { return fallback() }
          throw Diagnostic(
            .missingArgument, "`\(builtin.name)` needs `\(builtin.parameters[argument.index].name)`", at: span)
        }
        do {
          return try argument.kind.convert(value)
        } catch {
          throw builtin.diagnostic(error, value, argument.index, at: spans[argument.index] ?? span)
        }
      }
    }

    public func given<T>(_ argument: Argument<T>) -> Bool { values[argument.index] != nil }

    public func given(name: String) -> Bool {
      builtin.parameters.firstIndex { $0.name == name }.map { values[$0] != nil } ?? false
    }

    /// Where an argument stands; the call itself where it was left out or is not known by that name.
    public func span(of name: String?) -> Span {
      guard let index = builtin.parameters.firstIndex(where: { $0.name == name }) else { return span }
      return spans[index] ?? span
    }

    /// An error at an argument of this call.
    public func error(
      _ code: Diagnostic.Code, _ message: String, argument: String? = nil, help: String? = nil
    ) -> Diagnostic {
      Diagnostic(code, message, at: span(of: argument), help: help)
    }
  }

  /// What to say of a value that does not fit parameter `index`.
  func diagnostic(_ error: ConversionError, _ value: Value, _ index: Int, at span: Span) -> Diagnostic {
    let parameter = parameters[index]
    switch error {
    case .type:
      if case .quantity(_, let unit) = value {
        return Diagnostic(
          .wrongUnit, "`\(parameter.name)` of \(name) is \(parameter.wanted), not \(ValueType.quantity(unit.dimension).name)",
          at: span, label: "expected \(parameter.wanted)")
      }
      return Diagnostic(
        .wrongType, "`\(parameter.name)` of \(name) is \(parameter.wanted), not \(value.described)", at: span,
        label: "expected \(parameter.wanted)")
    case .word(let word): return parameter.unknownWord(word, in: name, at: span)
    case .value(let problem):
      return Diagnostic(.badValue, "`\(parameter.name)` of \(name) \(problem); it is \(value.described)", at: span)
    }
  }
}

extension Builtin.Parameter {
  /// What is expected, for people.
  var wanted: String {
    if let told { return told }
    let others = Self.flat(type).filter {
      switch $0 {
      case .word, .nothing: false
      default: true
      }
    }
    let listed = words.isEmpty ? [] : [words.count <= 10 ? "one of \(words.joined(separator: ", "))" : "a word"]
    return ValueType.join(others.map(\.name) + listed)
  }

  private static func flat(_ type: ValueType) -> [ValueType] {
    if case .oneOf(let types) = type { return types.flatMap(flat) }
    return [type]
  }

  func unknownWord(_ word: String, in function: String, at span: Span) -> Diagnostic {
    let all = words + elementWords.filter { !words.contains($0) }
    return Diagnostic(
      .unknownWord, "`\(word)` is not a word that `\(name)` of \(function) knows", at: span,
      help: Spelling.suggestion(word, in: all) ?? "words are: \(all.joined(separator: ", "))")
  }

  /// As the reference shows it: `seed: 0`.
  public var signature: String {
    if positional { return defaultText == nil ? name : "[\(name)]" }
    guard let defaultText, defaultText != "nil" else { return defaultText == nil ? "\(name):" : "[\(name):]" }
    return "\(name): \(defaultText)"
  }
}

extension Builtin {
  public var signature: String { "\(name)(\(parameters.map(\.signature).joined(separator: ", ")))" }

  /// What there is to say of one parameter.
  public func help(of parameter: Parameter) -> String {
    let fallback = parameter.defaultText.map { $0 == "nil" ? " (may be left out)" : " (default \($0))" } ?? ""
    let words = parameter.words.isEmpty ? "" : "\nWords: \(parameter.words.joined(separator: ", "))\n"
    return "\(name), \(parameter.signature)\n\n\(parameter.wanted): \(parameter.summary)\(fallback)\n\(words)"
  }

  /// The page of help.
  public var help: String { help(columns: .max) }

  /// The same for a screen: lines are broken between words, and go on where their text began.
  public func help(columns: Int) -> String {
    func fitted(_ line: String, _ indent: Int) -> String { TextWrap.wrapped(line, columns: columns, indent: indent) }
    var text = "\(fitted(signature, 4))\n\n\(fitted(summary, 0))\n"
    if !parameters.isEmpty {
      text += "\n"
      let width = parameters.map { $0.name.count }.max() ?? 0
      for parameter in parameters {
        let pad = String(repeating: " ", count: width - parameter.name.count)
        let fallback = parameter.defaultText.map { $0 == "nil" ? " (may be left out)" : " (default \($0))" } ?? ""
        text += fitted("  \(parameter.name)\(pad)  \(parameter.wanted): \(parameter.summary)\(fallback)", width + 4) + "\n"
      }
    }
    return text + "\nExample:\n" + example.split(separator: "\n").map { "  \($0)\n" }.joined()
  }
}

/// All builtins by name, and the words and metrics they know.
public struct Library: Sendable {
  public let builtins: [String: Builtin]
  public let metrics: [String]
  /// Every bare word of every parameter.
  public let words: Set<String>

  /// Two builtins of one name are a mistake of whoever declared them: the program ends with the name.
  public init(_ builtins: [Builtin], metrics: [String]) {
    var named: [String: Builtin] = [:]
    for builtin in builtins {
      precondition(named.updateValue(builtin, forKey: builtin.name) == nil, "there are two builtins called \(builtin.name)")
    }
    self.builtins = named
    self.metrics = metrics
    words = Set(builtins.flatMap { $0.parameters.flatMap { $0.words + $0.elementWords } })
  }
}
