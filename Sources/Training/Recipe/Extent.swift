/// A length of training in steps, epochs or wall-clock seconds.
public enum Extent: Sendable, Equatable {
  case steps(Int)
  case epochs(Double)
  case seconds(Double)
}

extension Extent {
  /// As it is written in a recipe.
  public var tree: Tree {
    switch self {
    case .steps(let count): .object(["steps": .whole(Int64(count))])
    case .epochs(let count): .object(["epochs": .number(count)])
    case .seconds(let seconds): .object(["seconds": .number(seconds)])
    }
  }
}

extension Extent: Codable {
  private enum Key: String, CodingKey { case steps, epochs, seconds }

  /// Encodes as `{"steps": 100}`, `{"epochs": 2.5}` or `{"seconds": 60}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .steps(let count): try container.encode(count, forKey: .steps)
    case .epochs(let count): try container.encode(count, forKey: .epochs)
    case .seconds(let seconds): try container.encode(seconds, forKey: .seconds)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let count = try container.decodeIfPresent(Int.self, forKey: .steps) {
      self = .steps(count)
    } else if let count = try container.decodeIfPresent(Double.self, forKey: .epochs) {
      self = .epochs(count)
    } else {
      self = .seconds(try container.decode(Double.self, forKey: .seconds))
    }
  }
}
