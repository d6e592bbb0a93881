import Kernels
import Layers

/// The output rows of a batch's negatives, gathered side by side.
final class OutputCandidates: @unchecked Sendable {
  private(set) var items: [Int32] = []
  let weights: FloatBuffer
  /// Bias minus log expected count, by candidate.
  let shifts: FloatBuffer
  private(set) var logExpected: [Float] = []
  private var places: [Int32]
  private let width: Int

  init(count: Int, width: Int, items: Int) {
    self.width = width
    weights = FloatBuffer(count: count * width)
    shifts = FloatBuffer(count: count)
    places = Array(repeating: -1, count: items)
  }

  func gather(_ negatives: Negatives, _ output: OutputTable, _ parameters: FloatBuffer) {
    precondition(negatives.items.count == shifts.count)
    for item in items { places[Int(item)] = -1 }
    items = negatives.items
    logExpected = negatives.logExpected
    for (place, item) in items.enumerated() {
      places[Int(item)] = Int32(place)
      (weights.base + place * width).update(
        from: parameters.base + output.weight.offset + Int(item) * width, count: width)
      shifts.base[place] = parameters.base[output.bias.offset + Int(item)] - logExpected[Int(item)]
    }
  }

  func place(of item: Int32) -> Int? {
    let place = places[Int(item)]
    return place < 0 ? nil : Int(place)
  }
}

/// Loss and gradients of the output layer for the rows of one tile. Logits exist for a few rows at a time only.
struct OutputHead: Sendable {
  private let output: OutputTable
  private let parameters: FloatBuffer
  private let candidates: OutputCandidates?

  init(_ output: OutputTable, parameters: FloatBuffer, candidates: OutputCandidates?) {
    self.output = output
    self.parameters = parameters
    self.candidates = candidates
  }

  /// What a thread needs here.
  final class Memory: @unchecked Sendable {
    /// Rows whose logits exist at the same time: about 2 MB of them, but never fewer than 16 rows.
    let chunk: Int
    let logits: FloatBuffer
    let hidden: FloatBuffer
    let gradient: FloatBuffer
    let targetLogits: FloatBuffer
    let weights: FloatBuffer
    let targets: UnsafeMutablePointer<Int32>
    let rows: UnsafeMutablePointer<Int>

    init(rows: Int, width: Int, columns: Int) {
      chunk = max(1, min(rows, max(16, min(128, (512 << 10) / max(columns, 1)))))
      logits = FloatBuffer(count: chunk * columns)
      hidden = FloatBuffer(count: chunk * width)
      gradient = FloatBuffer(count: chunk * width)
      targetLogits = FloatBuffer(count: chunk)
      weights = FloatBuffer(count: chunk)
      targets = .allocate(capacity: chunk)
      self.rows = .allocate(capacity: max(rows, 1))
    }

    deinit {
      targets.deallocate()
      rows.deallocate()
    }

  }

  /// Weighted loss of a tile. On exit `hidden` holds the gradient of the hidden states, 0 in rows that do not count.
  /// `gradients` (this lane's, of the whole table or the candidates) is added to; `rowVectors` and `rowBias` get the
  /// gradients of the targets' own rows where candidates are used.
  func run(
    rows: Int, hidden: UnsafeMutablePointer<Float>, targets: UnsafePointer<Int32>, weights: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, rowVectors: UnsafeMutablePointer<Float>,
    rowBias: UnsafeMutablePointer<Float>, memory: Memory
  ) -> Double {
    let d = output.width
    var counted = 0
    for row in 0..<rows {
      if weights[row] != 0 {
        memory.rows[counted] = row
        counted += 1
      } else {
        (hidden + row * d).update(repeating: 0, count: d)
      }
    }
    var loss = 0.0
    var start = 0
    while start < counted {
      let n = min(memory.chunk, counted - start)
      for i in 0..<n {
        let row = memory.rows[start + i]
        (memory.hidden.base + i * d).update(from: hidden + row * d, count: d)
        memory.targets[i] = targets[row]
        memory.weights.base[i] = weights[row]
      }
      if let candidates {
        loss += sampled(n, candidates, gradients: gradients, memory)
      } else {
        loss += full(n, gradients: gradients, memory)
      }
      for i in 0..<n {
        let row = memory.rows[start + i]
        if candidates != nil {
          // h is still in memory.hidden: the target's own row gets dt * h.
          Elementwise.scale(rowVectors + row * d, memory.hidden.base + i * d, memory.targetLogits.base[i], d)
          rowBias[row] = memory.targetLogits.base[i]
        }
        (hidden + row * d).update(from: memory.gradient.base + i * d, count: d)
      }
      start += n
    }
    return loss
  }

  private func full(_ n: Int, gradients: UnsafeMutablePointer<Float>, _ memory: Memory) -> Double {
    let (d, v) = (output.width, output.rows)
    let weight = parameters.base + output.weight.offset
    let logits = memory.logits.base
    Matrix.productTransposedRight(memory.hidden.base, weight, logits, m: n, n: v, k: d)
    let loss = Elementwise.crossEntropy(
      rows: n, c: v, logits: logits, bias: parameters.base + output.bias.offset, targets: memory.targets,
      weights: memory.weights.base)
    Matrix.product(logits, weight, memory.gradient.base, m: n, n: d, k: v)
    Matrix.productTransposedLeft(logits, memory.hidden.base, gradients, m: v, n: d, k: n, add: true)
    Elementwise.addRowSums(gradients + v * d, logits, rows: n, c: v)
    return loss
  }

  private func sampled(
    _ n: Int, _ candidates: OutputCandidates, gradients: UnsafeMutablePointer<Float>, _ memory: Memory
  ) -> Double {
    let d = output.width
    let s = candidates.items.count
    let logits = memory.logits.base
    let weight = parameters.base + output.weight.offset
    Matrix.productTransposedRight(memory.hidden.base, candidates.weights.base, logits, m: n, n: s, k: d)
    Elementwise.addBias(logits, candidates.shifts.base, rows: n, c: s)
    for i in 0..<n {
      let target = memory.targets[i]
      memory.targetLogits.base[i] =
        Elementwise.dot(memory.hidden.base + i * d, weight + Int(target) * d, d)
        + parameters.base[output.bias.offset + Int(target)] - candidates.logExpected[Int(target)]
      if let hit = candidates.place(of: target) { logits[i * s + hit] = -.infinity }
    }
    let loss = Elementwise.crossEntropySampled(
      rows: n, c: s, logits: logits, targetLogits: memory.targetLogits.base, weights: memory.weights.base)
    Matrix.product(logits, candidates.weights.base, memory.gradient.base, m: n, n: d, k: s)
    for i in 0..<n {
      Elementwise.addScaled(
        memory.gradient.base + i * d, weight + Int(memory.targets[i]) * d, memory.targetLogits.base[i], d)
    }
    Matrix.productTransposedLeft(logits, memory.hidden.base, gradients, m: s, n: d, k: n, add: true)
    Elementwise.addRowSums(gradients + s * d, logits, rows: n, c: s)
    return loss
  }
}
