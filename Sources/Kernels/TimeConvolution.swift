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
      Matrix.productTransposedRight(
        dy + output * channelsOut, weight + tap * channelsIn * channelsOut, dx + input * channelsIn, m: rows,
        n: channelsIn, k: channelsOut, add: add || i > 0)
    }
  }
}
