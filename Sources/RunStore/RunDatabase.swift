import Foundation
import GRDB
import Synchronization

/// One training run: its inputs, its progress and its results. Values of the engine are JSON texts, so that any program that
/// reads SQLite can read the database.
public struct RunRow: Codable, Sendable, Equatable {
  public enum State: String, Codable, Sendable, CaseIterable {
    case running, finished, interrupted, diverged, failed
    /// Its process ended without recording the end of the run, as in a crash.
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
  /// A hash of the model, the data, the options and the phases. Repeating a training gives the same fingerprint.
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
  /// The start of the process, in clock ticks since the boot of the machine. Process numbers are reused, so the number alone
  /// does not identify a process.
  public var processStart: Int64
  public var blocks: Int
  public var steps: Int
  /// Training time in seconds, without evaluation.
  public var seconds: Double
  public var cpuSeconds: Double
  public var evaluationSeconds: Double
  public var metric: String
  public var best: Double?
  public var bestStep: Int?
  /// The reason for which training stopped.
  public var stop: String
  /// Metrics of the best evaluation, as a JSON object.
  public var metrics: String
  /// All evaluations, as a JSON list.
  public var history: String
  /// All growths, as a JSON list.
  public var growths: String
  /// The path of the checkpoint; empty if there is none.
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

  /// The start of a process in clock ticks since boot, from field 22 of /proc/PID/stat; nil if there is no such process.
  static func startOfProcess(_ process: Int32) -> Int64? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? Int64(fields[19]) : nil
  }

  /// Is it marked as running on this machine although its process has ended?
  var isAbandoned: Bool {
    state == .running && machine == Self.thisMachine && Self.startOfProcess(process) != processStart
  }
}

extension RunRow: FetchableRecord, MutablePersistableRecord {
  public static let databaseTableName = "run"

  public mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
}

/// The training runs of a folder, in an SQLite file that several processes may write at the same time.
public final class RunDatabase: Sendable {
  public struct Failure: Error {
    public let message: String
  }

  /// Locked while the file is created, so that two threads do not create it at the same time.
  private static let creation = Mutex(())
  private let queue: DatabaseQueue
  public let path: String

  /// How long to wait, in seconds, while another process has locked the database. After an interrupt the wait is short but not
  /// zero, so that the end of a training can still be recorded.
  static let patience = (usual: 20.0, interrupted: 0.5)

  /// Opens the database and creates it, readable only by its user, if it does not exist.
  ///
  /// - Parameter isInterrupted: Whether the user wants to stop the program. Waiting for other processes then ends early.
  /// - Throws: `Failure` if the file is not a database of runs, has hard links, or was written by a newer version.
  public init(_ path: String, isInterrupted: @escaping @Sendable () -> Bool = { false }) throws(Failure) {
    self.path = path
    do {
      var status = stat()
      if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 1 {
        // SQLite names the journal after the database, so each hard link would have a journal of its own.
        throw Failure(message: "\(path) has another name (a hard link), and SQLite could damage such a file; copy it instead")
      }
      if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        throw Failure(message: "\(path) is not an ordinary file")
      }
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      // An existing file must not be opened and closed here: closing it would release the POSIX locks that SQLite has on it in
      // this process.
      try Self.creation.withLock { _ in
        guard !FileManager.default.fileExists(atPath: path) else { return }
        // Another process may have created it in the meantime.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if descriptor < 0 && errno == EEXIST { return }
        guard descriptor >= 0 else {
          throw Failure(message: "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
      }
      var configuration = Configuration()
      // The rollback journal, the default, is kept because it also works on network file systems, where home folders may be.
      let start = Mutex(Date.distantPast)
      configuration.busyMode = .callback { tries in
        if tries == 0 { start.withLock { $0 = Date() } }
        let waited = start.withLock { Date().timeIntervalSince($0) }
        guard waited < (isInterrupted() ? Self.patience.interrupted : Self.patience.usual) else { return false }
        usleep(20_000)
        return true
      }
      // A database from elsewhere may contain triggers and functions; they must not run with the rights of this program.
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY") }
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { db in
        let tables = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master")
        guard tables.isEmpty || tables.isSuperset(of: ["grdb_migrations"]) else {
          throw Failure(message: "\(path) is the database of another program, not a database of runs; nothing was changed in it")
        }
        guard try !Self.migrations.hasBeenSuperseded(db) else {
          throw Failure(message: "\(path) was written by a newer version of srs, which this one cannot read")
        }
        guard
          try tables.isEmpty || !String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations").contains("1")
            || db.tableExists(RunRow.databaseTableName)
        else { throw Failure(message: "\(path) is the database of another program, not a database of runs; nothing was changed in it") }
      }
      do {
        try Self.migrations.migrate(queue)
      } catch is DatabaseError {
        // Another process may have created the table between the check and the creation; then it exists now.
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
          ? "\(path) is not a database of runs, or is damaged; move it away to begin a new one"
          : error.resultCode == .SQLITE_BUSY
            ? "\(path) is locked by another process"
            : "\(path): \(error.message ?? "\(error.resultCode)")")
    }
    return Failure(message: "\(path): \((error as NSError).localizedDescription)")
  }

  private func guarded<Result>(_ body: () throws -> Result) throws(Failure) -> Result {
    do { return try body() } catch { throw Self.failure(path, error) }
  }

  /// Adds a run and returns it with its id.
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

  /// All runs, oldest first. Marks running rows whose process has ended as `died`. Rows that cannot be read are skipped;
  /// `problems` has a sentence for each of them.
  public func read() throws(Failure) -> (rows: [RunRow], problems: [String]) {
    try guarded {
      var (rows, problems) = try queue.read(Self.rows)
      guard rows.contains(where: \.isAbandoned) else { return (rows, problems) }
      try queue.write { db in
        for index in rows.indices where rows[index].isAbandoned {
          rows[index].state = .died
          rows[index].stop = "its process ended without recording an end"
          try rows[index].update(db)
        }
      }
      return (rows, problems)
    }
  }

  /// The rows of `read`, without the problems.
  public func all() throws(Failure) -> [RunRow] { try read().rows }

  /// The ids of all runs, including those that cannot be read.
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
        // Accept only the seconds of about the years 0 to 5000, for points in time and for durations.
        if let (column, value) = [
          ("started", read.started), ("updated", read.updated), ("seconds", read.seconds), ("cpuSeconds", read.cpuSeconds),
          ("evaluationSeconds", read.evaluationSeconds),
        ].first(where: { !($0.1 > -62e9 && $0.1 < 96e9) }) {
          problems.append("\(name) is left out: its \(column) is \(value), which is not a valid time")
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

  /// Removes runs and returns how many of them existed.
  public func remove(_ ids: [Int64]) throws(Failure) -> Int {
    try guarded { try queue.write { try RunRow.deleteAll($0, keys: ids) } }
  }
}
