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

/// Data that may lie in a mapped file.
protocol FileBacked: AnyObject {
  /// What was found wrong in it so far.
  var fault: DataError? { get }
}

extension HistoriesValue: FileBacked { var fault: DataError? { histories.fault } }
extension SequencesValue: FileBacked { var fault: DataError? { self.set.fault } }
extension SplitValue: FileBacked { var fault: DataError? { split.train.fault ?? split.valid.fault ?? split.test.fault } }
extension TargetValue: FileBacked { var fault: DataError? { split.train.fault ?? split.valid.fault ?? split.test.fault } }

/// What all builtins of the engine share.
enum Engine {
  private static let pools = Mutex<[Int: WorkerPool]>([:])

  /// The threads the host allows, started once.
  static func pool(_ call: Builtin.Call) -> WorkerPool {
    let threads = min(call.interpreter.host.threads, threadsWithRoom)
    return pools.withLock { pools in
      if let pool = pools[threads] { return pool }
      let pool = WorkerPool(threads: threads)
      pools[threads] = pool
      return pool
    }
  }

  /// How many threads a limit on memory (`ulimit -v`) leaves room for; OpenBLAS waits without end for the buffer of a
  /// thread that does not fit. The same results come of fewer.
  private static let threadsWithRoom: Int = {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return Int.max }
    let pages = Int(((try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "").prefix { $0 != " " }) ?? 0
    // A buffer of OpenBLAS, the stack of the thread, its part of the heap.
    return max(1, (Int(limit.rlim_cur) - pages * Int(getpagesize())) / (210 << 20))
  }()
}

extension Builtin.Call {
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
      let said = problem.engineMessage
      throw error(said.code, said.message, argument: known(said.argument, or: said.other), help: said.help)
    } catch let problem as PlottingError {
      throw error(.figure, problem.message, argument: "file", help: problem.help)
    } catch let problem as OutputFile.Failure {
      throw error(.file, problem.message, argument: "file")
    }
  }
}

extension Builtin.Call {
  /// What was computed on data of a file holds only if the file was found sound on the way.
  func checkFiles(_ result: Value) throws {
    func fault(_ value: Value?) -> DataError? {
      switch value {
      case .object(let object): (object as? any FileBacked)?.fault
      case .list(let values): values.lazy.compactMap(fault).first
      default: nil
      }
    }
    guard let found = (values + [result]).lazy.compactMap(fault).first else { return }
    try engine { throw found }
  }

  /// The argument of an error, under the name this builtin has for it.
  private func known(_ argument: String?, or other: String?) -> String? {
    builtin.parameters.contains { $0.name == argument } ? argument : other
  }
}

extension Metric {
  /// The metric of a literal, which the checker has let through.
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
  /// A length of training. A plain number is a number of steps, rounded to a whole one.
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
  /// As `extent`, but no time: what depends on the clock could not be repeated.
  static var countedExtent: Kind<Extent> {
    let inner = Kind<Extent>.extent
    return Kind(.oneOf([.quantity(.steps), .quantity(.epochs), .number])) { value throws(ConversionError) in
      if case .quantity(_, let unit) = value, unit.dimension == .time { throw .type }
      return try inner.value(of: value)
    }
  }
}

/// The language bound to the engine.
public enum StackRecLibrary {
  /// Everything the language can call.
  public static let library = Library(
    Builtin.standard
      + (Builtin.data + Builtin.models + Builtin.training + Builtin.judging + Builtin.tables + Builtin.recording + Builtin.showing)
      .map { $0.checked { call, result in try call.checkFiles(result) } },
    metrics: Metric.Kind.allCases.map(\.rawValue))
}
