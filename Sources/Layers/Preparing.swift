import Kernels

/// A part of a network that computes with more than its parameters: with something it makes of them once a step, at a
/// place it has reserved in the layout.
public protocol Preparing: Sendable {
  /// Called when the parameters have changed; `training` being false leaves out what only the backward pass reads.
  func prepare(_ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool)
  /// After the backward passes of a batch: turns gradients of what it had prepared into those of its parameters. The
  /// lanes are parts of the gradient, laid out as the parameters, whose sum counts.
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

  /// Lets every part prepare; to be called whenever the parameters have changed.
  public func prepare(_ parameters: FloatBuffer, into prepared: FloatBuffer, training: Bool, pool: WorkerPool) {
    let parts = preparing
    pool.forEach(parts.count) { index, _ in
      parts[index].prepare(parameters.base, into: prepared.base, training: training)
    }
  }
}
