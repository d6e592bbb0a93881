import Glibc

/// A ranking metric at a cut-off, for one relevant item at rank r (from 0): nothing from rank k on, else
/// MRR 1/(r+1), HR 1, NDCG 1/log2(r+2).
///
/// An item's rank counts the items scored strictly higher and half of the others scored the same, so that a constant
/// scorer gets no credit.
public struct Metric: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    case mrr, hr, ndcg
  }

  public let kind: Kind
  public let k: Int

  public init(_ kind: Kind, _ k: Int) {
    self.kind = kind
    self.k = k
  }

  /// As it is written in the language: `mrr@5`.
  public var name: String { "\(kind.rawValue)@\(k)" }
  /// As papers write it: `MRR@5`.
  public var title: String { "\(kind.rawValue.uppercased())@\(k)" }

  public func value(rank: Double) -> Double {
    guard rank < Double(k) else { return 0 }
    switch kind {
    case .mrr: return 1 / (rank + 1)
    case .hr: return 1
    case .ndcg: return 1 / log2(rank + 2)
    }
  }

  /// Mean over test sequences.
  public func mean(ranks: [Double]) -> Double {
    ranks.isEmpty ? 0 : ranks.reduce(0) { $0 + value(rank: $1) } / Double(ranks.count)
  }
}
