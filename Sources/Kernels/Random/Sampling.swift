/// Uniform draws of items.
public enum Sampling {
  /// Draws an item from 1..<items that is not `target`. Item 0 is the pad; `items` counts it.
  public static func other(than target: Int, items: Int, _ numbers: inout RandomNumbers) -> Int {
    let drawn = 1 + numbers.below(items - 2)
    return drawn < target ? drawn : drawn + 1
  }
}
