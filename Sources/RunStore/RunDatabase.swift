import Foundation
import GRDB
import Synchronization

/// One training: what it started from, how it went, what came of it. Values of the engine are JSON texts, so that the
/// database can be read by anything that reads SQLite.
public struct RunRow: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable, CaseIterable {
    case running, finished, interrupted, diverged, failed
    /// Was running when its process ended without a word.
    case died
  }

  public var id: Int64?
  public var name: String
  /// train, stackrec, finetune or resume.
  public var kind: String
  public var state: State
  /// Seconds since 1970.
  public var started: Double
  public var updated: Double
  /// Of model, data, options and phases together; the same for a repetition.
  public var fingerprint: String
  public var script: String
  public var scriptHash: String
  public var data: String
  public var dataFingerprint: String
  public var model: String
  /// The options of the training, as a JSON object.
  public var parameters: String
  public var seed: Int64
  public var threads: Int
  public var machine: String
  public var version: String
  public var process: Int32
  /// Ticks since the machine started at which the process did: its number alone may be another's by now.
  public var processStart: Int64
  public var blocks: Int
  public var steps: Int
  /// Training time, evaluation left out.
  public var seconds: Double
  public var cpuSeconds: Double
  public var evaluationSeconds: Double
  public var metric: String
  public var best: Double?
  public var bestStep: Int?
  /// Why it stopped.
  public var stop: String
  /// Metrics of the best evaluation, as a JSON object.
  public var metrics: String
  /// All evaluations, as a JSON list.
  public var history: String
  /// All growths, as a JSON list.
  public var growths: String
  /// Where its state was kept; empty where it was not.
  public var checkpoint: String

  public init(name: String, kind: String, fingerprint: String) {
    self.name = name
    self.kind = kind
    self.fingerprint = fingerprint
    state = .running
    started = Date().timeIntervalSince1970
    updated = started
    (script, scriptHash, data, dataFingerprint, model, parameters) = ("", "", "", "", "", "{}")
    (seed, threads, machine, version) = (0, 0, Self.thisMachine, "")
    (process, processStart) = (getpid(), Self.startOfProcess(getpid()) ?? 0)
    (blocks, steps, seconds, cpuSeconds, evaluationSeconds) = (0, 0, 0, 0, 0)
    (metric, best, bestStep, stop) = ("", nil, nil, "")
    (metrics, history, growths, checkpoint) = ("{}", "[]", "[]", "")
  }

  public static let thisMachine: String = {
    var name = [CChar](repeating: 0, count: 256)
    return gethostname(&name, name.count - 1) == 0
      ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
  }()

  /// Field 22 of /proc/PID/stat; nil where there is no such process.
  static func startOfProcess(_ process: Int32) -> Int64? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? Int64(fields[19]) : nil
  }

  /// A run of this machine that nobody runs any more.
  var isAbandoned: Bool {
    state == .running && machine == Self.thisMachine && Self.startOfProcess(process) != processStart
  }
}

extension RunRow: FetchableRecord, MutablePersistableRecord {
  public static let databaseTableName = "run"

  public mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
}

/// The trainings of a folder, in one SQLite file that several processes may write at once.
public final class RunDatabase: Sendable {
  public struct Failure: Error {
    public let message: String
  }

  /// Held while a file is made, so that no other thread is at it already.
  private static let making = Mutex(())
  private let queue: DatabaseQueue
  public let path: String

  /// How long another process may hold the database, in seconds; and how long it is waited for though someone wants the
  /// program to end, so that a training's end is written down.
  static let patience = (usual: 20.0, interrupted: 0.5)

