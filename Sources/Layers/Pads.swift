/// What exists before the first item of a sequence that is shorter than others.
public enum Pads: String, Codable, Sendable, CaseIterable {
  /// Nothing: no input, no attention, zeros for convolutions, no target.
  case none
  /// The pad, item 0, with an embedding that is trained, as in StackRec's code and in version 0.1. Sequences begin with pads,
  /// and models read and predict them like items.
  case item
}

/// The rule of a model's configuration. Files of version 0.1 have no such value, which means `item`; `item` is not written.
@propertyWrapper
public struct PadsRule: Codable, Equatable, Sendable {
  public var wrappedValue: Pads

  public init(wrappedValue: Pads) { self.wrappedValue = wrappedValue }

  public init(from decoder: any Decoder) throws { wrappedValue = try Pads(from: decoder) }
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension KeyedDecodingContainer {
  /// Decoders that Swift derives call this for a property with the wrapper.
  public func decode(_ type: PadsRule.Type, forKey key: Key) throws -> PadsRule {
    PadsRule(wrappedValue: try decodeIfPresent(Pads.self, forKey: key) ?? .item)
  }
}

extension KeyedEncodingContainer {
  /// Encoders that Swift derives call this for a property with the wrapper.
  public mutating func encode(_ value: PadsRule, forKey key: Key) throws {
    if value.wrappedValue != .item { try encode(value.wrappedValue, forKey: key) }
  }
}
