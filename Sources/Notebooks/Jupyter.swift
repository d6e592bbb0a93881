import Foundation
import Interpreter
import Syntax

/// Reads and writes Jupyter notebooks (nbformat 4.5).
public enum Jupyter {
  public struct Problem: Error {
    public let message: String
  }

  // MARK: Writing

  public static func write(_ executed: ExecutedNotebook) -> String {
    let notebook = executed.notebook
    var cells: [[String: Any]] = []
    var count = 0
    for (index, (cell, result)) in zip(notebook.cells, executed.results).enumerated() {
      // The format requires distinct ids. Made from the index, they are the same at every export.
      var entry: [String: Any] = ["id": "cell-\(index)", "metadata": cell.title.isEmpty ? [:] : ["title": cell.title]]
      let source = notebook.source(cell)
      if cell.isText {
        entry["cell_type"] = cell.kind.rawValue
        entry["source"] = lines(source)
      } else {
        // Text before the first mark is a cell only if it is not blank.
        if !cell.hasMark && CellText.lines(source).allSatisfy(Notebook.isBlank) { continue }
        count += 1
        entry["cell_type"] = "code"
        entry["source"] = lines(source)
        entry["execution_count"] = result.skipped ? NSNull() : count
        entry["outputs"] = result.outputs.map(output)
      }
      cells.append(entry)
    }
    let whole: [String: Any] = [
      "nbformat": 4, "nbformat_minor": 5, "cells": cells,
      "metadata": [
        "kernelspec": ["name": "srs", "display_name": "srs", "language": "srs"],
        "language_info": ["name": "srs", "file_extension": ".srs", "version": executed.version],
        "srs": ["seed": executed.seed, "threads": executed.threads],
      ],
    ]
    let data = try? JSONSerialization.data(withJSONObject: whole, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data(), as: UTF8.self) + "\n"
  }

  private static func output(_ output: CellOutput) -> [String: Any] {
    switch output {
    case .text(let text): ["output_type": "stream", "name": "stdout", "text": lines(text)]
    case .note(let text): ["output_type": "stream", "name": "stderr", "text": lines(text + "\n")]
    case .error(let text):
      ["output_type": "error", "ename": "error", "evalue": text.split(separator: "\n").first.map(String.init) ?? "", "traceback": [text]]
    case .picture(let svg): ["output_type": "display_data", "data": ["image/svg+xml": lines(svg)], "metadata": [String: Any]()]
    }
  }

  /// A text as a list of lines that include their line breaks, as in Jupyter's format.
  private static func lines(_ text: String) -> [String] {
    let lines = CellText.lines(text)
    return lines.dropLast().map { $0 + "\n" } + lines.suffix(1).filter { !$0.isEmpty }
  }

  // MARK: Reading

  /// Converts a Jupyter notebook to a script. The titles, kinds and texts of the cells can be restored exactly from the script;
  /// outputs, other metadata and attachments are dropped.
  ///
  /// - Throws: `Problem` if the data is not a notebook of nbformat 4, or code contains characters that scripts must not contain.
  public static func script(_ data: Data) throws(Problem) -> String {
    // Foundation's JSON reader is not used because it drops byte-order marks inside texts.
    let whole: Value
    do { whole = try JSON.parse([UInt8](data)) } catch {
      guard let problem = error as? JSON.Problem else { throw Problem(message: "\(error)") }
      throw Problem(message: "this is not a Jupyter notebook: line \(problem.line), column \(problem.column): \(problem.message)")
    }
    guard case .record(let fields) = whole, case .number(let version)? = fields["nbformat"] else {
      throw Problem(message: "this is not a Jupyter notebook: it has no nbformat")
    }
    guard version == 4, case .list(let cells)? = fields["cells"] else {
      throw Problem(message: "this is a notebook of nbformat \(NumberFormat.text(version)); only version 4 can be read")
    }
    var parts: [String] = []
    for (index, value) in cells.enumerated() {
      guard case .record(let cell) = value else { throw Problem(message: "cell \(index + 1) is not an object") }
      guard let source = source(cell["source"] ?? .text("")) else {
        throw Problem(message: "the source of cell \(index + 1) is neither a text nor a list of texts")
      }
      var title = ""
      if case .record(let metadata)? = cell["metadata"], case .text(let text)? = metadata["title"] { title = text }
      if !title.isEmpty { title = " " + CellText.written(title: title) }
      let lines = CellText.lines(source)
      var type: String?
      if case .text(let text)? = cell["cell_type"] { type = text }
      switch type {
      case "markdown": parts.append("# %% [md]\(title)\n" + lines.map(CellText.commented).joined(separator: "\n"))
      case "raw": parts.append("# %% [raw]\(title)\n" + lines.map(CellText.commented).joined(separator: "\n"))
      case "code":
        if let bad = source.unicodeScalars.first(where: {
          $0.value == 0 || (0x202a...0x202e).contains($0.value) || (0x2066...0x2069).contains($0.value)
        }) {
          throw Problem(
            message:
              "the code of cell \(index + 1) contains the character U+\(String(bad.value, radix: 16, uppercase: true)), which scripts must not contain; delete it"
          )
        }
        parts.append("# %%\(title)\n" + lines.map(CellText.protected).joined(separator: "\n"))
      default:
        throw Problem(message: "cell \(index + 1) has the type \(type ?? "none"), which nbformat 4 does not have")
      }
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// The source of a cell, which is a text or a list of texts; nil for anything else.
  private static func source(_ value: Value) -> String? {
    switch value {
    case .text(let text): return text
    case .list(let pieces):
      var text = ""
      for piece in pieces {
        guard case .text(let piece) = piece else { return nil }
        text += piece
      }
      return text
    default: return nil
    }
  }
}
