/// A one-dimensional convolution over time on time-major activations `(T, B, C)`.
///
///     y[t] = sum_j x[t - offsets[j]] W[j],   x being 0 outside the sequence
///
/// The weights are `(kernel, in, out)`, row-major. The B rows of one time step are contiguous. So a tap with offset s is one
/// matrix product over the `(T - s) B` rows whose input lies inside the sequence. Nothing is copied and no padding is
/// multiplied.
///
/// Where the sequence is long enough, `MinimalFiltering` computes filters of three taps, four outputs at a time.
public struct TimeConvolution: Sendable {
  public let channelsIn: Int
  public let channelsOut: Int
  /// How many steps back each tap looks. A negative offset looks ahead.
  public let offsets: [Int]
  private let order: [Int]
  private let filtering: MinimalFiltering?

  /// A causal convolution: the last tap reads the current step, tap j reads `(kernel - 1 - j) * dilation` steps before it.
  public init(causal kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(kernel, dilation, ahead: 0, channelsIn: channelsIn, channelsOut: channelsOut)
  }

  /// A symmetric convolution: the middle tap reads the current step.
  public init(symmetric kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(kernel, dilation, ahead: kernel - 1 - (kernel - 1) / 2, channelsIn: channelsIn, channelsOut: channelsOut)
  }

  /// - Parameter ahead: how many taps look ahead.
  private init(_ kernel: Int, _ dilation: Int, ahead: Int, channelsIn: Int, channelsOut: Int) {
    offsets = (0..<kernel).map { (kernel - 1 - ahead - $0) * dilation }
    self.channelsIn = channelsIn
    self.channelsOut = channelsOut
    // The tap with offset 0 reaches every row, so it goes first: it overwrites the result, the others add to it.
    order = offsets.indices.sorted { [offsets] in abs(offsets[$0]) < abs(offsets[$1]) }
    filtering =
      kernel == 3 && channelsIn & 15 == 0 && channelsOut & 15 == 0
      ? MinimalFiltering(dilation: dilation, ahead: ahead, channelsIn: channelsIn, channelsOut: channelsOut) : nil
  }

  /// Floats of the matrix of one tap.
  private var size: Int { channelsIn * channelsOut }

  public var weightCount: Int { offsets.count * size }

  // MARK: Values computed from the weights once per step

  /// Floats that `prepare` fills.
  public var preparedCount: Int { (keepsTransposedTaps ? weightCount : 0) + (filtering?.preparedCount ?? 0) }

  /// Whether `prepare` stores the transposes of the taps, for the gradient of the input.
  private var keepsTransposedTaps: Bool {
    filtering != nil || Matrix.usesOwnKernels(columns: channelsIn) && Matrix.usesOwnKernels(columns: channelsOut)
  }

  /// Computes what `forward` and `backward` read besides the weights: the transposed taps, then the filters of
  /// `MinimalFiltering`. Only training needs the transposes.
  public func prepare(_ weight: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool) {
    if keepsTransposedTaps && training {
      for tap in offsets.indices {
        Matrix.transpose(weight + tap * size, prepared + tap * size, rows: channelsIn, columns: channelsOut)
      }
    }
    filtering?.prepare(weight, into: prepared + weightCount, training: training)
  }

  /// Floats of scratch memory that `forward` or `backward` needs.
  public func scratchCount(time: Int, batch: Int) -> Int { filtering?.scratchCount(time: time, batch: batch) ?? 0 }

  /// The weights, and what `prepare` computed from them.
  public struct Weights {
    let taps: UnsafePointer<Float>
    let prepared: UnsafePointer<Float>

    public init(_ taps: UnsafePointer<Float>, prepared: UnsafePointer<Float>) {
      self.taps = taps
      self.prepared = prepared
    }
  }

  /// y = conv(x), without a bias. If `steps` leaves steps out, its stride must divide the dilation. The outputs of the
  /// remaining steps have the same bits as with all steps.
  public func forward(
    steps: Steps, batch: Int, x: UnsafePointer<Float>, weights: Weights, y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let time = steps.count
    let offsets = steps.stride == 1 ? offsets : offsets.map { $0 / steps.stride }
    var direct = time
    if let filtering, filtering.applies(time: steps.total) {
      direct = steps.count(before: filtering.lead(time: steps.total))
      filtering.forward(
        steps: steps, batch: batch, x: x, taps: weights.taps, prepared: weights.prepared + weightCount, y: y,
        scratch: scratch)
    }
    if isFused {
      forEachSegment(offsets, 0..<direct, sign: 1, sources: 0..<time) { first, last, taps in
        sum(offsets, taps, sign: -1, steps: first..<last, batch, left: x, width: channelsIn, y, channelsOut, add: false) {
          weights.taps + $0 * size
        }
      }
      return
    }
    for (i, tap) in order.enumerated() {
      let steps = Self.steps(offsets[tap], outputs: 0..<direct, time)
      Matrix.product(
        x + (steps.lowerBound - offsets[tap]) * batch * channelsIn, weights.taps + tap * size,
        y + steps.lowerBound * batch * channelsOut, m: steps.count * batch, n: channelsOut, k: channelsIn, add: i > 0)
    }
  }

