import Foundation

extension PictureFormat {
  /// Is a picture of this format all there? gnuplot does not look whether its writes succeed, so a full disk or a limit on
  /// the size of files leaves the beginning of one.
  func isWhole(_ picture: Data) -> Bool {
    switch self {
    case .svg: Self.begins(picture, ["<?xml", "<svg"]) && Self.ends(picture, "</svg>")
    case .pdf: Self.isWholePDF(picture)
    case .png: Self.isWholePNG(picture)
    case .eps: Self.begins(picture, ["%!PS-Adobe"]) && Self.ends(picture, "%%EOF")
    case .tex: Self.ends(picture, "\\endgroup")
    case .tikz: Self.ends(Self.withoutLastComments(picture), "\\end{tikzpicture}")
    }
  }

  private static func begins(_ data: Data, _ texts: [String]) -> Bool { texts.contains { data.starts(with: Data($0.utf8)) } }

  /// gnuplot ends a TikZ picture with lines that say which variables it would list.
  private static func withoutLastComments(_ data: Data) -> Data {
    var lines = data.split(separator: 0x0a)
    while lines.last?.first == UInt8(ascii: "%") { lines.removeLast() }
    return lines.last ?? Data()
  }

  /// White space behind the text aside.
  private static func ends(_ data: Data, _ text: String) -> Bool {
    var end = data.endIndex
    while end > data.startIndex, [0x09, 0x0a, 0x0d, 0x20].contains(data[end - 1]) { end -= 1 }
    return data[..<end].suffix(text.utf8.count).elementsEqual(text.utf8)
  }

  /// The last lines are `startxref`, where the table of objects begins, and `%%EOF`.
  private static func isWholePDF(_ data: Data) -> Bool {
    guard begins(data, ["%PDF-"]), ends(data, "%%EOF") else { return false }
    let tail = String(decoding: data.suffix(1024), as: UTF8.self)
    guard let mark = tail.range(of: "startxref", options: .backwards),
      let place = Int(tail[mark.upperBound...].split(whereSeparator: \.isWhitespace).first ?? ""), place > 0, place < data.count
    else { return false }
    // A table, or an object that holds one.
    let table = data.dropFirst(place).prefix(32)
    return table.starts(with: Data("xref".utf8)) || String(decoding: table, as: UTF8.self).contains(" obj")
  }

  /// Chunks with their checksums, the last one IEND, and nothing behind it.
  private static func isWholePNG(_ data: Data) -> Bool {
    let bytes = [UInt8](data)
    guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return false }
    func number(_ place: Int) -> Int { bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) } }
    var place = 8
    while place + 12 <= bytes.count {
      let length = number(place)
      guard length <= bytes.count - place - 12 else { return false }
      let end = place + 8 + length
      guard checksum(bytes[(place + 4)..<end]) == UInt32(number(end)) else { return false }
      if bytes[(place + 4)..<(place + 8)].elementsEqual("IEND".utf8) { return end + 4 == bytes.count }
      place = end + 4
    }
    return false
  }

  /// CRC-32 as PNG and zlib have it.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 255)] ^ (crc >> 8) }
    return ~crc
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
  }
}
