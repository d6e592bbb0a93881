import Kernels

/// A block of attention and a feed-forward layer in the forms of later models. `attention` is `MHA(queries, keys and values)`
/// with or without an output projection.
///
///     post    r = LN1(x + attention(x, x));         out = LN2(r + ff(r))
///     pre     r = x + attention(LN1 x, LN1 x);      out = r + ff(LN2 r)
///     query   n = LN1 x;  r = n + attention(n, x);  f = LN2 r;  out = f + ff(f)
///     gated   r = x + sigma(x G1 + c1) attention(LN1 x, LN1 x);   out = r + sigma(r G2 + c2) ff(LN2 r)
///
/// `post` is the published transformer block (Vaswani et al., 2017), `query` that of SASRec+ (Klenitskiy and Vasilev, RecSys
/// 2023), whose residual is the normalised query, and `gated` LiGR's (Borisyuk et al., 2024). The feed-forward layer is
/// `act(z W1 + b1) W2 + b2` with ReLU or GELU, or `(SiLU(z W1) * (z W3)) W2` without biases. Activations are `(T, B, d)`, W1
/// `(d, inner)`.
public struct TransformerBlock: Block {
  public enum Form: String, Codable, Sendable, CaseIterable { case post, pre, query, gated }
  public enum Activation: String, Codable, Sendable, CaseIterable { case relu, gelu, swiglu }
  /// Where dropout is applied: to the attention's probabilities, its output, the feed-forward layer's inner and outer values.
  public enum Place: String, Sendable, CaseIterable { case attention, projection, ff1, ff2 }

  public struct Options: Sendable {
    public var form: Form
    public var width: Int
    public var heads: Int
    public var inner: Int
    public var activation: Activation
    public var isProjected: Bool
    /// Whether a position sees only earlier ones.
    public var isCausal: Bool
    public var dropout: Double
    public var places: Set<Place>
    public var epsilon: Float
    public var initial: Initialisation
    /// The name of the block, e.g. `blocks.2`. It names the random streams of its dropout masks.
    public var name: String

    public init(
      form: Form, width: Int, heads: Int, inner: Int, activation: Activation, isProjected: Bool, isCausal: Bool = true,
      dropout: Double, places: Set<Place>, epsilon: Float, initial: Initialisation, name: String
    ) {
      self.form = form
      self.width = width
      self.heads = heads
      self.inner = inner
      self.activation = activation
      self.isProjected = isProjected
      self.isCausal = isCausal
      self.dropout = dropout
      self.places = places
      self.epsilon = epsilon
      self.initial = initial
      self.name = name
    }
  }

  private let options: Options
  private let attention: CausalAttention
  private let query, key, value: Linear
  private let projection: Linear?
  private let gate1, gate2: Linear?
  private let norm1, norm2: Norm
  private let up, down: Linear
  /// W3 of SwiGLU.
  private let side: Linear?
  private let dropouts: [Place: Dropout]

  public init(_ options: Options, in builder: LayoutBuilder) {
    self.options = options
    let (d, inner, initial) = (options.width, options.inner, options.initial)
    attention = CausalAttention(heads: options.heads, width: d)
    norm1 = Norm("norm1", d, epsilon: options.epsilon, in: builder)
    let silent = options.form != .query
    query = Linear("query", d, d, reference: .always, initial: initial.attention(d), in: builder)
    key = Linear("key", d, d, reference: .always, initial: initial.attention(d), in: builder)
    // Without a projection, attention is silent where its values are 0.
    value = Linear(
      "value", d, d, reference: .always, initial: initial.attention(d), silences: silent && !options.isProjected, in: builder)
    projection =
      options.isProjected ? Linear("projection", d, d, initial: initial.projection(d), silences: silent, in: builder) : nil
    let isGated = options.form == .gated
    gate1 = isGated ? Linear("gate1", d, d, initial: initial.linear(d, d), in: builder) : nil
    norm2 = Norm("norm2", d, epsilon: options.epsilon, in: builder)
    let isPlain = options.activation != .swiglu
    up = Linear("ff1", d, inner, initial: initial.linear(d, inner), hasBias: isPlain, in: builder)
    side = isPlain ? nil : Linear("ff3", d, inner, initial: initial.linear(d, inner), hasBias: false, in: builder)
    down = Linear("ff2", inner, d, initial: initial.linear(inner, d), hasBias: isPlain, silences: silent, in: builder)
    gate2 = isGated ? Linear("gate2", d, d, initial: initial.linear(d, d), in: builder) : nil
    dropouts = Dictionary(
      uniqueKeysWithValues: options.places.map {
        ($0, Dropout(options.dropout, layer: "\(options.name).\($0.rawValue)"))
      })
  }

