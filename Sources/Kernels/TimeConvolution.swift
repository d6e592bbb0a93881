/// A one-dimensional convolution over time on time-major activations `(T, B, C)`.
///
/// `y[t] = sum_j x[t - offsets[j]] W[j]`, with zeros outside the sequence. Tap j's matrix is `(in, out)`, row-major,
/// at `j * in * out`. As the B rows of one time step are contiguous, a tap shifted by s steps is one matrix product
/// over the `(T - s) B` rows that have a partner; nothing is copied and no padding is multiplied.
public struct TimeConvolution: Sendable {
  public let channelsIn: Int
  public let channelsOut: Int
  /// How many steps back each tap looks; negative looks ahead. Ordered so that the tap with offset 0 is found first.
  public let offsets: [Int]
  private let order: [Int]

  /// Causal: the last tap is the present, tap j looks `(kernel - 1 - j) * dilation` steps back.
  public init(causal kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(
      offsets: (0..<kernel).map { (kernel - 1 - $0) * dilation }, channelsIn: channelsIn, channelsOut: channelsOut)
  }

  /// Symmetric: the middle tap is the present.
  public init(symmetric kernel: Int, dilation: Int, channelsIn: Int, channelsOut: Int) {
    self.init(
      offsets: (0..<kernel).map { ((kernel - 1) / 2 - $0) * dilation }, channelsIn: channelsIn,
      channelsOut: channelsOut)
  }

  private init(offsets: [Int], channelsIn: Int, channelsOut: Int) {
    precondition(offsets.contains(0))
    self.offsets = offsets
    self.channelsIn = channelsIn
    self.channelsOut = channelsOut
    // The tap that covers every row goes first: it can overwrite, the others add.
    order = offsets.indices.sorted { abs(offsets[$0]) < abs(offsets[$1]) }
  }

  public var weightCount: Int { offsets.count * channelsIn * channelsOut }

  /// First input row, first output row and number of rows of a tap.
  @inline(__always)
  private func span(_ tap: Int, _ time: Int, _ batch: Int) -> (input: Int, output: Int, rows: Int) {
    let offset = offsets[tap]
    let rows = max(0, time - abs(offset)) * batch
    return offset >= 0 ? (0, offset * batch, rows) : (-offset * batch, 0, rows)
  }

  /// y = conv(x), without bias.
  public func forward(
    time: Int, batch: Int, x: UnsafePointer<Float>, weight: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  ) {
    if isFused {
      forEachSegment(time, signs: 1) { first, last, taps in
        sum(taps, signs: -1, rows: first..<last, batch, left: x, width: channelsIn, y, channelsOut, add: false) {
          weight + $0 * channelsIn * channelsOut
        }
      }
      return
    }
    for (i, tap) in order.enumerated() {
      let (input, output, rows) = span(tap, time, batch)
      Matrix.product(
        x + input * channelsIn, weight + tap * channelsIn * channelsOut, y + output * channelsOut, m: rows,
        n: channelsOut, k: channelsIn, add: i > 0)
    }
  }

  /// Adds to dw; dx = (or +=, when `add`) the gradient of x.
  public func backward(
    time: Int, batch: Int, x: UnsafePointer<Float>, weight: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>, add: Bool
  ) {
    for (i, tap) in order.enumerated() {
      let (input, output, rows) = span(tap, time, batch)
      if rows == 0 { continue }
      Matrix.productTransposedLeft(
        x + input * channelsIn, dy + output * channelsOut, dw + tap * channelsIn * channelsOut, m: channelsIn,
        n: channelsOut, k: rows, add: true)
      if isFused { continue }
      Matrix.productTransposedRight(
        dy + output * channelsOut, weight + tap * channelsIn * channelsOut, dx + input * channelsIn, m: rows,
        n: channelsIn, k: channelsOut, add: add || i > 0)
    }
    guard isFused else { return }
    let size = channelsIn * channelsOut
    withUnsafeTemporaryAllocation(of: Float.self, capacity: offsets.count * size) { turned in
      guard let turned = turned.baseAddress else { return }
      for tap in offsets.indices {
        Matrix.transpose(weight + tap * size, turned + tap * size, rows: channelsIn, columns: channelsOut)
      }
      forEachSegment(time, signs: -1) { first, last, taps in
        sum(taps, signs: 1, rows: first..<last, batch, left: dy, width: channelsOut, dx, channelsIn, add: add) {
          UnsafePointer(turned + $0 * size)
        }
      }
    }
  }

  // MARK: All taps at once

  /// Are the taps added up in registers, each row written once?
  private var isFused: Bool {
    offsets.count <= Matrix.mostTerms && Matrix.isOurs(channelsIn) && Matrix.isOurs(channelsOut)
      && offsets.count * channelsIn * channelsOut <= 65_536
  }

  /// Steps that the same taps reach, in order: for the output (`signs` 1) tap j reaches step t where t - offset is in the
  /// sequence, for the input (-1) where t + offset is.
  private func forEachSegment(_ time: Int, signs: Int, _ body: (Int, Int, [Int]) -> Void) {
    var first = 0
    while first < time {
      func reaches(_ tap: Int, _ t: Int) -> Bool { (0..<time).contains(t - signs * offsets[tap]) }
      let taps = offsets.indices.filter { reaches($0, first) }
      var last = first + 1
      while last < time, offsets.indices.allSatisfy({ reaches($0, last) == reaches($0, first) }) { last += 1 }
      body(first, last, taps)
      first = last
    }
  }

  /// Rows of a segment of steps: out[t] = sum over taps of left[t + signs * offset] times the tap's matrix.
  private func sum(
    _ taps: [Int], signs: Int, rows: Range<Int>, _ batch: Int, left: UnsafePointer<Float>, width: Int,
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
