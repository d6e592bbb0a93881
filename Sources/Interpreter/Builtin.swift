import Syntax

/// A function of the library. Checking, help, completion and the reference all use this one declaration.
public struct Builtin: Sendable {
  public struct Parameter: Sendable {
    public let name: String
    public let type: ValueType
    public let words: [String]
    public let elementWords: [String]
    /// Further completions for the Tab key.
    public let suggest: (@Sendable (_ call: String) -> [String])?
    /// Is it given by position? Other parameters are given by name.
    public let positional: Bool
    /// The default as it is written in the language; nil if the argument is required.
    public let defaultText: String?
    public let summary: String
    /// The text for messages that say what is expected; nil for the names of the types.
    let expectation: String?
    /// Throws if a value does not fit. Used for constants, which are checked before the program runs.
    let accepts: @Sendable (Value) throws(ConversionError) -> Void

    public var required: Bool { defaultText == nil }
  }

  /// The side effects of a function and its dependence on external state. Cached notebooks use them.
  public struct Effects: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The result depends on a file that the script names.
    public static let reads = Effects(rawValue: 1)
    /// The function writes a file that the script names.
    public static let writes = Effects(rawValue: 2)
    /// The result may differ between calls with the same arguments, as for a clock or a list of runs.
    public static let changes = Effects(rawValue: 4)
  }

  public let name: String
  public let summary: String
  /// The section of the reference: "Data", "Models", ...
  public let topic: String
  public let parameters: [Parameter]
  public let result: ValueType
  public let effects: Effects
  public let example: String
  /// Other words for what the function does, by which the search of the help finds it.
  public private(set) var synonyms: [String] = []
  private(set) var body: @Sendable (Call) throws -> Value
  /// Does the last positional parameter take all remaining positional arguments?
  let hasRest: Bool
  /// A fast body for plain numbers. It returns nil for an invalid number; the ordinary body then reports the error.
  let ofNumber: (@Sendable (Double) -> Double?)?
  let ofNumbers: (@Sendable (Double, Double) -> Double?)?

  /// Declares a function. `make` declares the parameters in order and returns the body.
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

  /// The same function, which the search of the help also finds by these words.
  public func known(as synonyms: String...) -> Builtin {
    var copy = self
    copy.synonyms = synonyms
    return copy
  }

  /// The same function with a check of its arguments and its result before it returns.
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

  /// The parameters of a builtin during its declaration. Each method returns a key with which the body reads the argument.
  public struct Declaration {
    fileprivate var parameters: [Parameter] = []
    fileprivate var hasRest = false
    /// A fast body for calls with one plain number; if it returns nil, the ordinary body runs.
    var ofNumber: (@Sendable (Double) -> Double?)?
    /// The same for two numbers.
    var ofNumbers: (@Sendable (Double, Double) -> Double?)?

    /// Any number of positional arguments, after the other positional ones.
    public mutating func rest(_ name: String, _ summary: String) -> Argument<[Value]> {
      hasRest = true
      return add(name, Kind<[Value]>.sequence, positional: true, defaultText: "", summary, fallback: { [] })
    }

    public mutating func positional<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T> {
      add(name, kind, positional: true, defaultText: nil, summary, fallback: nil)
    }

    /// A positional argument that may be omitted.
    public mutating func optionalPositional<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T?> {
      add(name, kind.optional, positional: true, defaultText: "nil", summary, fallback: { nil })
    }

    /// A required named argument.
    public mutating func named<T>(_ name: String, _ kind: Kind<T>, _ summary: String) -> Argument<T> {
      add(name, kind, positional: false, defaultText: nil, summary, fallback: nil)
    }

    /// A named argument with a default, which is written as `text` in the language.
    public mutating func named<T: Sendable>(
      _ name: String, _ kind: Kind<T>, default value: T, _ text: String, _ summary: String
    ) -> Argument<T> {
      add(name, kind, positional: false, defaultText: text, summary, fallback: { value })
    }

    /// A named argument that may be omitted.
    ///
    /// - Parameter text: The default as it is written in the language, if there is one that can be written.
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
          defaultText: defaultText, summary: summary, expectation: kind.expectation,
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

  /// A call: its arguments as typed Swift values, and the interpreter that makes the call.
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

    /// The span of an argument, or of the call if the argument is omitted or there is no parameter of that name.
    public func span(of name: String?) -> Span {
      guard let index = builtin.parameters.firstIndex(where: { $0.name == name }) else { return span }
      return spans[index] ?? span
    }

    /// An error at an argument of this call, or at the call itself if `argument` is nil.
    public func error(
      _ code: Diagnostic.Code, _ message: String, argument: String? = nil, help: String? = nil
    ) -> Diagnostic {
      Diagnostic(code, message, at: span(of: argument), help: help)
    }
  }

  /// The error for a value that does not fit parameter `index`.
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
        label: "expected \(parameter.wanted)", help: ForeignNames.help(forKindOf: parameter.name, in: name))
    case .word(let word): return parameter.unknownWord(word, in: name, at: span)
    case .value(let problem):
      return Diagnostic(.badValue, "`\(parameter.name)` of \(name) \(problem); it is \(value.described)", at: span)
    }
  }
}

extension Builtin.Parameter {
  /// A description of the expected values, for messages and help.
  var wanted: String {
    if let expectation { return expectation }
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

  /// The parameter as the reference shows it: `seed: 0`.
  public var signature: String {
    if positional { return defaultText == nil ? name : "[\(name)]" }
    guard let defaultText, defaultText != "nil" else { return defaultText == nil ? "\(name):" : "[\(name):]" }
    return "\(name): \(defaultText)"
  }
}

extension Builtin {
  public var signature: String { "\(name)(\(parameters.map(\.signature).joined(separator: ", ")))" }

  /// The help for one parameter.
  public func help(of parameter: Parameter) -> String {
    let fallback = parameter.defaultText.map { $0 == "nil" ? " (may be left out)" : " (default \($0))" } ?? ""
    let words = parameter.words.isEmpty ? "" : "\nWords: \(parameter.words.joined(separator: ", "))\n"
    return "\(name), \(parameter.signature)\n\n\(parameter.wanted): \(parameter.summary)\(fallback)\n\(words)"
  }

  /// The help page of the function.
  public var help: String { help(columns: .max) }

  /// The help page for a terminal. Lines are wrapped between words, with a hanging indent.
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

/// All builtins by name, with their words and metrics.
public struct Library: Sendable {
  public let builtins: [String: Builtin]
  public let metrics: [String]
  /// The bare words of all parameters.
  public let words: Set<String>

  /// Two builtins with the same name are a programming error and end the program.
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
