import Glibc
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
      shifts.base[place] = (output.bias.map { parameters.base[$0.offset + Int(item)] } ?? 0) - logExpected[Int(item)]
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
  private let loss: Loss
  /// Stands for the bias of a table without one.
  private let zeros: FloatBuffer?

  init(_ output: OutputTable, loss: Loss, parameters: FloatBuffer, candidates: OutputCandidates?) {
    self.output = output
    self.loss = loss
    self.parameters = parameters
    self.candidates = candidates
    zeros = output.bias == nil ? FloatBuffer(count: output.rows) : nil
  }

  private var bias: UnsafePointer<Float> {
    if let zeros { return UnsafePointer(zeros.base) }
    return UnsafePointer(parameters.base + (output.bias?.offset ?? 0))
  }

  /// Where a tile's rows leave the gradients of their own rows of the table; what a loss has no use for is empty.
  struct RowGradients: @unchecked Sendable {
    /// Of the targets' rows and biases.
    let vectors: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>
    /// Of the negatives' rows.
    let negatives: UnsafeMutablePointer<Float>
  }

  /// The rows of a tile: what each must predict, how much it counts, and what it is set against.
  struct Rows {
    let count: Int
    let targets: UnsafePointer<Int32>
    let weights: UnsafePointer<Float>
    let negatives: UnsafePointer<Int32>?
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
  /// `gradients` (this lane's, of the whole table or the candidates) is added to; `own` gets the gradients of the
  /// targets' and negatives' own rows where only those are used.
  func run(
    _ rows: Rows, hidden: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>, own: RowGradients,
    memory: Memory
  ) -> Double {
    let d = output.width
    if case .pairwise(let l2) = loss { return pairwise(rows, hidden: hidden, l2: Float(l2), own: own) }
    var counted = 0
    for row in 0..<rows.count {
      if rows.weights[row] != 0 {
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
        memory.targets[i] = rows.targets[row]
        memory.weights.base[i] = rows.weights[row]
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
          Elementwise.scale(own.vectors + row * d, memory.hidden.base + i * d, memory.targetLogits.base[i], d)
          own.bias[row] = memory.targetLogits.base[i]
        }
        (hidden + row * d).update(from: memory.gradient.base + i * d, count: d)
      }
      start += n
    }
    return loss
  }

  private func pairwise(
    _ rows: Rows, hidden: UnsafeMutablePointer<Float>, l2: Float, own: RowGradients
  ) -> Double {
    let d = output.width
    let table = parameters.base + output.weight.offset
    var loss = 0.0
    for row in 0..<rows.count {
      let h = hidden + row * d
      let w = rows.weights[row]
      guard w != 0, let negatives = rows.negatives else {
        h.update(repeating: 0, count: d)
        continue
      }
      let p = table + Int(rows.targets[row]) * d
      let n = table + Int(negatives[row]) * d
      let (sp, sn) = (Double(Elementwise.dot(h, p, d)), Double(Elementwise.dot(h, n, d)))
      // log(1 + exp(x)) without overflow; its slope is the logistic function.
      func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
      func logistic(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }
      let squares = Double(Elementwise.dot(p, p, d) + Elementwise.dot(n, n, d))
      loss += Double(w) * (softplus(-sp) + softplus(sn) + Double(l2) / 2 * squares)
      let (gp, gn) = (w * Float(logistic(sp) - 1), w * Float(logistic(sn)))
      let (dp, dn) = (own.vectors + row * d, own.negatives + row * d)
      Elementwise.scale(dp, h, gp, d)
      Elementwise.addScaled(dp, p, w * l2, d)
      Elementwise.scale(dn, h, gn, d)
      Elementwise.addScaled(dn, n, w * l2, d)
      Elementwise.scale(h, p, gp, d)
      Elementwise.addScaled(h, n, gn, d)
    }
    return loss
  }

  private func full(_ n: Int, gradients: UnsafeMutablePointer<Float>, _ memory: Memory) -> Double {
    let (d, v) = (output.width, output.rows)
    let weight = parameters.base + output.weight.offset
    let logits = memory.logits.base
    Matrix.productTransposedRight(memory.hidden.base, weight, logits, m: n, n: v, k: d)
    let loss = Elementwise.crossEntropy(
      rows: n, c: v, logits: logits, bias: bias, targets: memory.targets,
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
        + bias[Int(target)] - candidates.logExpected[Int(target)]
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
