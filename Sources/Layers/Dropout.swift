import Kernels

/// Where the multipliers of dropout come from: 0 or 1 / (1 - rate), one a value.
///
/// A seam, so that tests can give the masks of an independent implementation.
public protocol DropoutMasks: AnyObject, Sendable {
  /// Fills `mask` for one sequence of the batch. `place` names the layer, e.g. `blocks.2.attention`.
  func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, place: String, sequence: Int, rate: Double)
}

/// Masks from counter-based streams, one a layer: the same for any number of threads, new at every step.
public final class StreamMasks: DropoutMasks {
  private let seed: UInt64
  private let step: UInt64

  public init(seed: UInt64, step: UInt64) {
    self.seed = seed
    self.step = step
  }

  public func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, place: String, sequence: Int, rate: Double) {
    RandomStream(seed: seed, "dropout/" + place)
      .fillMask(mask, count: count, place: step << 24 | UInt64(sequence), rate: rate)
  }
}

/// Dropout (Srivastava et al., 2014) at one place of a network: in training a random share of the values becomes 0,
/// the rest grows by 1 / (1 - rate). Masks are made a sequence at a time, the same forward and backward, so none is
/// kept.
public struct Dropout: Sendable {
  public let rate: Double
  private let place: String

  public init(_ rate: Double, place: String) {
    self.rate = rate
    self.place = place
  }

  /// What an unmasked value is multiplied with.
  public func kept(_ pass: Pass) -> Float { isActive(pass) ? Float(1 / (1 - rate)) : 1 }

  public func isActive(_ pass: Pass) -> Bool { rate > 0 && pass.dropout != nil }

  /// x *= mask for `(T, B, width)`; `memory` holds `T * width` floats.
  public func apply(
    _ tile: Tile, width: Int, _ x: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int,
    memory: UnsafeMutablePointer<Float>
  ) {
    guard isActive(pass) else { return }
    for b in 0..<tile.sequences {
      fill(memory, count: tile.positions * width, pass: pass, sequence: sequence + b)
      for t in 0..<tile.positions {
        Elementwise.multiply(x + (t * tile.sequences + b) * width, memory + t * width, width)
      }
    }
  }

  func fill(_ mask: UnsafeMutablePointer<Float>, count: Int, pass: Pass, sequence: Int) {
    pass.dropout?.fill(mask, count: count, place: place, sequence: sequence, rate: rate)
  }
}
