import Syntax

/// A value of the language. Values are immutable; names can be rebound.
public enum Value {
  case nothing
  case bool(Bool)
  case number(Double)
  case quantity(Double, Unit)
  case text(String)
  /// A bare word, for a parameter that takes one of several words.
  case word(String)
  case metric(MetricName)
  /// A point in time, in seconds since 1970-01-01 UTC.
  case date(Double)
  /// The integers from the first to the last, both included.
  case range(Int, Int)
  case list([Value])
  case record(Record)
  case function(FunctionValue)
  case object(any ObjectValue)
}

/// A metric with its cut-off, such as `mrr@5`.
public struct MetricName: Hashable, Sendable {
  public let name: String
  public let k: Int

  public init(_ name: String, _ k: Int) {
    self.name = name
    self.k = k
  }

  public var text: String { "\(name)@\(k)" }
}

/// Named values in the order in which they were written.
public struct Record {
  public private(set) var keys: [String] = []
  /// The values, in the order of `keys`.
  private var values: [Value] = []
  /// The index of each name. Empty for records of few fields, where a linear search is faster.
  private var indices: [String: Int] = [:]
  private static let few = 8

  public init() {}

  public init(_ fields: [(String, Value)]) {
    for (key, value) in fields { self[key] = value }
  }

  public subscript(key: String) -> Value? {
    get { index(key).map { values[$0] } }
    set {
      let index = index(key)
      if let newValue {
        if let index {
          values[index] = newValue
          return
        }
        keys.append(key)
        values.append(newValue)
        if keys.count > Self.few + 1 { indices[key] = keys.count - 1 } else { rebuildIndices() }
      } else if let index {
        keys.remove(at: index)
        values.remove(at: index)
        rebuildIndices()
      }
    }
  }

  private func index(_ key: String) -> Int? { keys.count <= Self.few ? keys.firstIndex(of: key) : indices[key] }

  private mutating func rebuildIndices() {
    indices = [:]
    guard keys.count > Self.few else { return }
    for (index, key) in keys.enumerated() { indices[key] = index }
  }

  public var count: Int { keys.count }

  public var fields: [(key: String, value: Value)] {
    zip(keys, values).map { (key: $0, value: $1) }
  }

  /// The address of the values in memory. Records with the same address are equal. Valid only while the record exists.
  var address: UnsafeRawPointer? { values.withUnsafeBytes { $0.baseAddress } }
}

/// An object of the engine as a value of the language: a data set, a model, a run, a figure.
public protocol ObjectValue: AnyObject, SendableMetatype {
  static var type: ObjectType { get }
  func member(_ name: String) -> Value?
  /// The value of `object[index]`; nil if there is no such element.
  func element(_ index: Value) -> Value?
  /// What to do instead of asking for an element that there is not; nil: nothing to say.
  var elementHelp: String? { get }
  /// The elements that `for` and `map` iterate over; nil if the object has none.
  var elements: [Value]? { get }
  /// A description in one line.
  var summary: String { get }
  /// A full description, which may have several lines.
  var display: String { get }
  /// The object as an SVG picture, for notebook pages; nil if it is not drawn.
  func picture() throws -> String?
}

extension ObjectValue {
  public func member(_ name: String) -> Value? { nil }
  public func element(_ index: Value) -> Value? { nil }
  public var elementHelp: String? { nil }
  public var elements: [Value]? { nil }
  public var display: String { summary }
  public func picture() throws -> String? { nil }
}

/// The name and the members of a class of objects, for completion, help and checking.
public final class ObjectType: Sendable {
  public struct Member: Sendable {
    public let name: String
    public let type: ValueType
    public let summary: String
  }

  /// The name with its article: `a data set`.
  public let name: String
  public let members: [Member]
  /// The type of `object[index]`; nil if objects of this type have no elements.
  public let element: ValueType?
  /// The types as which such an object is accepted as well: a run is accepted as its model.
  public let standsFor: [ObjectType]

  public init(
    _ name: String, members: [(String, ValueType, String)] = [], element: ValueType? = nil, standsFor: [ObjectType] = []
  ) {
    self.name = name
    self.members = members.map { Member(name: $0.0, type: $0.1, summary: $0.2) }
    self.element = element
    self.standsFor = standsFor
  }

  public func isTaken(for other: ObjectType) -> Bool { self === other || standsFor.contains { $0 === other } }
}

/// A function, of the language or built in.
public final class FunctionValue {
  public let name: String
  /// The names of the parameters. Those from index `required` on have defaults.
  public let parameters: [String]
  public let required: Int
  /// The compiled function if it is one of the script; its code can be run without an array of arguments.
  let script: ScriptFunction?
  let call: (_ arguments: [Value?], _ span: Span) throws -> Value

  init(
    name: String, parameters: [String], required: Int, script: ScriptFunction? = nil,
    call: @escaping ([Value?], Span) throws -> Value
  ) {
    self.script = script
    self.name = name
    self.parameters = parameters
    self.required = required
    self.call = call
  }
}

