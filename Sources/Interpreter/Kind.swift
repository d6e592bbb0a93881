import Syntax

/// Why a value does not fit its parameter.
public enum ConversionError: Error {
  /// The value has the wrong type.
  case type
  /// The value is a word, but not one of the allowed words.
  case word(String)
  /// The type is right, but the value is not allowed; the text continues the sentence "`parameter` of function ...", as in
  /// "must be above 0".
  case value(String)
}

/// The type of a parameter: which values it accepts, and how they are converted to Swift.
public struct Kind<T>: Sendable {
  public let type: ValueType
  /// The bare words that it accepts.
  public let words: [String]
  /// The bare words that it accepts as elements of a list.
  public let elementWords: [String]
  /// The description in messages and help; nil for the names of the types.
  public var expectation: String?
  /// Completions for the Tab key besides the words, from the text of the call so far.
  public var suggest: (@Sendable (_ call: String) -> [String])?
  let convert: @Sendable (Value) throws(ConversionError) -> T

  public init(
    _ type: ValueType, words: [String] = [], elementWords: [String] = [], suggest: (@Sendable (String) -> [String])? = nil,
    convert: @escaping @Sendable (Value) throws(ConversionError) -> T
  ) {
    self.type = type
    self.words = words
    self.elementWords = elementWords
    self.suggest = suggest
    self.convert = convert
  }

  /// Converts a value to Swift.
  public func value(of value: Value) throws(ConversionError) -> T { try convert(value) }

  /// The same kind, which also accepts the words `names`; `table` gives the value of a word.
  public func orWords(_ table: @escaping @Sendable (String) -> T?, _ names: [String]) -> Kind<T> {
    let original = convert
    return Kind(.oneOf([type] + names.map { .word($0) }), words: names, elementWords: elementWords, suggest: suggest) {
      value throws(ConversionError) in
      switch value {
      case .word(let word), .text(let word):
        if let found = table(word) { return found }
        do { return try original(value) } catch { throw .word(word) }
      default: return try original(value)
      }
    }
  }

  /// One value of this kind or a list of them.
  public var oneOrMore: Kind<[T]> {
    let original = convert
    return Kind<[T]>(.oneOf([type, .list(type)]), words: words, elementWords: words, suggest: suggest) { value throws(ConversionError) in
      guard let elements = value.sequence, case .list = value else { return [try original(value)] }
      var result: [T] = []
      for element in elements { result.append(try original(element)) }
      return result
    }
  }

  public var list: Kind<[T]> {
    let original = convert
    let wanted = type.name
    return Kind<[T]>(.list(type), elementWords: words, suggest: suggest) { value throws(ConversionError) in
      guard let elements = value.sequence else { throw .type }
      var result: [T] = []
      for element in elements {
        do throws(ConversionError) {
          result.append(try original(element))
        } catch {
          guard case .type = error else { throw error }
          throw .value("needs \(wanted) for every element, not \(element.described)")
        }
      }
      return result
    }
  }

  var optional: Kind<T?> {
    let original = convert
    var kind = Kind<T?>(.oneOf([type, .nothing]), words: words, elementWords: elementWords, suggest: suggest) {
      value throws(ConversionError) in
      if case .nothing = value { return nil }
      return try original(value)
    }
    kind.expectation = expectation
    return kind
  }

  /// The same kind for an argument that may be omitted, but must not be `nil`.
  var orNothing: Kind<T?> {
    let original = convert
    var kind = Kind<T?>(type, words: words, elementWords: elementWords, suggest: suggest) { value throws(ConversionError) in
      try original(value)
    }
    kind.expectation = expectation
    return kind
  }

  /// The same kind with a condition: `test` returns what is wrong with a value, or nil.
  public func checked(_ test: @escaping @Sendable (T) -> String?) -> Kind<T> {
    let original = convert
    return Kind(type, words: words, elementWords: elementWords, suggest: suggest) { value throws(ConversionError) in
      let result = try original(value)
      if let problem = test(result) { throw .value(problem) }
      return result
    }
  }
}

extension Kind where T: RawRepresentable & CaseIterable & Sendable, T.RawValue == String {
  /// One of the words of a Swift enumeration.
  public static var word: Kind<T> {
    let names = T.allCases.map(\.rawValue)
    return Kind<T>(.oneOf(names.map { .word($0) }), words: names) { value throws(ConversionError) in
      switch value {
      case .word(let word), .text(let word):
        guard let found = T(rawValue: word) else { throw .word(word) }
        return found
      default: throw .type
      }
    }
  }
}

