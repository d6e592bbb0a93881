/// Estimates whether a legend fits, from the widths of its characters. gnuplot silently omits a legend that does not fit.
struct LegendRoom {
  /// The width of the panel and the width inside its axes, in centimetres (or columns).
  let width, inside: Double
  /// The width of the longest label with its sample, at the usual font size.
  let needed: Double
  /// The usual font size and the smallest readable one, in points.
  let size, smallest: Double

  /// Does it fit in a corner of the axes without hiding most of the data?
  var fitsInCorner: Bool { needed <= 0.6 * inside }
  /// Does it fit to the right of the axes, which keep half of the width?
  var fitsBeside: Bool { needed <= 0.5 * width }

  /// The font size in points at which it fits above the axes; nil if no readable size is small enough.
  var sizeAbove: Double? {
    let fitting = size * min(1, 0.97 * width / needed)
    return fitting >= smallest ? fitting : nil
  }

  /// The estimated width of a text as a multiple of the font size. Sans serif fonts differ by about a tenth.
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
