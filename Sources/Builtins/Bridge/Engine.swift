import Datasets
import Evaluation
import Foundation
import Growth
import Interpreter
import Kernels
import Layers
import Models
import Plotting
import Synchronization
import Syntax
import Training

/// Data that may be read lazily from a mapped file.
protocol FileBacked: AnyObject {
  /// The first damage found in the file so far, if any.
  var fault: DataError? { get }
}

extension HistoriesValue: FileBacked { var fault: DataError? { histories.fault } }
extension SequencesValue: FileBacked { var fault: DataError? { self.set.fault } }
extension SplitValue: FileBacked { var fault: DataError? { split.train.fault ?? split.valid.fault ?? split.test.fault } }
extension TargetValue: FileBacked { var fault: DataError? { split.train.fault ?? split.valid.fault ?? split.test.fault } }

/// State shared by all builtins that call the engine.
enum Engine {
  private static let pools = Mutex<[Int: WorkerPool]>([:])

  /// A pool with as many threads as the host allows and memory permits. Pools are created once and reused.
  static func pool(_ call: Builtin.Call) -> WorkerPool {
    let threads = min(call.interpreter.host.threads, threadsWithRoom)
    return pools.withLock { pools in
      if let pool = pools[threads] { return pool }
      let pool = WorkerPool(threads: threads)
      pools[threads] = pool
      return pool
    }
  }

  /// The number of threads that fit under a memory limit (`ulimit -v`). OpenBLAS waits forever for the buffer of a
  /// thread that does not fit. Results do not depend on the number of threads.
  private static let threadsWithRoom: Int = {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return Int.max }
    let pages = Int(((try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "").prefix { $0 != " " }) ?? 0
    // 210 MiB per thread: an OpenBLAS buffer, the stack, and its share of the heap.
    return max(1, (Int(limit.rlim_cur) - pages * Int(getpagesize())) / (210 << 20))
  }()
}

extension Builtin.Call {
  /// For work of the engine, which stops after Ctrl-C, SIGTERM, SIGHUP and `--timeout`.
  var isCancelled: @Sendable () -> Bool {
    // The host only looks at a flag that signals set.
    nonisolated(unsafe) let host = interpreter.host
    return { host.isInterrupted }
  }

  /// gnuplot, whose work Ctrl-C and its kin end.
  var gnuplot: Gnuplot { Gnuplot(isCancelled: isCancelled) }

  /// Runs work on all threads that Ctrl-C, SIGTERM and `--timeout` end within one of its parts.
  ///
  /// - Parameter what: what progress is shown of on a terminal; nil: of nothing.
  func cancellable<Result>(_ what: String? = nil, _ body: (WorkerPool) throws -> Result) throws -> Result {
    let pool = Engine.pool(self)
    // Safe: progress is reported by the thread that calls.
    nonisolated(unsafe) let host = interpreter.host
    let start = ProcessClock.wall()
    let shown = Locked(start + 0.4)
    defer { if what != nil { host.progress(nil) } }
    @Sendable func show(_ share: Double) {
      let now = ProcessClock.wall()
      guard let what, now > shown.value else { return }
      shown.change { $0 = now + 0.1 }
      let left = share > 0.01 ? ", \(NumberFormat.duration((now - start) * (1 / share - 1))) left" : ""
      host.progress("\(what): \(Int(share * 100)) %\(left)")
    }
    do {
      return try pool.cancellable(isCancelled, progress: show) { try body(pool) }
    } catch is Cancelled {
      throw Diagnostic(.interrupted, "interrupted", at: span)
    }
  }

  /// A baseline computed from training sequences. Ctrl-C, SIGTERM and `--timeout` end the computation.
  func baseline(_ kind: Baseline.Kind, _ train: SequenceSet, neighbours: Int = Baseline.defaultNeighbours) throws -> Baseline {
    let baseline = Baseline(kind, train: train, neighbours: neighbours, isCancelled: isCancelled)
    try work.checkInterrupt()
    return baseline
  }

