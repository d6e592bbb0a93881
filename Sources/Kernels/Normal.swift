import Glibc

extension RandomNumbers {
  /// Standard normal (Box-Muller; the second of the pair is thrown away to keep the stream simple).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// Standard normal, drawn again while outside two standard deviations, as TensorFlow's truncated normal does.
  public mutating func truncatedNormal() -> Double {
    while true {
      let x = normal()
      if abs(x) <= 2 { return x }
    }
  }
}