/// What the checker knows about a value before the program runs.
public indirect enum ValueType: Sendable {
  case any, nothing, bool, number, text, metric, date, range, function
  case quantity(Unit.Dimension)
  case word(String)
  case list(ValueType)
  case record([String: ValueType]?)
  case object(ObjectType)
  case oneOf([ValueType])

  /// The name of the type in messages.
  public var name: String {
    switch self {
    case .any: "anything"
    case .nothing: "nil"
    case .bool: "true or false"
    case .number: "a number"
    case .text: "a text"
    case .metric: "a metric such as mrr@5"
    case .date: "a date"
    case .range: "a range"
    case .function: "a function"
    case .quantity(.steps): "a number of steps"
    case .quantity(.epochs): "a number of epochs"
    case .quantity(.time): "a time such as 90s"
    case .quantity(.length): "a length such as 8.4cm"
    case .quantity(.share): "a share such as 80%"
    case .word(let word): "the word `\(word)`"
    case .list(.any): "a list"
    case .list(let element): "a list of \(element.plural)"
    case .record: "a record"
    case .object(let type): type.name
    case .oneOf(let types): Self.join(types.map(\.name))
    }
  }

  /// The type that all these types share, or `any`.
  static func common(_ types: [ValueType]) -> ValueType {
    guard let first = types.first else { return .any }
    switch first {
    case .number, .text, .metric, .date, .bool:
      return types.allSatisfy { $0.name == first.name } ? first : .any
    case .quantity(let dimension):
      return types.allSatisfy { if case .quantity(dimension) = $0 { true } else { false } } ? first : .any
    case .object(let object):
      return types.allSatisfy { if case .object(let other) = $0 { other === object } else { false } } ? first : .any
    case .list:
      return types.allSatisfy { if case .list = $0 { true } else { false } } ? .list(.any) : .any
    case .record:
      return types.allSatisfy { if case .record = $0 { true } else { false } } ? .record(nil) : .any
    default: return .any
    }
  }

  private var plural: String {
    switch self {
    case .number: "numbers"
    case .text: "texts"
    case .metric: "metrics"
    case .date: "dates"
    case .object(let type) where !type.name.contains("such as"):
      type.name.drop { $0 != " " }.dropFirst() + "s"
    case .object(let type): type.name.prefix { $0 != "(" }.split(separator: " ").dropFirst().first.map { "\($0)s" } ?? type.name
    default: name
    }
  }

  static func join(_ names: [String]) -> String {
    var unique: [String] = []
    for name in names where !unique.contains(name) { unique.append(name) }
    return unique.count < 2 ? unique.joined() : unique.dropLast().joined(separator: ", ") + " or " + unique[unique.count - 1]
  }

  /// Can a value of this type have the type `wanted`? True if one of them is unknown.
  public func fits(_ wanted: ValueType) -> Bool {
    switch (self, wanted) {
    case (.any, _), (_, .any): return true
    case (.oneOf(let own), _): return own.contains { $0.fits(wanted) }
    case (_, .oneOf(let all)): return all.contains { fits($0) }
    case (.nothing, .nothing), (.bool, .bool), (.number, .number), (.text, .text), (.metric, .metric), (.date, .date),
      (.range, .range), (.function, .function), (.record, .record):
      return true
    case (.text, .word): return true
    case (.word(let a), .word(let b)): return a == b
    case (.word, .text): return true
    case (.quantity(let a), .quantity(let b)): return a == b
    case (.list(let a), .list(let b)): return a.fits(b)
    case (.range, .list(let b)): return ValueType.number.fits(b)
    case (.object(let a), .object(let b)): return a.isTaken(for: b)
    default: return false
    }
  }
}

extension Value {
  /// The most specific type of the value, with the types of its elements or fields one level deep.
  public var type: ValueType {
    switch self {
    case .nothing: .nothing
    case .bool: .bool
    case .number: .number
    case .quantity(_, let unit): .quantity(unit.dimension)
    case .text: .text
    case .word(let word): .word(word)
    case .metric: .metric
    case .date: .date
    case .range: .range
    // Nested lists and records have no element types; otherwise shared parts would be visited many times.
    case .list(let values): .list(.common(values.map(\.outerType)))
    case .record(let record): .record(Dictionary(uniqueKeysWithValues: record.fields.map { ($0.key, $0.value.outerType) }))
    case .function: .function
    case .object(let object): .object(Swift.type(of: object).type)
    }
  }

  /// The type without the types of elements or fields. Takes constant time.
  var outerType: ValueType {
    switch self {
    case .list: .list(.any)
    case .record: .record(nil)
    default: type
    }
  }

  /// A description for messages, which includes the value if it is short.
  public var described: String {
    switch self {
    case .number, .quantity, .metric, .date, .bool: printed
    case .nothing: "nil"
    case .text(let text): text.utf8.count <= 120 && text.count <= 30 ? "the text \"\(text)\"" : "a text"
    case .word(let word): "the word `\(word)`"
    case .list(let values): values.isEmpty ? "an empty list" : "a list"
    case .function(let function): "the function \(function.name)"
    default: outerType.name
    }
  }

  /// The largest number of elements of a list that is made from other lists.
  static let largestList = 100_000_000

  /// The largest number of elements of a range that is made into a list.
  static let longestList = 10_000_000

  /// The elements that `for` and `map` iterate over; nil for other values and for ranges that are too long.
  public var sequence: [Value]? {
    switch self {
    case .list(let values): values
    case .range(let low, let high):
      high - low >= Self.longestList ? nil : low <= high ? (low...high).map { .number(Double($0)) } : []
    case .record(let record): record.fields.map { .list([.text($0.key), $0.value]) }
    case .object(let object): object.elements
    default: nil
    }
  }
}
