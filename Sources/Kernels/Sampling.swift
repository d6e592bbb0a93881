/// Uniform draws of items.
public enum Sampling {
  /// An item of `items` (the pad, 0, included) that is neither the pad nor `target`.
  public static func other(than target: Int, items: Int, _ numbers: inout RandomNumbers) -> Int {
    let drawn = 1 + numbers.below(items - 2)
    return drawn < target ? drawn : drawn + 1
  }
}
