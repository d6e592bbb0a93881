import Layers

// SSE-PT (Wu et al., RecSys 2020) is SASRec on the concatenation of user and item embeddings, trained with stochastic shared
// embeddings. `SASRec` implements both: a configuration with users makes it SSE-PT.
extension SASRec {
  /// The options that SSE-PT adds to SASRec: user embeddings and the probabilities of stochastic shared embeddings.
  public struct Users: Sendable, Equatable, Codable {
    public var count: Int
    public var dim: Int
    public var sharing: SharedEmbeddings

    public init(count: Int, dim: Int = 64, sharing: SharedEmbeddings) {
      self.count = count
      self.dim = dim
      self.sharing = sharing
    }
  }
}

extension ModelKind {
  static let ssePT = ModelKind("ssept", SASRec.self) { shape in
    let users = SASRec.Users(count: shape.users, dim: shape.width / 2, sharing: .init(user: 0.5, item: 0.1))
    return [
      ("ssept", .init(items: shape.items, length: shape.length, dim: shape.width / 2, heads: 2, dropout: 0.2, users: users))
    ]
  }
}
