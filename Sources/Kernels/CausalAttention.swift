import CKernels

/// Multi-head causal attention on time-major activations `(T, B, d)`, the heads being contiguous slices of d.
///
///     P = softmax(Q K^T / sqrt(d / heads)) over the past and the present, out = (P * mask) V
///
/// Scaled dot-product attention of Vaswani et al. (2017) without an output projection.
public struct CausalAttention: Sendable {
  public let heads: Int
  public let width: Int

  public init(heads: Int, width: Int) {
    precondition(heads >= 1 && width % heads == 0)
    self.heads = heads
    self.width = width
  }

  private func padded(_ time: Int) -> Int { (time + 15) / 16 * 16 }

  /// Floats of the probabilities of one sequence: `(heads, T, T rounded up to 16)`.
  public func probabilityCount(time: Int) -> Int { heads * time * padded(time) }

  /// Floats of one sequence's mask: `(heads, T, T)`.
  public func maskCount(time: Int) -> Int { heads * time * time }

  public func scratchCount(time: Int) -> Int {
    (width / heads + 2 * time) * padded(time) + time * width / heads
  }

  /// One sequence: `q`, `k`, `v` and `out` point at its row of the first step; rows of later steps are `stride` apart.
  @inline(__always)
  public func forward(
    time: Int, stride: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    mask: UnsafePointer<Float>?, probabilities: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    srs_attention(time, heads, width / heads, stride, q, k, v, mask, probabilities, out, scratch)
  }

  /// Overwrites dq, dk and dv.
  @inline(__always)
  public func backward(
    time: Int, stride: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    mask: UnsafePointer<Float>?, probabilities: UnsafePointer<Float>, dout: UnsafePointer<Float>,
    dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    srs_attention_backward(
      time, heads, width / heads, stride, q, k, v, mask, probabilities, dout, dq, dk, dv, scratch)
  }
}