  /// Adds the gradient of the weights to `dw`. Writes the gradient of x to `dx`, or adds it there if `add` is true.
  public func backward(
    time: Int, batch: Int, x: UnsafePointer<Float>, weights: Weights, dy: UnsafePointer<Float>,
    dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let filtering = filtering.flatMap { $0.applies(time: time) ? $0 : nil }
    let outputs = 0..<(filtering?.lead(time: time) ?? time)
    if !isFused && !add && outputs.count < time {
      (dx + outputs.count * batch * channelsIn).update(
        repeating: 0, count: (time - outputs.count) * batch * channelsIn)
    }
    for (i, tap) in order.enumerated() {
      let steps = Self.steps(offsets[tap], outputs: outputs, time)
      if steps.isEmpty { continue }
      let (left, right) = (
        x + (steps.lowerBound - offsets[tap]) * batch * channelsIn, dy + steps.lowerBound * batch * channelsOut
      )
      Matrix.productTransposedLeft(
        left, right, dw + tap * size, m: channelsIn, n: channelsOut, k: steps.count * batch, add: true)
      if isFused { continue }
      let target = dx + (steps.lowerBound - offsets[tap]) * batch * channelsIn
      if keepsTransposedTaps {
        Matrix.product(
          right, weights.prepared + tap * size, target, m: steps.count * batch, n: channelsIn, k: channelsOut,
          add: add || i > 0)
      } else {
        Matrix.productTransposedRight(
          right, weights.taps + tap * size, target, m: steps.count * batch, n: channelsIn, k: channelsOut,
          add: add || i > 0)
      }
    }
    if isFused {
      forEachSegment(offsets, 0..<time, sign: -1, sources: outputs) { first, last, taps in
        if taps.isEmpty && add { return }
        sum(offsets, taps, sign: 1, steps: first..<last, batch, left: dy, width: channelsOut, dx, channelsIn, add: add) {
          weights.prepared + $0 * size
        }
      }
    }
    filtering?.backward(
      time: time, batch: batch, x: x, prepared: weights.prepared + weightCount, transposedTaps: weights.prepared, dy: dy,
      dw: dw, dx: dx, scratch: scratch)
  }

  // MARK: All taps at once

  /// The output steps at which a tap with this offset reads an input inside the sequence.
  @inline(__always)
  private static func steps(_ offset: Int, outputs: Range<Int>, _ time: Int) -> Range<Int> {
    let first = max(outputs.lowerBound, offset)
    return first..<max(first, min(outputs.upperBound, time + offset))
  }

  /// Whether the products of all taps are summed in registers, so that each result row is written once.
  private var isFused: Bool {
    offsets.count <= Matrix.maximumTerms && Matrix.usesOwnKernels(columns: channelsIn)
      && Matrix.usesOwnKernels(columns: channelsOut) && offsets.count * size <= 65_536
  }

  /// Cuts `steps` into runs that the same taps contribute to, and calls `body` with the first step, the step after the last,
  /// and the taps of each run. Tap j contributes to step t if `t - sign * offset` is one of the `sources`: `sign` is 1 for
  /// outputs and -1 for gradients of inputs.
  private func forEachSegment(
    _ offsets: [Int], _ steps: Range<Int>, sign: Int, sources: Range<Int>, _ body: (Int, Int, [Int]) -> Void
  ) {
    var first = steps.lowerBound
    while first < steps.upperBound {
      func reaches(_ tap: Int, _ t: Int) -> Bool { sources.contains(t - sign * offsets[tap]) }
      let taps = offsets.indices.filter { reaches($0, first) }
      var last = first + 1
      while last < steps.upperBound, offsets.indices.allSatisfy({ reaches($0, last) == reaches($0, first) }) { last += 1 }
      body(first, last, taps)
      first = last
    }
  }

  /// For all t of `steps`: out[t] = sum over taps of left[t + sign * offset] times the tap's matrix.
  private func sum(
    _ offsets: [Int], _ taps: [Int], sign: Int, steps: Range<Int>, _ batch: Int, left: UnsafePointer<Float>, width: Int,
    _ out: UnsafeMutablePointer<Float>, _ columns: Int, add: Bool, _ matrix: (Int) -> UnsafePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 2 * Matrix.maximumTerms) { sides in
      guard let sides = sides.baseAddress else { return }
      for (i, tap) in taps.enumerated() {
        sides[i] = left + (steps.lowerBound + sign * offsets[tap]) * batch * width
        sides[Matrix.maximumTerms + i] = matrix(tap)
      }
      Matrix.productSum(
        taps.count, sides, sides + Matrix.maximumTerms, out + steps.lowerBound * batch * columns, m: steps.count * batch,
        n: columns, k: width, add: add)
    }
  }
}
