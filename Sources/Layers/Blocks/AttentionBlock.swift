import Kernels

/// The block of SASRec (Kang and McAuley, ICDM 2018) with StackRec's residual weights:
///
///     x1  = LN(x + alpha1 * attention(x))
///     out = LN(x1 + alpha2 * ff(x1)),   ff(x) = dropout(dropout(ReLU(x W1 + b1)) W2 + b2)
///
/// Activations are `(T, B, d)`, all weights `(d, d)`. Attention is causal, with dropout on its probabilities and without an
/// output projection. Both alphas start at 0; without residual weights they are 1. With one head, the scores are computed
/// without keys: see `MergedScores`.
public struct AttentionBlock: Block {
  public struct Options: Sendable {
    public let width: Int
    public let heads: Int
    public let dropout: Double
    public let alpha: Bool
    /// The name of the block, e.g. `blocks.2`. It names the random streams of its dropout masks.
    public let name: String

    public init(width: Int, heads: Int, dropout: Double = 0, alpha: Bool = true, name: String) {
      self.width = width
      self.heads = heads
      self.dropout = dropout
      self.alpha = alpha
      self.name = name
    }
  }

  static let epsilon: Float = 1e-5

  private let width: Int
  private let attention: CausalAttention
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let merged: MergedScores?
  private let alpha1: Slot?
  private let norm1: Norm
  private let up: Linear
  private let down: Linear
  private let alpha2: Slot?
  private let norm2: Norm
  private let attentionDropout: Dropout
  private let upDropout: Dropout
  private let downDropout: Dropout

  public init(_ options: Options, in builder: LayoutBuilder) {
    let d = options.width
    width = d
    attention = CausalAttention(heads: options.heads, width: d)
    let merges = options.heads == 1
    query = Linear("query", d, d, reference: .always, preparesTranspose: !merges, in: builder)
    key = Linear("key", d, d, reference: .always, preparesTranspose: !merges, in: builder)
    value = Linear("value", d, d, reference: .always, in: builder)
    merged = merges ? MergedScores(query, key, in: builder) : nil
    alpha1 = options.alpha ? builder.add("alpha1", [1], .constant(0), .alpha) : nil
    norm1 = Norm("norm1", d, epsilon: Self.epsilon, in: builder)
    up = Linear("ff1", d, d, in: builder)
    down = Linear("ff2", d, d, in: builder)
    alpha2 = options.alpha ? builder.add("alpha2", [1], .constant(0), .alpha) : nil
    norm2 = Norm("norm2", d, epsilon: Self.epsilon, in: builder)
    attentionDropout = Dropout(options.dropout, layer: options.name + ".attention")
    upDropout = Dropout(options.dropout, layer: options.name + ".ff1")
    downDropout = Dropout(options.dropout, layer: options.name + ".ff2")
  }

  public var signature: String { "attention, \(attention.heads) head\(attention.heads == 1 ? "" : "s")" }

  public var norms: [Norm] { [norm1, norm2] }

  public func operations(positions: Int) -> Double {
    let t = Double(positions)
    // The five linear layers of the published block (with one head, this code computes four), then the scores and the
    // weighted sum of values over the current and all earlier positions.
    return 10 * t * Double(width * width) + 2 * t * (t + 1) * Double(width)
  }

  /// How many `(T, B, d)` activations are saved for the backward pass. Merged scores have no keys.
  private var activations: Int { merged == nil ? 9 : 8 }

  public func savedCount(_ tile: Tile) -> Int {
    activations * tile.rows * width + 2 * tile.rows + tile.sequences * attention.probabilityCount(time: tile.positions)
  }

