import Layers

/// What a growth copies from the old model.
public struct Carry: Sendable, Equatable {
  public let parts: Set<ParameterPart>
  /// Whether the state of the optimizer is copied with the parameters.
  public let optimizer: Bool
  /// Only the parameters that the authors' code copies.
  public let onlyReference: Bool
  /// Whether copies start as the identity, so that the scores do not change.
  public let preserving: Bool
  /// The rule as it was given.
  public let name: String

  /// The authors' code: embeddings (of positions and users too) and convolution (or Q, K, V) weights; alpha, LN, output
  /// layer and optimizer are newly initialised. With the operator `random` the lower blocks of NextItNet and GRec keep
  /// alpha and LN as well.
  public static let reference = Carry(
    parts: [.embedding, .blocks], optimizer: false, onlyReference: true, preserving: false, name: "reference")
  /// Every parameter.
  public static let all = Carry(
    parts: Set(ParameterPart.allCases), optimizer: false, onlyReference: false, preserving: false, name: "all")
  /// Every parameter; the copies start as the identity.
  public static let preserving = Carry(
    parts: Set(ParameterPart.allCases), optimizer: false, onlyReference: false, preserving: true, name: "preserving")

  /// Embeddings and the named parts.
  public static func parts(_ parts: Set<ParameterPart>, optimizer: Bool) -> Carry {
    let words = ParameterPart.allCases.filter { parts.contains($0) && $0 != .embedding }.map(\.rawValue)
    return Carry(
      parts: parts.union([.embedding]), optimizer: optimizer, onlyReference: false, preserving: false,
      name: "[" + (words + (optimizer ? ["optimizer"] : [])).joined(separator: ", ") + "]")
  }

  /// Whether a growth with an operator copies a parameter for which the operator names a source.
  func takes(_ parameter: Parameter, with operation: GrowthOperator) -> Bool {
    guard onlyReference else { return parts.contains(parameter.part) }
    switch parameter.reference {
    case .never: return false
    case .always: return true
    case .withRandom: return operation == .random
    }
  }
}

extension Carry: Codable {
  /// The rule as it was given: `reference`, `all`, `preserving`, or a list of parts with `optimizer`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let word = Self.words.first(where: { $0.value == self })?.key { return try container.encode(word) }
    let named = ParameterPart.allCases.filter { parts.contains($0) && $0 != .embedding }.map(\.rawValue)
    try container.encode(named + (optimizer ? ["optimizer"] : []))
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let word = try? container.decode(String.self), let carry = Self.words[word] {
      self = carry
      return
    }
    let names = try container.decode([String].self)
    let parts = names.filter { $0 != "optimizer" }.map { ParameterPart(rawValue: $0) }
    guard !parts.contains(nil) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(names) are not parts of a model")
    }
    self = .parts(Set(parts.compactMap { $0 }), optimizer: names.contains("optimizer"))
  }

  private static var words: [String: Carry] { ["reference": .reference, "all": .all, "preserving": .preserving] }
}
