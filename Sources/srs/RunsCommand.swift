import ArgumentParser
import Builtins
import Foundation
import Interpreter
import RunStore

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List, compare and export recorded trainings.",
    discussion:
      "Trainings are recorded in the SQLite database runs/runs.sqlite in the folder in which srs was started, or in that of --out.",
    subcommands: [List.self, Show.self, Compare.self, Remove.self, Export.self], defaultSubcommand: List.self)

  /// The database and access to its rows.
  struct Store: ParsableArguments {
    @Option(name: .customLong("file"), help: "The database.") var path = "runs/runs.sqlite"

    func open() throws -> RunDatabase {
      guard FileManager.default.fileExists(atPath: path) else {
        throw ValidationError("there is no \(path): no training was recorded here; --file names another database")
      }
      return try guarded { () throws(RunDatabase.Failure) in try RunDatabase(path, isInterrupted: { Interrupt.isSet }) }
    }

    /// All runs that can be read. Writes a note about each of the others.
    func all(_ database: RunDatabase) throws -> [RunRow] {
      let (rows, problems) = try guarded { () throws(RunDatabase.Failure) in try database.read() }
      for problem in problems { Output.error("note: \(problem)\n") }
      return rows
    }

    func rows(_ ids: [Int64]) throws -> [RunRow] {
      let database = try open()
      let all = try all(database)
      return try ids.map { id in
        guard let row = all.first(where: { $0.id == id }) else { throw ValidationError("there is no run \(id); srs runs list shows them") }
        return row
      }
    }

    func guarded<Result>(_ body: () throws(RunDatabase.Failure) -> Result) throws -> Result {
      do { return try body() } catch {
        Output.error("error: \(error.message)\n")
        throw ExitStatus(code: Interrupt.isSet ? Interrupt.status : 1)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the runs, oldest first.")
    @OptionGroup var store: Store
    @Option(help: "Only runs whose name contains this text.") var name: String?
    @Option(help: "Only runs in this state: \(RunRow.State.allCases.map(\.rawValue).joined(separator: ", ")).") var state: String?
    @Option(help: "Only runs that watched this metric, e.g. ndcg@10.") var metric: String?
    @Option(help: "Only runs whose data contains this text.") var data: String?
    @Option(help: "Sort by: id, name, best, steps, seconds, started.") var sort = "id"

    func run() throws {
      var wanted: RunRow.State?
      if let state {
        guard let known = RunRow.State(rawValue: state) else {
          throw ValidationError("--state is one of \(RunRow.State.allCases.map(\.rawValue).joined(separator: ", ")), not \(state)")
        }
        wanted = known
      }
      let orders: [String: (RunRow, RunRow) -> Bool] = [
        "id": { ($0.id ?? 0) < ($1.id ?? 0) }, "name": { $0.name < $1.name }, "best": { $0.best ?? -.infinity < $1.best ?? -.infinity },
        "steps": { $0.steps < $1.steps }, "seconds": { $0.seconds < $1.seconds }, "started": { $0.started < $1.started },
      ]
      guard let order = orders[sort] else {
        throw ValidationError("--sort is one of \(orders.keys.sorted().joined(separator: ", ")), not \(sort)")
      }
      let database = try store.open()
      let rows = try store.all(database)
      let chosen = rows.filter {
        (wanted == nil || $0.state == wanted) && (name.map($0.name.contains) ?? true)
          && (metric == nil || $0.metric == metric) && (data.map($0.data.contains) ?? true)
      }.sorted(by: order)
      Output.show(RunTable.screen(chosen, columns: Output.columns) + "\n")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show everything about a run, as JSON.")
    @OptionGroup var store: Store
    @Argument(help: "The id of the run.") var id: Int64

    func run() throws { Output.show(RunExport.json(try store.rows([id]))) }
  }

  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show runs side by side, with the differences of their settings.")
    @OptionGroup var store: Store
    @Argument(help: "The ids of the runs.") var ids: [Int64]

    func run() throws {
      let rows = try store.rows(ids)
      Output.show(RunTable.screen(rows, columns: Output.columns) + "\n" + RunTable.differences(rows))
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove runs from the database; checkpoints stay.")
    @OptionGroup var store: Store
    @Argument(help: "The ids of the runs.") var ids: [Int64]

    func run() throws {
      guard !ids.isEmpty else { throw ValidationError("rm needs the ids of runs") }
      let database = try store.open()
      // Damaged rows, which cannot be read, can be removed too.
      let known = try store.guarded { () throws(RunDatabase.Failure) in try database.ids() }
      if let id = ids.first(where: { !known.contains($0) }) { throw ValidationError("there is no run \(id); srs runs list shows them") }
      let count = try store.guarded { () throws(RunDatabase.Failure) in try database.remove(ids) }
      Output.write("removed \(count)\n")
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Export runs as .csv, .json, or a folder of TensorBoard events.")
    @OptionGroup var store: Store
    @Argument(help: "The ids of the runs; default: all.") var ids: [Int64] = []
    @Flag(name: .customLong("guard"), help: "In a .csv, put a ' before texts that a spreadsheet would evaluate as formulas.")
    var isGuarded = false
    @Option(name: .shortAndLong, help: "FILE.csv, FILE.json, or a folder for TensorBoard.") var output: String

    func run() throws {
      let ending = (output as NSString).pathExtension.lowercased()
      guard ["csv", "json", ""].contains(ending) else {
        throw ValidationError("runs cannot be exported as .\(ending): name a .csv, a .json, or a folder for TensorBoard")
      }
      let database = try store.open()
      let all = try store.all(database)
      let rows = ids.isEmpty ? all : try store.rows(ids)
      do throws(OutputFile.Failure) {
        switch ending {
        case "csv": try OutputFile.write(Data(RunTable.csv(rows, isGuarded: isGuarded).utf8), to: output)
        case "json": try OutputFile.write(Data(RunExport.json(rows).utf8), to: output)
        case "":
          for row in rows {
            let name = row.name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" }
            try OutputFile.write(
              RunExport.tensorBoard(row), to: "\(output)/\(row.id ?? 0)-\(String(name))/events.out.tfevents.\(Int(row.started)).srs")
          }
        default: break
        }
      } catch {
        Output.error("error: \(error.message)\n")
        throw ExitStatus(code: 1)
      }
    }
  }
}
