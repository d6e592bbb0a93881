import Datasets
import Foundation
import Interpreter
import ModelFiles
import Plotting
import Syntax
import Training

extension Builtin {
  /// How a table is written as LaTeX.
  enum TableStyle: String, Sendable, CaseIterable { case booktabs }
  enum BestMark: String, Sendable, CaseIterable { case bold, none }

  static let save = Builtin(
    "save",
    """
    Saves a figure (.pdf, .svg, .png, .eps; .tex or .tikz for letters in a LaTeX document's own font; with its gnuplot script and data beside it), a table (.tex, .md, .html, .csv, .txt), a model (.safetensors, read back by load_model), histories (.csv, .tsv, RecBole's .inter, or .srsd), sequences (.csv, .npy), a data set (.inter, a file for each part), recommendations (.csv, .jsonl), or scores (.npy). A file is there whole or not at all; folders are made.
    """,
    topic: "Figures", returns: .nothing, effects: .writes, example: "save(figure() |> line([1, 2], y: [1, 4]), \"out/squares.pdf\")"
  ) { d in
    let value = d.positional("value", .any, "a figure, a table, a model or run, data, or scores")
    let file = d.positional("file", .text, "its path; the ending says the format")
    let style = d.named("style", Kind<TableStyle>.word, default: .booktabs, "booktabs", "for .tex: the look of the table")
    let best = d.named(
      "best", Kind<BestMark>.word, default: .bold, "bold",
      "of a table: the best value of a column bold and the second underlined, or neither")
    let caption = d.optional("caption", .text, "of a table: instead of its own")
    let label = d.optional("label", .text, "for .tex: what \\ref calls it")
    let guards = d.named(
      "guard", .bool, default: false, "false",
      "for a table's .csv: a ' before texts that a spreadsheet would take for formulas, those that begin with = + - or @")
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
          let written = try Gnuplot().save(figure.figure, to: path)
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
              .file, "a table cannot be saved as .\(other)", argument: "file", help: "endings are: .tex, .md, .html, .csv, .txt")
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
              .file, "recommendations cannot be saved as .\(ending)", argument: "file", help: "endings are: .csv, .jsonl")
          }
          try put(to: path) { try lists.write(isCSV: ending == "csv", put: $0) }
          return [path]
        case let scores as ScoresValue:
          try ending("npy", "a table of scores")
          try OutputFile.write(scores.npy(), to: path)
          return [path]
        case is HistoriesValue, is SplitValue: return try saveData(object, path, call)
        case let sequences as SequencesValue where path.lowercased().hasSuffix(".csv"):
          try put(to: path) { try DataWriter.write(sequences.set, put: $0) }
          return [path]
        case let sequences as SequencesValue:
          try ending("npy", "a set of sequences")
          let set = sequences.set
          let file = NumPy.file(set.tokens, shape: [set.count, set.length])
          if let fault = set.fault { throw fault }
          try OutputFile.write(file, to: path)
          guard set.hasUsers else { return [path] }
          let users = path.dropLast(4) + ".users.npy"
          try OutputFile.write(NumPy.file(set.users, shape: [set.count]), to: String(users))
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
