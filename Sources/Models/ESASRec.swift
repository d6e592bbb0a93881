import Layers

// eSASRec (Tikhonovich et al., RecSys 2025) is SASRec with LiGR's gated pre-norm blocks and a SwiGLU feed-forward layer. `SASRec`
// implements it: a variant of the form `gated` makes it eSASRec.
extension ModelKind {
  static let eSASRec = ModelKind("esasrec", SASRec.self) { shape in
    let variant = SASRec.Variant.eSASRec(shape.width, widening: 2)
    return [
      (
        "esasrec",
        .init(items: shape.items, length: shape.length, dim: shape.width, heads: 2, dropout: 0.2, alpha: false, variant: variant)
      )
    ]
  }
}
