/// A text with a name, and where its lines start.
public final class SourceFile: Sendable {
  /// As people know it: a path, `<prompt>`, `<stdin>`.
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

  /// Line (from 0) that holds a byte offset.
  public func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Bytes of a line, its ending left out.
  public func lineRange(_ line: Int) -> Range<Int> {
    let start = lineStarts[line]
    var end = line + 1 < lineStarts.count ? lineStarts[line + 1] - 1 : bytes.count
    if end > start && bytes[end - 1] == 0x0d { end -= 1 }
    return start..<max(start, end)
  }

  public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Line and column from 1, the column in characters as people count them.
  public func place(of offset: Int) -> (line: Int, column: Int) {
    let line = line(at: offset)
    let start = lineStarts[line]
    return (line + 1, text(start..<max(start, min(offset, bytes.count))).count + 1)
  }
}

/// A stretch of a source file.
public struct Span: Sendable {
  public let file: SourceFile
  public let range: Range<Int>

  public init(_ file: SourceFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  /// From the start of this to the end of the other.
  public func to(_ other: Span) -> Span {
    Span(file, range.lowerBound..<max(range.lowerBound, other.range.upperBound))
  }

  public var text: String { file.text(range) }

  /// `file:line:column`
  public var place: String {
    let (line, column) = file.place(of: range.lowerBound)
    return "\(file.name):\(line):\(column)"
  }
}
