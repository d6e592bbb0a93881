import Foundation

/// The file formats of pictures.
public enum PictureFormat: String, Sendable, CaseIterable {
  case pdf, svg, png, eps
  /// LaTeX sets the text in the font of the document; the lines are in a separate PDF (gnuplot's cairolatex).
  case tex
  /// TikZ commands.
  case tikz

  /// Does TeX process the texts?
  var isTeX: Bool { self == .tex || self == .tikz }

  func terminal(_ figure: Figure) -> String {
    let (w, h) = (figure.size.width, figure.size.height)
    let name = figure.font ?? "Liberation Sans"
    let points = figure.fontSize ?? figure.theme.fontSize
    let font = "font \(GnuplotScript.quoted("\(name),\(Self.number(points))"))"
    let weight = Self.number(lineScale * figure.theme.weight)
    let ground = figure.theme.background.map { " background rgb '\($0)'" } ?? ""
    let centimetres = "size \(Self.number(w))cm,\(Self.number(h))cm"
    switch self {
    case .pdf: return "set terminal pdfcairo noenhanced color \(centimetres) \(font) fontscale 0.75 linewidth \(weight)\(ground)"
    case .eps: return "set terminal epscairo noenhanced color \(centimetres) \(font) fontscale 0.75 linewidth \(weight)\(ground)"
    case .png:
      // 300 dots per inch. gnuplot takes the font size in points at 72 dots per inch.
      let scale = 300 / 2.54
      return
        "set terminal pngcairo noenhanced color size \(Int(w * scale)),\(Int(h * scale)) fontscale \(Self.number(300.0 / 72 * 0.75)) linewidth \(weight) \(font)\(ground)"
    case .svg:
      // The unit is a point, 72 per inch, so that the picture is as large on a page as the PDF.
      let scale = 72 / 2.54
      let family = figure.font ?? "Liberation Sans,Arial,sans-serif"
      let size = "size \(Int((w * scale).rounded())),\(Int((h * scale).rounded())) dynamic"
      return
        "set terminal svg noenhanced \(size) font \(GnuplotScript.quoted("\(family),\(Self.number(points))")) linewidth \(weight)"
        + (figure.theme.background.map { " background \(GnuplotScript.quoted($0))" } ?? "")
    case .tex: return "set terminal cairolatex pdf input colortext \(centimetres) linewidth \(weight)\(ground)"
    case .tikz: return "set terminal tikz color \(centimetres) linewidth \(weight)\(ground)"
    }
  }

  // gnuplot's pdfcairo draws text at two thirds and lines at half of their size, epscairo lines at a quarter; the others have other
  // units again. With these factors and `fontscale`, a text of 8 points has 8 points in every format, and a line of width 1 has three
  // quarters of a point.

  /// gnuplot's line width for a line of width 1.
  private var lineScale: Double {
    switch self {
    case .pdf, .tex: 1.5
    case .eps: 3
    case .svg: 0.75
    case .png: 300.0 / 72 * 0.75
    case .tikz: 1
    }
  }

  /// The factor of marker sizes, so that markers are as large in all formats.
  var markerScale: Double {
    switch self {
    case .pdf, .eps, .tex, .tikz: 1
    case .svg: 1.4
    case .png: 3
    }
  }

  static func number(_ value: Double) -> String { String(format: "%.10g", value) }
}
