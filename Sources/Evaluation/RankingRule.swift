/// How targets are ranked. Results with different rules must not be compared.
public struct RankingRule: Sendable, Equatable {
  /// What happens to items with the same score as the target.
  public enum Ties: String, Codable, Sendable, CaseIterable {
    /// The metrics take the expectation over all orders of the tied items.
    case expectation
    /// Items with a lower number come first, as with TensorFlow's `top_k` in the authors' code.
    case number
  }

  public var candidates = RankingCandidates.all
  public var hide = HiddenItems.none
  public var ties = Ties.expectation
  /// Whether the score of the pad is ranked too, as in the authors' code. Baselines and models that read no pads never rank
  /// it.
  public var ranksPad = false

  public init() {}

  public init(_ candidates: RankingCandidates, hide: HiddenItems = .none) {
    self.candidates = candidates
    self.hide = hide
  }

  public init(hide: HiddenItems, ties: Ties = .expectation, ranksPad: Bool = false) {
    self.hide = hide
    self.ties = ties
    self.ranksPad = ranksPad
  }

  /// Sets the rules of the authors' code: `protocol: stackrec`.
  public mutating func followReference() { (ties, ranksPad) = (.number, true) }

  /// The rules for captions that are not the defaults, besides the candidates.
  public var captions: [String] {
    [hide.caption, ties == .number ? "ties by item number" : nil, ranksPad ? "the pad ranked" : nil].compactMap { $0 }
  }
}
