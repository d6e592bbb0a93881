import Glibc

extension RandomNumbers {
  /// A standard normal number by the Box-Muller transform. The second number of the pair is not used, which keeps the stream
  /// simple.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A standard normal number within two standard deviations. Numbers outside are drawn again, as TensorFlow's truncated
  /// normal initialiser does.
  public mutating func truncatedNormal() -> Double {
    while true {
      let x = normal()
      if abs(x) <= 2 { return x }
    }
  }
}
