import CKernels

/// Computes four neighbouring outputs of a convolution with three taps by six matrix products instead of twelve. This is
/// Winograd's minimal filtering F(4, 3) (Winograd, 1980; Lavin and Gray, 2016) along time, on time-major activations
/// `(T, B, C)`:
///
///     y = A^T [(G w) * (B^T x)],   each of the six products being a matrix product over the channels
///
/// Two steps are neighbours if they are one dilation q apart. The caller computes the first `T mod 4 q` steps. They are
/// cheap, because most of their taps fall before the sequence. The backward pass is the transpose of the forward pass and
/// takes as many products. The rounding error is about three times that of twelve products. It is relative to the largest
/// of the six inputs of a group, which include later steps.
struct MinimalFiltering: Sendable {
  private let dilation: Int
  /// How many of the three taps look ahead in time.
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

  /// Floats of the matrix of one tap.
  private var size: Int { channelsIn * channelsOut }
  private var span: Int { Self.outputs * dilation }

  /// Whether the sequence is long enough for at least one group of four outputs.
  func applies(time: Int) -> Bool { time >= span }

  /// How many steps at the beginning the caller must compute.
  func lead(time: Int) -> Int { time % span }

  /// Floats that `prepare` writes: the four filters that differ from the taps, and their transposes.
  var preparedCount: Int { 8 * size }

  /// Computes the filters `G w`. The first and the last filter are the first and the last tap, so only the four between
  /// them are stored. Training also needs their transposes.
  func prepare(_ taps: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool) {
    srs_filter_weights(size, taps, prepared)
    guard training else { return }
    for j in 0..<4 {
      Matrix.transpose(prepared + j * size, prepared + (4 + j) * size, rows: channelsIn, columns: channelsOut)
    }
  }

  private func rows(_ time: Int, _ batch: Int) -> Int { time / span * dilation * batch }

  /// Floats of scratch memory: the transformed inputs, the products, the gradients of four filters, and one step. The
  /// forward pass reads zeros from that step; the backward pass writes gradients of steps outside the sequence there.
  func scratchCount(time: Int, batch: Int) -> Int {
    guard applies(time: time) else { return 0 }
    let perRow = Self.products * (channelsIn + channelsOut)
    return rows(time, batch) * perRow + 4 * size + batch * channelsIn
  }

  /// The parts of the scratch memory.
  private struct Memory {
    let inputs, products, filters, step: UnsafeMutablePointer<Float>
  }

  private func memory(_ scratch: UnsafeMutablePointer<Float>, _ time: Int, _ batch: Int) -> Memory {
    let rows = rows(time, batch)
    let products = scratch + Self.products * rows * channelsIn
    let filters = products + Self.products * rows * channelsOut
    return Memory(inputs: scratch, products: products, filters: filters, step: filters + 4 * size)
  }

  /// Writes the outputs `y` of all steps after the lead.
  func forward(
    steps: Steps, batch: Int, x: UnsafePointer<Float>, taps: UnsafePointer<Float>, prepared: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let memory = memory(scratch, steps.total, batch)
    let neighbour = dilation / steps.stride
    let rows = rows(steps.total, batch) / steps.stride
    let plane = rows * channelsOut
    transformInputs(steps, batch, x, memory)
    for j in 0..<Self.products {
      Matrix.product(
        memory.inputs + j * rows * channelsIn, filter(j, taps, prepared), memory.products + j * plane, m: rows,
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

  /// Adds the contributions of all steps after the lead to `dw` and `dx`.
  func backward(
    time: Int, batch: Int, x: UnsafePointer<Float>, prepared: UnsafePointer<Float>, transposedTaps: UnsafePointer<Float>,
    dy: UnsafePointer<Float>, dw: UnsafeMutablePointer<Float>, dx: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let memory = memory(scratch, time, batch)
    let rows = rows(time, batch)
    let (planeIn, planeOut) = (rows * channelsIn, rows * channelsOut)
    let steps = Steps(total: time)
    transformInputs(steps, batch, x, memory)
    withConstantPointers(Self.outputs) { outputs in
      forEachGroup(steps) { group, first in
        for i in 0..<Self.outputs { outputs[i] = dy + (first + i * dilation) * batch * channelsOut }
        srs_filter_output_transposed(
          batch * channelsOut, outputs, memory.products + group * batch * channelsOut, planeOut)
      }
    }
    for j in 0..<Self.products {
      let (input, product) = (memory.inputs + j * planeIn, memory.products + j * planeOut)
      let isTap = j == 0 || j == Self.products - 1
      Matrix.productTransposedLeft(
        input, product, j == 0 ? dw : isTap ? dw + 2 * size : memory.filters + (j - 1) * size, m: channelsIn,
        n: channelsOut, k: rows, add: isTap)
      // The transformed input is not needed any more: its gradient overwrites it.
      Matrix.product(
        product, filter(j, transposedTaps, prepared + 4 * size), input, m: rows, n: channelsIn, k: channelsOut)
    }
    srs_filter_weights_transposed(size, memory.filters, dw)
    withPointers(Self.products) { inputs in
      forEachGroup(steps) { group, first in
        for k in 0..<Self.products {
          let t = first + (k - 2 + ahead) * dilation
          inputs[k] = t < 0 || t >= time ? memory.step : dx + t * batch * channelsIn
        }
        srs_filter_input_transposed(batch * channelsIn, memory.inputs + group * batch * channelsIn, planeIn, inputs)
      }
    }
  }

  /// The matrix of product j: the first tap, one of the four filters between, or the last tap.
  private func filter(
    _ j: Int, _ taps: UnsafePointer<Float>, _ filters: UnsafePointer<Float>
  ) -> UnsafePointer<Float> {
    j == 0 ? taps : j == Self.products - 1 ? taps + 2 * size : filters + (j - 1) * size
  }

  /// Computes `B^T x` for all groups.
  private func transformInputs(_ steps: Steps, _ batch: Int, _ x: UnsafePointer<Float>, _ memory: Memory) {
    let plane = rows(steps.total, batch) / steps.stride * channelsIn
    let neighbour = dilation / steps.stride
    memory.step.update(repeating: 0, count: batch * channelsIn)
    withConstantPointers(Self.products) { inputs in
      forEachGroup(steps) { group, first in
        for k in 0..<Self.products {
          let t = first + (k - 2 + ahead) * neighbour
          inputs[k] = t < 0 || t >= steps.count ? UnsafePointer(memory.step) : x + t * batch * channelsIn
        }
        srs_filter_input(batch * channelsIn, inputs, memory.inputs + group * batch * channelsIn, plane)
      }
    }
  }

  /// Calls `body` for every group of four outputs, with the number of the group and its first step.
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
