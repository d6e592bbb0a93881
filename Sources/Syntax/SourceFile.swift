/// A source text with a name and an index of its lines.
public final class SourceFile: Sendable {
  /// The name shown in messages: a path, `<prompt>` or `<stdin>`.
  public let name: String
  public let bytes: [UInt8]
  private let lineStarts: [Int]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == 0x0a { starts.append(offset + 1) }
    lineStarts = starts
  }

  public convenience init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }

  public var lineCount: Int { lineStarts.count }

  /// The line, counted from 0, that contains a byte offset.
  public func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The byte range of a line, without its line break.
  public func lineRange(_ line: Int) -> Range<Int> {
    let start = lineStarts[line]
    var end = line + 1 < lineStarts.count ? lineStarts[line + 1] - 1 : bytes.count
    if end > start && bytes[end - 1] == 0x0d { end -= 1 }
    return start..<max(start, end)
  }

  public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The line and column of a byte offset, both counted from 1. Columns are counted in characters.
  public func location(of offset: Int) -> (line: Int, column: Int) {
    let line = line(at: offset)
    let start = lineStarts[line]
    return (line + 1, text(start..<max(start, min(offset, bytes.count))).count + 1)
  }
}

/// A range of bytes in a source file.
public struct Span: Sendable {
  public let file: SourceFile
  public let range: Range<Int>

  public init(_ file: SourceFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  /// The span from the start of this one to the end of `other`.
  public func to(_ other: Span) -> Span {
    Span(file, range.lowerBound..<max(range.lowerBound, other.range.upperBound))
  }

  public var text: String { file.text(range) }

  /// `file:line:column`
  public var location: String {
    let (line, column) = file.location(of: range.lowerBound)
    return "\(file.name):\(line):\(column)"
  }
}
