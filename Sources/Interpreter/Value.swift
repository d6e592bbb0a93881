import Syntax

/// What the language works with. Values never change; names can be bound anew.
public enum Value {
  case nothing
  case bool(Bool)
  case number(Double)
  case quantity(Double, Unit)
  case text(String)
  /// A bare word where one of a few was asked for.
  case word(String)
  case metric(MetricName)
  /// A moment, in seconds since 1970 (UTC).
  case date(Double)
  /// Whole numbers from the first to the last, both included.
  case range(Int, Int)
  case list([Value])
  case record(Record)
  case function(FunctionValue)
  case object(any ObjectValue)
}

/// `mrr@5`
public struct MetricName: Hashable, Sendable {
  public let name: String
  public let k: Int

  public init(_ name: String, _ k: Int) {
    self.name = name
    self.k = k
  }

  public var text: String { "\(name)@\(k)" }
}

/// Named values in the order they were written.
public struct Record {
  public private(set) var keys: [String] = []
  /// In the order of the names.
  private var values: [Value] = []
  /// Places of the names, where they are too many to be looked through.
  private var places: [String: Int] = [:]
  private static let few = 8

  public init() {}

  public init(_ fields: [(String, Value)]) {
    for (key, value) in fields { self[key] = value }
  }

  public subscript(key: String) -> Value? {
    get { place(key).map { values[$0] } }
    set {
      let place = place(key)
      if let newValue {
        if let place {
          values[place] = newValue
          return
        }
        keys.append(key)
        values.append(newValue)
        if keys.count > Self.few + 1 { places[key] = keys.count - 1 } else { numberNames() }
      } else if let place {
        keys.remove(at: place)
        values.remove(at: place)
        numberNames()
      }
    }
  }

  private func place(_ key: String) -> Int? { keys.count <= Self.few ? keys.firstIndex(of: key) : places[key] }

  private mutating func numberNames() {
    places = [:]
    guard keys.count > Self.few else { return }
    for (place, key) in keys.enumerated() { places[key] = place }
  }

  public var count: Int { keys.count }

  public var fields: [(key: String, value: Value)] {
    zip(keys, values).map { (key: $0, value: $1) }
  }

  /// Where its values lie in memory: records of one place are the same. Good for as long as the record is kept.
  var address: UnsafeRawPointer? { values.withUnsafeBytes { $0.baseAddress } }
}

/// Something of the engine, seen from the language: a data set, a model, a run, a figure.
public protocol ObjectValue: AnyObject, SendableMetatype {
  static var type: ObjectType { get }
  func member(_ name: String) -> Value?
  /// `value[index]`; nil where there is nothing by that index.
  func element(_ index: Value) -> Value?
  /// What goes through `for` and `map`; nil where nothing does.
  var elements: [Value]? { get }
  /// One line.
  var summary: String { get }
  /// What a person wants to see of it, on as many lines as it takes.
  var display: String { get }
  /// Its picture as SVG, for a page; nil for what has none.
  func picture() throws -> String?
}

extension ObjectValue {
  public func member(_ name: String) -> Value? { nil }
  public func element(_ index: Value) -> Value? { nil }
  public var elements: [Value]? { nil }
  public var display: String { summary }
  public func picture() throws -> String? { nil }
}

/// Name and members of a kind of object: what completion, help and the checker know of it.
public final class ObjectType: Sendable {
  public struct Member: Sendable {
    public let name: String
    public let type: ValueType
    public let summary: String
  }

  /// With its article: `a data set`.
  public let name: String
  public let members: [Member]
  /// Type of `value[index]`, where there is one.
  public let element: ValueType?
  /// Names of types it is taken for: a run stands for its model.
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
  /// Parameter names; those from `required` on have defaults.
  public let parameters: [String]
  public let required: Int
  /// Of the script: its code can be entered without a list of arguments.
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

/// What is known of a value before anything runs.
public indirect enum ValueType: Sendable {
  case any, nothing, bool, number, text, metric, date, range, function
  case quantity(Unit.Dimension)
  case word(String)
  case list(ValueType)
  case record([String: ValueType]?)
  case object(ObjectType)
  case oneOf([ValueType])

  /// As errors say it.
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

  /// The type that all have, or anything.
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

  /// Could a value of this type be one of `wanted`? Unknown types could.
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
  /// The most that can be said of its type.
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
    // Of lists and records inside, no more is said than that they are.
    case .list(let values): .list(.common(values.map(\.outerType)))
    case .record(let record): .record(Dictionary(uniqueKeysWithValues: record.fields.map { ($0.key, $0.value.outerType) }))
    case .function: .function
    case .object(let object): .object(Swift.type(of: object).type)
    }
  }

  /// The same without a look at what a list or record holds: parts may be shared many times over.
  var outerType: ValueType {
    switch self {
    case .list: .list(.any)
    case .record: .record(nil)
    default: type
    }
  }

  /// What errors call it, with the value where that is short.
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

  /// Lists that are put together of others may have so many elements.
  static let largestList = 100_000_000

  /// Longer ranges are not made into lists.
  static let longestList = 10_000_000

  /// The values that `for` and `map` go through.
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
