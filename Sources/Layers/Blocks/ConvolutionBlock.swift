import Kernels

/// The residual block of NextItNet (Yuan et al., WSDM 2019) with StackRec's residual weight:
///
///     y1  = ReLU(LN(conv_q(x)))
///     y2  = ReLU(LN(conv_2q(y1)))
///     out = x + alpha * y2
///
/// Activations are `(T, B, d)`, convolution weights `(kernel, d, d)`. `conv_q` is a convolution with dilation q; LN
/// normalises over the d channels. `alpha` is one scalar that starts at 0, as in ReZero. Without it, `out = x + y2`. x, y1
/// and out are 0 before the first item of a sequence.
public struct ConvolutionBlock: Block {
  public struct Options: Sendable {
    public let width: Int
    public let kernel: Int
    public let dilation: Int
    /// A causal block reads the current and earlier steps only. Otherwise the kernel is centred.
    public let causal: Bool
    public let alpha: Bool

    public init(width: Int, kernel: Int, dilation: Int, causal: Bool = true, alpha: Bool = true) {
      self.width = width
      self.kernel = kernel
      self.dilation = dilation
      self.causal = causal
      self.alpha = alpha
    }
  }

  static let epsilon: Float = 1e-8

  /// One convolution with its normalisation.
  private struct Half {
    let convolution: TimeConvolution
    let weight: Slot
    let prepared: Slot
    let bias: Slot
    let gain: Slot
    let shift: Slot

    func weights(_ pass: Pass) -> TimeConvolution.Weights {
      .init(pass.parameters + weight.offset, prepared: pass.prepared + prepared.offset)
    }
  }

  private let options: Options
  private let first: Half
  private let second: Half
  private let alpha: Slot?

  public init(_ options: Options, in builder: LayoutBuilder) {
    self.options = options
    let d = options.width
    func half(_ number: Int, _ dilation: Int) -> Half {
      let convolution =
        options.causal
        ? TimeConvolution(causal: options.kernel, dilation: dilation, channelsIn: d, channelsOut: d)
        : TimeConvolution(symmetric: options.kernel, dilation: dilation, channelsIn: d, channelsOut: d)
      return Half(
        convolution: convolution,
        weight: builder.add(
          "conv\(number).weight", [options.kernel, d, d], .truncatedNormal(0.02), .blocks, reference: .always),
        prepared: builder.reserve(convolution.preparedCount),
        bias: builder.add("conv\(number).bias", [d], .constant(0), .blocks, reference: .always),
        gain: builder.add("norm\(number).weight", [d], .constant(1), .norm, reference: .withRandom),
        shift: builder.add("norm\(number).bias", [d], .constant(0), .norm, reference: .withRandom))
    }
    first = half(1, options.dilation)
    second = half(2, 2 * options.dilation)
    alpha = options.alpha ? builder.add("alpha", [1], .constant(0), .alpha, reference: .withRandom) : nil
  }

  public var signature: String { "dilation \(options.dilation)" }

  public var stride: Int { options.causal ? options.dilation : 1 }

  public func operations(positions: Int) -> Double {
    let perRow = 2 * Double(options.width * options.width)
    return [first, second].reduce(0) { sum, half in
      sum + half.convolution.offsets.reduce(0) { $0 + perRow * Double(max(0, positions - abs($1))) }
    }
  }

  // Saved: the normalised outputs of both convolutions, and their reciprocal standard deviations, two per row. The backward
  // pass computes y1 again from the first: that is cheaper than reading y1 from beyond the core's own cache.
  public func savedCount(_ tile: Tile) -> Int { 2 * tile.rows * options.width + 2 * tile.rows }

