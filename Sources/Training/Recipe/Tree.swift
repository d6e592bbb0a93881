import Basics
import Foundation

/// A JSON value with a canonical text: sorted keys, no blanks, numbers in their shortest exact form. Recipes are written with
/// it, so that equal recipes have equal texts.
public enum Tree: Sendable, Equatable, Hashable {
  case flag(Bool)
  case whole(Int64)
  /// A whole number above the largest `Int64`.
  case large(UInt64)
  case number(Double)
  case text(String)
  case list([Tree])
  case object([String: Tree])

  /// The canonical text.
  public var canonical: String {
    switch self {
    case .flag(let flag): "\(flag)"
    case .whole(let number): "\(number)"
    case .large(let number): "\(number)"
    case .number(let number): "\(number)"
    case .text(let text): Escapes.json(text)
    case .list(let values): "[" + values.map(\.canonical).joined(separator: ",") + "]"
    case .object(let values):
      "{" + values.sorted { $0.key < $1.key }.map { "\(Escapes.json($0.key)):\($0.value.canonical)" }.joined(separator: ",") + "}"
    }
  }

  /// A text is not JSON, or a value is not of the expected form.
  public struct Failure: Error, Equatable {
    public let message: String
  }

  /// - Throws: `Failure` if the text is not JSON.
  public init(parsing text: String) throws {
    do {
      self = try JSONDecoder().decode(Tree.self, from: Data(text.utf8))
    } catch {
      throw Failure(message: "not JSON")
    }
  }

  /// The tree that a value encodes itself as.
  init(encoding value: some Encodable) throws {
    self = try JSONDecoder().decode(Tree.self, from: JSONEncoder().encode([value])).first ?? .list([])
  }

  /// Decodes a value from the tree.
  ///
  /// - Throws: `Failure` if the tree does not describe such a value.
  func decoded<Value: Decodable>(as: Value.Type) throws -> Value {
    do {
      return try JSONDecoder().decode([Value].self, from: Data(Tree.list([self]).canonical.utf8))[0]
    } catch {
      throw Failure(message: "\(canonical) cannot be read")
    }
  }

  private var first: Tree? {
    if case .list(let values) = self { return values.first }
    return nil
  }

  /// All values inside by their paths, such as `optimizer.lr` or `phases.0.run.steps`.
  public func leaves(_ path: String = "") -> [String: Tree] {
    func under(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    switch self {
    case .object(let values):
      return values.reduce(into: [:]) { $0.merge($1.value.leaves(under($1.key))) { first, _ in first } }
    case .list(let values) where values.contains(where: { if case .object = $0 { true } else { false } }):
      return values.enumerated().reduce(into: [:]) { $0.merge($1.element.leaves(under("\($1.offset)"))) { first, _ in first } }
    default: return [path: self]
    }
  }
}

extension Tree: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? container.decode(Int64.self) {
      self = .whole(number)
    } else if let number = try? container.decode(UInt64.self) {
      self = .large(number)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let values = try? container.decode([Tree].self) {
      self = .list(values)
    } else {
      self = .object(try container.decode([String: Tree].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let flag): try container.encode(flag)
    case .whole(let number): try container.encode(number)
    case .large(let number): try container.encode(number)
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }
}
