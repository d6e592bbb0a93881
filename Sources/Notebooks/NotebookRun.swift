import Foundation
import Interpreter
import Syntax

/// An output of a cell.
public enum CellOutput: Sendable, Equatable, Codable {
  case text(String)
  /// A picture as SVG.
  case picture(String)
  /// A note or a warning.
  case note(String)
  case error(String)
}

public struct CellResult: Sendable {
  public var outputs: [CellOutput] = []
  public var seconds = 0.0
  public var failed = false
  /// Does the result come from the cache?
  public var isCached = false
  /// Was the cell not run because a cell before it failed?
  public var skipped = false
}

/// A notebook with the results of its cells.
public struct ExecutedNotebook: Sendable {
  public let notebook: Notebook
  public let results: [CellResult]
  public let parameters: [(name: String, value: String)]
  public let seed: Int
  public let threads: Int
  public let version: String
  public let seconds: Double

  public var failed: Bool { results.contains(where: \.failed) }
}

/// The host of a running notebook. It collects outputs, and passes progress on to another host.
public final class NotebookHost: InterpreterHost {
  private let other: any InterpreterHost
  fileprivate var outputs: [CellOutput] = []
  fileprivate var read: [String: [Double]] = [:]
  public let keepsRuns: Bool

  /// - Parameter keepsRuns: Whether finished trainings are kept in checkpoints and loaded from there.
  public init(_ other: any InterpreterHost, keepsRuns: Bool = false) {
    self.other = other
    self.keepsRuns = keepsRuns
  }

  public func didRead(_ path: String) { if read[path] == nil { read[path] = CellCache.state(path) } }

  public func write(_ text: String) {
    if case .text(let before)? = outputs.last { outputs[outputs.count - 1] = .text(before + text) } else { outputs.append(.text(text)) }
  }
  public func note(_ text: String) { outputs.append(.note(text)) }
  public func picture(_ svg: String) { outputs.append(.picture(svg)) }
  public var collectsPictures: Bool { true }
  public func progress(_ line: String?) { other.progress(line) }
  public func milestone(_ line: String) { other.milestone(line) }
  public var isInterrupted: Bool { other.isInterrupted }
  public var isBatch: Bool { true }
  public var resumes: Bool { other.resumes }
  public var width: Int { 100 }
  public var isTerminal: Bool { false }
  public var showsLiveProgress: Bool { other.showsLiveProgress }
  public var threads: Int { other.threads }
  public var seed: Int { other.seed }
  public var outputFolder: String? { other.outputFolder }
  public var sandbox: String? { other.sandbox }
  public var runDatabase: String? { other.runDatabase }
  public var script: (name: String, hash: String) { other.script }
  public var version: String { other.version }
}

extension Notebook {
  /// Checks the whole file, then runs its cells one after the other. As at the prompt, the value of the last statement of a
  /// cell is shown.
  ///
  /// - Parameters:
  ///   - host: The host of the interpreter.
  ///   - keepsGoing: Whether to run the cells after one that failed.
  ///   - cache: Unchanged cells are taken from the cache instead of being run, unless a changed cell needs them.
  /// - Returns: The cells with their results, or nil and the errors of the check.
  public func run(_ interpreter: Interpreter, host: NotebookHost, parameters: [String: String], keepsGoing: Bool, cache: CellCache? = nil)
    -> (
      executed: ExecutedNotebook?, diagnostics: [Diagnostic]
    )
  {
    interpreter.override(parameters)
    let (parts, tree, diagnostics) = interpreter.compile(file, cutAt: cells.dropFirst().map(\.range.lowerBound))
    guard let parts, let tree else { return (nil, diagnostics) }
    let renderer = DiagnosticRenderer(colour: false)
    let begin = Date()
    var results: [CellResult] = []
    var stopped = false
    let dependencies = CellDependencies(self, interpreter.library)
    let keys = cacheKeys(dependencies, host, parameters)
    let known = cells.indices.map { cells[$0].isText || !dependencies.isRepeatable[$0] ? nil : cache?.result(keys[$0]) }
    // Changed cells must run, and the cells that they need.
    var runs = Set(cells.indices.filter { known[$0] == nil && !cells[$0].isText })
    var before = -1
    while runs.count != before {
      before = runs.count
      for number in runs { runs.formUnion(dependencies.needs[number]) }
      // The dependency through files is not visible in the code. So a cell that can read a file depends on all earlier cells that
      // can write one: if one of them runs, it runs, and if it runs, they all run.
      for reader in cells.indices where dependencies.mayRead[reader] {
        let writers = (0..<reader).filter { dependencies.mayWrite[$0] }
        if runs.contains(reader) { runs.formUnion(writers) } else if !runs.isDisjoint(with: writers) { runs.insert(reader) }
      }
    }
    var files: [Int: [String: [Double]]] = [:]
    for (number, (cell, part)) in zip(cells, parts).enumerated() {
      var result = CellResult()
      if let before = known[number], !runs.contains(number), !stopped {
        results.append(before)
        continue
      }
      if cell.isText || stopped {
        result.skipped = stopped && !cell.isText
        results.append(result)
        continue
      }
      host.outputs = []
      host.read = [:]
      let start = Date()
      do {
        try interpreter.present(try interpreter.run(part))
      } catch {
        host.outputs.append(.error((error as? Diagnostic).map(renderer.render) ?? "error: \(error)\n"))
        result.failed = true
        stopped = !keepsGoing || (error as? Diagnostic)?.code == .interrupted
      }
      result.seconds = Date().timeIntervalSince(start)
      result.outputs = host.outputs
      results.append(result)
      files[number] = host.read
      if let cache, !result.failed {
        let needed = dependencies.needs[number].map { files[$0] ?? cache.files(keys[$0]) }
        cache.keep(keys[number], result, files: needed.reduce(host.read) { $0.merging($1) { own, _ in own } })
      }
    }
    let values = tree.parameters.map { (name: $0.name, value: interpreter.value($0.name)?.shown ?? $0.defaultText) }
    return (
      ExecutedNotebook(
        notebook: self, results: results, parameters: values, seed: host.seed, threads: host.threads, version: host.version,
        seconds: Date().timeIntervalSince(begin)), []
    )
  }

  /// For each cell, a text with everything on which its outputs depend, except files: its code, the code of the cells it needs,
  /// imported files, parameters and settings.
  private func cacheKeys(_ dependencies: CellDependencies, _ host: NotebookHost, _ parameters: [String: String]) -> [String] {
    let world =
      "\(host.version) \(host.seed) \(host.sandbox ?? "") \(parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })"
    return cells.indices.map { number in
      let codes = (dependencies.needs[number] + [number]).map { code(cells[$0]) }
      return ([world, "\(number)"] + dependencies.imported + codes).joined(separator: "\u{0}")
    }
  }
}
