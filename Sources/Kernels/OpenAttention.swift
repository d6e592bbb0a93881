import Glibc

/// Multi-head attention of every position to all positions of a sequence, on time-major activations `(T, B, d)`. Each head is a
/// contiguous slice of the d channels.
///
///     P = softmax(Q K^T / sqrt(d / heads)),  out = (P * mask) V
///
/// This is `CausalAttention` without the restriction to earlier positions. `mask` is the dropout mask; nil means no dropout.
public struct OpenAttention: Sendable {
  public let heads: Int
  public let width: Int

  public init(heads: Int, width: Int) {
    self.heads = heads
    self.width = width
  }

  /// Floats of scratch memory that one call needs.
  public static func scratchCount(time: Int) -> Int { 2 * time * time }

  /// Computes the attention of one sequence; see `CausalAttention.forward`. The probabilities are `(heads, T, T)`.
  public func forward(
    time: Int, stride: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    mask: UnsafePointer<Float>?, probabilities: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let size = width / heads
    let scale = 1 / Float(size).squareRoot()
    let square = time * time
    for head in 0..<heads {
      let p = probabilities + head * square
      let at = head * size
      Matrix.productTransposedRight(q + at, k + at, p, m: time, n: time, k: size, lda: stride, ldb: stride)
      for i in 0..<time { Self.softmax(p + i * time, time, scale) }
      var weights = UnsafePointer(p)
      if let mask {
        scratch.update(from: p, count: square)
        Elementwise.multiply(scratch, mask + head * square, square)
        weights = UnsafePointer(scratch)
      }
      Matrix.product(weights, v + at, out + at, m: time, n: size, k: time, ldb: stride, ldc: stride)
    }
  }

  /// Computes the gradients of one sequence from `dout`. Overwrites `dq`, `dk` and `dv`.
  public func backward(
    time: Int, stride: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    mask: UnsafePointer<Float>?, probabilities: UnsafePointer<Float>, dout: UnsafePointer<Float>,
    dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let size = width / heads
    let scale = 1 / Float(size).squareRoot()
    let square = time * time
    let (weights, ds) = (scratch, scratch + square)
    for head in 0..<heads {
      let p = probabilities + head * square
      let at = head * size
      weights.update(from: p, count: square)
      if let mask { Elementwise.multiply(weights, mask + head * square, square) }
      Matrix.productTransposedLeft(weights, dout + at, dv + at, m: time, n: size, k: time, ldb: stride, ldc: stride)
      Matrix.productTransposedRight(dout + at, v + at, ds, m: time, n: time, k: size, lda: stride, ldb: stride)
      if let mask { Elementwise.multiply(ds, mask + head * square, square) }
      for i in 0..<time {
        let (row, given) = (ds + i * time, p + i * time)
        let mean = Elementwise.dot(row, given, time)
        for j in 0..<time { row[j] = given[j] * (row[j] - mean) * scale }
      }
      Matrix.product(ds, k + at, dq + at, m: time, n: size, k: time, ldb: stride, ldc: stride)
      Matrix.productTransposedLeft(ds, q + at, dk + at, m: time, n: size, k: time, ldb: stride, ldc: stride)
    }
  }

  private static func softmax(_ x: UnsafeMutablePointer<Float>, _ n: Int, _ scale: Float) {
    var top = -Float.infinity
    for j in 0..<n { top = max(top, x[j]) }
    var sum: Float = 0
    for j in 0..<n {
      x[j] = expf((x[j] - top) * scale)
      sum += x[j]
    }
    Elementwise.scale(x, x, 1 / sum, n)
  }
}
