import CKernels

/// Four neighbouring outputs of a convolution of three taps with six matrix products instead of twelve: Winograd's
/// minimal filtering F(4, 3) (Winograd, 1980; Lavin and Gray, 2016) along time.
///
///     y = A' [(G w) * (B' x)],   each of the six products being a matrix product over the channels
///
/// Steps a dilation apart are neighbours. The first `T mod 4 q` steps are left to the caller, for whom they are cheap:
/// their taps mostly fall before the sequence. The backward pass is the transpose of all this, with as many products.
/// Rounding is about three times that of the twelve products, and relative to the largest of the six inputs of a group,
/// later ones included.
struct MinimalFiltering: Sendable {
  private let dilation: Int
  /// How many of the three taps look ahead.
  private let ahead: Int
  private let channelsIn: Int
  private let channelsOut: Int
  private static let products = 6
  private static let outputs = 4

  init(dilation: Int, ahead: Int, channelsIn: Int, channelsOut: Int) {
    self.dilation = dilation
    self.ahead = ahead
    self.channelsIn = channelsIn
    self.channelsOut = channelsOut
  }

  private var size: Int { channelsIn * channelsOut }
  private var span: Int { Self.outputs * dilation }

  func isWorthIt(time: Int) -> Bool { time >= span }

  /// Steps at the beginning that are left to the caller.
  func lead(time: Int) -> Int { time % span }

  /// The four filters that are no taps, and the same turned over.
  var preparedCount: Int { 8 * size }

  func prepare(_ taps: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool) {
    srs_filter_weights(size, taps, prepared)
    guard training else { return }
    for j in 0..<4 {
      Matrix.transpose(prepared + j * size, prepared + (4 + j) * size, rows: channelsIn, columns: channelsOut)
    }
  }

  private func rows(_ time: Int, _ batch: Int) -> Int { time / span * dilation * batch }

  // Left sides, products, gradients of four filters, and a step of zeros, or of what nobody asks for.
  func scratchCount(time: Int, batch: Int) -> Int {
    guard isWorthIt(time: time) else { return 0 }
    let perRow = Self.products * (channelsIn + channelsOut)
    return rows(time, batch) * perRow + 4 * size + batch * channelsIn
  }

  private struct Memory {
    let left, products, filters, step: UnsafeMutablePointer<Float>
  }

  private func memory(_ scratch: UnsafeMutablePointer<Float>, _ time: Int, _ batch: Int) -> Memory {
    let rows = rows(time, batch)
    let products = scratch + Self.products * rows * channelsIn
    let filters = products + Self.products * rows * channelsOut
    return Memory(left: scratch, products: products, filters: filters, step: filters + 4 * size)
  }

  /// Writes the steps after the lead.
  func forward(
    steps: Steps, batch: Int, x: UnsafePointer<Float>, taps: UnsafePointer<Float>, prepared: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let memory = memory(scratch, steps.total, batch)
    let neighbour = dilation / steps.stride
    let rows = rows(steps.total, batch) / steps.stride
    let plane = rows * channelsOut
    turnInputs(steps, batch, x, memory)
    for j in 0..<Self.products {
      Matrix.product(
        memory.left + j * rows * channelsIn, filter(j, taps, prepared), memory.products + j * plane, m: rows,
        n: channelsOut, k: channelsIn)
    }
    withPointers(Self.outputs) { outputs in
      forEachGroup(steps) { group, first in
        for i in 0..<Self.outputs { outputs[i] = y + (first + i * neighbour) * batch * channelsOut }
        srs_filter_output(
          batch * channelsOut, memory.products + group * batch * channelsOut, plane, outputs)
      }
    }
  }