  /// Opens the file, and makes it where it is not there; only its user may read it.
  ///
  /// - Parameter isInterrupted: does someone want the program to end? Then another process is not waited for.
  /// - Throws: `Failure` for what is no database of runs, has other names, or was made by a newer version.
  public init(_ path: String, isInterrupted: @escaping @Sendable () -> Bool = { false }) throws(Failure) {
    self.path = path
    do {
      var status = stat()
      if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 1 {
        // Each name would have a journal of its own.
        throw Failure(message: "\(path) has another name (a hard link), and SQLite cannot keep such a file sound; copy it instead")
      }
      if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        throw Failure(message: "\(path) is no ordinary file")
      }
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      // Never one that is there: to close it would let go of the locks that this process has on it.
      try Self.making.withLock { _ in
        guard !FileManager.default.fileExists(atPath: path) else { return }
        // Another process may have been faster.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if descriptor < 0 && errno == EEXIST { return }
        guard descriptor >= 0 else {
          throw Failure(message: "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
      }
      var configuration = Configuration()
      // The rollback journal works on network folders too, where a shared home may lie.
      let start = Mutex(Date.distantPast)
      configuration.busyMode = .callback { tries in
        if tries == 0 { start.withLock { $0 = Date() } }
        let waited = start.withLock { Date().timeIntervalSince($0) }
        guard waited < (isInterrupted() ? Self.patience.interrupted : Self.patience.usual) else { return false }
        usleep(20_000)
        return true
      }
      // What a database of others may hold is not run with this program's rights.
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY") }
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { db in
        let tables = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master")
        guard tables.isEmpty || tables.isSuperset(of: ["grdb_migrations"]) else {
          throw Failure(message: "\(path) is another program's database, not one of runs; nothing was changed in it")
        }
        guard try !Self.migrations.hasBeenSuperseded(db) else {
          throw Failure(message: "\(path) was made by a newer version of srs, which this one cannot read")
        }
        guard
          try tables.isEmpty || !String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations").contains("1")
            || db.tableExists(RunRow.databaseTableName)
        else { throw Failure(message: "\(path) is another program's database, not one of runs; nothing was changed in it") }
      }
      do {
        try Self.migrations.migrate(queue)
      } catch is DatabaseError {
        // Another process may have made the table after this one had asked for it; then it is there now.
        try Self.migrations.migrate(queue)
      }
    } catch { throw Self.failure(path, error) }
  }

  private static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.create(table: RunRow.databaseTableName) { t in
        t.autoIncrementedPrimaryKey("id")
        for name in [
          "name", "kind", "state", "fingerprint", "script", "scriptHash", "data", "dataFingerprint", "model", "parameters", "machine",
          "version", "metric", "stop", "metrics", "history", "growths", "checkpoint",
        ] { t.column(name, .text).notNull() }
        for name in ["started", "updated", "seconds", "cpuSeconds", "evaluationSeconds"] { t.column(name, .double).notNull() }
        for name in ["seed", "threads", "process", "processStart", "blocks", "steps"] { t.column(name, .integer).notNull() }
        t.column("best", .double)
        t.column("bestStep", .integer)
      }
      try db.create(index: "run_fingerprint", on: RunRow.databaseTableName, columns: ["fingerprint"])
    }
    return migrator
  }

  private static func failure(_ path: String, _ error: any Error) -> Failure {
    if let failure = error as? Failure { return failure }
    if let error = error as? DatabaseError {
      return Failure(
        message: error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
          ? "\(path) is no database of runs, or is damaged; move it away to begin a new one"
          : error.resultCode == .SQLITE_BUSY
            ? "\(path) is held by another process"
            : "\(path): \(error.message ?? "\(error.resultCode)")")
    }
    return Failure(message: "\(path): \((error as NSError).localizedDescription)")
  }

  private func guarded<Result>(_ body: () throws -> Result) throws(Failure) -> Result {
    do { return try body() } catch { throw Self.failure(path, error) }
  }

  /// Adds a run; returns it with its number.
  public func add(_ row: RunRow) throws(Failure) -> RunRow {
    try guarded {
      try queue.write { db in
        var row = row
        try row.insert(db)
        return row
      }
    }
  }

  public func update(_ row: RunRow) throws(Failure) {
    var row = row
    row.updated = Date().timeIntervalSince1970
    try guarded { try queue.write { [row] db in try row.update(db) } }
  }

  /// All runs, the oldest first. Those whose process is gone are marked so. What cannot be read is left out, with a
  /// sentence for each.
  public func read() throws(Failure) -> (rows: [RunRow], problems: [String]) {
    try guarded {
      var (rows, problems) = try queue.read(Self.rows)
      guard rows.contains(where: \.isAbandoned) else { return (rows, problems) }
      try queue.write { db in
        for index in rows.indices where rows[index].isAbandoned {
          rows[index].state = .died
          rows[index].stop = "its process ended without a word"
          try rows[index].update(db)
        }
      }
      return (rows, problems)
    }
  }

  /// As `read`, without the sentences.
  public func all() throws(Failure) -> [RunRow] { try read().rows }

  /// The numbers of all runs, of those too that cannot be read.
  public func ids() throws(Failure) -> [Int64] {
    try guarded { try queue.read { try Int64.fetchAll($0, sql: "SELECT id FROM run ORDER BY id") } }
  }

  private static func rows(_ db: Database) throws -> (rows: [RunRow], problems: [String]) {
    var rows: [RunRow] = []
    var problems: [String] = []
    let cursor = try Row.fetchCursor(db, sql: "SELECT * FROM run ORDER BY id")
    while let row = try cursor.next() {
      let name = "run \(String(describing: row["id"] ?? "?" as any DatabaseValueConvertible))"
      let state = String.fromDatabaseValue(row["state"] as DatabaseValue) ?? ""
      guard RunRow.State(rawValue: state) != nil else {
        problems.append("\(name) is left out: its state is \"\(state)\", which this version does not know")
        continue
      }
      do {
        let read = try RunRow(row: row)
        // Seconds of the years 0 to 5000, and lengths within them.
        if let (column, value) = [
          ("started", read.started), ("updated", read.updated), ("seconds", read.seconds), ("cpuSeconds", read.cpuSeconds),
          ("evaluationSeconds", read.evaluationSeconds),
        ].first(where: { !($0.1 > -62e9 && $0.1 < 96e9) }) {
          problems.append("\(name) is left out: its \(column) is \(value), which is no time")
        } else if let best = read.best, !best.isFinite {
          problems.append("\(name) is left out: its best is not a number")
        } else {
          rows.append(read)
        }
      } catch {
        problems.append("\(name) is left out: it is damaged")
      }
    }
    return (rows, problems)
  }

  /// Takes runs out; returns how many there were.
  public func remove(_ ids: [Int64]) throws(Failure) -> Int {
    try guarded { try queue.write { try RunRow.deleteAll($0, keys: ids) } }
  }
}
