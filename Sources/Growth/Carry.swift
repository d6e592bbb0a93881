import Layers

/// What a grown model takes from the old one besides its embeddings.
public struct Carry: Sendable, Equatable {
  public let parts: Set<ParameterPart>
  /// Optimizer moments go along with their parameters.
  public let optimizer: Bool
  /// Only what the reference code carries.
  public let onlyReference: Bool
  /// Copies start as the identity, so that the scores stay what they were.
  public let preserving: Bool
  /// As it was asked for.
  public let name: String

  /// The authors' code: embeddings (of positions and users too) and convolution (or Q, K, V) weights; alpha, LN, output layer
  /// and optimizer are fresh. With the operator `random` the lower blocks of NextItNet and GRec keep alpha and LN as well.
  public static let reference = Carry(
    parts: [.embedding, .blocks], optimizer: false, onlyReference: true, preserving: false, name: "reference")
  /// Every parameter.
  public static let all = Carry(
    parts: Set(ParameterPart.allCases), optimizer: false, onlyReference: false, preserving: false, name: "all")
  /// Every parameter; the copies enter as the identity.
  public static let preserving = Carry(
    parts: Set(ParameterPart.allCases), optimizer: false, onlyReference: false, preserving: true, name: "preserving")

  /// Embeddings and the named parts.
  public static func parts(_ parts: Set<ParameterPart>, optimizer: Bool) -> Carry {
    let words = ParameterPart.allCases.filter { parts.contains($0) && $0 != .embedding }.map(\.rawValue)
    return Carry(
      parts: parts.union([.embedding]), optimizer: optimizer, onlyReference: false, preserving: false,
      name: "[" + (words + (optimizer ? ["optimizer"] : [])).joined(separator: ", ") + "]")
  }

  /// Is a parameter copied by a growth with an operator, where that names a source for it?
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
  /// Written as it was asked for: `reference`, `all`, `preserving`, or a list of parts with `optimizer`.
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
