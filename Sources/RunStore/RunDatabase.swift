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

  /// Opens the file, and makes it where it is not there; only its user may read it.
  public init(_ path: String) throws(Failure) {
    self.path = path
    do {
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      // Never one that is there: to close it would let go of the locks that this process has on it.
      try Self.making.withLock { _ in
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
          throw Failure(message: "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
      }
      var configuration = Configuration()
      // The rollback journal works on network folders too, where a shared home may lie.
      configuration.busyMode = .timeout(20)
      queue = try DatabaseQueue(path: path, configuration: configuration)
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

  /// All runs, the oldest first. Those whose process is gone are marked so.
  public func all() throws(Failure) -> [RunRow] {
    try guarded {
      let rows = try queue.read { try RunRow.order(Column("id")).fetchAll($0) }
      guard rows.contains(where: \.isAbandoned) else { return rows }
      return try queue.write { db in
        for var row in rows where row.isAbandoned {
          row.state = .died
          row.stop = "its process ended without a word"
          try row.update(db)
        }
        return try RunRow.order(Column("id")).fetchAll(db)
      }
    }
  }

  /// Takes runs out; returns how many there were.
  public func remove(_ ids: [Int64]) throws(Failure) -> Int {
    try guarded { try queue.write { try RunRow.deleteAll($0, keys: ids) } }
  }
}