  /// Adds what the steps after the lead give to dw and dx.
  func backward(
    time: Int, batch: Int, x: UnsafePointer<Float>, prepared: UnsafePointer<Float>, turnedTaps: UnsafePointer<Float>,
    dy: UnsafePointer<Float>, dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let memory = memory(scratch, time, batch)
    let rows = rows(time, batch)
    let (planeIn, planeOut) = (rows * channelsIn, rows * channelsOut)
    let steps = Steps(total: time)
    turnInputs(steps, batch, x, memory)
    withConstantPointers(Self.outputs) { outputs in
      forEachGroup(steps) { group, first in
        for i in 0..<Self.outputs { outputs[i] = dy + (first + i * dilation) * batch * channelsOut }
        srs_filter_output_transposed(
          batch * channelsOut, outputs, memory.products + group * batch * channelsOut, planeOut)
      }
    }
    for j in 0..<Self.products {
      let (left, product) = (memory.left + j * planeIn, memory.products + j * planeOut)
      let isTap = j == 0 || j == Self.products - 1
      Matrix.productTransposedLeft(
        left, product, j == 0 ? dw : isTap ? dw + 2 * size : memory.filters + (j - 1) * size, m: channelsIn,
        n: channelsOut, k: rows, add: isTap)
      // The left side has done its work: its gradient takes its place.
      Matrix.product(
        product, filter(j, turnedTaps, prepared + 4 * size), left, m: rows, n: channelsIn, k: channelsOut)
    }
    srs_filter_weights_transposed(size, memory.filters, dw)
    withPointers(Self.products) { inputs in
      forEachGroup(steps) { group, first in
        for k in 0..<Self.products {
          let t = first + (k - 2 + ahead) * dilation
          inputs[k] = t < 0 || t >= time ? memory.step : dx + t * batch * channelsIn
        }
        srs_filter_input_transposed(batch * channelsIn, memory.left + group * batch * channelsIn, planeIn, inputs)
      }
    }
  }

  /// The matrix of product j: the first tap, the four filters that are none, the last tap.
  private func filter(
    _ j: Int, _ taps: UnsafePointer<Float>, _ filters: UnsafePointer<Float>
  ) -> UnsafePointer<Float> {
    j == 0 ? taps : j == Self.products - 1 ? taps + 2 * size : filters + (j - 1) * size
  }

  private func turnInputs(_ steps: Steps, _ batch: Int, _ x: UnsafePointer<Float>, _ memory: Memory) {
    let plane = rows(steps.total, batch) / steps.stride * channelsIn
    let neighbour = dilation / steps.stride
    memory.step.update(repeating: 0, count: batch * channelsIn)
    withConstantPointers(Self.products) { inputs in
      forEachGroup(steps) { group, first in
        for k in 0..<Self.products {
          let t = first + (k - 2 + ahead) * neighbour
          inputs[k] = t < 0 || t >= steps.count ? UnsafePointer(memory.step) : x + t * batch * channelsIn
        }
        srs_filter_input(batch * channelsIn, inputs, memory.left + group * batch * channelsIn, plane)
      }
    }
  }

  /// Calls `body` with the number and the first step of every group of four outputs.
  @inline(__always)
  private func forEachGroup(_ steps: Steps, _ body: (_ group: Int, _ first: Int) -> Void) {
    let neighbour = dilation / steps.stride
    var group = 0
    let lead = steps.count(before: lead(time: steps.total))
    for start in stride(from: lead, to: steps.count, by: Self.outputs * neighbour) {
      for first in start..<(start + neighbour) {
        body(group, first)
        group += 1
      }
    }
  }

  @inline(__always)
  private func withPointers(_ count: Int, _ body: (UnsafeMutablePointer<UnsafeMutablePointer<Float>?>) -> Void) {
    withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: count) {
      if let base = $0.baseAddress { body(base) }
    }
  }

  @inline(__always)
  private func withConstantPointers(_ count: Int, _ body: (UnsafeMutablePointer<UnsafePointer<Float>?>) -> Void) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: count) {
      if let base = $0.baseAddress { body(base) }
    }
  }
}
