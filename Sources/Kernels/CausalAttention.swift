import CKernels

/// Multi-head causal attention on time-major activations `(T, B, d)`. Each head is a contiguous slice of the d channels.
///
///     P = softmax(Q K^T / sqrt(d / heads)) over the current and all earlier steps, out = (P * mask) V
///
/// This is the scaled dot-product attention of Vaswani et al. (2017) without an output projection. `mask` is the dropout
/// mask; nil means no dropout.
public struct CausalAttention: Sendable {
  public let heads: Int
  public let width: Int

  public init(heads: Int, width: Int) {
    precondition(heads >= 1 && width % heads == 0)
    self.heads = heads
    self.width = width
  }

  private func padded(_ time: Int) -> Int { (time + 15) / 16 * 16 }

  /// Floats that the probabilities of one sequence take: `(heads, T, T rounded up to 16)`.
  public func probabilityCount(time: Int) -> Int { heads * time * padded(time) }

  /// Floats that the dropout mask of one sequence takes: `(heads, T, T)`.
  public func maskCount(time: Int) -> Int { heads * time * time }

  /// Floats of scratch memory that one call needs.
  public func scratchCount(time: Int) -> Int {
    (width / heads + 2 * time) * padded(time) + time * width / heads
  }

  /// Computes the attention of one sequence. `q`, `k`, `v` and `out` point at the sequence's row of the first step; the row
  /// of each later step lies `stride` floats further.
  @inline(__always)
  public func forward(
    time: Int, stride: Int, q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
    mask: UnsafePointer<Float>?, probabilities: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    srs_attention(time, heads, width / heads, stride, q, k, v, mask, probabilities, out, scratch)
  }

  /// Computes the gradients of one sequence from `dout`. Overwrites `dq`, `dk` and `dv`.
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
