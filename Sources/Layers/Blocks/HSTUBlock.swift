import Kernels

/// The block of HSTU (Zhai et al., ICML 2024): attention without a softmax, with a bias of the distance of two positions, and a
/// gate instead of a feed-forward layer.
///
///     [u v q k] = SiLU(LN(x) W)                 W (d, 4d), no bias
///     a_ij      = SiLU(q_i . k_j + b[N-1-(i-j)] + c[bucket_ij]) / N   for j <= i, else 0
///     out       = x + dropout(u * LN(sum_j a_ij v_j)) Wo + bo
///
/// Activations are `(T, B, d)`. Heads are contiguous slices of d in each of u, v, q and k. N is the model's number of positions, not
/// the length of a sequence. `b` has 2N - 1 entries, shared by the heads; causality uses the first N. `c`, which only a model of
/// times has, is shared by the heads too; its buckets are those of `TimeIntervals`.
public struct HSTUBlock: Block {
  public struct Options: Sendable {
    public let width: Int
    public let heads: Int
    /// N.
    public let positions: Int
    public let dropout: Double
    /// Whether the scores have a bias of the interval between two events.
    public let readsTimes: Bool
    /// The name of the block, e.g. `blocks.2`. It names the random stream of its dropout masks.
    public let name: String

    public init(width: Int, heads: Int, positions: Int, dropout: Double, readsTimes: Bool = false, name: String) {
      self.width = width
      self.heads = heads
      self.positions = positions
      self.dropout = dropout
      self.readsTimes = readsTimes
      self.name = name
    }
  }

  static let epsilon: Float = 1e-6

  private let options: Options
  private let norm1, norm2: Norm
  private let mixing, projection: Linear
  private let bias: Slot
  private let timeBias: Slot?
  private let dropout: Dropout

  public init(_ options: Options, in builder: LayoutBuilder) {
    self.options = options
    let d = options.width
    norm1 = Norm("norm1", d, epsilon: Self.epsilon, in: builder)
    mixing = Linear(
      "uvqk", d, 4 * d, initial: Initialisation.xavier.linear(d, 4 * d), hasBias: false, in: builder)
    bias = builder.add("position_bias", [2 * options.positions - 1], .normal(0.02), .blocks)
    timeBias = options.readsTimes ? builder.add("time_bias", [TimeIntervals.buckets], .normal(0.02), .blocks) : nil
    norm2 = Norm("norm2", d, epsilon: Self.epsilon, in: builder)
    projection = Linear("projection", d, d, initial: Initialisation.xavier.linear(d, d), silences: true, in: builder)
    dropout = Dropout(options.dropout, layer: options.name + ".output")
  }

  public var signature: String { "hstu, \(options.heads) head\(options.heads == 1 ? "" : "s")" }