  public func scratchCount(_ tile: Tile) -> Int {
    let convolutions = [first, second].map {
      $0.convolution.scratchCount(time: tile.positions, batch: tile.sequences)
    }
    return 3 * tile.rows * options.width + (convolutions.max() ?? 0)
  }

  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    for half in [first, second] {
      half.convolution.prepare(
        parameters + half.weight.offset, into: prepared + half.prepared.offset, training: training)
    }
  }

  /// The parts of the saved memory.
  private struct Saved {
    let norm1: UnsafeMutablePointer<Float>
    let norm2: UnsafeMutablePointer<Float>
    let rstd1: UnsafeMutablePointer<Float>
    let rstd2: UnsafeMutablePointer<Float>
  }

  private func parts(_ tile: Tile, _ saved: UnsafeMutablePointer<Float>) -> Saved {
    let size = tile.rows * options.width
    return Saved(
      norm1: saved, norm2: saved + size, rstd1: saved + 2 * size, rstd2: saved + 2 * size + tile.rows)
  }

  public func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let d = options.width
    let s = parts(tile, saved)
    let p = pass.parameters
    let y1 = pass.scratch
    let memory = pass.scratch + 3 * tile.rows * d
    first.convolution.forward(
      steps: tile.steps, batch: tile.sequences, x: x, weights: first.weights(pass), y: s.norm1, scratch: memory)
    Elementwise.normRelu(
      rows: tile.rows, c: d, x: s.norm1, bias: p + first.bias.offset, gain: p + first.gain.offset,
      shift: p + first.shift.offset, epsilon: Self.epsilon, xhat: s.norm1, rstd: s.rstd1, y: y1)
    tile.clear(y1, width: d)
    second.convolution.forward(
      steps: tile.steps, batch: tile.sequences, x: y1, weights: second.weights(pass), y: s.norm2, scratch: memory)
    Elementwise.normReluResidual(
      rows: tile.rows, c: d, x: s.norm2, bias: p + second.bias.offset, gain: p + second.gain.offset,
      shift: p + second.shift.offset, epsilon: Self.epsilon, xhat: s.norm2, rstd: s.rstd2, skip: x,
      alpha: alpha.map { p[$0.offset] } ?? 1, out: y)
    tile.clear(y, width: d)
  }

  public func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let width = options.width
    let size = tile.rows * width
    let s = parts(tile, saved)
    let p = pass.parameters
    let g = pass.gradients
    let dz2 = pass.scratch
    let dy1 = pass.scratch + size
    let y1 = pass.scratch + 2 * size
    let memory = pass.scratch + 3 * size

    Elementwise.affineRelu(
      rows: tile.rows, c: width, x: s.norm1, gain: p + first.gain.offset, shift: p + first.shift.offset, y: y1)
    tile.clear(y1, width: width)
    let dalpha = Elementwise.normReluResidualBackward(
      rows: tile.rows, c: width, dout: d, xhat: s.norm2, rstd: s.rstd2, gain: p + second.gain.offset,
      shift: p + second.shift.offset, alpha: alpha.map { p[$0.offset] } ?? 1, dx: dz2,
      dgain: g + second.gain.offset, dshift: g + second.shift.offset, dbias: g + second.bias.offset)
    if let alpha { g[alpha.offset] += dalpha }
    second.convolution.backward(
      time: tile.positions, batch: tile.sequences, x: y1, weights: second.weights(pass), dy: dz2,
      dw: g + second.weight.offset, dx: dy1, add: false, scratch: memory)
    tile.clear(dy1, width: width)
    Elementwise.normReluBackward(
      rows: tile.rows, c: width, dy: dy1, xhat: s.norm1, rstd: s.rstd1, gain: p + first.gain.offset,
      shift: p + first.shift.offset, dx: dy1, dgain: g + first.gain.offset, dshift: g + first.shift.offset,
      dbias: g + first.bias.offset)
    // `d` already has the gradient of the residual path, which is the gradient of the output. The convolution adds its own.
    first.convolution.backward(
      time: tile.positions, batch: tile.sequences, x: x, weights: first.weights(pass), dy: dy1,
      dw: g + first.weight.offset, dx: d, add: true, scratch: memory)
    tile.clear(d, width: width)
  }
}
