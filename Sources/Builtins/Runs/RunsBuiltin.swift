import Foundation
import Interpreter
import RunStore
import Syntax

extension Builtin {
  static let runRecords: [Builtin] = [runs, loadRun.known(as: "restore", "load checkpoint"), rerun.known(as: "repeat", "reproduce")]

  static let runs = Builtin(
    "runs",
    "Lists the trainings recorded in the folder runs, as a table with one record per training; the newest is last. The shell command `srs runs` prints the same.",
    topic: "Evaluation", returns: .object(TableValue.type), effects: [.reads, .changes],
    example: "for run in runs(name: \"deep\") { print(run.id, run.state, run.best) }"
  ) { d in
    let name = d.optional("name", .text, "only runs whose name contains this text")
    let state = d.optional("state", Kind<RunRow.State>.word, "only runs in this state")
    let last = d.optional("last", .whole(from: 1), "only this many, the newest")
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
  /// Why the sandbox forbids the database of runs; nil: it is allowed. SQLite also writes journal files beside it.
  func databaseRefusal(_ path: String) -> String? {
    if let problem = ["", "-journal", "-wal", "-shm"].lazy.compactMap({ self.refusal(path + $0) }).first { return problem }
    return readingRefusal(path)
  }

  /// Opens the database of runs. Waiting for another process ends when the user interrupts.
  func database(_ path: String) throws(RunDatabase.Failure) -> RunDatabase {
    // Safe: SQLite's busy callback reads it on the thread that made the call.
    nonisolated(unsafe) let host = host
    return try RunDatabase(path, isInterrupted: { host.isInterrupted })
  }
}
