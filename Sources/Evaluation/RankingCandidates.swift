/// The items that a target is ranked among.
public enum RankingCandidates: Sendable, Equatable {
  case all
  /// This many distinct items other than the target, drawn uniformly; all items if there are not so many. Every model is
  /// ranked on the same candidates. Only for the transfer task: metrics on sampled candidates are much higher than those of
  /// a full ranking.
  case sampled(Int, seed: UInt64)
}

extension RankingCandidates: Codable {
  private enum Key: String, CodingKey { case sampled, seed }

  /// Encodes as `{}` for all items, or as `{"sampled": 99, "seed": 0}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    guard case .sampled(let count, let seed) = self else { return }
    try container.encode(count, forKey: .sampled)
    try container.encode(seed, forKey: .seed)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard let count = try container.decodeIfPresent(Int.self, forKey: .sampled) else {
      self = .all
      return
    }
    self = .sampled(count, seed: try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0)
  }
}
