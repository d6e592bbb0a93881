/// A one-dimensional convolution over time on time-major activations `(T, B, C)`.
///
/// `y[t] = sum_j x[t - offsets[j]] W[j]`, with zeros outside the sequence. Tap j's matrix is `(in, out)`, row-major,
/// at `j * in * out`. As the B rows of one time step are contiguous, a tap shifted by s steps is one matrix product
/// over the `(T - s) B` rows that have a partner; nothing is copied and no padding is multiplied.
///
/// Filters of three taps go four outputs at a time where the sequence is long enough: see `MinimalFiltering`.
public struct TimeConvolution: Sendable {
  public let channelsIn: Int
  public let channelsOut: Int
  /// How many steps back each tap looks; negative looks ahead.
  public let offsets: [Int]
  private let order: [Int]
  private let filtering: MinimalFiltering?

  /// Causal: the last tap is the present, tap j looks `(kernel - 1 - j) * dilation` steps back.
  public init(causal kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(kernel, dilation, ahead: 0, channelsIn: channelsIn, channelsOut: channelsOut)
  }

  /// Symmetric: the middle tap is the present.
  public init(symmetric kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(kernel, dilation, ahead: kernel - 1 - (kernel - 1) / 2, channelsIn: channelsIn, channelsOut: channelsOut)
  }

  /// - Parameter ahead: how many taps look ahead.
  private init(_ kernel: Int, _ dilation: Int, ahead: Int, channelsIn: Int, channelsOut: Int) {
    offsets = (0..<kernel).map { (kernel - 1 - ahead - $0) * dilation }
    self.channelsIn = channelsIn
    self.channelsOut = channelsOut
    // The tap that covers every row goes first: it can overwrite, the others add.
    order = offsets.indices.sorted { [offsets] in abs(offsets[$0]) < abs(offsets[$1]) }
    filtering =
      kernel == 3 && channelsIn & 15 == 0 && channelsOut & 15 == 0
      ? MinimalFiltering(dilation: dilation, ahead: ahead, channelsIn: channelsIn, channelsOut: channelsOut) : nil
  }

  private var size: Int { channelsIn * channelsOut }

  public var weightCount: Int { offsets.count * size }

  // MARK: What is made of the weights once a step

  /// Floats that `prepare` fills.
  public var preparedCount: Int { (isTurned ? weightCount : 0) + (filtering?.preparedCount ?? 0) }

  /// Are the taps kept turned over, for the gradient of the input?
  private var isTurned: Bool { filtering != nil || Matrix.isOurs(channelsIn) && Matrix.isOurs(channelsOut) }

  /// What `forward` and `backward` read besides the weights: the taps turned over, then what filtering needs.
  public func prepare(_ weight: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool) {
    if isTurned && training {
      for tap in offsets.indices {
        Matrix.transpose(weight + tap * size, prepared + tap * size, rows: channelsIn, columns: channelsOut)
      }
    }
    filtering?.prepare(weight, into: prepared + weightCount, training: training)
  }

  /// Floats of memory that a call needs.
  public func scratchCount(time: Int, batch: Int) -> Int { filtering?.scratchCount(time: time, batch: batch) ?? 0 }

  /// Weights and what was prepared of them.
  public struct Weights {
    let taps: UnsafePointer<Float>
    let prepared: UnsafePointer<Float>

    public init(_ taps: UnsafePointer<Float>, prepared: UnsafePointer<Float>) {
      self.taps = taps
      self.prepared = prepared
    }
  }

