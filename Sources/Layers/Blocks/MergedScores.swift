import Kernels

/// Computes the scores of one-head attention by one linear layer instead of two:
///
///     (x Wq + bq) (x Wk + bk)^T = (x M + c) x^T + r,   M = Wq Wk^T, c = bq Wk^T
///
/// r is the same for all keys of a query, so it does not change the softmax. The queries are therefore x M + c, and the keys
/// are x itself. This saves a fifth of a block's matrix products. The bias of the key does not change the probabilities; its
/// gradient is 0, as in exact arithmetic.
///
/// During the backward passes of a batch, the gradients of M and c are summed in the memory for the gradients of Wq and bq.
/// `finish` replaces them.
struct MergedScores: Sendable {
  private let query: Linear
  private let key: Linear
  private let prepared: Slot

  init(_ query: Linear, _ key: Linear, in builder: LayoutBuilder) {
    self.query = query
    self.key = key
    let d = query.inputs
    prepared = builder.reserve(2 * d * d + d)
  }

  private var width: Int { query.inputs }
  private var size: Int { width * width }

  /// Computes M, c and, for training, M^T.
  func prepare(_ parameters: UnsafePointer<Float>, into memory: UnsafeMutablePointer<Float>, training: Bool) {
    let d = width
    let (merged, shift) = (memory + prepared.offset, memory + prepared.offset + size)
    let right = parameters + key.weight.offset
    Matrix.productTransposedRight(parameters + query.weight.offset, right, merged, m: d, n: d, k: d)
    Matrix.productTransposedRight(parameters + query.bias.offset, right, shift, m: 1, n: d, k: d)
    if training { Matrix.transpose(merged, shift + d, rows: d, columns: d) }
  }

  /// q = x M + c.
  func forward(_ rows: Int, _ x: UnsafePointer<Float>, _ q: UnsafeMutablePointer<Float>, pass: Pass) {
    let merged = pass.prepared + prepared.offset
    Matrix.product(x, merged, q, m: rows, n: width, k: width)
    Elementwise.addBias(q, merged + size, rows: rows, c: width)
  }

  /// Adds to the gradients of M, c and x.
  func backward(
    _ rows: Int, x: UnsafePointer<Float>, dq: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    let d = width
    Matrix.productTransposedLeft(x, dq, pass.gradients + query.weight.offset, m: d, n: d, k: rows, add: true)
    Elementwise.addRowSums(pass.gradients + query.bias.offset, dq, rows: rows, c: d)
    Matrix.product(dq, pass.prepared + prepared.offset + size + d, dx, m: rows, n: d, k: d, add: true)
  }

  /// Computes the gradients of the parameters from those of M and c, summed over the lanes:
  /// dWq = dM Wk, dWk = dM^T Wq + dc^T bq, dbq = dc Wk.
  func finish(_ parameters: UnsafePointer<Float>, lanes: [UnsafeMutablePointer<Float>]) {
    let d = width
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size + d) { sums in
      guard let merged = sums.baseAddress, let first = lanes.first else { return }
      let shift = merged + size
      merged.update(repeating: 0, count: size + d)
      for lane in lanes {
        for (sum, slot, count) in [(merged, query.weight, size), (shift, query.bias, d)] {
          Elementwise.addScaled(sum, lane + slot.offset, 1, count)
          (lane + slot.offset).update(repeating: 0, count: count)
        }
      }
      let (wq, wk) = (parameters + query.weight.offset, parameters + key.weight.offset)
      Matrix.product(merged, wk, first + query.weight.offset, m: d, n: d, k: d)
      Matrix.product(shift, wk, first + query.bias.offset, m: 1, n: d, k: d)
      Matrix.productTransposedLeft(merged, wq, first + key.weight.offset, m: d, n: d, k: d)
      Matrix.product(shift, parameters + query.bias.offset, first + key.weight.offset, m: d, n: d, k: 1, add: true)
    }
  }
}
