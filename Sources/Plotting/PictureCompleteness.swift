import Foundation

extension PictureFormat {
  /// Is a picture of this format complete? gnuplot does not check whether its writes succeed, so a full disk or a limit on the
  /// size of files can truncate a picture.
  func isComplete(_ picture: Data) -> Bool {
    switch self {
    case .svg: Self.begins(picture, ["<?xml", "<svg"]) && Self.ends(picture, "</svg>")
    case .pdf: Self.isCompletePDF(picture)
    case .png: Self.isCompletePNG(picture)
    case .eps: Self.begins(picture, ["%!PS-Adobe"]) && Self.ends(picture, "%%EOF")
    case .tex: Self.ends(picture, "\\endgroup")
    case .tikz: Self.ends(Self.withoutLastComments(picture), "\\end{tikzpicture}")
    }
  }

  private static func begins(_ data: Data, _ texts: [String]) -> Bool { texts.contains { data.starts(with: Data($0.utf8)) } }

  /// The last line that is not a comment. gnuplot writes comment lines after a TikZ picture.
  private static func withoutLastComments(_ data: Data) -> Data {
    var lines = data.split(separator: 0x0a)
    while lines.last?.first == UInt8(ascii: "%") { lines.removeLast() }
    return lines.last ?? Data()
  }

  /// Does the data end with a text, apart from white space?
  private static func ends(_ data: Data, _ text: String) -> Bool {
    var end = data.endIndex
    while end > data.startIndex, [0x09, 0x0a, 0x0d, 0x20].contains(data[end - 1]) { end -= 1 }
    return data[..<end].suffix(text.utf8.count).elementsEqual(text.utf8)
  }

  /// A complete PDF ends with `startxref`, the offset of the cross-reference table, and `%%EOF`.
  private static func isCompletePDF(_ data: Data) -> Bool {
    guard begins(data, ["%PDF-"]), ends(data, "%%EOF") else { return false }
    let tail = String(decoding: data.suffix(1024), as: UTF8.self)
    guard let mark = tail.range(of: "startxref", options: .backwards),
      let offset = Int(tail[mark.upperBound...].split(whereSeparator: \.isWhitespace).first ?? ""), offset > 0, offset < data.count
    else { return false }
    // The offset must be that of a table or of a cross-reference stream, which is an object.
    let table = data.dropFirst(offset).prefix(32)
    return table.starts(with: Data("xref".utf8)) || String(decoding: table, as: UTF8.self).contains(" obj")
  }

  /// A complete PNG consists of chunks with correct checksums and ends with an IEND chunk.
  private static func isCompletePNG(_ data: Data) -> Bool {
    let bytes = [UInt8](data)
    guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return false }
    func number(_ offset: Int) -> Int { bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = number(offset)
      guard length <= bytes.count - offset - 12 else { return false }
      let end = offset + 8 + length
      guard checksum(bytes[(offset + 4)..<end]) == UInt32(number(end)) else { return false }
      if bytes[(offset + 4)..<(offset + 8)].elementsEqual("IEND".utf8) { return end + 4 == bytes.count }
      offset = end + 4
    }
    return false
  }

  /// CRC-32 as used by PNG and zlib.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 255)] ^ (crc >> 8) }
    return ~crc
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
  }
}
