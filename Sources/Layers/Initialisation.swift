import Foundation

/// How a model's matrices and embeddings are initialised.
public enum Initialisation: String, Codable, Sendable, CaseIterable {
  /// Embeddings normal 0.01; linear layers as PyTorch's: weight and bias uniform in ±1/sqrt(in).
  case pytorch
  /// Embeddings and matrices normal 0.02, biases 0; queries, keys and values, as one matrix `(d, 3d)`, uniform in
  /// ±sqrt(6/(d + 3d)).
  case normal
  /// Every matrix and embedding normal with deviation sqrt(2/(rows + columns)); queries, keys and values as one matrix. Biases
  /// of attention 0, others uniform in ±1/sqrt(in).
  case xavier

  /// An embedding table.
  public func table(_ rows: Int, _ width: Int) -> Initializer {
    switch self {
    case .pytorch: .normal(0.01)
    case .normal: .normal(0.02)
    case .xavier: .normal(Self.xavier(rows, width))
    }
  }

  /// A linear layer.
  func linear(_ inputs: Int, _ outputs: Int) -> (weight: Initializer, bias: Initializer) {
    let bound = 1 / Float(inputs).squareRoot()
    return switch self {
    case .pytorch: (.uniform(bound), .uniform(bound))
    case .normal: (.normal(0.02), .constant(0))
    case .xavier: (.normal(Self.xavier(inputs, outputs)), .uniform(bound))
    }
  }

  /// The layers of queries, keys and values.
  func attention(_ width: Int) -> (weight: Initializer, bias: Initializer) {
    let bound = 1 / Float(width).squareRoot()
    return switch self {
    case .pytorch: (.uniform(bound), .uniform(bound))
    case .normal: (.uniform((6 / Float(4 * width)).squareRoot()), .constant(0))
    case .xavier: (.normal(Self.xavier(width, 3 * width)), .constant(0))
    }
  }

  /// The output projection of attention.
  func projection(_ width: Int) -> (weight: Initializer, bias: Initializer) {
    (linear(width, width).weight, self == .pytorch ? linear(width, width).bias : .constant(0))
  }

  private static func xavier(_ rows: Int, _ columns: Int) -> Float { (2 / Float(rows + columns)).squareRoot() }
}
