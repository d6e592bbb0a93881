import Kernels

/// A source of dropout masks. A mask has one multiplier per value: 0, or 1 / (1 - rate).
///
/// This is a protocol so that tests can use the masks of an independent implementation.
public protocol DropoutMasks: AnyObject, Sendable {
  /// Fills `mask` for one sequence of the batch. `layer` names the layer, e.g. `blocks.2.attention`.
  func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, layer: String, sequence: Int, rate: Double)
}

/// Dropout masks from counter-based random streams, one stream per layer. The masks are the same for any number of threads
/// and differ from step to step.
public final class StreamMasks: DropoutMasks {
  private let seed: UInt64
  private let step: UInt64

  public init(seed: UInt64, step: UInt64) {
    self.seed = seed
    self.step = step
  }

  public func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, layer: String, sequence: Int, rate: Double) {
    RandomStream(seed: seed, "dropout/" + layer)
      .fillMask(mask, count: count, substream: step << 24 | UInt64(sequence), rate: rate)
  }
}

/// A dropout layer (Srivastava et al., 2014). In training, each value becomes 0 with probability `rate`; the others are
/// multiplied by 1 / (1 - rate). The mask of a sequence is computed when it is needed, in the forward pass and again in the
/// backward pass, so no mask is saved.
public struct Dropout: Sendable {
  public let rate: Double
  private let layer: String

  /// - Parameters:
  ///   - rate: the probability of a 0.
  ///   - layer: the name of the layer, which names its random stream.
  public init(_ rate: Double, layer: String) {
    self.rate = rate
    self.layer = layer
  }

  /// The multiplier of a value that is not dropped.
  public func scale(_ pass: Pass) -> Float { isActive(pass) ? Float(1 / (1 - rate)) : 1 }

  public func isActive(_ pass: Pass) -> Bool { rate > 0 && pass.dropout != nil }

  /// x *= mask, x being `(T, B, width)`. The mask of a sequence begins at its first item. `memory` has room for `T * width`
  /// floats.
  public func apply(
    _ tile: Tile, width: Int, _ x: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int,
    memory: UnsafeMutablePointer<Float>
  ) {
    guard isActive(pass) else { return }
    for b in 0..<tile.sequences {
      let start = tile.start(b)
      fill(memory, count: (tile.positions - start) * width, pass: pass, sequence: sequence + b)
      for t in start..<tile.positions {
        Elementwise.multiply(x + (t * tile.sequences + b) * width, memory + (t - start) * width, width)
      }
    }
  }

  func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, pass: Pass, sequence: Int) {
    pass.dropout?.fill(mask, count: count, layer: layer, sequence: sequence, rate: rate)
  }
}
