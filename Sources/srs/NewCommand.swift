import ArgumentParser
import Builtins
import Files
import Foundation
import Interpreter

struct New: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start an experiment in a new folder.",
    discussion: "Creates the folder with a script that runs at once on built-in data, a place for data, and a .gitignore.")
  @Argument(help: "The folder, which must not exist or must be empty.") var folder: String

  func run() throws {
    let existing = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard existing?.isEmpty ?? !FileManager.default.fileExists(atPath: folder) else {
      throw ValidationError("\(folder) exists and is not empty; give the name of a new folder")
    }
    do {
      for (name, text) in Self.files { try OutputFile.write(Data(text.utf8), to: "\(folder)/\(name)") }
    } catch {
      Output.error("error: \(error.message)\n")
      throw ExitStatus(code: 1)
    }
    Output.show("created \(folder)/experiment.srs; try it:\n\n  cd \(folder)\n  srs run experiment.srs\n")
  }

  /// The files of a new experiment.
  static let files: [(name: String, text: String)] = [
    ("experiment.srs", experiment),
    ("data/README", "Data goes here. It is not put under version control.\n"),
    (".gitignore", "/data/*\n!/data/README\n/runs/\n/out/\n"),
  ]

  static let experiment = """
    # %% [md]
    # # Stacked against from scratch
    # A shallow model is trained and stacked into one twice as deep, which is trained on, and compared with a model of that
    # depth from scratch. `srs run experiment.srs --set data_file=data/ratings.csv` uses your own data; `srs run experiment.srs
    # --resume` continues after an interruption; `srs export experiment.srs -o page.html` writes a page.

    # %% parameters
    param data_file = ""  # a table with users, items and times; empty: built-in data
    param dim = 32        # width of embeddings and hidden states
    param blocks = 8      # final depth
    param steps = 300     # length of every training in steps

    # %% data
    let events = if data_file == "" { synthetic(users: 2_000, items: 300, seed: 7) } else { load(data_file) }
    let data = events |> filter(min_user: 5, min_item: 5) |> window(length: 20) |> split(by: leave_last_out)
    describe(data)

    # %% train
    let options = { eval_every: 50steps, optimizer: adam(lr: 3e-3), hide: seen, stop: patience(8, on: ndcg@10), metrics: [hr@10, ndcg@10], seed: 1 }

    let stacked = nextitnet(data, dim: dim, blocks: blocks / 2, seed: 1)
      |> stackrec(data, ..options, name: "stacked", phases: [
        phase(run: steps * 1steps),
        phase(to: blocks, by: adjacent, carry: preserving, run: steps * 1steps),
      ])
    let scratch = nextitnet(data, dim: dim, blocks: blocks, seed: 1) |> train(data, ..options, name: "scratch", run: 2 * steps * 1steps)

    # %% results
    let table = compare({ Stacked: stacked, "From scratch": scratch }, on: data.test, hide: seen, metrics: [hr@10, ndcg@10])
    print(table)
    save(table, "out/table.tex")
    figure(title: "Validation NDCG@10")
      |> line(stacked, x: seconds, y: ndcg@10, label: "stacked")
      |> line(scratch, x: seconds, y: ndcg@10, label: "from scratch")
      |> axis(x: "training time (s)", y: "NDCG@10")
      |> save("out/convergence.pdf")

    """
}