  public var signature: String { "\(options.form.rawValue) attention, \(options.heads) head\(options.heads == 1 ? "" : "s")" }
  public var norms: [Norm] { options.form == .post ? [norm1, norm2] : [] }
  public var canBeSilent: Bool { options.form != .query }

  public func operations(positions: Int) -> Double {
    let (t, d) = (Double(positions), Double(options.width))
    let pairs = options.isCausal ? t * (t + 1) : 2 * t * t
    let square = Double(3 + (options.isProjected ? 1 : 0) + (gate1 == nil ? 0 : 2))
    return 2 * t * d * d * square + 2 * t * d * Double(options.inner) * (side == nil ? 2 : 3) + 2 * pairs * d
  }

  private var linears: [Linear] { [query, key, value, up, down] + [projection, gate1, gate2, side].compactMap { $0 } }

  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    for linear in linears { linear.prepare(parameters, into: prepared, training: training) }
  }

  // MARK: Memory

  private static let wide = 13
  private var innerCount: Int { options.activation == .relu ? 1 : options.activation == .gelu ? 2 : 3 }

  public func savedCount(_ tile: Tile) -> Int {
    tile.rows * (Self.wide * options.width + innerCount * options.inner + 2)
      + tile.sequences * probabilityCount(tile.positions)
  }

  private func probabilityCount(_ time: Int) -> Int {
    options.isCausal ? attention.probabilityCount(time: time) : options.heads * time * time
  }

  private func maskCount(_ tile: Tile) -> Int {
    options.dropout > 0
      ? max(attention.maskCount(time: tile.positions), tile.positions * max(options.width, options.inner)) : 0
  }

  private func attentionScratch(_ time: Int) -> Int {
    options.isCausal ? attention.scratchCount(time: time) : OpenAttention.scratchCount(time: time)
  }

  public func scratchCount(_ tile: Tile) -> Int {
    tile.rows * (5 * options.width + 2 * options.inner) + maskCount(tile) + attentionScratch(tile.positions)
  }

  /// The parts of the saved memory, `(T, B, d)` each, then `(T, B, inner)`, `(T, B)` and the probabilities.
  private struct Saved {
    let hat1, n1, q, k, v, mixed, a, s1, r, hat2, n2, f, s2: UnsafeMutablePointer<Float>
    /// The values before the activation (not for ReLU), the factor of SwiGLU, and what enters W2.
    let before, factor, inner: UnsafeMutablePointer<Float>
    let rstd1, rstd2, probabilities: UnsafeMutablePointer<Float>
  }

  private func parts(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>) -> Saved {
    let (size, wide) = (tile.rows * options.width, tile.rows * options.inner)
    func at(_ index: Int) -> UnsafeMutablePointer<Float> { saved + index * size }
    let inner = at(Self.wide)
    let rest = inner + innerCount * wide
    return Saved(
      hat1: at(0), n1: at(1), q: at(2), k: at(3), v: at(4), mixed: at(5), a: at(6), s1: at(7), r: at(8), hat2: at(9), n2: at(10),
      f: at(11), s2: at(12), before: inner + wide, factor: inner + 2 * wide, inner: inner, rstd1: rest, rstd2: rest + tile.rows,
      probabilities: rest + 2 * tile.rows)
  }

  // MARK: Forward

  public func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let s = parts(tile, saved)
    let (rows, size) = (tile.rows, tile.rows * options.width)
    let mask = pass.scratch
    func drop(_ place: Place, _ values: UnsafeMutablePointer<Float>, _ width: Int) {
      dropouts[place]?.apply(tile, width: width, values, pass: pass, sequence: sequence, memory: mask)
    }
    if options.form != .post { norm1.forward(rows, x: x, xhat: s.hat1, rstd: s.rstd1, y: s.n1, pass: pass) }
    let queries = options.form == .post ? x : UnsafePointer(s.n1)
    let keys = options.form == .query ? x : queries
    query.forward(rows, queries, s.q, pass: pass)
    key.forward(rows, keys, s.k, pass: pass)
    value.forward(rows, keys, s.v, pass: pass)
    tile.clear(s.mixed, width: options.width)
    let memory = mask + maskCount(tile)
    forEachSequence(tile, pass, mask, sequence) { time, offset, probabilities, mask in
      let stride = tile.sequences * options.width
      if options.isCausal {
        attention.forward(
          time: time, stride: stride, q: s.q + offset, k: s.k + offset, v: s.v + offset, mask: mask,
          probabilities: s.probabilities + probabilities, out: s.mixed + offset, scratch: memory)
      } else {
        OpenAttention(heads: options.heads, width: options.width).forward(
          time: time, stride: stride, q: s.q + offset, k: s.k + offset, v: s.v + offset, mask: mask,
          probabilities: s.probabilities + probabilities, out: s.mixed + offset, scratch: memory)
      }
    }
    if let projection { projection.forward(rows, s.mixed, s.a, pass: pass) } else { s.a.update(from: s.mixed, count: size) }
    drop(.projection, s.a, options.width)
    switch options.form {
    case .post: norm1.forward(rows, x: x, u: s.a, xhat: s.hat1, rstd: s.rstd1, y: s.r, pass: pass)
    case .gated:
      gate1?.forward(rows, x, s.s1, pass: pass)
      Elementwise.sigmoid(s.s1, s.s1, size)
      Elementwise.gatedAdd(s.r, x, gate: s.s1, s.a, size)
    case .pre, .query:
      s.r.update(from: options.form == .pre ? x : UnsafePointer(s.n1), count: size)
      Elementwise.addScaled(s.r, s.a, 1, size)
    }
    if options.form != .post { norm2.forward(rows, x: s.r, xhat: s.hat2, rstd: s.rstd2, y: s.n2, pass: pass) }
    let z = UnsafePointer(options.form == .post ? s.r : s.n2)
    let wide = rows * options.inner
    switch options.activation {
    case .relu:
      up.product(rows, z, s.inner, pass: pass)
      Elementwise.biasRelu(s.inner, pass.parameters + up.bias.offset, rows: rows, c: options.inner)
    case .gelu:
      up.forward(rows, z, s.before, pass: pass)
      Elementwise.gelu(s.inner, s.before, wide)
    case .swiglu:
      up.forward(rows, z, s.before, pass: pass)
      side?.forward(rows, z, s.factor, pass: pass)
      Elementwise.silu(s.inner, s.before, wide)
      Elementwise.multiply(s.inner, s.factor, wide)
    }
    drop(.ff1, s.inner, options.inner)
    down.forward(rows, s.inner, s.f, pass: pass)
    drop(.ff2, s.f, options.width)
    switch options.form {
    case .post: norm2.forward(rows, x: s.r, u: s.f, xhat: s.hat2, rstd: s.rstd2, y: y, pass: pass)
    case .gated:
      gate2?.forward(rows, s.r, s.s2, pass: pass)
      Elementwise.sigmoid(s.s2, s.s2, size)
      Elementwise.gatedAdd(y, s.r, gate: s.s2, s.f, size)
    case .pre, .query:
      y.update(from: options.form == .pre ? s.r : s.n2, count: size)
      Elementwise.addScaled(y, s.f, 1, size)
    }
  }

  // MARK: Backward

  public func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let (rows, width, size) = (tile.rows, options.width, tile.rows * options.width)
    let wide = rows * options.inner
    let s = parts(tile, saved)
    let (a, b, c, e, n) = (
      pass.scratch, pass.scratch + size, pass.scratch + 2 * size, pass.scratch + 3 * size, pass.scratch + 4 * size
    )
    let dinner = pass.scratch + 5 * size
    let dfactor = dinner + wide
    let mask = dfactor + wide
    let memory = mask + maskCount(tile)
    func drop(_ place: Place, _ values: UnsafeMutablePointer<Float>, _ width: Int) {
      dropouts[place]?.apply(tile, width: width, values, pass: pass, sequence: sequence, memory: mask)
    }

    // The feed-forward half: a is the gradient of f; at the end d is that of r.
    switch options.form {
    case .post: _ = norm2.backward(rows, d: d, xhat: s.hat2, rstd: s.rstd2, u: s.f, alpha: 1, du: a, pass: pass)
    case .gated: Elementwise.gatedAddBackward(d, gate: s.s2, s.f, da: a, dz: b, size)
    case .pre, .query: a.update(from: d, count: size)
    }
    drop(.ff2, a, width)
    down.backward(rows, x: s.inner, dy: a, dx: dinner, add: false, pass: pass)
    let z = UnsafePointer(options.form == .post ? s.r : s.n2)
    // The gradient of z goes to n, or to d where z is r or carries the residual.
    let direct = options.form == .post || options.form == .query
    let dz = direct ? d : n
    switch options.activation {
    case .relu:
      // `inner` is 0 where dropout or ReLU made it 0, so one kernel is the backward pass of both.
      let scale = dropouts[.ff1]?.scale(pass) ?? 1
      Elementwise.reluBackward(
        rows: rows, c: options.inner, dy: dinner, y: s.inner, scale: scale, dbias: pass.gradients + up.bias.offset)
      up.backward(rows, x: z, dy: dinner, dx: dz, add: direct, biasDone: true, pass: pass)
    case .gelu:
      drop(.ff1, dinner, options.inner)
      Elementwise.geluBackward(dinner, s.before, wide)
      up.backward(rows, x: z, dy: dinner, dx: dz, add: direct, pass: pass)
    case .swiglu:
      drop(.ff1, dinner, options.inner)
      Elementwise.silu(dfactor, s.before, wide)
      Elementwise.multiply(dfactor, dinner, wide)
      Elementwise.multiply(dinner, s.factor, wide)
      Elementwise.siluBackward(dinner, s.before, wide)
      up.backward(rows, x: z, dy: dinner, dx: dz, add: direct, pass: pass)
      side?.backward(rows, x: z, dy: dfactor, dx: dz, add: true, pass: pass)
    }
    switch options.form {
    case .post: break
    case .query: _ = norm2.backward(rows, d: d, xhat: s.hat2, rstd: s.rstd2, pass: pass)
    case .pre, .gated:
      _ = norm2.backward(rows, d: n, xhat: s.hat2, rstd: s.rstd2, pass: pass)
      Elementwise.addScaled(d, n, 1, size)
      gate2?.backward(rows, x: s.r, dy: b, dx: d, add: true, pass: pass)
    }

    // The attention half: a is the gradient of attention's output; at the end d is that of x.
    switch options.form {
    case .post: _ = norm1.backward(rows, d: d, xhat: s.hat1, rstd: s.rstd1, u: s.a, alpha: 1, du: a, pass: pass)
    case .gated:
      Elementwise.gatedAddBackward(d, gate: s.s1, s.a, da: a, dz: b, size)
      gate1?.backward(rows, x: x, dy: b, dx: d, add: true, pass: pass)
    case .pre, .query: a.update(from: d, count: size)
    }
    drop(.projection, a, width)
    if let projection {
      projection.backward(rows, x: s.mixed, dy: a, dx: n, add: false, pass: pass)
    } else {
      n.update(from: a, count: size)
    }
    for gradient in [b, c, e] { tile.clear(gradient, width: width) }
    forEachSequence(tile, pass, mask, sequence) { time, offset, probabilities, mask in
      let stride = tile.sequences * width
      if options.isCausal {
        attention.backward(
          time: time, stride: stride, q: s.q + offset, k: s.k + offset, v: s.v + offset, mask: mask,
          probabilities: s.probabilities + probabilities, dout: n + offset, dq: b + offset, dk: c + offset, dv: e + offset,
          scratch: memory)
      } else {
        OpenAttention(heads: options.heads, width: width).backward(
          time: time, stride: stride, q: s.q + offset, k: s.k + offset, v: s.v + offset, mask: mask,
          probabilities: s.probabilities + probabilities, dout: n + offset, dq: b + offset, dk: c + offset, dv: e + offset,
          scratch: memory)
      }
    }
    switch options.form {
    case .post:
      query.backward(rows, x: x, dy: b, dx: d, add: true, pass: pass)
      key.backward(rows, x: x, dy: c, dx: d, add: true, pass: pass)
      value.backward(rows, x: x, dy: e, dx: d, add: true, pass: pass)
    case .pre, .gated:
      query.backward(rows, x: s.n1, dy: b, dx: n, add: false, pass: pass)
      key.backward(rows, x: s.n1, dy: c, dx: n, add: true, pass: pass)
      value.backward(rows, x: s.n1, dy: e, dx: n, add: true, pass: pass)
      _ = norm1.backward(rows, d: n, xhat: s.hat1, rstd: s.rstd1, pass: pass)
      Elementwise.addScaled(d, n, 1, size)
    case .query:
      query.backward(rows, x: s.n1, dy: b, dx: d, add: true, pass: pass)
      _ = norm1.backward(rows, d: d, xhat: s.hat1, rstd: s.rstd1, pass: pass)
      key.backward(rows, x: x, dy: c, dx: d, add: true, pass: pass)
      value.backward(rows, x: x, dy: e, dx: d, add: true, pass: pass)
    }
  }

  /// Calls `body` for every sequence of the tile that has items, with its length, the offset of its first item in
  /// `(T, B, d)`, its offset in the probabilities, and its dropout mask.
  @inline(__always)
  private func forEachSequence(
    _ tile: Tile, _ pass: Pass, _ mask: UnsafeMutablePointer<Float>, _ sequence: Int,
    _ body: (_ time: Int, _ offset: Int, _ probabilities: Int, _ mask: UnsafePointer<Float>?) -> Void
  ) {
    let probabilities = probabilityCount(tile.positions)
    for b in 0..<tile.sequences {
      let start = tile.start(b)
      let time = tile.positions - start
      if time == 0 { continue }
      let dropout = dropouts[.attention].flatMap { $0.isActive(pass) ? $0 : nil }
      dropout?.fill(mask, count: attention.maskCount(time: time), pass: pass, sequence: sequence + b)
      body(time, (start * tile.sequences + b) * options.width, b * probabilities, dropout == nil ? nil : UnsafePointer(mask))
    }
  }
}
