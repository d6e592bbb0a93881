import Datasets
import Foundation
import Interpreter
import ModelFiles
import Plotting
import Syntax
import Training

extension Builtin {
  /// The LaTeX style of a table.
  enum TableStyle: String, Sendable, CaseIterable { case booktabs }
  enum BestMark: String, Sendable, CaseIterable { case bold, none }

  static let save = Builtin(
    "save",
    """
    Saves a value to a file; the ending of the name selects the format. Figures: .pdf, .svg, .png, .eps, and .tex or .tikz for text in the font of a LaTeX document; the gnuplot script and its data are saved beside the figure. Tables: .tex, .md, .html, .csv, .txt. Models: .safetensors, read back by load_model. Histories: .csv, .tsv, RecBole's .inter, .srsd. Sequences: .csv, or .npy with the numbers of the items. Data sets: .inter, one file per part. Recommendations: .csv, .jsonl. Scores: .npy. Files in .npy are for other programs; `load` does not read them. Files are written atomically; missing folders are created.
    """,
    topic: "Figures", returns: .nothing, effects: .writes, example: "save(figure() |> line([1, 2], y: [1, 4]), \"out/squares.pdf\")"
  ) { d in
    let value = d.positional("value", .any, "a figure, a table, a model or run, data, recommendations or scores")
    let file = d.positional("file", .text, "path of the file; the ending selects the format")
    let style = d.named("style", Kind<TableStyle>.word, default: .booktabs, "booktabs", "for .tex: the style of the table")
    let best = d.named(
      "best", Kind<BestMark>.word, default: .bold, "bold",
      "for tables: print the best value of a column bold and the second best underlined, or mark neither")
    let caption = d.optional("caption", .text, "for tables: replaces the caption of the table")
    let label = d.optional("label", .text, "for .tex: the name for \\ref")
    let guards = d.named(
      "guard", .bool, default: false, "false",
      "for .csv of a table: put a ' before texts that a spreadsheet would evaluate as formulas, those that begin with = + - or @")
    return { call in
      let path = try call.outputPath(try call[file])
      let what = try call[value]
      _ = try call[style]
      let marks = try call[best] == .bold
      let written = try call.engine { () -> [String] in
        guard case .object(let object) = what else {
          throw call.error(
            .wrongType, "`save` saves figures, tables, models, data and scores, not \(what.described)", argument: "value")
        }
        func ending(_ wanted: String, _ what: String) throws {
          let ending = (path as NSString).pathExtension.lowercased()
          guard ending == wanted else {
            throw call.error(.file, "\(what) cannot be saved as .\(ending)", argument: "file", help: "name it *.\(wanted)")
          }
        }
        switch object {
        case let figure as FigureValue:
          let written = try call.gnuplot.save(figure.figure, to: path)
          let drawsLetters = ["png", "pdf", "eps"].contains((path as NSString).pathExtension.lowercased())
          for note in figure.figure.notes(drawsLetters: drawsLetters) { call.interpreter.host.note(note) }
          return written
        case let table as TableValue:
          var grid = table.grid
          grid.caption = try call[caption] ?? grid.caption
          grid.label = try call[label] ?? grid.label
          let text: String
          switch (path as NSString).pathExtension.lowercased() {
          case "tex": text = grid.latex(marks: marks)
          case "md": text = grid.markdown(marks: marks)
          case "html": text = grid.html(marks: marks)
          case "csv": text = Grid.csv(table.csv, isGuarded: try call[guards])
          case "txt": text = grid.screen() + "\n"
          case let other:
            throw call.error(
              .file, "a table cannot be saved as .\(other)", argument: "file", help: "supported endings: .tex, .md, .html, .csv, .txt")
          }
          try OutputFile.write(Data(text.utf8), to: path)
          return [path]
        case is ModelValue, is RunValue:
          try ending("safetensors", "a model")
          let model = (object as? ModelValue) ?? (object as? RunValue)?.modelValue
          if let model { try OutputFile.write(try ModelFile.contents(model.model, model.known), to: path) }
          return [path]
        case let lists as RecommendationsValue:
          let ending = (path as NSString).pathExtension.lowercased()
          guard ending == "csv" || ending == "jsonl" else {
            throw call.error(
              .file, "recommendations cannot be saved as .\(ending)", argument: "file", help: "supported endings: .csv, .jsonl")
          }
          try putText(to: path, call) { try lists.write(isCSV: ending == "csv", put: $0) }
          return [path]
        case let scores as ScoresValue:
          try ending("npy", "a table of scores")
          try put(to: path, call) { try scores.writeNPY(put: $0) }
          return [path]
        case is HistoriesValue, is SplitValue: return try saveData(object, path, call)
        case let sequences as SequencesValue where path.lowercased().hasSuffix(".csv"):
          try putText(to: path, call) { try DataWriter.write(sequences.set, put: $0) }
          return [path]
        case let sequences as SequencesValue:
          try ending("npy", "a set of sequences")
          let set = sequences.set
          func write(_ path: String, _ shape: [Int], _ row: (Int) -> ArraySlice<Int32>) throws {
            try put(to: path, call) { put in
              try NumPy.write(shape, put: put, row)
              if let fault = set.fault { throw fault }
            }
          }
          try write(path, [set.count, set.length]) { set.sequence($0) }
          guard set.hasUsers else { return [path] }
          let users = path.dropLast(4) + ".users.npy"
          try write(String(users), [set.count]) { [set.user($0)] }
          return [path, String(users)]
        default:
          throw call.error(
            .wrongType, "`save` saves figures, tables, models, data and scores, not \(what.described)", argument: "value")
        }
      }
      call.interpreter.host.note("wrote \(written.joined(separator: ", "))")
      return .nothing
    }
  }
}
