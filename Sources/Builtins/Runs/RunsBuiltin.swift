import Foundation
import Interpreter
import RunStore
import Syntax

extension Builtin {
  static let recording: [Builtin] = [runs]

  static let runs = Builtin(
    "runs",
    "The trainings that were written down in the folder runs, as a table of records: the newest last. `srs runs` does the same at the shell.",
    topic: "Judging", returns: .object(TableValue.type), effects: [.reads, .changes],
    example: "for run in runs(name: \"deep\") { print(run.id, run.state, run.best) }"
  ) { d in
    let name = d.optional("name", .text, "only those whose name holds this")
    let state = d.optional("state", Kind<RunRow.State>.word, "only those in this state")
    let last = d.optional("last", .whole(from: 1), "only so many, the newest")
    return { call in
      guard let path = call.interpreter.host.runDatabase, FileManager.default.fileExists(atPath: path) else {
        return .object(TableValue(RunTable.grid([]), records: [], csv: RunTable.csv([])))
      }
      var rows: [RunRow]
      do throws(RunDatabase.Failure) {
        rows = try RunDatabase(path).all()
      } catch {
        throw call.error(.file, error.message)
      }
      if let name = try call[name] { rows = rows.filter { $0.name.contains(name) } }
      if let state = try call[state] { rows = rows.filter { $0.state == state } }
      if let last = try call[last] { rows = Array(rows.suffix(last)) }
      return .object(TableValue(RunTable.grid(rows), records: rows.map(RunTable.record), csv: RunTable.csv(rows)))
    }
  }
}
