import Layers

extension SASRec {
  /// What other SASRecs of the field do differently from StackRec's: the place of the norms, an output projection, a scaled
  /// input, scores by the item embedding, the initial values. None has residual weights alpha, a norm in the stem, or a bias in
  /// the output layer; a norm follows the last block of `pre` and `query`.
  ///
  ///     x0     = dropout(s E + P),  s = sqrt(d) or 1
  ///     blocks = `TransformerBlock` of the form
  ///     scores = LN(h) . E, or . W with a table of its own
  public struct Variant: Sendable, Equatable, Codable {
    public var form: TransformerBlock.Form
    /// The width of the feed-forward layer.
    public var inner: Int
    public var isProjected: Bool
    /// Whether the item embedding is multiplied by sqrt(d).
    public var isScaled: Bool
    /// Whether the output layer is the item embedding.
    public var isTied: Bool
    public var epsilon: Double
    public var initial: Initialisation
    /// The deviation of the embeddings; nil: that of `initial`.
    public var embeddingDeviation: Double?

    public init(
      _ form: TransformerBlock.Form, inner: Int, isProjected: Bool = true, isScaled: Bool = true, isTied: Bool = true,
      epsilon: Double = 1e-8, initial: Initialisation = .normal, embeddingDeviation: Double? = nil
    ) {
      self.form = form
      self.inner = inner
      self.isProjected = isProjected
      self.isScaled = isScaled
      self.isTied = isTied
      self.epsilon = epsilon
      self.initial = initial
      self.embeddingDeviation = embeddingDeviation
    }

    /// SASRec+ (Klenitskiy and Vasilev, RecSys 2023).
    public static func sasRecPlus(_ dim: Int) -> Variant { Variant(.query, inner: dim) }

    /// gSASRec (Petrov and Macdonald, RecSys 2023).
    public static func gSASRec(_ dim: Int) -> Variant {
      Variant(
        .query, inner: dim, isProjected: false, isScaled: false, isTied: false, epsilon: 1e-5, initial: .pytorch,
        embeddingDeviation: 1)
    }

    /// Pre-norm, otherwise as SASRec+.
    public static func pre(_ dim: Int) -> Variant { Variant(.pre, inner: dim) }

    /// eSASRec (RecSys 2025): LiGR blocks, without a norm after the last one.
    public static func eSASRec(_ dim: Int, widening: Int = 4) -> Variant {
      Variant(.gated, inner: widening * dim, isScaled: false, epsilon: 1e-5, initial: .xavier)
    }

    /// Post-norm, as StackRec's, without residual weights.
    public static func post(_ dim: Int) -> Variant {
      Variant(.post, inner: dim, isProjected: false, isScaled: false, isTied: false, epsilon: 1e-5, initial: .pytorch)
    }

    func check(alpha: Bool) throws {
      try ModelError.require(inner >= 1 && inner <= 65_536, "ff_dim", "must be from 1 to 65536")
      try ModelError.require(epsilon > 0 && epsilon < 1, "epsilon", "must be above 0 and below 1")
      try ModelError.require(
        (embeddingDeviation ?? 1) > 0 && (embeddingDeviation ?? 1) < 1e3, "embedding_std", "must be above 0")
    }

    var hasLastNorm: Bool { form == .pre || form == .query }

    func table(_ rows: Int, _ width: Int) -> Initializer {
      embeddingDeviation.map { .normal(Float($0)) } ?? initial.table(rows, width)
    }

    func block(_ width: Int, _ heads: Int, dropout: Double, name: String) -> TransformerBlock.Options {
      .init(
        form: form, width: width, heads: heads, inner: inner, activation: form == .gated ? .swiglu : .relu,
        isProjected: isProjected, dropout: dropout,
        places: form == .gated ? [.attention, .projection, .ff1, .ff2] : [.attention, .ff1, .ff2], epsilon: Float(epsilon),
        initial: initial, name: name)
    }

    var options: [(name: String, value: String)] {
      [
        ("norm", form.rawValue), ("ff_dim", "\(inner)"), ("projection", "\(isProjected)"), ("scale", "\(isScaled)"),
        ("tie", "\(isTied)"), ("init", initial.rawValue),
      ] + (embeddingDeviation.map { [("embedding_std", "\($0)")] } ?? [])
    }
  }
}