  /// y = conv(x), without bias. Where not all steps are there their stride must divide the dilation; what is computed has
  /// the bits that it has with all of them.
  public func forward(
    steps: Steps, batch: Int, x: UnsafePointer<Float>, weights: Weights, y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let time = steps.count
    let offsets = steps.stride == 1 ? offsets : offsets.map { $0 / steps.stride }
    var direct = time
    if let filtering, filtering.isWorthIt(time: steps.total) {
      direct = steps.count(before: filtering.lead(time: steps.total))
      filtering.forward(
        steps: steps, batch: batch, x: x, taps: weights.taps, prepared: weights.prepared + weightCount, y: y,
        scratch: scratch)
    }
    if isFused {
      forEachSegment(offsets, 0..<direct, signs: 1, partners: 0..<time) { first, last, taps in
        sum(offsets, taps, signs: -1, rows: first..<last, batch, left: x, width: channelsIn, y, channelsOut, add: false) {
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

  /// Adds to dw; dx = (or +=, when `add`) the gradient of x.
  public func backward(
    time: Int, batch: Int, x: UnsafePointer<Float>, weights: Weights, dy: UnsafePointer<Float>,
    dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let filtering = filtering.flatMap { $0.isWorthIt(time: time) ? $0 : nil }
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
      if isTurned {
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
      forEachSegment(offsets, 0..<time, signs: -1, partners: outputs) { first, last, taps in
        if taps.isEmpty && add { return }
        sum(offsets, taps, signs: 1, rows: first..<last, batch, left: dy, width: channelsOut, dx, channelsIn, add: add) {
          weights.prepared + $0 * size
        }
      }
    }
    filtering?.backward(
      time: time, batch: batch, x: x, prepared: weights.prepared + weightCount, turnedTaps: weights.prepared, dy: dy,
      dw: dw, dx: dx, scratch: scratch)
  }

  // MARK: All taps at once

  /// Of the outputs' steps those at which a tap meets an input.
  @inline(__always)
  private static func steps(_ offset: Int, outputs: Range<Int>, _ time: Int) -> Range<Int> {
    let first = max(outputs.lowerBound, offset)
    return first..<max(first, min(outputs.upperBound, time + offset))
  }

  /// Are the taps added up in registers, each row written once?
  private var isFused: Bool {
    offsets.count <= Matrix.mostTerms && Matrix.isOurs(channelsIn) && Matrix.isOurs(channelsOut)
      && offsets.count * size <= 65_536
  }

  /// Runs of `steps` that the same taps reach, in order: for the output (`signs` 1) tap j reaches step t where t - offset
  /// is among the partners, for the input (-1) where t + offset is.
  private func forEachSegment(
    _ offsets: [Int], _ steps: Range<Int>, signs: Int, partners: Range<Int>, _ body: (Int, Int, [Int]) -> Void
  ) {
    var first = steps.lowerBound
    while first < steps.upperBound {
      func reaches(_ tap: Int, _ t: Int) -> Bool { partners.contains(t - signs * offsets[tap]) }
      let taps = offsets.indices.filter { reaches($0, first) }
      var last = first + 1
      while last < steps.upperBound, offsets.indices.allSatisfy({ reaches($0, last) == reaches($0, first) }) { last += 1 }
      body(first, last, taps)
      first = last
    }
  }

  /// Rows of a segment of steps: out[t] = sum over taps of left[t + signs * offset] times the tap's matrix.
  private func sum(
    _ offsets: [Int], _ taps: [Int], signs: Int, rows: Range<Int>, _ batch: Int, left: UnsafePointer<Float>, width: Int,
    _ out: UnsafeMutablePointer<Float>, _ columns: Int, add: Bool, _ matrix: (Int) -> UnsafePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 2 * Matrix.mostTerms) { sides in
      guard let sides = sides.baseAddress else { return }
      for (i, tap) in taps.enumerated() {
        sides[i] = left + (rows.lowerBound + signs * offsets[tap]) * batch * width
        sides[Matrix.mostTerms + i] = matrix(tap)
      }
      Matrix.productSum(
        taps.count, sides, sides + Matrix.mostTerms, out + rows.lowerBound * batch * columns, m: rows.count * batch,
        n: columns, k: width, add: add)
    }
  }
}
