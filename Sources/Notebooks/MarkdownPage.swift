import Syntax

/// A notebook as a Markdown page with its pictures in separate files.
public enum MarkdownPage {
  /// - Parameter stem: The first part of the names of picture files: `NAME` for `NAME-1.svg`.
  public static func write(_ executed: ExecutedNotebook, stem: String) -> (text: String, pictures: [(name: String, svg: String)]) {
    let notebook = executed.notebook
    var pictures: [(name: String, svg: String)] = []
    var parts: [String] = []
    for (cell, result) in zip(notebook.cells, executed.results) {
      if cell.isText {
        let text = notebook.source(cell)
        parts.append(cell.kind == .markdown ? text : fenced(text, "text"))
        continue
      }
      if !cell.title.isEmpty { parts.append("**\(cell.title)**") }
      let code = notebook.code(cell)
      if !code.isEmpty { parts.append(fenced(code, "srs")) }
      for output in result.outputs {
        switch output {
        case .text(let text): parts.append(fenced(text, "text"))
        case .error(let text): parts.append(fenced(text, "text"))
        case .note(let text): parts.append("> \(text)")
        case .picture(let svg):
          let name = "\(stem)-\(pictures.count + 1).svg"
          pictures.append((name, svg))
          parts.append("![figure \(pictures.count)](\(name))")
        }
      }
      if result.skipped { parts.append("> not run: a cell before it failed") }
    }
    let facts = executed.parameters.map { "\($0.name) = \($0.value)" }
    parts.append((["srs \(executed.version)", "seed \(executed.seed)"] + facts).joined(separator: " · "))
    return (parts.joined(separator: "\n\n") + "\n", pictures)
  }

  /// A fenced code block. The fence has more backquotes than any run of backquotes in the text.
  private static func fenced(_ text: String, _ language: String) -> String {
    var fence = "```"
    while text.contains(fence) { fence += "`" }
    return "\(fence)\(language)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)"
  }
}
