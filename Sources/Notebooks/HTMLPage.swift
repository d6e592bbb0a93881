import Basics
import CMarkdown
import Foundation
import Syntax

/// A notebook as a self-contained HTML page with text, code, outputs and pictures. The style sheet supports phones, dark mode
/// and printing.
public enum HTMLPage {
  /// - Parameter functions: The names to highlight as functions of the library.
  public static func write(_ executed: ExecutedNotebook, functions: Set<String>) -> String {
    let notebook = executed.notebook
    var pictures = 0
    var body = ""
    for (cell, result) in zip(notebook.cells, executed.results) {
      if cell.isText {
        let text = notebook.source(cell)
        let html = cell.kind == .markdown ? markdown(text) : "<pre>\(Escapes.html(text))</pre>\n"
        body += "<section class=\"text\">\n\(html)</section>\n"
        continue
      }
      let code = notebook.code(cell)
      if code.isEmpty && cell.title.isEmpty { continue }
      body += "<section class=\"cell\">\n"
      if !cell.title.isEmpty { body += "<h3 class=\"title\">\(Escapes.html(cell.title))</h3>\n" }
      if !code.isEmpty { body += "<pre class=\"code\"><code>\(Highlighter.html(code, functions: functions))</code></pre>\n" }
      for output in result.outputs {
        switch output {
        case .text(let text): body += "<pre class=\"out\">\(Escapes.html(text))</pre>\n"
        case .note(let text): body += "<p class=\"note\">\(Escapes.html(text))</p>\n"
        case .error(let text): body += "<pre class=\"error\">\(Escapes.html(text))</pre>\n"
        case .picture(let svg):
          guard PictureCheck.isPlain(svg) else {
            body += "<p class=\"note\">a picture that is not plain SVG was left out</p>\n"
            continue
          }
          pictures += 1
          body += "<figure>\(inline(svg, pictures))</figure>\n"
        }
      }
      if result.skipped {
        body += "<p class=\"note\">not run: a cell before it failed</p>\n"
      } else if result.seconds >= 0.5 {
        body += "<p class=\"time\">\(String(format: "%.1f", result.seconds)) s</p>\n"
      }
      body += "</section>\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="srs \(Escapes.html(executed.version))">
      <title>\(Escapes.html(title(notebook)))</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      <main>
      \(body)<footer>
      <p>srs \(Escapes.html(executed.version)) · seed \(executed.seed) · \(executed.threads) thread\(executed.threads == 1 ? "" : "s") · \(String(format: "%.1f", executed.seconds)) s\(parameters(executed))</p>
      </footer>
      </main>
      </body>
      </html>

      """
  }

  private static func parameters(_ executed: ExecutedNotebook) -> String {
    guard !executed.parameters.isEmpty else { return "" }
    return " · " + executed.parameters.map { Escapes.html("\($0.name) = \($0.value)") }.joined(separator: ", ")
  }

  /// The title of the page: the first top-level heading, or else the name of the file.
  static func title(_ notebook: Notebook) -> String {
    for cell in notebook.cells where cell.kind == .markdown {
      for line in CellText.lines(notebook.source(cell)) where line.hasPrefix("# ") { return String(line.dropFirst(2)) }
    }
    return notebook.file.name.split(separator: "/").last.map(String.init) ?? "notebook"
  }

  static func markdown(_ text: String) -> String {
    var text = text
    return text.withUTF8 { buffer in
      buffer.withMemoryRebound(to: CChar.self) { chars in
        guard let html = srs_markdown_html(chars.baseAddress, chars.count) else { return "" }
        defer { srs_markdown_free(html) }
        return String(cString: html)
      }
    }
  }

  /// gnuplot's SVG without its prologue. The ids get a prefix, because all pictures of the page share one set of ids.
  static func inline(_ svg: String, _ number: Int) -> String {
    let start = svg.range(of: "<svg")?.lowerBound ?? svg.startIndex
    var text = String(svg[start...])
    for (before, after) in [
      ("id=\"", "id=\"p\(number)-"), ("id='", "id='p\(number)-"), ("url(#", "url(#p\(number)-"),
      ("xlink:href=\"#", "xlink:href=\"#p\(number)-"), ("xlink:href='#", "xlink:href='#p\(number)-"),
    ] {
      text = text.replacingOccurrences(of: before, with: after)
    }
    return text
  }

  private static let style = """
    :root { --text: #1d2025; --soft: #5b626c; --page: #ffffff; --box: #f5f6f8; --line: #dfe2e7; --accent: #0072b2; --error: #b3261e;
      --k: #8a3ffc; --s: #19733c; --n: #b1480b; --c: #68707b; --f: #0b62a3; }
    @media (prefers-color-scheme: dark) { :root { --text: #e3e6ea; --soft: #9aa3ae; --page: #16181c; --box: #1f2228; --line: #343943;
      --accent: #6cb6e8; --error: #ff8a80; --k: #c7a5ff; --s: #7fd39b; --n: #f2ad7d; --c: #8f99a6; --f: #7fc0f2; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--text); font: 17px/1.6 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
    main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.1rem 4rem; }
    h1, h2, h3 { line-height: 1.25; margin: 2.2rem 0 .7rem; }
    h1 { margin-top: .5rem; font-size: 1.9rem; }
    h3.title { font-size: .82rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin: 1.8rem 0 .4rem; }
    a { color: var(--accent); }
    pre { overflow-x: auto; margin: .6rem 0; font: 14px/1.5 ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; }
    pre.code, .text pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; }
    :not(pre) > code { background: var(--box); border-radius: 4px; padding: .1em .3em; font-size: .88em; overflow-wrap: anywhere; }
    pre.out { padding: .1rem .9rem; line-height: 1.35; }
    pre.error { color: var(--error); padding: .1rem .9rem; border-left: 3px solid var(--error); }
    .note, .time { color: var(--soft); font-size: .85rem; margin: .3rem 0; padding-left: .9rem; overflow-wrap: anywhere; }
    .time { text-align: right; }
    figure { margin: 1rem 0; padding: .6rem; background: #fff; border: 1px solid var(--line); border-radius: 6px; text-align: center; }
    figure svg { max-width: 100%; height: auto; }
    img { max-width: 100%; }
    footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .8rem; overflow-wrap: anywhere; }
    .k { color: var(--k); } .s { color: var(--s); } .n { color: var(--n); } .c { color: var(--c); font-style: italic; } .f { color: var(--f); }
    @media print { :root { --page: #fff; --text: #000; --box: #fff; } body { font-size: 10pt; } main { max-width: none; padding: 0; }
      pre { white-space: pre-wrap; font-size: 8pt; } section.cell, figure { break-inside: avoid; } }
    """
}
