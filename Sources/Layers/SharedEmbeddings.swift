/// Stochastic shared embeddings (Wu et al., NeurIPS 2019): training replaces users and input items by random others.
public struct SharedEmbeddings: Sendable, Equatable, Codable {
  /// The probability that the user of a sequence is replaced by a uniformly drawn one.
  public var user: Double
  /// The probability that an input item is replaced by a uniformly drawn one. Pads are not replaced.
  public var item: Double

  public init(user: Double, item: Double) {
    self.user = user
    self.item = item
  }
}
