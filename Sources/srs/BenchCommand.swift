import ArgumentParser
import Benchmarking
import Foundation

/// `srs bench` times a workload and writes a line of JSON.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Times a workload and writes a line of JSON. Benchmarks/README.md has a table of results.",
    discussion: "Workloads:\n" + Workload.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

  private static let workloads = Workload.all + Workload.small

  @Argument(help: "The workload's name.") var work: String?
  @Option(help: "Threads.") var threads = min(8, ProcessInfo.processInfo.activeProcessorCount)
  @Option(help: "Timed steps.") var steps: Int?
  @Option(help: "Warm-up steps, which are not timed.") var warmup = 5
  @Flag(help: "List the names of the workloads.") var list = false

  func validate() throws {
    if !list && work == nil { throw ValidationError("name a workload; --list names them") }
    if let work, !Self.workloads.contains(where: { $0.name == work }) {
      throw ValidationError("there is no workload \(work); they are: \(Self.workloads.map(\.name).joined(separator: ", "))")
    }
    guard (1...1024).contains(threads), (1...1_000_000).contains(steps ?? 1), (0...1_000_000).contains(warmup) else {
      throw ValidationError("--threads is from 1 to 1024, --steps from 1 and --warmup from 0 to 1000000")
    }
  }

  func run() throws {
    if list {
      Output.write(Workload.all.map { $0.name + "\n" }.joined())
      return
    }
    guard let found = Self.workloads.first(where: { $0.name == work }) else { return }
    let result = try Bench.run(found, threads: threads, steps: steps ?? found.defaultSteps, warmup: warmup)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    Output.write(String(decoding: try encoder.encode(result), as: UTF8.self) + "\n")
  }
}
