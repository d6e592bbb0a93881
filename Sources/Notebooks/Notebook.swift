import Syntax

/// A script as a sequence of cells. `# %% title` begins a cell of code, `# %% [md] title` a cell of text whose lines are
/// comments. Lines before the first mark are a cell of code without a mark.
public struct Notebook: Sendable {
  public struct Cell: Sendable {
    public let title: String
    public let kind: CellMark.Kind
    /// Is it a cell of text?
    public var isText: Bool { kind != .code }
    /// The bytes of the cell, including its mark.
    public let range: Range<Int>
    /// The bytes after the line of the mark.
    public let body: Range<Int>
    public let hasMark: Bool
  }

  public let file: SourceFile
  public let cells: [Cell]

  /// Splits a script into cells. The lexer finds the marks, so a `# %%` inside a string does not begin a cell.
  public init(_ file: SourceFile) {
    self.file = file
    let marks = Parser.parse(file).cells
    var cells: [Cell] = []
    let first = marks.first?.offset ?? file.bytes.count
    if first > 0 { cells.append(Cell(title: "", kind: .code, range: 0..<first, body: 0..<first, hasMark: false)) }
    for (index, mark) in marks.enumerated() {
      let end = index + 1 < marks.count ? marks[index + 1].offset : file.bytes.count
      let line = file.lineRange(file.line(at: mark.offset)).upperBound
      var body = min(line, end)
      while body < end && file.bytes[body] != 0x0a { body += 1 }
      cells.append(
        Cell(
          title: CellText.title(mark.title), kind: mark.kind, range: mark.offset..<end, body: min(body + 1, end)..<end, hasMark: true))
    }
    self.cells = cells
  }

  /// The concatenated bytes of the cells, which are the bytes of the file.
  public var bytes: [UInt8] { cells.flatMap { file.bytes[$0.range] } }

  /// The source of a cell: its code, or the text in its comments. For a cell that came from Jupyter, it is exactly the source in
  /// the Jupyter notebook.
  ///
  /// The empty line before the next cell is not included. Windows line endings become line feeds.
  public func source(_ cell: Cell) -> String {
    var body = Array(file.bytes[cell.body])
    let hasReturns = file.bytes.firstIndex(of: 0x0a).map { $0 > 0 && file.bytes[$0 - 1] == 0x0d } ?? false
    if hasReturns {
      body = body.indices.filter { !(body[$0] == 0x0d && $0 + 1 < body.count && body[$0 + 1] == 0x0a) }.map { body[$0] }
    }
    if body.last == 0x0a { body.removeLast() }
    if cell.range.upperBound < file.bytes.count && body.last == 0x0a { body.removeLast() }
    var lines = CellText.lines(String(decoding: body, as: UTF8.self))
    guard cell.isText else { return lines.map(CellText.unprotected).joined(separator: "\n") }
    while let line = lines.first, Self.isBlank(line) { lines.removeFirst() }
    while let line = lines.last, Self.isBlank(line) { lines.removeLast() }
    return lines.map(CellText.uncommented).joined(separator: "\n")
  }

  /// The code of a cell without empty lines at the beginning and the end.
  public func code(_ cell: Cell) -> String {
    var lines = CellText.lines(source(cell)).map { $0.unicodeScalars.last == "\r" ? String($0.unicodeScalars.dropLast()) : $0 }[...]
    while let line = lines.first, Self.isBlank(line) { lines.removeFirst() }
    while let line = lines.last, Self.isBlank(line) { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  static func isBlank(_ line: String) -> Bool { line.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d } }
}