  /// Runs engine code; its errors become diagnostics at the argument that caused them.
  func engine<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let problem as DataError {
      let place = problem.location.map { $0 + ": " } ?? ""
      throw error(
        problem.argument == "file" ? .file : .data, place + problem.message, argument: problem.argument ?? "file",
        help: problem.help)
    } catch let problem as any HasEngineMessage {
      let message = problem.engineMessage
      throw error(
        message.code, message.message, argument: argumentName(message.argument, or: message.fallbackArgument), help: message.help)
    } catch let problem as PlottingError where problem == .cancelled {
      throw Diagnostic(.interrupted, "interrupted", at: span)
    } catch let problem as PlottingError {
      throw error(.figure, problem.message, argument: "file", help: problem.help)
    } catch let problem as OutputFile.Failure {
      throw error(.file, problem.message, argument: "file")
    }
  }
}

extension Builtin.Call {
  /// Throws if damage was found in a mapped file among the arguments or the result: a result computed from damaged data
  /// is invalid.
  func checkFiles(_ result: Value) throws {
    // A list may contain the same list many times, so each is looked at once.
    var seen: Set<UnsafeRawPointer> = []
    func fault(_ value: Value) -> DataError? {
      switch value {
      case .object(let object): return (object as? any FileBacked)?.fault
      case .list(let values):
        guard let address = values.withUnsafeBytes({ $0.baseAddress }), seen.insert(address).inserted else { return nil }
        for value in values {
          if let found = fault(value) { return found }
        }
        return nil
      default: return nil
      }
    }
    guard let found = (values.compactMap { $0 } + [result]).lazy.compactMap(fault).first else { return }
    try engine { throw found }
  }

  /// `argument` if this builtin has a parameter of that name, else `other`.
  private func argumentName(_ argument: String?, or other: String?) -> String? {
    builtin.parameters.contains { $0.name == argument } ? argument : other
  }
}

extension Metric {
  /// The metric of a literal such as `mrr@5`; nil for an unknown name.
  init?(_ name: MetricName) {
    guard let kind = Kind(rawValue: name.name) else { return nil }
    self.init(kind, name.k)
  }

  var literal: MetricName { MetricName(kind.rawValue, k) }
}

extension Kind where T == Metric {
  static var metric: Kind<Metric> {
    let usual = ["mrr", "hr", "ndcg"].flatMap { name in [5, 10, 20].map { "\(name)@\($0)" } }
    return Kind(.metric, suggest: { _ in usual }) { value throws(ConversionError) in
      guard case .metric(let name) = value, let metric = Metric(name) else { throw .type }
      return metric
    }
  }
}

extension Kind where T == Extent {
  /// A length of training. A plain number means steps and is rounded to a whole number.
  static var extent: Kind<Extent> {
    Kind(.oneOf([.quantity(.steps), .quantity(.epochs), .quantity(.time), .number])) {
      value throws(ConversionError) in
      let amount: Double
      let extent: Extent
      switch value {
      case .number(let number), .quantity(let number, .steps):
        amount = number.rounded()
        guard abs(amount) < 1e12 else { throw .value("is too large") }
        extent = .steps(Int(amount))
      case .quantity(let number, .epochs):
        amount = number
        extent = .epochs(number)
      case .quantity(let number, let unit) where unit.dimension == .time:
        amount = number * unit.factor
        extent = .seconds(amount)
      default: throw .type
      }
      guard amount > 0 else { throw .value("must be above 0") }
      guard amount < 1e12 else { throw .value("is too large") }
      return extent
    }
  }
}

extension Kind where T == Extent {
  /// Like `extent`, but without times: a schedule that depends on the clock is not reproducible.
  static var countedExtent: Kind<Extent> {
    let inner = Kind<Extent>.extent
    return Kind(.oneOf([.quantity(.steps), .quantity(.epochs), .number])) { value throws(ConversionError) in
      if case .quantity(_, let unit) = value, unit.dimension == .time { throw .type }
      return try inner.value(of: value)
    }
  }
}

/// The language with all functions of the engine.
public enum StackRecLibrary {
  /// Every function that a script can call.
  public static let library = Library(
    Builtin.standard
      + (Builtin.data + Builtin.models + Builtin.training + Builtin.evaluation + Builtin.tables + Builtin.runRecords + Builtin.figures)
      .map { $0.checked { call, result in try call.checkFiles(result) } },
    metrics: Metric.Kind.allCases.map(\.rawValue))
}
