import Datasets
import Kernels
import Layers

/// Something that scores every item as the next of a sequence.
public protocol Scorer: Sendable {
  /// For captions, e.g. "most popular".
  var title: String { get }
  /// Scores of all items of the set's vocabulary for sequence `index` of `set`, its last item hidden.
  func scores(_ set: SequenceSet, _ index: Int, into scores: UnsafeMutablePointer<Float>)
}

/// Ranks of the targets of test sequences among all items.
public enum Ranking {
  /// Rank of `target` (from 0): items scored strictly higher, plus half of the others scored the same. The pad, item
  /// 0, is not ranked. A target whose score is not a number comes last.
  public static func rank(of target: Int, _ scores: UnsafePointer<Float>, items: Int) -> Double {
    let own = scores[target]
    guard own == own else { return Double(items - 2) }
    let (above, equal) = Elementwise.count(scores + 1, items - 1, above: own)
    return Double(above) + Double(equal - 1) / 2
  }

  /// The rank of every sequence's last item, by any scorer.
  public static func ranks(_ scorer: any Scorer, on set: SequenceSet, pool: WorkerPool) -> [Double] {
    let items = set.items.count
    let buffers = (0..<pool.threads).map { _ in FloatBuffer(count: items) }
    return collect(set.count) { ranks in
      pool.forEach(set.count) { index, worker in
        scorer.scores(set, index, into: buffers[worker].base)
        ranks.pointer[index] = rank(of: Int(set.target(index)), buffers[worker].base, items: items)
      }
    }
  }

  /// The rank of every sequence's last item, by a model: tiles of sequences go through it, and only the last position
  /// is scored.
  public static func ranks(_ model: Model, on set: SequenceSet, pool: WorkerPool) -> [Double] {
    let items = model.network.output.rows
    return collect(set.count) { ranks in
      forEachTile(model, on: set, pool: pool) { index, scores in
        ranks.pointer[index] = rank(of: Int(set.target(index)), scores, items: items)
      }
    }
  }

  /// Calls `body` with the scores of all items for every sequence of the set; in parallel, in any order.
  public static func forEachTile(
    _ model: Model, on set: SequenceSet, pool: WorkerPool,
    _ body: @escaping @Sendable (_ index: Int, _ scores: UnsafePointer<Float>) -> Void
  ) {
    let network = model.network
    let size = 32
    let positions = network.positions(length: set.length)
    let items = network.output.rows
    let largest = Tile(positions: positions, sequences: size)
    let memories = (0..<pool.threads).map { _ in
      EvaluationMemory(network, largest, items: items)
    }
    let values = model.values
    pool.forEach((set.count + size - 1) / size) { job, worker in
      let range = (job * size)..<min(set.count, (job + 1) * size)
      memories[worker].run(network, values, set, range, positions: positions, body)
    }
  }

  private static func collect(_ count: Int, _ fill: (Shared<Double>) -> Void) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialised in
      if let base = buffer.baseAddress { fill(Shared(base)) }
      initialised = count
    }
  }
}

/// What one thread needs to score tiles of sequences.
private final class EvaluationMemory: Sendable {
  private let saved: FloatBuffer
  private let scratch: FloatBuffer
  private let hidden: FloatBuffer
  private let scores: FloatBuffer

  init(_ network: any Network, _ tile: Tile, items: Int) {
    saved = FloatBuffer(count: network.savedCount(tile, training: false))
    scratch = FloatBuffer(count: network.scratchCount(tile))
    hidden = FloatBuffer(count: tile.rows * network.width)
    scores = FloatBuffer(count: tile.sequences * items)
  }

  func run(
    _ network: any Network, _ values: FloatBuffer, _ set: SequenceSet, _ range: Range<Int>, positions: Int,
    _ body: (Int, UnsafePointer<Float>) -> Void
  ) {
    let n = range.count
    let output = network.output
    let d = output.width
    var items = [Int32](repeating: 0, count: positions * n)
    var originals = items
    let masksLast = network.objective != .nextItem
    for (b, index) in range.enumerated() {
      let sequence = set.sequence(index)
      for t in 0..<positions {
        let token = sequence[sequence.startIndex + t]
        let hidden = masksLast && t == positions - 1
        items[t * n + b] = hidden ? 0 : token
        // Nobody may see the item that is asked for, decoders included.
        originals[t * n + b] = hidden ? 0 : token
      }
    }
    let users = range.map { set.users[$0] }
    let pass = Pass(
      parameters: values.base, gradients: scratch.base, scratch: scratch.base, rowGradients: [], mode: .evaluation)
    items.withUnsafeBufferPointer { items in
      originals.withUnsafeBufferPointer { originals in
        users.withUnsafeBufferPointer { users in
          guard let i = items.baseAddress, let o = originals.baseAddress, let u = users.baseAddress else { return }
          network.forward(
            TileInput(tile: Tile(positions: positions, sequences: n), items: i, originals: o, users: u),
            hidden: hidden.base, saved: saved.base, pass: pass)
        }
      }
    }
    // Gap filling predicts the last item at its own position, the others one before; rows of one time are contiguous.
    let last = network.objective == .gapFillingShifted ? positions - 2 : positions - 1
    Matrix.productTransposedRight(
      hidden.base + last * n * d, values.base + output.weight.offset, scores.base, m: n, n: output.rows, k: d)
    if let bias = output.bias { Elementwise.addBias(scores.base, values.base + bias.offset, rows: n, c: output.rows) }
    for (b, index) in range.enumerated() { body(index, scores.base + b * output.rows) }
  }
}
