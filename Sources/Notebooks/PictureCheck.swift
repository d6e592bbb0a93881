import Foundation

/// Checks that a picture is plain SVG as gnuplot writes it. Pages contain the pictures verbatim, so a picture that
/// could run scripts, load other files or close the `svg` element early must be rejected. Pictures may come from a
/// cache file that others have changed.
enum PictureCheck {
  private static let elements: Set<String> = [
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title", "desc", "defs", "use",
    "clipPath", "linearGradient", "radialGradient", "stop", "pattern", "mask", "image", "filter", "feFlood", "feComposite",
  ]
  /// Elements whose contents a page parses as HTML. They must contain only text.
  private static let texts: Set<String> = ["title", "desc"]

  static func isPlain(_ svg: String) -> Bool {
    var rest = Array(svg.utf8)[...]
    guard !rest.contains(0) else { return false }
    skipBlanks(&rest)
    if rest.starts(with: "<?xml ".utf8) {
      guard let end = rest.firstIndex(of: 0x3e), rest[rest.index(before: end)] == 0x3f else { return false }
      rest = rest[(end + 1)...]
    }
    skipBlanks(&rest)
    guard rest.starts(with: "<svg".utf8) else { return false }
    var open: [String] = []
    var isFirst = true
    while let byte = rest.first {
      guard byte == 0x3c else {
        // Text is allowed only inside the picture.
        if open.isEmpty { return rest.allSatisfy(isBlank) }
        rest = rest.drop { $0 != 0x3c }
        continue
      }
      rest.removeFirst()
      guard isFirst || !open.isEmpty else { return false }
      isFirst = false
      if rest.first == 0x2f {
        rest.removeFirst()
        guard name(&rest) == open.popLast() else { return false }
        skipBlanks(&rest)
        guard rest.popFirst() == 0x3e else { return false }
        continue
      }
      let element = name(&rest)
      guard elements.contains(element), !(open.last.map(texts.contains) ?? false), let isClosed = attributes(&rest) else { return false }
      if !isClosed { open.append(element) }
    }
    return open.isEmpty
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

  private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) { rest = rest.drop(while: isBlank) }

  private static func name(_ rest: inout ArraySlice<UInt8>) -> String {
    let letters = rest.prefix {
      ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x41 && $0 <= 0x5a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2d || $0 == 0x3a || $0 == 0x5f
    }
    rest = rest[letters.endIndex...]
    return String(decoding: letters, as: UTF8.self)
  }

  /// Reads the attributes of an element up to the end of its tag.
  ///
  /// - Returns: Whether the tag also closes the element; nil if an attribute is not plain.
  private static func attributes(_ rest: inout ArraySlice<UInt8>) -> Bool? {
    while true {
      let before = rest.count
      skipBlanks(&rest)
      if rest.starts(with: "/>".utf8) {
        rest = rest.dropFirst(2)
        return true
      }
      if rest.first == 0x3e {
        rest.removeFirst()
        return false
      }
      guard rest.count < before else { return nil }
      let name = name(&rest).lowercased()
      skipBlanks(&rest)
      guard !name.isEmpty, !name.hasPrefix("on"), rest.popFirst() == 0x3d else { return nil }
      skipBlanks(&rest)
      guard let quote = rest.popFirst(), quote == 0x22 || quote == 0x27, let end = rest.firstIndex(of: quote) else { return nil }
      guard isPlain(value: rest[..<end], of: name) else { return nil }
      rest = rest[(end + 1)...]
    }
  }

  private static func isPlain(value: ArraySlice<UInt8>, of name: String) -> Bool {
    let text = String(decoding: value.filter { $0 > 0x20 }, as: UTF8.self).lowercased()
    if name == "href" || name.hasSuffix(":href") {
      return text.hasPrefix("#") || text.hasPrefix("data:image/png;base64,") && !text.contains("&")
    }
    // The names of XML namespaces are addresses, but nothing is loaded from them.
    if name == "xmlns" || name.hasPrefix("xmlns:") { return text.hasPrefix("http://www.w3.org/") }
    // Escapes could hide the texts that are searched for below.
    if name == "style" && (text.contains("\\") || text.contains("&")) { return false }
    let addresses = text.components(separatedBy: "url(").dropFirst()
    return addresses.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("'#") } && !text.contains("script:") && !text.contains("@import")
      && !text.contains("expression(") && (name != "src" && name != "style" || !text.contains("data:"))
      && !(text.contains("&") && text.contains("url"))
  }
}
