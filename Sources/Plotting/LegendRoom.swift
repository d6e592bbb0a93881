/// Whether a legend has room, by the widths of its letters; gnuplot leaves one out that has none.
struct LegendRoom {
  /// Of the panel and of what stands inside its axes, in centimetres (or columns).
  let width, inside: Double
  /// Of the longest label and the line or box beside it, at the usual size.
  let needed: Double
  /// The usual size of letters and the smallest that can be read, in points.
  let size, smallest: Double

  /// Beside or above points, without hiding most of them.
  var fitsInCorner: Bool { needed <= 0.6 * inside }
  /// At the right of the axes, which keep half of the width.
  var fitsBeside: Bool { needed <= 0.5 * width }

  /// Points at which it fits above the axes; nil where no size is small enough.
  var sizeAbove: Double? {
    let fitting = size * min(1, 0.97 * width / needed)
    return fitting >= smallest ? fitting : nil
  }

  /// A text's width in multiples of the size of its letters. Sans serif fonts differ by a tenth.
  static func width(of text: String) -> Double {
    text.unicodeScalars.reduce(0) { sum, letter in
      switch letter {
      case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!": sum + 0.28
      case " ", "f", "r", "t", "(", ")", "[", "]", "-", "/": sum + 0.36
      case "m", "M", "W", "w", "@", "%": sum + 0.9
      case "A"..."Z": sum + 0.72
      default: sum + (letter.value >= 0x1100 ? 1.02 : 0.57)
      }
    }
  }
}
