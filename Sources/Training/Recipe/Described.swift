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
  /// How a script gives it; nil where that is a matter of its own.
  public let form: FieldForm?
  /// nil: nothing is said.
  let get: @Sendable (Owner) throws -> Tree?
  let set: @Sendable (inout Owner, Tree) throws -> Void

  init(
    _ key: String, form: FieldForm? = nil, get: @escaping @Sendable (Owner) throws -> Tree?,
    set: @escaping @Sendable (inout Owner, Tree) throws -> Void
  ) {
    self.key = key
    self.form = form
    self.get = get
    self.set = set
  }

  public init<Value: Codable & Sendable>(
    _ key: String, _ path: WritableKeyPath<Owner, Value> & Sendable, _ form: FieldForm? = nil
  ) {
    self.init(
      key, form: form, get: { try Tree(encoding: $0[keyPath: path]) },
      set: { $0[keyPath: path] = try $1.decoded(as: Value.self) })
  }

  public init<Value: Codable & Sendable>(
    _ key: String, _ path: WritableKeyPath<Owner, Value?> & Sendable, _ form: FieldForm? = nil
  ) {
    self.init(
      key, form: form, get: { try $0[keyPath: path].map { try Tree(encoding: $0) } },
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

/// How a script gives a value of a component: from this its function, checks, help and documentation are made.
public struct FieldForm: Sendable {
  public enum Kind: Sendable {
    case number, whole, flag
    /// `20%` or 0.2.
    case share
    /// `100steps` or `2epochs`: an `Extent`.
    case extent
    case words([String])
  }

  public let kind: Kind
  public let summary: String
  /// The default as people write it; nil: as it is printed.
  public let text: String?
  /// Must be given, by place.
  public let isRequired: Bool
  /// What is wrong with a number; nil: nothing.
  public let problem: @Sendable (Double) -> String?

  public init(
    _ kind: Kind, _ summary: String, text: String? = nil, isRequired: Bool = false,
    problem: @escaping @Sendable (Double) -> String? = { _ in nil }
  ) {
    self.kind = kind
    self.summary = summary
    self.text = text
    self.isRequired = isRequired
    self.problem = problem
  }

  /// A word of a Swift enumeration.
  public static func word<Word: RawRepresentable & CaseIterable>(of _: Word.Type, _ summary: String) -> FieldForm
  where Word.RawValue == String {
    FieldForm(.words(Word.allCases.map(\.rawValue)), summary)
  }
}

/// What numbers must be.
public enum NumberRule {
  public static let positive: @Sendable (Double) -> String? = { $0 > 0 && $0.isFinite ? nil : "must be above 0" }
  /// From 0 to below 1.
  public static let fraction: @Sendable (Double) -> String? = { $0 >= 0 && $0 < 1 ? nil : "must be from 0 to below 1" }
  /// Above 0 and below 1.
  public static let innerFraction: @Sendable (Double) -> String? = { $0 > 0 && $0 < 1 ? nil : "must be above 0 and below 1" }
  public static let coefficient: @Sendable (Double) -> String? = {
    $0 >= 0 && $0 < 1e6 ? nil : "must not be negative, nor above 1e6"
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
  /// What it is, for help: a sentence or two.
  static var summary: String { get }
  /// A line of a script that uses it.
  static var example: String { get }
  /// Is there a function of the language for it? Not for one that only another function uses, nor for one without options.
  static var hasFunction: Bool { get }
  /// Some with options that are not the defaults, for whatever must hold for all.
  static var samples: [Self] { get }
}

extension Component {
  public var kind: String { Self.kind }
  public static var hasFunction: Bool { !fields.isEmpty }
  public static var samples: [Self] { [Self()] }

  public func component() throws -> Tree {
    .object(try described().merging(["kind": .text(Self.kind)]) { first, _ in first })
  }

  /// One of the values that were given, the others as they are by default.
  public init(component values: [String: Tree]) throws { try self.init(described: .object(values)) }

  /// The default of a value; nil: none.
  public static func defaultValue(_ key: String) -> Tree? {
    fields.first { $0.key == key }.flatMap { try? $0.get(Self()) }
  }

  /// As a script would write it, with the values that are not defaults.
  public var text: String {
    let values = (try? described()) ?? [:]
    guard !values.isEmpty else { return Self.kind }
    let parts = Self.fields.compactMap { field in values[field.key].map { "\(field.key): \(Self.text(of: $0))" } }
    return "\(Self.kind)(\(parts.joined(separator: ", ")))"
  }

  /// A value as a script writes it.
  public static func text(of tree: Tree) -> String {
    switch tree {
    case .text(let word): return word
    case .object(let values):
      // An extent is a number with its unit.
      guard values.count == 1, let (unit, amount) = values.first else { return tree.canonical }
      return amount.canonical + unit
    default: return tree.canonical
    }
  }

  /// Has it no options at all?
  public static var isPlain: Bool { fields.isEmpty }

  /// Keys and forms of all values that a script can give.
  public static var forms: [(key: String, form: FieldForm)] { fields.compactMap { field in field.form.map { (field.key, $0) } } }
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
