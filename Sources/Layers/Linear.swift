import Kernels

/// A linear layer: `y = x W + b` on the rows of an activation, with W `(in, out)` and b `(out)`, or without b. By default both
/// start uniform in ±1/sqrt(in), as PyTorch initialises linear layers and 1x1 convolutions.
public struct Linear: Preparing {
  public let inputs: Int
  public let outputs: Int
  public let weight: Slot
  private let optionalBias: Slot?
  private let transposed: Slot

  /// - Parameters:
  ///   - name: the first part of the names of both parameters.
  ///   - inputs: the width of the input.
  ///   - outputs: the width of the output.
  ///   - part: the part of the model that growth and freezing count the parameters to.
  ///   - reference: whether the authors' code copies the parameters when it stacks a model.
  ///   - initial: the initial values; nil for the default.
  ///   - hasBias: whether there is a b.
  ///   - silences: see `Parameter.silences`.
  ///   - preparesTranspose: false if `backward` is never called, so that `prepare` need not transpose the weights.
  ///   - builder: the layout that the parameters are added to.
  public init(
    _ name: String, _ inputs: Int, _ outputs: Int, _ part: ParameterPart = .blocks, reference: ReferenceCarry = .never,
    initial: (weight: Initializer, bias: Initializer)? = nil, hasBias: Bool = true, silences: Bool = false,
    preparesTranspose: Bool = true, in builder: LayoutBuilder
  ) {
    self.inputs = inputs
    self.outputs = outputs
    let bound = 1 / Float(inputs).squareRoot()
    let initial = initial ?? (.uniform(bound), .uniform(bound))
    weight = builder.add(
      name + ".weight", [inputs, outputs], initial.weight, part, reference: reference, silences: silences)
    optionalBias =
      hasBias ? builder.add(name + ".bias", [outputs], initial.bias, part, reference: reference, silences: silences) : nil
    transposed = builder.reserve(preparesTranspose ? inputs * outputs : 0)
  }

  /// The slot of b. Only for layers that have one.
  public var bias: Slot {
    guard let optionalBias else { preconditionFailure("this layer has no bias") }
    return optionalBias
  }

  /// Transposes the weights, for the gradient of the input.
  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    guard training else { return }
    Matrix.transpose(parameters + weight.offset, prepared + transposed.offset, rows: inputs, columns: outputs)
  }

  /// y = x W, for callers that add the bias in another kernel.
  @inline(__always)
  func product(_ rows: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, pass: Pass) {
    Matrix.product(x, pass.parameters + weight.offset, y, m: rows, n: outputs, k: inputs)
  }

  /// y = x W + b.
  public func forward(_ rows: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, pass: Pass) {
    product(rows, x, y, pass: pass)
    if let optionalBias { Elementwise.addBias(y, pass.parameters + optionalBias.offset, rows: rows, c: outputs) }
  }

  /// Adds to the gradient of W and, unless `biasDone`, to the gradient of b. Writes `dy W^T` to `dx`, or adds it there if
  /// `add` is true.
  public func backward(
    _ rows: Int, x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, add: Bool,
    biasDone: Bool = false, pass: Pass
  ) {
    Matrix.productTransposedLeft(
      x, dy, pass.gradients + weight.offset, m: inputs, n: outputs, k: rows, add: true)
    if let bias = optionalBias, !biasDone { Elementwise.addRowSums(pass.gradients + bias.offset, dy, rows: rows, c: outputs) }
    Matrix.product(dy, pass.prepared + transposed.offset, dx, m: rows, n: inputs, k: outputs, add: add)
  }
}

/// Layer normalisation (Ba et al., 2016) of a weighted sum, over the channels: `y = gain * norm(x + alpha * u) + shift`.
public struct Norm: Sendable {
  public let width: Int
  public let gain: Slot
  public let shift: Slot
  public let epsilon: Float

  public init(_ name: String, _ width: Int, epsilon: Float, in builder: LayoutBuilder) {
    self.width = width
    self.epsilon = epsilon
    gain = builder.add(name + ".weight", [width], .constant(1), .norm)
    shift = builder.add(name + ".bias", [width], .constant(0), .norm)
  }

  public func forward(
    _ rows: Int, x: UnsafePointer<Float>, u: UnsafePointer<Float>? = nil, alpha: Float = 1,
    xhat: UnsafeMutablePointer<Float>, rstd: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>, pass: Pass
  ) {
    Elementwise.normSum(
      rows: rows, c: width, x: x, u: u, alpha: alpha, gain: pass.parameters + gain.offset,
      shift: pass.parameters + shift.offset, epsilon: epsilon, xhat: xhat, rstd: rstd, y: y)
  }

  /// On entry `d` is the gradient of y, on exit the gradient of x. Writes the gradient of u to `du`; returns the gradient of
  /// alpha.
  public func backward(
    _ rows: Int, d: UnsafeMutablePointer<Float>, xhat: UnsafePointer<Float>, rstd: UnsafePointer<Float>,
    u: UnsafePointer<Float>? = nil, alpha: Float = 1, du: UnsafeMutablePointer<Float>? = nil, pass: Pass
  ) -> Float {
    Elementwise.normSumBackward(
      rows: rows, c: width, dy: d, xhat: xhat, rstd: rstd, gain: pass.parameters + gain.offset, u: u, alpha: alpha,
      dx: d, du: du, dgain: pass.gradients + gain.offset, dshift: pass.gradients + shift.offset)
  }
}
