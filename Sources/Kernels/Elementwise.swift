import CKernels

/// Swift names for the fused kernels in `CKernels`. All other targets call the C functions through this type.
///
/// Matrices are row-major: `rows` rows of `c` channels. `norm(x)` is `(x - mean) / sqrt(variance + epsilon)` over the
/// channels of a row. The kernels write the normalised value to `xhat` and `1 / sqrt(variance + epsilon)` to `rstd`.
public enum Elementwise {
  /// The instruction set in use: "avx512", "avx2" or "baseline".
  public static var instructionSet: String { String(cString: srs_vector_isa()) }

  /// y += a * x
  @inline(__always)
  public static func addScaled(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ a: Float, _ n: Int
  ) {
    srs_axpy(y, x, a, n)
  }

  /// y = a * x
  @inline(__always)
  public static func scale(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ a: Float, _ n: Int) {
    srs_scale(y, x, a, n)
  }

  /// average = decay average + (1 - decay) x
  @inline(__always)
  public static func moveAverage(_ average: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, decay: Double, _ n: Int) {
    scale(average, average, Float(decay), n)
    addScaled(average, x, Float(1 - decay), n)
  }

  /// The dot product of x and y.
  @inline(__always)
  public static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ n: Int) -> Float {
    srs_dot(x, y, n)
  }

  /// Counts the values above `t` and the values equal to `t`.
  @inline(__always)
  public static func count(_ x: UnsafePointer<Float>, _ n: Int, above t: Float) -> (above: Int, equal: Int) {
    var above = 0
    var equal = 0
    srs_count_above(x, n, t, &above, &equal)
    return (above, equal)
  }

  /// Compares `x + shift` with the row's own value, in the given columns of a panel of 64. Adds the number of larger values
  /// to `above[row]` and the number of equal ones to `equal[row]`.
  @inline(__always)
  public static func countPanel(
    rows: Int, _ x: UnsafePointer<Float>, shift: UnsafePointer<Float>, own: UnsafePointer<Float>,
    columns: Range<Int>, above: UnsafeMutablePointer<Int32>, equal: UnsafeMutablePointer<Int32>
  ) {
    srs_count_panel(rows, x, shift, own, columns.lowerBound, columns.upperBound, above, equal)
  }

  /// out += the sum over the rows of x.
  @inline(__always)
  public static func addRowSums(
    _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, c: Int
  ) {
    srs_sum_rows(rows, c, x, out)
  }

  /// x += bias, in every row.
  @inline(__always)
  public static func addBias(_ x: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, rows: Int, c: Int) {
    srs_add_bias(rows, c, x, bias)
  }

  /// One panel of 64 columns of an online softmax: replaces logits by exponentials. See `srs_softmax_panel`.
  @inline(__always)
  public static func softmaxPanel(
    rows: Int, logits: UnsafeMutablePointer<Float>, shift: UnsafePointer<Float>, columns: UnsafePointer<Int32>,
    first: Int, targetLogits: UnsafeMutablePointer<Float>?, top: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>, base: UnsafeMutablePointer<Float>
  ) {
    srs_softmax_panel(rows, logits, shift, columns, first, targetLogits, top, sums, base)
  }

  /// Adds up the sixteen partial sums of every row.
  @inline(__always)
  public static func softmaxSums(rows: Int, _ sums: UnsafeMutablePointer<Float>) { srs_softmax_sums(rows, sums) }

  /// Replaces exponentials by the gradients of the logits. See `srs_softmax_gradient`.
  @inline(__always)
  public static func softmaxGradient(
    rows: Int, _ x: UnsafeMutablePointer<Float>, base: UnsafePointer<Float>, top: UnsafePointer<Float>,
    scale: UnsafePointer<Float>, targets: UnsafePointer<Int32>?, first: Int, weights: UnsafePointer<Float>,
    dshift: UnsafeMutablePointer<Float>
  ) {
    srs_softmax_gradient(rows, x, base, top, scale, targets, first, weights, dshift)
  }

  /// One Adam step on `n` parameters `p` with moments `m` and `v` and gradient `g`. See `srs_adam`.
  @inline(__always)
  public static func adam(
    _ n: Int, _ p: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>,
    _ g: UnsafePointer<Float>, decay: Float, rate: Float, beta1: Float, beta2: Float, epsilon: Float,
    correction: Float
  ) {
    srs_adam(n, p, m, v, g, 1, decay, rate, beta1, beta2, epsilon, correction)
  }

  /// xhat = norm(x + bias), y = relu(gain * xhat + shift). `xhat` and `x` may be the same memory.
  @inline(__always)
  public static func normRelu(
    rows: Int, c: Int, x: UnsafePointer<Float>, bias: UnsafePointer<Float>, gain: UnsafePointer<Float>,
    shift: UnsafePointer<Float>, epsilon: Float, xhat: UnsafeMutablePointer<Float>,
    rstd: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  ) {
    srs_norm_relu(rows, c, x, bias, gain, shift, epsilon, xhat, rstd, y)
  }

  /// y = relu(gain * x + shift)
  @inline(__always)
  public static func affineRelu(
    rows: Int, c: Int, x: UnsafePointer<Float>, gain: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>
  ) {
    srs_affine_relu(rows, c, x, gain, shift, y)
  }

  /// xhat = norm(x + bias), out = skip + alpha * relu(gain * xhat + shift).
  @inline(__always)
  public static func normReluResidual(
    rows: Int, c: Int, x: UnsafePointer<Float>, bias: UnsafePointer<Float>, gain: UnsafePointer<Float>,
    shift: UnsafePointer<Float>, epsilon: Float, xhat: UnsafeMutablePointer<Float>,
    rstd: UnsafeMutablePointer<Float>, skip: UnsafePointer<Float>, alpha: Float, out: UnsafeMutablePointer<Float>
  ) {
    srs_norm_relu_residual(rows, c, x, bias, gain, shift, epsilon, xhat, rstd, skip, alpha, out)
  }

  /// Backward pass of `normRelu`. Adds to the gradients of gain, shift and bias. `dx` and `dy` may be the same memory.
  @inline(__always)
  public static func normReluBackward(
    rows: Int, c: Int, dy: UnsafePointer<Float>, xhat: UnsafePointer<Float>, rstd: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, shift: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    dgain: UnsafeMutablePointer<Float>, dshift: UnsafeMutablePointer<Float>, dbias: UnsafeMutablePointer<Float>
  ) {
    srs_norm_relu_backward(rows, c, dy, xhat, rstd, gain, shift, dx, dgain, dshift, dbias)
  }

  /// Backward pass of `normReluResidual` without the skip path, whose gradient is `dout` itself. Adds to the gradients of
  /// gain, shift and bias; returns the gradient of alpha.
  @inline(__always)
  public static func normReluResidualBackward(
    rows: Int, c: Int, dout: UnsafePointer<Float>, xhat: UnsafePointer<Float>, rstd: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, shift: UnsafePointer<Float>, alpha: Float, dx: UnsafeMutablePointer<Float>,
    dgain: UnsafeMutablePointer<Float>, dshift: UnsafeMutablePointer<Float>, dbias: UnsafeMutablePointer<Float>
  ) -> Float {
    srs_norm_relu_residual_backward(rows, c, dout, xhat, rstd, gain, shift, alpha, dx, dgain, dshift, dbias)
  }

  /// x *= m
  @inline(__always)
  public static func multiply(_ x: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ n: Int) {
    srs_multiply(x, m, n)
  }

  /// x = relu(x + bias)
  @inline(__always)
  public static func biasRelu(_ x: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, rows: Int, c: Int) {
    srs_bias_relu(rows, c, x, bias)
  }

  /// dy = y > 0 ? scale * dy : 0. Adds the sum over the rows to the gradient of the bias.
  @inline(__always)
  public static func reluBackward(
    rows: Int, c: Int, dy: UnsafeMutablePointer<Float>, y: UnsafePointer<Float>, scale: Float,
    dbias: UnsafeMutablePointer<Float>
  ) {
    srs_relu_backward(rows, c, dy, y, scale, dbias)
  }

  /// xhat = norm(x + alpha * u), y = gain * xhat + shift. Without `u`, xhat = norm(x).
  @inline(__always)
  public static func normSum(
    rows: Int, c: Int, x: UnsafePointer<Float>, u: UnsafePointer<Float>?, alpha: Float, gain: UnsafePointer<Float>,
    shift: UnsafePointer<Float>, epsilon: Float, xhat: UnsafeMutablePointer<Float>,
    rstd: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
  ) {
    srs_norm_sum(rows, c, x, u, alpha, gain, shift, epsilon, xhat, rstd, y)
  }

  /// Backward pass of `normSum`. Writes `dx` and `du = alpha * dx`, adds to the gradients of gain and shift, and returns
  /// the gradient of alpha.
  @inline(__always)
  public static func normSumBackward(
    rows: Int, c: Int, dy: UnsafePointer<Float>, xhat: UnsafePointer<Float>, rstd: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, u: UnsafePointer<Float>?, alpha: Float, dx: UnsafeMutablePointer<Float>,
    du: UnsafeMutablePointer<Float>?, dgain: UnsafeMutablePointer<Float>, dshift: UnsafeMutablePointer<Float>
  ) -> Float {
    srs_norm_sum_backward(rows, c, dy, xhat, rstd, gain, u, alpha, dx, du, dgain, dshift)
  }

  /// x = exp(x - top); returns the sum.
  @inline(__always)
  public static func expSum(_ x: UnsafeMutablePointer<Float>, top: Float, _ n: Int) -> Float { srs_exp_sum(x, top, n) }

  /// y = 1 / (1 + exp(-x))
  @inline(__always)
  public static func sigmoid(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ n: Int) { srs_sigmoid(y, x, n) }

  /// y = x * sigmoid(x)
  @inline(__always)
  public static func silu(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ n: Int) { srs_silu(y, x, n) }

  /// dy *= d silu(x) / dx
  @inline(__always)
  public static func siluBackward(_ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ n: Int) {
    srs_silu_backward(dy, x, n)
  }

  /// y = x + s * a
  @inline(__always)
  public static func gatedAdd(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, gate s: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ n: Int
  ) {
    srs_gated_add(y, x, s, a, n)
  }

  /// The backward pass of `gatedAdd`, the gate being the sigmoid of z.
  @inline(__always)
  public static func gatedAddBackward(
    _ dy: UnsafePointer<Float>, gate s: UnsafePointer<Float>, _ a: UnsafePointer<Float>, da: UnsafeMutablePointer<Float>,
    dz: UnsafeMutablePointer<Float>, _ n: Int
  ) {
    srs_gated_add_backward(dy, s, a, da, dz, n)
  }

  /// y = GELU(x) = x * Phi(x), Phi being the distribution function of the standard normal distribution.
  @inline(__always)
  public static func gelu(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ n: Int) { srs_gelu(y, x, n) }

  /// dy *= GELU'(x)
  @inline(__always)
  public static func geluBackward(_ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ n: Int) {
    srs_gelu_backward(dy, x, n)
  }
}
