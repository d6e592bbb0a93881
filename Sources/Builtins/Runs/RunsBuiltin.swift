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
        return .object(TableValue(RunTable.grid([]), records: [], csv: RunTable.lines([])))
      }
      if let problem = call.interpreter.databaseRefusal(path) { throw call.error(.file, problem) }
      var rows: [RunRow]
      do throws(RunDatabase.Failure) {
        let found = try call.interpreter.database(path).read()
        for problem in found.problems { call.interpreter.host.note(problem) }
        rows = found.rows
      } catch {
        if call.interpreter.host.isInterrupted { throw Diagnostic(.interrupted, "interrupted while \(error.message)", at: call.span) }
        throw call.error(.file, error.message)
      }
      if let name = try call[name] { rows = rows.filter { $0.name.contains(name) } }
      if let state = try call[state] { rows = rows.filter { $0.state == state } }
      if let last = try call[last] { rows = Array(rows.suffix(last)) }
      return .object(TableValue(RunTable.grid(rows), records: rows.map(RunTable.record), csv: RunTable.lines(rows)))
    }
  }
}

extension Interpreter {
  /// What keeps a script from the database of runs; nil: nothing does. SQLite keeps journals beside it.
  func databaseRefusal(_ path: String) -> String? {
    if let problem = ["", "-journal", "-wal", "-shm"].lazy.compactMap({ self.refusal(path + $0) }).first { return problem }
    return readingRefusal(path)
  }

  /// The database of runs, which waits for other processes no longer than someone wants to.
  func database(_ path: String) throws(RunDatabase.Failure) -> RunDatabase {
    // Looked at from SQLite's callback, on the thread that asks.
    nonisolated(unsafe) let host = host
    return try RunDatabase(path, isInterrupted: { host.isInterrupted })
  }
}