extension Kind where T: ObjectValue {
  /// An object of one class.
  public static var object: Kind<T> {
    Kind<T>(.object(T.type)) { value throws(ConversionError) in
      guard case .object(let object) = value, let found = object as? T else { throw .type }
      return found
    }
  }
}

extension Kind where T == Value {
  public static var any: Kind<Value> { Kind(.any) { $0 } }
}

extension Kind where T == [Value] {
  /// Anything to iterate over: a list, a range, the pairs of a record, the elements of an object.
  public static var sequence: Kind<[Value]> {
    var kind = Kind(.oneOf([.list(.any), .range, .record(nil), .any])) { value throws(ConversionError) in
      if case .range(let low, let high) = value, high - low >= Value.longestList {
        throw .value("has more than \(NumberFormat.grouped(Value.longestList)) elements")
      }
      guard let values = value.sequence else { throw .type }
      return values
    }
    kind.expectation = "a list, a range, a record or an object that has elements"
    return kind
  }
}

extension Kind where T == Value {
  /// A value with elements, or a text.
  static var countable: Kind<Value> {
    var kind = Kind(.any) { value throws(ConversionError) in
      switch value {
      case .text, .word, .list, .range, .record: return value
      case .object(let object) where object.elements != nil: return value
      default: throw .type
      }
    }
    kind.expectation = "a list, a range, a record, a text or an object that has elements"
    return kind
  }

  /// A value of one of these types, without conversion.
  static func anyOf(_ types: [ValueType]) -> Kind<Value> {
    Kind(.oneOf(types)) { value throws(ConversionError) in
      guard types.contains(where: { value.outerType.fits($0) }) else { throw .type }
      return value
    }
  }
}

extension Kind where T == Double {
  public static var number: Kind<Double> {
    Kind(.number) { value throws(ConversionError) in
      guard case .number(let number) = value else { throw .type }
      return number
    }
  }

  /// A fraction from 0 to 1, written as `80%` or 0.8.
  public static var share: Kind<Double> {
    Kind(.oneOf([.quantity(.share), .number])) { value throws(ConversionError) in
      let share: Double
      switch value {
      case .quantity(let amount, .percent): share = amount / 100
      case .number(let number): share = number
      default: throw .type
      }
      guard share >= 0 && share <= 1 else { throw .value("must be from 0% to 100%") }
      return share
    }
  }

  /// A length, converted to centimetres.
  public static var length: Kind<Double> {
    Kind(.quantity(.length)) { value throws(ConversionError) in
      guard case .quantity(let amount, let unit) = value, unit.dimension == .length else { throw .type }
      guard amount > 0 else { throw .value("must be above 0") }
      return amount * unit.factor
    }
  }
}

extension Kind where T == Int {
  public static var whole: Kind<Int> {
    Kind(.number) { value throws(ConversionError) in
      guard case .number(let number) = value else { throw .type }
      guard let whole = Int(exactly: number) else { throw .value("must be a whole number") }
      return whole
    }
  }

  public static func whole(from low: Int, to high: Int = .max) -> Kind<Int> {
    whole.checked { $0 < low || $0 > high ? "must be " + (high == .max ? "at least \(low)" : "from \(low) to \(high)") : nil }
  }
}

extension Kind where T == String {
  public static var text: Kind<String> {
    Kind(.text) { value throws(ConversionError) in
      switch value {
      case .text(let text), .word(let text): return text
      default: throw .type
      }
    }
  }
}

extension Kind where T == Bool {
  public static var bool: Kind<Bool> {
    Kind(.bool) { value throws(ConversionError) in
      guard case .bool(let bool) = value else { throw .type }
      return bool
    }
  }
}

extension Kind where T == Record {
  public static var record: Kind<Record> {
    Kind(.record(nil)) { value throws(ConversionError) in
      guard case .record(let record) = value else { throw .type }
      return record
    }
  }
}

extension Kind where T == FunctionValue {
  public static var function: Kind<FunctionValue> {
    Kind(.function) { value throws(ConversionError) in
      guard case .function(let function) = value else { throw .type }
      return function
    }
  }
}
