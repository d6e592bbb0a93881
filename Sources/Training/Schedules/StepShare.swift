/// A part of a training: a share of its steps, or a number of them.
public enum StepShare: Sendable, Equatable {
  case share(Double)
  case steps(Int)

  public static let none = StepShare.steps(0)

  /// The number of steps, of `total`; nil if the total is not known and needed.
  func steps(of total: Int?) -> Int? {
    switch self {
    case .steps(let count): count
    case .share(let share): share == 0 ? 0 : total.map { Int((share * Double($0)).rounded()) }
    }
  }

  /// Whether the number of steps depends on the length of the training.
  var isRelative: Bool {
    if case .share(let share) = self { return share > 0 }
    return false
  }

  /// As it is written in a recipe.
  public var tree: Tree {
    switch self {
    case .share(let share): .object(["share": .number(share)])
    case .steps(let count): .object(["steps": .whole(Int64(count))])
    }
  }
}

extension StepShare: Codable {
  private enum Key: String, CodingKey { case share, steps }

  /// Encodes as `{"share": 0.02}` or `{"steps": 100}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .share(let share): try container.encode(share, forKey: .share)
    case .steps(let count): try container.encode(count, forKey: .steps)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let share = try container.decodeIfPresent(Double.self, forKey: .share) {
      self = .share(share)
    } else {
      self = .steps(try container.decode(Int.self, forKey: .steps))
    }
  }
}
