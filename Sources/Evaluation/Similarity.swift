import Datasets
import Kernels
import Layers

/// Cosine similarities between the L blocks of a model. The StackRec paper motivates stacking by the similarity of
/// neighbouring blocks.
public struct Similarity: Sendable {
  /// An `(L, L)` matrix of cosines.
  public let values: [[Double]]

  /// The mean similarity of neighbouring blocks; NaN for a single block.
  public var neighbours: Double {
    let pairs = zip(values.indices, values.indices.dropFirst()).map { values[$0][$1] }
    return pairs.reduce(0, +) / Double(pairs.count)
  }

  /// Cosine similarities of the blocks' outputs: computed per sequence over all positions and channels, then averaged over
  /// the sequences.
  public static func outputs(_ model: Model, on set: SequenceSet, pool: WorkerPool) -> Similarity {
    let network = model.network
    let blocks = network.depth
    let jobs = (set.count + size - 1) / size
    // One sum per group of sequences: the groups do not depend on the number of threads, so neither does the result.
    let sums = FloatBuffer(count: jobs * blocks * blocks)
    let prepared = FloatBuffer(count: network.layout.preparedCount)
    network.prepare(model.values, into: prepared, training: false, pool: pool)
    pool.forEachUntilCancelled(jobs) { job, _ in
      let range = (job * size)..<min(set.count, (job + 1) * size)
      add(model, prepared, set, range, to: sums.base + job * blocks * blocks)
    }
    let total = (0..<(blocks * blocks)).map { cell in
      (0..<jobs).reduce(0.0) { $0 + Double(sums[$1 * blocks * blocks + cell]) } / Double(set.count)
    }
    return Similarity(values: (0..<blocks).map { i in (0..<blocks).map { total[i * blocks + $0] } })
  }

  private static let size = 16

  private static func add(
    _ model: Model, _ prepared: FloatBuffer, _ set: SequenceSet, _ range: Range<Int>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    let network = model.network
    let stack = network.stacks[0]
    let indices = network.pads == .item ? Array(range) : range.sorted { (-set.eventCount($0), $0) < (-set.eventCount($1), $1) }
    let input = EvaluationInput(set, indices, network: network)
    let tile = input.tile
    let saved = FloatBuffer(count: network.savedCount(tile, training: true))
    let scratch = FloatBuffer(count: network.scratchCount(tile))
    let hidden = FloatBuffer(count: tile.rows * network.width)
    // A training pass saves the input of every block. It has no dropout here.
    let pass = Pass(
      parameters: model.values.base, prepared: prepared.base, gradients: scratch.base, scratch: scratch.base,
      rowGradients: [], mode: .training)
    input.with { network.forward($0, hidden: hidden.base, saved: saved.base, pass: pass) }
    let inner = network.blockTile(tile)
    let outputs = stack.outputs(inner, saved: saved.base) + [UnsafePointer(hidden.base)]
    let (blocks, width) = (outputs.count, network.width)
    let flat = FloatBuffer(count: blocks * inner.positions * width)
    let products = FloatBuffer(count: blocks * blocks)
    for b in 0..<inner.sequences {
      for (i, output) in outputs.enumerated() {
        for t in 0..<inner.positions {
          let row = flat.base + (i * inner.positions + t) * width
          // Positions before the first item do not count.
          if t < inner.start(b) {
            row.update(repeating: 0, count: width)
          } else {
            row.update(from: output + (t * inner.sequences + b) * width, count: width)
          }
        }
      }
      Matrix.productTransposedRight(
        flat.base, flat.base, products.base, m: blocks, n: blocks, k: inner.positions * width)
      addCosines(products.base, blocks, to: sums)
    }
  }

  private static func addCosines(
    _ products: UnsafePointer<Float>, _ n: Int, to sums: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<n {
      for j in 0..<n {
        let length = (products[i * n + i] * products[j * n + j]).squareRoot()
        sums[i * n + j] += i == j ? 1 : length > 0 ? products[i * n + j] / length : 0
      }
    }
  }

  /// Cosine similarities of the blocks' weights and biases. Residual weights and normalisations are left out, because they
  /// start equal in all blocks.
  public static func parameters(_ model: Model, pool: WorkerPool) -> Similarity {
    let name = model.network.stacks[0].name
    let members = (0..<model.network.depth).map { index in
      model.network.layout.parameters.filter { $0.block?.stack == name && $0.block?.index == index && $0.part == .blocks }
    }
    let blocks = members.count
    let products = Locked([Double](repeating: 0, count: blocks * blocks))
    pool.forEachUntilCancelled(blocks) { i, _ in
      let row = (0...i).map { j in
        zip(members[i], members[j]).reduce(0.0) { sum, pair in
          let (a, b) = (model.values.base + pair.0.offset, model.values.base + pair.1.offset)
          return (0..<pair.0.count).reduce(sum) { $0 + Double(a[$1]) * Double(b[$1]) }
        }
      }
      products.change { products in
        for j in 0...i { (products[i * blocks + j], products[j * blocks + i]) = (row[j], row[j]) }
      }
    }
    let all = products.value
    return Similarity(
      values: (0..<blocks).map { i in
        (0..<blocks).map { j in
          let lengths = all[i * blocks + i].squareRoot() * all[j * blocks + j].squareRoot()
          return i == j ? 1 : lengths > 0 ? all[i * blocks + j] / lengths : 0
        }
      })
  }
}
