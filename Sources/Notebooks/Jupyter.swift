import Foundation
import Syntax

/// Jupyter's notebook files (nbformat 4.5).
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
      // Ids must be there and differ; by place they are the same at every export.
      var entry: [String: Any] = ["id": "cell-\(index)", "metadata": cell.title.isEmpty ? [:] : ["title": cell.title]]
      if cell.isMarkdown {
        entry["cell_type"] = "markdown"
        entry["source"] = lines(notebook.markdown(cell))
      } else {
        let code = notebook.code(cell)
        if code.isEmpty && cell.title.isEmpty { continue }
        count += 1
        entry["cell_type"] = "code"
        entry["source"] = lines(code)
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

  /// A text as a list of lines with their ends, as Jupyter has it.
  private static func lines(_ text: String) -> [String] {
    var result: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { result.append(String(line) + "\n") }
    guard let last = result.popLast() else { return [] }
    return last == "\n" ? result : result + [String(last.dropLast())]
  }

  // MARK: Reading

  /// A script with the cells of a Jupyter file. Outputs are left behind.
  public static func script(_ data: Data) throws(Problem) -> String {
    guard let whole = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any], let version = whole["nbformat"] as? Int else {
      throw Problem(message: "this is no Jupyter notebook")
    }
    guard version == 4, let cells = whole["cells"] as? [[String: Any]] else {
      throw Problem(message: "this is a notebook of nbformat \(version); version 4 is read")
    }
    var parts: [String] = []
    for cell in cells {
      let source = (cell["source"] as? String) ?? (cell["source"] as? [String])?.joined() ?? ""
      let title =
        ((cell["metadata"] as? [String: Any])?["title"] as? String).map { " " + $0.replacingOccurrences(of: "\n", with: " ") } ?? ""
      switch cell["cell_type"] as? String {
      case "markdown":
        let text = source.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "#" : "# \($0)" }
        parts.append("# %% [md]\(title)\n" + text.joined(separator: "\n"))
      case "code":
        // A line that would begin a cell by itself is no mark in Jupyter.
        let text = source.split(separator: "\n", omittingEmptySubsequences: false).map {
          $0 == "# %%" || $0.hasPrefix("# %% ") ? " \($0)" : String($0)
        }
        parts.append("# %%\(title)\n" + text.joined(separator: "\n"))
      case "raw":
        parts.append(
          "# %% [md]\(title)\n" + source.split(separator: "\n", omittingEmptySubsequences: false).map { "# \($0)" }.joined(separator: "\n"))
      default: throw Problem(message: "a cell has the type \(cell["cell_type"] ?? "none"), which nbformat 4 does not have")
      }
    }
    return parts.joined(separator: "\n\n") + "\n"
  }
}
