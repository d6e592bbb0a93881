import Kernels

/// The output layer: scores = h W^T / T + b, with W `(V, d)`, b `(V)` and the temperature T. The output layer of the transfer
/// task has no bias. With cosine scores, h and the rows of W are divided by their lengths first, or by 1e-6 if they are shorter.
public struct OutputTable: Sendable {
  public let weight: Slot
  public let bias: Slot?
  /// The number of items V, the pad included.
  public let rows: Int
  public let width: Int
  /// Whether the rows are those of the item embedding.
  public let isTied: Bool
  public let temperature: Float
  public let isCosine: Bool

  /// The smallest length that cosine scores divide by.
  public static let shortest: Float = 1e-6

  public init(
    _ name: String = "output", rows: Int, width: Int, weight: Initializer, bias: Initializer? = nil,
    in builder: LayoutBuilder
  ) {
    self.rows = rows
    self.width = width
    isTied = false
    temperature = 1
    isCosine = false
    self.weight = builder.add(name + ".weight", [rows, width], weight, .output, sparseRows: true)
    self.bias = bias.map { builder.add(name + ".bias", [rows], $0, .output, sparseRows: true) }
  }

  /// An output layer whose rows are those of an embedding, without a bias.
  public init(tied embedding: Embedding, temperature: Double = 1, cosine: Bool = false) {
    rows = embedding.table.rows
    width = embedding.table.width
    weight = embedding.table.slot
    bias = nil
    isTied = true
    self.temperature = Float(temperature)
    isCosine = cosine
  }

  /// Whether hidden states and rows are used as they are.
  public var isPlain: Bool { temperature == 1 && !isCosine }

  /// Replaces hidden states `(rows, d)` by those that the products with the rows of the table use: `h / (max(|h|, shortest) T)`
  /// for cosine scores, `h / T` otherwise. Writes the factors of the rows to `factors`, if given.
  public func scaleHidden(_ h: UnsafeMutablePointer<Float>, rows: Int, factors: UnsafeMutablePointer<Float>? = nil) {
    if isPlain { return }
    for row in 0..<rows {
      let x = h + row * width
      let factor = (isCosine ? 1 / max(Elementwise.dot(x, x, width).squareRoot(), Self.shortest) : 1) / temperature
      Elementwise.scale(x, x, factor, width)
      factors?[row] = factor
    }
  }

  /// Replaces gradients of scaled hidden states by those of the hidden states themselves.
  public func hiddenGradient(
    _ d: UnsafeMutablePointer<Float>, scaled: UnsafePointer<Float>, factors: UnsafePointer<Float>, rows: Int
  ) {
    if isPlain { return }
    for row in 0..<rows {
      Self.gradient(
        d + row * width, scaled + row * width, factor: factors[row], length: isCosine ? 1 / temperature : nil, width)
    }
  }

  /// Replaces the gradient of a scaled vector by that of the vector x itself: `f (d - (d u) u)`, where u is the direction of x; and
  /// `f d` where x is shorter than `shortest`, or not divided by its length.
  ///
  /// - Parameters:
  ///   - scaled: f x.
  ///   - d: the gradient.
  ///   - factor: f.
  ///   - width: the number of values.
  ///   - length: the length of f x; nil if it was not divided by its length.
  public static func gradient(
    _ d: UnsafeMutablePointer<Float>, _ scaled: UnsafePointer<Float>, factor: Float, length: Float?, _ width: Int
  ) {
    if let length {
      let squares = Elementwise.dot(scaled, scaled, width)
      // A vector shorter than `shortest` was divided by a constant.
      if squares > 0.999 * length * length {
        Elementwise.addScaled(d, scaled, -Elementwise.dot(d, scaled, width) / squares, width)
      }
    }
    Elementwise.scale(d, d, factor, width)
  }
}
