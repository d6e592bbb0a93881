import CGnuplot
import Files

// Notes about data that a picture cannot show.
extension Figure {
  /// Sentences about data that the picture omits or shows differently.
  ///
  /// - Parameter drawsLetters: Whether fonts of this system are used. For SVG and TeX, the program that shows the picture
  ///   chooses the fonts.
  public func notes(drawsLetters: Bool) -> [String] {
    var notes: [String] = []
    let all = panels.flatMap { [$0] + $0.insets.map(\.panel) }
    let left = all.reduce(0) { $0 + $1.countBelowLogarithm }
    if left > 0 {
      notes.append("\(left) value\(left == 1 ? " is" : "s are") not drawn, because a logarithmic axis shows only values above 0")
    }
    guard drawsLetters else { return notes }
    if let font, !Fonts.isKnown(font) {
      notes.append("there is no font \(font) on this system, so another one is used; fc-list lists the fonts")
    }
    let missing = Fonts.missing(texts.joined())
    if !missing.isEmpty {
      let shown = missing.prefix(12).map(String.init).joined(separator: " ") + (missing.count > 12 ? " …" : "")
      notes.append(
        "no font of this system has \(missing.count == 1 ? "the letter" : "the letters") \(shown), so the picture has boxes instead; "
          + "to install: sudo apt install \(Fonts.packages(for: missing).joined(separator: " "))")
    }
    return notes
  }

  /// All texts of the figure.
  var texts: [String] {
    var texts = [title]
    for panel in panels.flatMap({ [$0] + $0.insets.map(\.panel) }) {
      texts += [panel.title, panel.x.label, panel.y.label, panel.right.label]
      texts += panel.marks.map(\.label) + panel.spans.map(\.label) + panel.notes.map(\.text)
      for layer in panel.layers {
        switch layer {
        case .line(let line): texts.append(line.label)
        case .bars(let bars): texts += [bars.label] + bars.names.map { $0 }
        case .histogram(let histogram): texts.append(histogram.label)
        case .boxes(let boxes): texts += boxes.groups.map(\.name)
        case .stacks(let stacks): texts += stacks.names.map { $0 } + ["←"]
        case .heatmap: break
        }
      }
    }
    return texts.compactMap { $0 }
  }
}

extension Panel {
  /// The number of values that logarithmic axes cannot show, because they are not above 0.
  fileprivate var countBelowLogarithm: Int {
    var count = 0
    for layer in layers {
      switch layer {
      case .line(let line):
        let isLogarithmic = line.onRight ? right.logarithmic : y.logarithmic
        count += line.points.count { ($0.y <= 0 && isLogarithmic) || ($0.x <= 0 && x.logarithmic) }
      case .bars(let bars): if y.logarithmic { count += bars.values.count { $0 <= 0 } }
      case .boxes(let boxes):
        if y.logarithmic { count += boxes.groups.count { $0.low <= 0 } + boxes.groups.reduce(0) { $0 + $1.outside.count { $0 <= 0 } } }
      // An empty bin is drawn as nothing on any axis.
      case .histogram, .heatmap, .stacks: break
      }
    }
    return count
  }
}

/// The fonts of the system, by fontconfig.
enum Fonts {
  /// The characters of a text that no font contains, each once, in order. Empty if fontconfig is not available.
  static func missing(_ text: String) -> [Unicode.Scalar] {
    var seen: Set<Unicode.Scalar> = []
    let letters = text.unicodeScalars.filter { scalar in
      // Combining and formatting characters draw nothing of their own.
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .spaceSeparator, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark: false
      default: scalar.value > 0x7f && seen.insert(scalar).inserted
      }
    }
    guard !letters.isEmpty else { return [] }
    let numbers = letters.map(\.value)
    var has = [Bool](repeating: true, count: numbers.count)
    // Fonts are files outside of the sandbox.
    guard Sandbox.outside({ srs_fonts_have(numbers, numbers.count, &has) }) else { return [] }
    return zip(letters, has).filter { !$0.1 }.map(\.0)
  }

  /// Is there a font of this name? True if fontconfig is not available.
  static func isKnown(_ family: String) -> Bool {
    ["sans", "sans-serif", "serif", "monospace"].contains(family.lowercased()) || Sandbox.outside { srs_fonts_know(family) }
  }

  /// The Debian packages with fonts for these characters.
  static func packages(for letters: [Unicode.Scalar]) -> [String] {
    let names = letters.map { letter -> String in
      switch letter.value {
      case 0x1100...0x11ff, 0x2e80...0xa4cf, 0xac00...0xd7ff, 0xf900...0xfaff, 0xfe30...0xfe4f, 0xff00...0xffef, 0x20000...0x3ffff:
        "fonts-noto-cjk"
      case 0x1f000...0x1faff, 0x2600...0x27bf: "fonts-noto-color-emoji"
      default: "fonts-noto-core"
      }
    }
    return Set(names).sorted()
  }
}
