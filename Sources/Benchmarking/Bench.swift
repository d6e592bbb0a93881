import Basics
import Datasets
import Evaluation
import Foundation
import Kernels
import Layers
import Models
import Training

/// Measures the time, speed and memory of one workload.
public struct Bench {
  /// The result of a measurement. Times are milliseconds per step, memory is in MiB.
  public struct Result: Codable {
    public let program: String
    public let work: String
    public let threads: Int
    public let steps: Int
    /// The median of the wall-clock time of a step.
    public let medianMilliseconds: Double
    /// The lower quartile.
    public let lowMilliseconds: Double
    /// The upper quartile.
    public let highMilliseconds: Double
    /// The median processor time of a step, summed over all threads.
    public let cpuMilliseconds: Double
    public let sequencesPerSecond: Double
    /// Floating-point operations of the matrix products per second of the median step, in 10^9.
    public let gigaflops: Double
    /// `gigaflops` divided by `peakGigaflops`.
    public let peakShare: Double?
    /// What large matrix products reach on this machine with the same number of threads.
    public let peakGigaflops: Double?
    /// The largest resident set size of the process.
    public let peakMemory: Double
    /// The largest resident set size before the workload.
    public let baselineMemory: Double
    /// The loss of the last step, for training.
    public let loss: Double?
    public let instructionSet: String

    enum CodingKeys: String, CodingKey {
      case program, work, threads, steps, loss, gigaflops
      case medianMilliseconds = "median_ms"
      case lowMilliseconds = "low_ms"
      case highMilliseconds = "high_ms"
      case cpuMilliseconds = "cpu_ms"
      case sequencesPerSecond = "sequences_per_second"
      case peakShare = "peak_share"
      case peakGigaflops = "peak_gigaflops"
      case peakMemory = "peak_memory_mb"
      case baselineMemory = "baseline_memory_mb"
      case instructionSet = "instruction_set"
    }
  }

  /// Runs a workload.
  ///
  /// - Parameters:
  ///   - steps: the number of steps that are timed.
  ///   - warmup: the number of steps before them that are not timed; at most one for evaluation.
  public static func run(_ work: Workload, threads: Int, steps: Int, warmup: Int) throws -> Result {
    Matrix.setUp
    let baseline = Double(ProcessClock.peakMemory()) / 1_048_576
    let pool = WorkerPool(threads: threads)
    let network = try work.make()
    var times: [(wall: Double, cpu: Double)] = []
    let perStep: Int
    var loss: Double?
    let model = Model(network, seed: 1)
    switch work.task {
    case .training:
      perStep = work.batch
      (times, loss) = train(work, model, pool, steps: steps, warmup: warmup)
    case .evaluation(let count):
      perStep = count
      let set = work.sequences(count)
      let metrics = [Metric.Kind.mrr, .hr, .ndcg].flatMap { [Metric($0, 5), Metric($0, 10)] }
      times = (0..<(steps + min(warmup, 1))).map { _ in
        time {
          let ranks = Ranking.ranks(model, on: set, limit: 10, pool: pool)
          _ = metrics.map { $0.mean(ranks) }
        }
      }
    }
    let memory = Double(ProcessClock.peakMemory()) / 1_048_576
    let sorted = times.suffix(steps).map(\.wall).sorted()
    let cpu = times.suffix(steps).map(\.cpu).sorted()[steps / 2]
    let median = SampleStatistics.quantile(sorted, 0.5)
    // This comes last, so that `peakMemory` does not include its memory. It is left out for small workloads, because
    // Benchmarks/instructions counts the instructions of the whole process for them.
    let peak = work.batch < 256 ? .nan : sgemmPeak(pool)
    let gigaflops = work.operations(network) / median / 1e9
    return Result(
      program: "srs", work: work.name, threads: threads, steps: steps, medianMilliseconds: median * 1e3,
      lowMilliseconds: SampleStatistics.quantile(sorted, 0.25) * 1e3, highMilliseconds: SampleStatistics.quantile(sorted, 0.75) * 1e3,
      cpuMilliseconds: cpu * 1e3, sequencesPerSecond: Double(perStep) / median, gigaflops: gigaflops,
      peakShare: peak.isFinite ? gigaflops / peak : nil,
      peakGigaflops: peak.isFinite ? peak : nil, peakMemory: memory, baselineMemory: baseline, loss: loss,
      instructionSet: Elementwise.instructionSet)
  }

  private static func train(
    _ work: Workload, _ model: Model, _ pool: WorkerPool, steps: Int, warmup: Int
  ) -> ([(wall: Double, cpu: Double)], Double) {
    let set = work.sequences(work.batch * 8)
    let stepper = Stepper(model, on: set, loss: work.loss, batch: work.batch, pool: pool)
    var loss = 0.0
    let times = (0..<(warmup + steps)).map { step in time { loss = stepper.step(step) } }
    return (times, loss)
  }

  private static func time(_ body: () -> Void) -> (wall: Double, cpu: Double) {
    let (wall, cpu) = (ProcessClock.wall(), ProcessClock.cpu())
    body()
    return (ProcessClock.wall() - wall, ProcessClock.cpu() - cpu)
  }

  /// The speed of large matrix products in 10^9 floating-point operations per second, with one product on every thread.
  public static func sgemmPeak(_ pool: WorkerPool) -> Double {
    let n = 768
    let buffers = (0..<pool.threads).map { _ in (0..<3).map { _ in FloatBuffer(count: n * n) } }
    for b in buffers.flatMap({ $0 }) { for i in 0..<b.count { b.base[i] = 0.5 } }
    let best = (0..<6).map { _ in
      let start = ProcessClock.wall()
      let times = 4
      pool.forEach(pool.threads * times) { _, worker in
        let b = buffers[worker]
        Matrix.product(b[0].base, b[1].base, b[2].base, m: n, n: n, k: n)
      }
      return 2 * Double(n * n * n * pool.threads * times) / (ProcessClock.wall() - start) / 1e9
    }
    return best.max() ?? 0
  }
}