  public func scratchCount(_ tile: Tile) -> Int { 4 * tile.rows * width + maskCount(tile) + attention.scratchCount(time: tile.positions) }

  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    merged?.prepare(parameters, into: prepared, training: training)
    for linear in (merged == nil ? [query, key] : []) + [value, up, down] {
      linear.prepare(parameters, into: prepared, training: training)
    }
  }

  public func finish(_ parameters: UnsafePointer<Float>, lanes: [UnsafeMutablePointer<Float>]) {
    merged?.finish(parameters, lanes: lanes)
  }

  private func maskCount(_ tile: Tile) -> Int {
    attentionDropout.rate > 0 ? max(attention.maskCount(time: tile.positions), tile.positions * width) : 0
  }

  /// The parts of the saved memory.
  private struct Saved {
    let q: UnsafeMutablePointer<Float>
    let k: UnsafeMutablePointer<Float>?
    let v, mixed, norm1, x1, up, down, norm2: UnsafeMutablePointer<Float>
    let rstd1, rstd2, probabilities: UnsafeMutablePointer<Float>
  }

  private func parts(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>) -> Saved {
    let size = tile.rows * width
    let rest = saved + activations * size
    return Saved(
      q: saved, k: merged == nil ? saved + 8 * size : nil, v: saved + size, mixed: saved + 2 * size,
      norm1: saved + 3 * size, x1: saved + 4 * size, up: saved + 5 * size, down: saved + 6 * size,
      norm2: saved + 7 * size, rstd1: rest,
      rstd2: rest + tile.rows, probabilities: rest + 2 * tile.rows)
  }

  public func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let s = parts(tile, saved)
    let p = pass.parameters
    let mask = pass.scratch
    if let merged {
      merged.forward(tile.rows, x, s.q, pass: pass)
    } else {
      query.forward(tile.rows, x, s.q, pass: pass)
      if let keys = s.k { key.forward(tile.rows, x, keys, pass: pass) }
    }
    let keys = s.k.map { UnsafePointer($0) } ?? x
    value.forward(tile.rows, x, s.v, pass: pass)
    let memory = mask + maskCount(tile)
    tile.clear(s.mixed, width: width)
    forEachSequence(tile, pass, mask, sequence) { time, offset, probabilities, mask in
      attention.forward(
        time: time, stride: tile.sequences * width, q: s.q + offset, k: keys + offset, v: s.v + offset,
        mask: mask, probabilities: s.probabilities + probabilities, out: s.mixed + offset, scratch: memory)
    }
    norm1.forward(
      tile.rows, x: x, u: s.mixed, alpha: alpha1.map { p[$0.offset] } ?? 1, xhat: s.norm1, rstd: s.rstd1, y: s.x1,
      pass: pass)
    up.product(tile.rows, s.x1, s.up, pass: pass)
    Elementwise.biasRelu(s.up, p + up.bias.offset, rows: tile.rows, c: width)
    upDropout.apply(tile, width: width, s.up, pass: pass, sequence: sequence, memory: mask)
    down.forward(tile.rows, s.up, s.down, pass: pass)
    downDropout.apply(tile, width: width, s.down, pass: pass, sequence: sequence, memory: mask)
    norm2.forward(
      tile.rows, x: s.x1, u: s.down, alpha: alpha2.map { p[$0.offset] } ?? 1, xhat: s.norm2, rstd: s.rstd2, y: y,
      pass: pass)
  }

  public func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let size = tile.rows * width
    let s = parts(tile, saved)
    let (p, g) = (pass.parameters, pass.gradients)
    let (a, b, c, e) = (pass.scratch, pass.scratch + size, pass.scratch + 2 * size, pass.scratch + 3 * size)
    let mask = pass.scratch + 4 * size
    let memory = mask + maskCount(tile)

    let dalpha2 = norm2.backward(
      tile.rows, d: d, xhat: s.norm2, rstd: s.rstd2, u: s.down, alpha: alpha2.map { p[$0.offset] } ?? 1, du: a,
      pass: pass)
    if let alpha2 { g[alpha2.offset] += dalpha2 }
    downDropout.apply(tile, width: width, a, pass: pass, sequence: sequence, memory: mask)
    down.backward(tile.rows, x: s.up, dy: a, dx: b, add: false, pass: pass)
    // `up` is 0 where dropout or ReLU made it 0, so one kernel is the backward pass of both.
    Elementwise.reluBackward(
      rows: tile.rows, c: width, dy: b, y: s.up, scale: upDropout.scale(pass), dbias: g + up.bias.offset)
    up.backward(tile.rows, x: s.x1, dy: b, dx: d, add: true, biasDone: true, pass: pass)

    let dalpha1 = norm1.backward(
      tile.rows, d: d, xhat: s.norm1, rstd: s.rstd1, u: s.mixed, alpha: alpha1.map { p[$0.offset] } ?? 1, du: a,
      pass: pass)
    if let alpha1 { g[alpha1.offset] += dalpha1 }
    let keys = s.k.map { UnsafePointer($0) } ?? x
    for gradient in [b, c, e] { tile.clear(gradient, width: width) }
    forEachSequence(tile, pass, mask, sequence) { time, offset, probabilities, mask in
      attention.backward(
        time: time, stride: tile.sequences * width, q: s.q + offset, k: keys + offset, v: s.v + offset,
        mask: mask, probabilities: s.probabilities + probabilities, dout: a + offset, dq: b + offset, dk: c + offset,
        dv: e + offset, scratch: memory)
    }
    if let merged {
      merged.backward(tile.rows, x: x, dq: b, dx: d, pass: pass)
      Elementwise.addScaled(d, c, 1, size)
    } else {
      query.backward(tile.rows, x: x, dy: b, dx: d, add: true, pass: pass)
      key.backward(tile.rows, x: x, dy: c, dx: d, add: true, pass: pass)
    }
    value.backward(tile.rows, x: x, dy: e, dx: d, add: true, pass: pass)
  }

  /// Calls `body` for every sequence of the tile that has items, with its length, the offset of its first item in
  /// `(T, B, d)`, its offset in the probabilities, and its dropout mask. Attention reads nothing before the first item.
  @inline(__always)
  private func forEachSequence(
    _ tile: Tile, _ pass: Pass, _ mask: UnsafeMutablePointer<Float>, _ sequence: Int,
    _ body: (_ time: Int, _ offset: Int, _ probabilities: Int, _ mask: UnsafePointer<Float>?) -> Void
  ) {
    let probabilities = attention.probabilityCount(time: tile.positions)
    for b in 0..<tile.sequences {
      let start = tile.start(b)
      let time = tile.positions - start
      if time == 0 { continue }
      let masked = attentionDropout.isActive(pass)
      if masked {
        attentionDropout.fill(mask, count: attention.maskCount(time: time), pass: pass, sequence: sequence + b)
      }
      body(time, (start * tile.sequences + b) * width, b * probabilities, masked ? UnsafePointer(mask) : nil)
    }
  }
}
