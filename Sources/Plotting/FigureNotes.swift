import CGnuplot
import Files

// What a picture cannot show, in words.
extension Figure {
  /// Sentences about what is left out of the picture, or drawn as something else.
  ///
  /// - Parameter drawsLetters: are the letters drawn by fonts of this system? Those of SVG and TeX are drawn by whoever
  ///   shows them.
  public func notes(drawsLetters: Bool) -> [String] {
    var notes: [String] = []
    let all = panels.flatMap { [$0] + $0.insets.map(\.panel) }
    let left = all.reduce(0) { $0 + $1.countBelowLogarithm }
    if left > 0 {
      notes.append("\(left) value\(left == 1 ? " is" : "s are") not drawn: a logarithmic axis has no place for what is not above 0")
    }
    guard drawsLetters else { return notes }
    if let font, !Fonts.isKnown(font) {
      notes.append("there is no font \(font) on this system, so another one stands in; fc-list names them")
    }
    let missing = Fonts.missing(texts.joined())
    if !missing.isEmpty {
      let shown = missing.prefix(12).map(String.init).joined(separator: " ") + (missing.count > 12 ? " …" : "")
      notes.append(
        "no font of this system has \(missing.count == 1 ? "the letter" : "the letters") \(shown), so the picture has boxes in their place; "
          + "to install: sudo apt install \(Fonts.packages(for: missing).joined(separator: " "))")
    }
    return notes
  }

  /// Everything in it that is written in letters.
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
  /// How many values a logarithmic axis has no place for.
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
      // A bin without a number in it has nothing to draw.
      case .histogram, .heatmap, .stacks: break
      }
    }
    return count
  }
}

/// What the fonts of the system can draw, by fontconfig.
enum Fonts {
  /// Letters that no font of the system has, each once, in their order. Empty where fontconfig is not to be had.
  static func missing(_ text: String) -> [Unicode.Scalar] {
    var seen: Set<Unicode.Scalar> = []
    let letters = text.unicodeScalars.filter { scalar in
      // What joins or varies others draws nothing of its own.
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .spaceSeparator, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark: false
      default: scalar.value > 0x7f && seen.insert(scalar).inserted
      }
    }
    guard !letters.isEmpty else { return [] }
    let numbers = letters.map(\.value)
    var has = [Bool](repeating: true, count: numbers.count)
    // Fonts lie outside of any sandbox.
    guard Sandbox.outside({ srs_fonts_have(numbers, numbers.count, &has) }) else { return [] }
    return zip(letters, has).filter { !$0.1 }.map(\.0)
  }

  /// Is there a font of that name? True where that cannot be found out.
  static func isKnown(_ family: String) -> Bool {
    ["sans", "sans-serif", "serif", "monospace"].contains(family.lowercased()) || Sandbox.outside { srs_fonts_know(family) }
  }

  /// Packages of Debian that have such letters.
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