  public func operations(positions: Int) -> Double {
    let (t, d) = (Double(positions), Double(options.width))
    return 10 * t * d * d + 2 * t * (t + 1) * d
  }

  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    for linear in [mixing, projection] { linear.prepare(parameters, into: prepared, training: training) }
  }

  // Saved, `(T, B, d)` each: normalised x, LN(x), the mixed values before SiLU (4) and after it (4), the attended values, their
  // normalised values and LN of them, the gated values; two deviations; the scores before SiLU of every sequence and head.
  private static let wide = 14

  public func savedCount(_ tile: Tile) -> Int {
    tile.rows * (Self.wide * options.width + 2) + tile.sequences * options.heads * tile.positions * tile.positions
  }

  public func scratchCount(_ tile: Tile) -> Int {
    tile.rows * 6 * options.width + tile.positions * options.width + 2 * tile.positions * tile.positions
  }

  private struct Saved {
    let hat1, n1, before, mixed, attended, hat2, n2, gated, rstd1, rstd2, scores: UnsafeMutablePointer<Float>
  }

  private func parts(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>) -> Saved {
    let size = tile.rows * options.width
    let rest = saved + Self.wide * size
    return Saved(
      hat1: saved, n1: saved + size, before: saved + 2 * size, mixed: saved + 6 * size, attended: saved + 10 * size,
      hat2: saved + 11 * size, n2: saved + 12 * size, gated: saved + 13 * size, rstd1: rest, rstd2: rest + tile.rows,
      scores: rest + 2 * tile.rows)
  }

  public func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let s = parts(tile, saved)
    let (rows, d) = (tile.rows, options.width)
    let size = rows * d
    norm1.forward(rows, x: x, xhat: s.hat1, rstd: s.rstd1, y: s.n1, pass: pass)
    mixing.forward(rows, s.n1, s.before, pass: pass)
    Elementwise.silu(s.mixed, s.before, 4 * size)
    tile.clear(s.attended, width: d)
    let weights = pass.scratch + 6 * size + tile.positions * d
    forEachHead(tile) { sequence, time, row, out, square in
      let (v, q, k) = (s.mixed + row + d, s.mixed + row + 2 * d, s.mixed + row + 3 * d)
      let scores = s.scores + square
      score(time, tile, q: q, k: k, intervals: intervals(sequence, tile, pass), into: scores, pass)
      weigh(time, scores, into: weights)
      Matrix.product(
        weights, v, s.attended + out, m: time, n: d / options.heads, k: time, ldb: tile.sequences * 4 * d, ldc: tile.sequences * d)
    }
    norm2.forward(rows, x: s.attended, xhat: s.hat2, rstd: s.rstd2, y: s.n2, pass: pass)
    // u is the first quarter of every row of `mixed`.
    for row in 0..<rows {
      let gated = s.gated + row * d
      gated.update(from: s.n2 + row * d, count: d)
      Elementwise.multiply(gated, s.mixed + row * 4 * d, d)
    }
    dropout.apply(tile, width: d, s.gated, pass: pass, sequence: sequence, memory: pass.scratch)
    projection.forward(rows, s.gated, y, pass: pass)
    Elementwise.addScaled(y, x, 1, size)
  }

  public func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let s = parts(tile, saved)
    let (rows, width) = (tile.rows, options.width)
    let size = rows * width
    let (dgated, dmixed) = (pass.scratch, pass.scratch + 2 * size)
    let dattended = pass.scratch + size
    let memory = pass.scratch + 6 * size
    projection.backward(rows, x: s.gated, dy: d, dx: dgated, add: false, pass: pass)
    dropout.apply(tile, width: width, dgated, pass: pass, sequence: sequence, memory: memory)
    dmixed.update(repeating: 0, count: 4 * size)
    for row in 0..<rows {
      let (du, gradient) = (dmixed + row * 4 * width, dgated + row * width)
      du.update(from: s.n2 + row * width, count: width)
      Elementwise.multiply(du, gradient, width)
      let dn = dattended + row * width
      dn.update(from: s.mixed + row * 4 * width, count: width)
      Elementwise.multiply(dn, gradient, width)
    }
    _ = norm2.backward(rows, d: dattended, xhat: s.hat2, rstd: s.rstd2, pass: pass)
    let (weights, dscores) = (memory + tile.positions * width, memory + tile.positions * width + tile.positions * tile.positions)
    let stride = tile.sequences * 4 * width
    let slopes = pass.gradients + bias.offset + options.positions - 1
    forEachHead(tile) { sequence, time, row, out, square in
      let (v, q, k) = (s.mixed + row + width, s.mixed + row + 2 * width, s.mixed + row + 3 * width)
      let (dv, dq, dk) = (dmixed + row + width, dmixed + row + 2 * width, dmixed + row + 3 * width)
      let scores = s.scores + square
      let n = width / options.heads
      weigh(time, scores, into: weights)
      Matrix.productTransposedLeft(
        weights, dattended + out, dv, m: time, n: n, k: time, ldb: tile.sequences * width, ldc: stride)
      Matrix.productTransposedRight(
        dattended + out, v, dscores, m: time, n: time, k: n, lda: tile.sequences * width, ldb: stride)
      Elementwise.scale(dscores, dscores, 1 / Float(options.positions), time * time)
      for i in 0..<time {
        let gradient = dscores + i * time
        Elementwise.siluBackward(gradient, scores + i * time, i + 1)
        (gradient + i + 1).update(repeating: 0, count: time - i - 1)
        // Position j of this row has the bias of the distance i - j.
        Elementwise.addScaled(slopes - i, gradient, 1, i + 1)
      }
      if let timeBias, let intervals = intervals(sequence, tile, pass) {
        let slopes = pass.gradients + timeBias.offset
        for i in 0..<time { for j in 0...i { slopes[Int(intervals[i * time + j])] += dscores[i * time + j] } }
      }
      Matrix.product(dscores, k, dq, m: time, n: n, k: time, ldb: stride, ldc: stride)
      Matrix.productTransposedLeft(dscores, q, dk, m: time, n: n, k: time, ldb: stride, ldc: stride)
    }
    Elementwise.siluBackward(dmixed, s.before, 4 * size)
    mixing.backward(rows, x: s.n1, dy: dmixed, dx: dgated, add: false, pass: pass)
    _ = norm1.backward(rows, d: dgated, xhat: s.hat1, rstd: s.rstd1, pass: pass)
    Elementwise.addScaled(d, dgated, 1, size)
  }

  /// The scores of one sequence and head before SiLU, `(T, T)`; those of later positions are not used.
  private func score(
    _ time: Int, _ tile: Tile, q: UnsafePointer<Float>, k: UnsafePointer<Float>, intervals: UnsafePointer<UInt8>?,
    into scores: UnsafeMutablePointer<Float>, _ pass: Pass
  ) {
    let stride = tile.sequences * 4 * options.width
    Matrix.productTransposedRight(q, k, scores, m: time, n: time, k: options.width / options.heads, lda: stride, ldb: stride)
    let distances = pass.parameters + bias.offset + options.positions - 1
    for i in 0..<time { Elementwise.addScaled(scores + i * time, distances - i, 1, i + 1) }
    guard let timeBias, let intervals else { return }
    let values = pass.parameters + timeBias.offset
    for i in 0..<time { for j in 0...i { scores[i * time + j] += values[Int(intervals[i * time + j])] } }
  }

  /// The buckets of one sequence, `(T, T)`.
  private func intervals(_ sequence: Int, _ tile: Tile, _ pass: Pass) -> UnsafePointer<UInt8>? {
    pass.intervals.map { $0 + sequence * tile.positions * tile.positions }
  }

  /// The weights of one sequence and head, from its scores.
  private func weigh(_ time: Int, _ scores: UnsafePointer<Float>, into weights: UnsafeMutablePointer<Float>) {
    for i in 0..<time {
      let row = weights + i * time
      Elementwise.silu(row, scores + i * time, i + 1)
      (row + i + 1).update(repeating: 0, count: time - i - 1)
    }
    Elementwise.scale(weights, weights, 1 / Float(options.positions), time * time)
  }

  /// Calls `body` for every sequence that has items and every head: with the sequence's index and length, the offset of the head in the first
  /// row of the mixed values `(T, B, 4d)` and of the attended ones `(T, B, d)`, and the offset of its scores.
  @inline(__always)
  private func forEachHead(_ tile: Tile, _ body: (_ sequence: Int, _ time: Int, _ mixed: Int, _ attended: Int, _ scores: Int) -> Void) {
    let (d, n) = (options.width, options.width / options.heads)
    for b in 0..<tile.sequences {
      let start = tile.start(b)
      let time = tile.positions - start
      if time == 0 { continue }
      let row = start * tile.sequences + b
      for head in 0..<options.heads {
        body(
          b, time, row * 4 * d + head * n, row * d + head * n, (b * options.heads + head) * tile.positions * tile.positions)
      }
    }
  }
}
