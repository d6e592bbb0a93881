import Glibc

/// A ranking metric at k for one relevant item at position r, counted from 0. From position k on it is 0; before it
///
///     MRR@k = 1 / (r + 1),   HR@k = 1,   NDCG@k = 1 / log2(r + 2)
///     Recall@k = 1,   Precision@k = 1 / k,   MAP@k = 1 / (r + 1)
///
/// With one relevant item recall is HR and MAP is MRR; they have names of their own because papers use them.
///
/// If other items have the same score as the target, the metric is its expectation over the orders of these: see `Rank`.
public struct Metric: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    case mrr, hr, ndcg, recall, precision, map

    /// The name in papers.
    var title: String {
      switch self {
      case .mrr, .hr, .ndcg, .map: rawValue.uppercased()
      case .recall, .precision: rawValue.capitalized
      }
    }
  }

  public let kind: Kind
  public let k: Int

  public init(_ kind: Kind, _ k: Int) {
    self.kind = kind
    self.k = k
  }

  /// The metric with a name such as `mrr@5`; nil if there is no such metric.
  public init?(named name: String) {
    let parts = name.split(separator: "@")
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let k = Int(parts[1]), k >= 1 else { return nil }
    self.init(kind, k)
  }

  /// The name in the language: `mrr@5`.
  public var name: String { "\(kind.rawValue)@\(k)" }
  /// The name in papers: `MRR@5`.
  public var title: String { "\(kind.title)@\(k)" }

  /// The metric of one target.
  public func value(_ rank: Rank) -> Double {
    rank.mean(below: k) { position in
      switch kind {
      case .mrr, .map: 1 / Double(position + 1)
      case .hr, .recall: 1
      case .precision: 1 / Double(k)
      case .ndcg: 1 / log2(Double(position + 2))
      }
    }
  }

  /// The mean over the targets; 0 if there are none.
  public func mean(_ ranks: [Rank]) -> Double {
    ranks.isEmpty ? 0 : ranks.reduce(0) { $0 + value($1) } / Double(ranks.count)
  }
}

extension Metric: Codable {
  /// Encodes the metric as its name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let metric = Metric(named: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(name) is not a metric")
    }
    self = metric
  }
}
