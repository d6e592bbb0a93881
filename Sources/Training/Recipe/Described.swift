/// A part of a recipe as a list of named fields. Its JSON, the fingerprint, the row in the database and comparisons are
/// generated from this list. To add a value, add a line to `fields`.
public protocol Described: Sendable {
  /// Creates a value with all defaults.
  init()
  static var fields: [Field<Self>] { get }
}

/// One field of a `Described` type.
public struct Field<Owner>: Sendable {
  /// The name in the language and in JSON.
  public let key: String
  /// How a script specifies the value; nil if a function of the language handles it by its own code.
  public let form: FieldForm?
  /// Returns nil if the field has no value.
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

/// How a script specifies a value of a component. The function of the language, its checks, help and documentation are
/// generated from this.
public struct FieldForm: Sendable {
  public enum Kind: Sendable {
    case number, whole, flag
    /// `20%` or 0.2.
    case share
    /// `100steps` or `2epochs`: an `Extent`.
    case extent
    /// `2%` or `100steps`: a `StepShare`.
    case span
    case words([String])
  }

  public let kind: Kind
  public let summary: String
  /// The default as documentation writes it, e.g. `1e-3`; nil: as the program prints it.
  public let text: String?
  /// Whether the argument is required. A required argument is positional.
  public let isRequired: Bool
  /// Whether an argument that is not required may be given by its position.
  public let isPositional: Bool
  /// The reason why a number is not valid; nil if it is valid.
  public let problem: @Sendable (Double) -> String?

  public init(
    _ kind: Kind, _ summary: String, text: String? = nil, isRequired: Bool = false, isPositional: Bool = false,
    problem: @escaping @Sendable (Double) -> String? = { _ in nil }
  ) {
    self.kind = kind
    self.summary = summary
    self.text = text
    self.isRequired = isRequired
    self.isPositional = isPositional
    self.problem = problem
  }

  /// One of the words of a Swift enumeration.
  public static func word<Word: RawRepresentable & CaseIterable>(of _: Word.Type, _ summary: String) -> FieldForm
  where Word.RawValue == String {
    FieldForm(.words(Word.allCases.map(\.rawValue)), summary)
  }
}

/// Checks of numbers, for `FieldForm.problem`.
public enum NumberRule {
  public static let positive: @Sendable (Double) -> String? = { $0 > 0 && $0.isFinite ? nil : "must be above 0" }
  /// In [0, 1).
  public static let fraction: @Sendable (Double) -> String? = { $0 >= 0 && $0 < 1 ? nil : "must be from 0 to below 1" }
  /// In (0, 1).
  public static let innerFraction: @Sendable (Double) -> String? = { $0 > 0 && $0 < 1 ? nil : "must be above 0 and below 1" }
  public static let coefficient: @Sendable (Double) -> String? = {
    $0 >= 0 && $0 < 1e6 ? nil : "must not be negative, nor above 1e6"
  }
}

extension Described {
  /// All values that differ from their defaults, by key.
  public func described() throws -> [String: Tree] {
    let defaults = Self()
    var values: [String: Tree] = [:]
    for field in Self.fields {
      guard let value = try field.get(self), value != (try field.get(defaults)) else { continue }
      values[field.key] = value
    }
    return values
  }

  /// - Throws: `Tree.Failure` for an unknown key or a value of the wrong type.
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

/// A part of a recipe with several kinds: a loss, an optimizer or a schedule. Its tree contains the kind and the values.
public protocol Component: Described {
  /// The name of the kind in the language.
  static var kind: String { get }
  /// A description for help, of one or two sentences.
  static var summary: String { get }
  /// A line of a script that uses it.
  static var example: String { get }
  /// Whether the language has a function for it. A component has none if it has no options or only another function creates it.
  static var hasFunction: Bool { get }
  /// Examples with values other than the defaults, for tests that apply to all components.
  static var samples: [Self] { get }
  /// Why the values do not fit together, and what to do; nil if they do.
  var conflict: String? { get }
}

extension Component {
  public var kind: String { Self.kind }
  public static var hasFunction: Bool { !fields.isEmpty }
  public static var samples: [Self] { [Self()] }
  public var conflict: String? { nil }

  /// The kind and all values that differ from their defaults.
  public func component() throws -> Tree {
    .object(try described().merging(["kind": .text(Self.kind)]) { first, _ in first })
  }

  /// A component with the given values and the defaults of all others.
  public init(component values: [String: Tree]) throws { try self.init(described: .object(values)) }

  /// The default of a field; nil if it has none.
  public static func defaultValue(_ key: String) -> Tree? {
    fields.first { $0.key == key }.flatMap { try? $0.get(Self()) }
  }

  /// The component as a script would write it, with the values that are not defaults.
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
      if unit == "share", case .number(let share) = amount { return NumberText.short((share * 1e6).rounded() / 1e4) + "%" }
      return amount.canonical + unit
    default: return tree.canonical
    }
  }

  /// Whether the component has no options, so that a script writes it as a word.
  public static var isPlain: Bool { fields.isEmpty }

  /// The keys and forms of all values that a script can specify.
  public static var forms: [(key: String, form: FieldForm)] { fields.compactMap { field in field.form.map { (field.key, $0) } } }
}

extension Field {
  /// A field whose value is a component of one of several kinds.
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
        else { throw Tree.Failure(message: "\(tree.canonical) is not a known \(key)") }
        set(&owner, value)
      })
  }
}
