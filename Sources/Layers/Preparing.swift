import Kernels

/// A part of a network that computes derived values from its parameters once per step, e.g. transposed weights. It reserves
/// the memory for them with `LayoutBuilder.reserve`.
public protocol Preparing: Sendable {
  /// Computes the derived values. Must be called whenever the parameters have changed. If `training` is false, this leaves
  /// out what only the backward pass reads.
  func prepare(_ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool)
  /// Computes the gradients of the parameters from the gradients of the derived values, after the backward passes of a
  /// batch. Each lane has a part of the gradient, in the layout of the parameters; the gradient is the sum of all lanes.
  func finish(_ parameters: UnsafePointer<Float>, lanes: [UnsafeMutablePointer<Float>])
}

extension Preparing {
  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {}
  public func finish(_ parameters: UnsafePointer<Float>, lanes: [UnsafeMutablePointer<Float>]) {}
}

extension Network {
  public var preparing: [any Preparing] { stacks.flatMap(\.blocks) }

  /// Calls `prepare` of every part. Must be called whenever the parameters have changed.
  public func prepare(_ parameters: FloatBuffer, into prepared: FloatBuffer, training: Bool, pool: WorkerPool) {
    let parts = preparing
    pool.forEachUntilCancelled(parts.count) { index, _ in
      parts[index].prepare(parameters.base, into: prepared.base, training: training)
    }
  }
}
