import Syntax

/// A script as cells: `# %% title` begins one of code, `# %% [md] title` one of text, whose lines are comments. What
/// stands before the first mark is a cell of code without a mark.
public struct Notebook: Sendable {
  public struct Cell: Sendable {
    public let title: String
    public let isMarkdown: Bool
    /// All of it, the mark included.
    public let range: Range<Int>
    /// What stands below the mark.
    public let body: Range<Int>
    public let hasMark: Bool
  }

  public let file: SourceFile
  public let cells: [Cell]

  /// Cells are found by the lexer, so a `# %%` inside a string begins none.
  public init(_ file: SourceFile) {
    self.file = file
    let marks = Parser.parse(file).cells
    var cells: [Cell] = []
    let first = marks.first?.offset ?? file.bytes.count
    if first > 0 { cells.append(Cell(title: "", isMarkdown: false, range: 0..<first, body: 0..<first, hasMark: false)) }
    for (index, mark) in marks.enumerated() {
      let end = index + 1 < marks.count ? marks[index + 1].offset : file.bytes.count
      let line = file.lineRange(file.line(at: mark.offset)).upperBound
      var body = min(line, end)
      while body < end && file.bytes[body] != 0x0a { body += 1 }
      cells.append(
        Cell(
          title: mark.title, isMarkdown: mark.isMarkdown, range: mark.offset..<end, body: min(body + 1, end)..<end, hasMark: true))
    }
    self.cells = cells
  }

  /// The cells put together again: the file's own bytes.
  public var bytes: [UInt8] { cells.flatMap { file.bytes[$0.range] } }

  /// What a cell of code says, without the empty lines around it.
  public func code(_ cell: Cell) -> String {
    var lines = file.text(cell.body).split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.hasSuffix("\r") ? String($0.dropLast()) : String($0)
    }
    func isEmpty(_ line: String) -> Bool { line.allSatisfy { $0 == " " || $0 == "\t" } }
    while let line = lines.first, isEmpty(line) { lines.removeFirst() }
    while let line = lines.last, isEmpty(line) { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  /// The Markdown of a cell of text: its comments without their marks.
  public func markdown(_ cell: Cell) -> String {
    code(cell).split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
      let text = line.drop { $0 == " " || $0 == "\t" }
      guard text.hasPrefix("#") else { return line }
      let rest = text.dropFirst()
      return rest.hasPrefix(" ") ? rest.dropFirst() : rest
    }.joined(separator: "\n")
  }
}
