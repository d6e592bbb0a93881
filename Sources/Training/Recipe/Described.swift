/// A setting of a training as a table of named values: the one place from which its encoding, the fingerprint, the row in
/// the database and comparisons are made. A new value is a line of `fields`.
public protocol Described: Sendable {
  /// All values as they are when nothing is asked for.
  init()
  static var fields: [Field<Self>] { get }
}

/// One value of a setting.
public struct Field<Owner>: Sendable {
  /// The word of the language.
  public let key: String
  /// nil: nothing is said.
  let get: @Sendable (Owner) throws -> Tree?
  let set: @Sendable (inout Owner, Tree) throws -> Void

  init(_ key: String, get: @escaping @Sendable (Owner) throws -> Tree?, set: @escaping @Sendable (inout Owner, Tree) throws -> Void) {
    self.key = key
    self.get = get
    self.set = set
  }

  public init<Value: Codable & Sendable>(_ key: String, _ path: WritableKeyPath<Owner, Value> & Sendable) {
    self.init(
      key, get: { try Tree(encoding: $0[keyPath: path]) }, set: { $0[keyPath: path] = try $1.decoded(as: Value.self) })
  }

  public init<Value: Codable & Sendable>(_ key: String, _ path: WritableKeyPath<Owner, Value?> & Sendable) {
    self.init(
      key, get: { try $0[keyPath: path].map { try Tree(encoding: $0) } },
      set: { $0[keyPath: path] = try $1.decoded(as: Value.self) })
  }

  public init<Value: Described>(_ key: String, list path: WritableKeyPath<Owner, [Value]> & Sendable) {
    self.init(
      key, get: { .list(try $0[keyPath: path].map { .object(try $0.described()) }) },
      set: { owner, tree in
        guard case .list(let values) = tree else { throw Tree.Failure(message: "\(key) is not a list") }
        owner[keyPath: path] = try values.map { try Value(described: $0) }
      })
  }
}

extension Described {
  /// All values that are not as they are by default.
  public func described() throws -> [String: Tree] {
    let defaults = Self()
    var values: [String: Tree] = [:]
    for field in Self.fields {
      guard let value = try field.get(self), value != (try field.get(defaults)) else { continue }
      values[field.key] = value
    }
    return values
  }

  public init(described tree: Tree) throws {
    guard case .object(let values) = tree else { throw Tree.Failure(message: "\(tree.canonical) is not an object") }
    self.init()
    let known = Set(Self.fields.map(\.key))
    if let other = values.keys.sorted().first(where: { !known.contains($0) }) {
      throw Tree.Failure(message: "\(other) is not known here")
    }
    for field in Self.fields {
      if let value = values[field.key] { try field.set(&self, value) }
    }
  }
}

/// A setting of which there are several kinds: a loss, an optimizer, a schedule. Its tree has its kind besides its values.
public protocol Component: Described {
  /// The word of the language.
  static var kind: String { get }
}

extension Component {
  public var kind: String { Self.kind }

  public func component() throws -> Tree {
    .object(try described().merging(["kind": .text(Self.kind)]) { first, _ in first })
  }

  init(component values: [String: Tree]) throws { try self.init(described: .object(values)) }
}

extension Field {
  /// A value that is one of several kinds.
  init<Kind>(
    _ key: String, among kinds: [any Component.Type], get: @escaping @Sendable (Owner) -> Kind,
    set: @escaping @Sendable (inout Owner, Kind) -> Void
  ) {
    self.init(
      key,
      get: { owner in
        guard let component = get(owner) as? any Component else { return nil }
        return try component.component()
      },
      set: { owner, tree in
        guard case .object(var values) = tree, case .text(let name)? = values.removeValue(forKey: "kind"),
          let type = kinds.first(where: { $0.kind == name }), let value = try type.init(component: values) as? Kind
        else { throw Tree.Failure(message: "\(tree.canonical) is no \(key) that is known here") }
        set(&owner, value)
      })
  }
}
