import Datasets
import Foundation
import Interpreter
import Kernels
import Syntax
import Training

/// What `load` does at a line that does not match the format.
enum ErrorRule: String, Sendable, CaseIterable { case stop, skip }

extension Kind where T == ColumnName {
  /// The column names of the file that the call text names, quoted, for completion.
  @Sendable private static func columns(_ call: String) -> [String] {
    let parts = call.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return [] }
    return Histories.columnNames((String(parts[1]) as NSString).expandingTildeInPath).map { "\"\($0)\"" }
  }

  /// A column by its name or its number.
  static var column: Kind<ColumnName> {
    Kind(.oneOf([.text, .number]), suggest: columns) { value throws(ConversionError) in
      switch value {
      case .text(let text), .word(let text): return .name(text)
      case .number(let number):
        guard let whole = Int(exactly: number), whole >= 1 else { throw .value("must be a name, or a whole number from 1 on") }
        return .number(whole)
      default: throw .type
      }
    }
  }
}

extension Builtin {
  static let load = Builtin(
    "load",
    """
    Reads interactions from a file, plain, compressed (gzip, xz, bzip2, zstd, lz4) or in a zip archive: sequences (one per line), MovieLens ratings, a table with columns, RecBole's .inter, pairs of user and item, or JSON lines of interactions or sessions. A note reports every guess about the format. An unclear format is an error that suggests the explicit call.
    """,
    topic: "Data", returns: .object(HistoriesValue.type), effects: .reads,
    example: "let events = load(\"ratings.dat\", format: movielens)"
  ) { d in
    let file = d.positional("file", .text, "path of the file")
    let format = d.optional("format", Kind<DataFormat>.word, "the file format; default: detected, and reported in a note")
    let pad = d.optional("pad", .text, "the item that stands for padding at one end of sequences")
    let user = d.optional("user", Kind<ColumnName>.column, "the column with users, by name or number (from 1)")
    let item = d.optional("item", Kind<ColumnName>.column, "the column with items")
    let time = d.optional("time", Kind<ColumnName>.column, "the column with times: Unix times, or ISO dates")
    let rating = d.optional("rating", Kind<ColumnName>.column, "the column with ratings")
    let timeUnit = d.optional(
      "time_unit", Kind<TimeUnit>.word, "the unit of numeric times, counted since 1970; default: inferred from their size")
    let separator = d.optional("separator", .separator, "the character between the fields of a table")
    let header = d.optional(
      "header", .bool, "whether a table begins with a line of column names; default: true, unless columns are given by number")
    let rule = d.named(
      "on_error", Kind<ErrorRule>.word, default: .stop, "stop",
      "at lines that do not match the format: stop with an error, or skip and count them")
    let member = d.optional(
      "member", .text, "the file inside of a zip archive; default: the only one, or the only one whose name fits, which a note tells")
    let limit = d.optional(
      "unpack_limit", Kind<Double>.number.checked { $0 > 0 && $0 < 1e6 ? nil : "must be above 0" },
      "the most gigabytes that a compressed file may unpack to; default: 200 times its size, at least 1")
    let cache = d.named(
      "cache", .bool, default: false, "false",
      "store the data as a .srsd file in the cache folder, and open that file when the same content is loaded again")
    return { call in
      let options = ReadingOptions(
        format: try call[format], pad: try call[pad], user: try call[user], item: try call[item], time: try call[time],
        rating: try call[rating], timeUnit: try call[timeUnit], separator: try call[separator], header: try call[header],
        skipsErrors: try call[rule] == .skip, member: try call[member],
        unpackLimit: try call[limit].map { Int($0 * 1_073_741_824) }, pool: Engine.pool(call))
      let path = try call.inputPath(try call[file])
      let result = try call[cache] ? call.cached(path, options) : call.read(path, options)
      for note in result.notes { call.interpreter.host.note(note) }
      return .object(HistoriesValue(result.histories))
    }
  }
}

extension Builtin.Call {
  fileprivate func read(_ path: String, _ options: ReadingOptions) throws -> ReadingResult {
    try withProgress("reading \(path)", "interactions") { watch in try Histories.read(path, options, watch: watch) }
  }

  /// Opens the cached `.srsd` file for the same content and options. If there is none, or it is damaged, reads the file
  /// and stores the result in the cache.
  fileprivate func cached(_ path: String, _ options: ReadingOptions) throws -> ReadingResult {
    let key = try withProgress("looking for \(path) in the cache", "bytes") { try Histories.cacheKey(path, options, watch: $0) }
    let kept = try cachePath("data/\(key).srsd", argument: "cache")
    var known = ReadingOptions()
    known.format = .srsd
    if FileManager.default.fileExists(atPath: kept) {
      if let problem = interpreter.readingRefusal(kept) { throw error(.file, problem, argument: "cache") }
      do {
        var result = try Histories.read(kept, known)
        result.histories.source = path
        _ = try result.histories.checked()
        interpreter.host.note("opened \(path) from the cache: \(kept)")
        return result
      } catch let error as DataError {
        interpreter.host.note("the cache is not used: \(error.message)")
      }
    }
    let result = try read(path, options)
    try engine { try Builtin.put(to: kept, self) { put in try result.histories.writeBinary(notes: result.notes, put: put) } }
    interpreter.host.note("stored in the cache as \(kept)")
    return ReadingResult(histories: try engine { try Histories.read(kept, known).histories }, notes: result.notes)
  }

  /// The path of a file in the cache folder: `$SRS_CACHE`, else `srs` in `$XDG_CACHE_HOME`, else `~/.cache/srs`.
  ///
  /// - Throws: E0501 if the path lies outside the sandbox.
  func cachePath(_ name: String, argument: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let own = environment["SRS_CACHE"].flatMap { $0.isEmpty ? nil : $0 }
    let folder =
      own ?? environment["XDG_CACHE_HOME"].map { $0 + "/srs" }
      ?? (environment["HOME"] ?? FileManager.default.currentDirectoryPath) + "/.cache/srs"
    let path = folder + "/" + name
    guard !interpreter.refuses(path) else {
      throw error(
        .file, "the cache folder, \(folder), lies outside the sandbox", argument: argument,
        help: "set SRS_CACHE to a folder inside the sandbox, or do not use the cache")
    }
    return path
  }

  /// Runs long work on data: reports progress ten times a second, and stops when the user interrupts.
  ///
  /// - Throws: `Diagnostic` with code `.interrupted`, and the errors of `body` as diagnostics.
  func withProgress<Result>(_ what: String, _ units: String, _ body: (@escaping ReadingWatch) throws -> Result) throws -> Result {
    let host = interpreter.host
    let start = ProcessClock.wall()
    var shown = start
    defer { host.progress(nil) }
    do {
      return try engine {
        try body { share, count in
          let now = ProcessClock.wall()
          if now - shown > 0.1 {
            shown = now
            let left = share > 0.01 ? ", \(NumberFormat.duration((now - start) * (1 / share - 1))) left" : ""
            let percent = share > 0 ? "\(Int(share * 100)) %, " : ""
            host.progress("\(what): \(percent)\(NumberFormat.grouped(count)) \(units)\(left)")
          }
          return !host.isInterrupted
        }
      }
    } catch is ReadingStopped {
      throw Diagnostic(.interrupted, "interrupted while \(what)", at: span)
    }
  }
}
