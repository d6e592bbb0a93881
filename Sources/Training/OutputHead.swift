import Glibc
import Kernels
import Layers

/// The rows of the output table that a batch's rows are scored against, turned into panels for the products: all of
/// them, or those of the negatives.
final class OutputColumns: @unchecked Sendable {
  /// Negatives; nil for the whole table.
  private(set) var items: [Int32]?
  let count: Int
  /// `count` rounded up to whole panels.
  let padded: Int
  /// Row-major `(count, d)`.
  private let gathered: FloatBuffer?
  /// The transpose in panels of 64 columns, `(padded / 64, d, 64)`, columns after `count` being 0.
  let panels: FloatBuffer
  /// Bias, for negatives minus the log expected count.
  let shifts: FloatBuffer
  private var negatives: Negatives?
  private(set) var rows: UnsafePointer<Float>
  private var places: [Int32]
  private let width: Int

  static let panel = 64

  /// - Parameter negatives: how many there are; nil for the whole table.
  init(_ output: OutputTable, negatives: Int?) {
    width = output.width
    count = negatives ?? output.rows
    padded = (count + Self.panel - 1) / Self.panel * Self.panel
    gathered = negatives.map { FloatBuffer(count: $0 * output.width) }
    panels = FloatBuffer(count: padded * output.width)
    shifts = FloatBuffer(count: count)
    places = Array(repeating: -1, count: negatives == nil ? 0 : output.rows)
    rows = UnsafePointer(panels.base)
  }

  /// Takes the values of this step.
  func load(_ negatives: Negatives?, _ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool) {
    let table = parameters.base + output.weight.offset
    if let negatives, let gathered {
      precondition(negatives.items.count == count)
      for item in items ?? [] { places[Int(item)] = -1 }
      items = negatives.items
      self.negatives = negatives
      for (place, item) in negatives.items.enumerated() {
        places[Int(item)] = Int32(place)
        (gathered.base + place * width).update(from: table + Int(item) * width, count: width)
        let bias = output.bias.map { parameters.base[$0.offset + Int(item)] } ?? 0
        shifts.base[place] = bias - negatives.logExpected(of: item)
      }
      rows = UnsafePointer(gathered.base)
    } else {
      rows = UnsafePointer(table)
      if let bias = output.bias { shifts.base.update(from: parameters.base + bias.offset, count: count) }
    }
    let (rows, panels, width, count) = (Shared(UnsafeMutablePointer(mutating: rows)), panels, width, count)
    pool.forEach(padded / Self.panel) { panel, _ in
      let first = panel * Self.panel
      Matrix.transpose(
        rows.pointer + first * width, panels.base + first * width, rows: min(Self.panel, count - first), columns: width,
        ldy: Self.panel)
    }
  }

  func logExpected(of item: Int32) -> Float { negatives?.logExpected(of: item) ?? 0 }

  func place(of item: Int32) -> Int? {
    let place = places[Int(item)]
    return place < 0 ? nil : Int(place)
  }

  /// logits (n x padded) = hidden (n x d) times the panels.
  func logits(_ hidden: UnsafePointer<Float>, _ n: Int, into logits: UnsafeMutablePointer<Float>) {
    for first in stride(from: 0, to: padded, by: Self.panel) {
      Matrix.product(
        hidden, panels.base + first * width, logits + first, m: n, n: Self.panel, k: width, ldc: padded)
    }
  }
}

/// Loss and gradients of the output layer for the rows of one tile. Logits exist for a few rows at a time only.
struct OutputHead: Sendable {
  private let output: OutputTable
  private let parameters: FloatBuffer
  private let columns: OutputColumns
  private let loss: Loss

  init(_ output: OutputTable, loss: Loss, parameters: FloatBuffer, columns: OutputColumns) {
    self.output = output
    self.loss = loss
    self.parameters = parameters
    self.columns = columns
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
    /// Rows whose logits exist at the same time: about as many as a core's own cache holds, but never fewer than 24.
    let chunk: Int
    let logits: FloatBuffer
    let hidden: FloatBuffer
    let gradient: FloatBuffer
    let targetLogits: FloatBuffer
    let weights: FloatBuffer
    let targets: UnsafeMutablePointer<Int32>
    let rows: UnsafeMutablePointer<Int>

    init(rows: Int, width: Int, columns: Int) {
      chunk = max(1, min(rows, max(24, min(96, (320 << 10) / max(columns, 1)))))
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
      loss += columns.items == nil ? full(n, memory) : sampled(n, memory)
      backward(n, gradients: gradients, memory)
      for i in 0..<n {
        let row = memory.rows[start + i]
        if columns.items != nil {
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

  /// Leaves the weighted gradients of the logits in their place.
  private func full(_ n: Int, _ memory: Memory) -> Double {
    columns.logits(memory.hidden.base, n, into: memory.logits.base)
    return Elementwise.crossEntropy(
      rows: n, c: columns.count, stride: columns.padded, logits: memory.logits.base, bias: columns.shifts.base,
      targets: memory.targets, weights: memory.weights.base)
  }

  private func sampled(_ n: Int, _ memory: Memory) -> Double {
    let d = output.width
    let logits = memory.logits.base
    let weight = parameters.base + output.weight.offset
    columns.logits(memory.hidden.base, n, into: logits)
    for i in 0..<n {
      let target = memory.targets[i]
      let row = logits + i * columns.padded
      Elementwise.addScaled(row, columns.shifts.base, 1, columns.count)
      memory.targetLogits.base[i] =
        Elementwise.dot(memory.hidden.base + i * d, weight + Int(target) * d, d)
        + (output.bias.map { parameters.base[$0.offset + Int(target)] } ?? 0) - columns.logExpected(of: target)
      if let hit = columns.place(of: target) { row[hit] = -.infinity }
    }
    return Elementwise.crossEntropySampled(
      rows: n, c: columns.count, stride: columns.padded, logits: logits, targetLogits: memory.targetLogits.base,
      weights: memory.weights.base)
  }

  /// From the gradients of the logits to those of hidden states, rows and biases.
  private func backward(_ n: Int, gradients: UnsafeMutablePointer<Float>, _ memory: Memory) {
    let (d, v, stride) = (output.width, columns.count, columns.padded)
    let logits = memory.logits.base
    Matrix.product(logits, columns.rows, memory.gradient.base, m: n, n: d, k: v, lda: stride)
    if columns.items != nil {
      let weight = parameters.base + output.weight.offset
      for i in 0..<n {
        Elementwise.addScaled(
          memory.gradient.base + i * d, weight + Int(memory.targets[i]) * d, memory.targetLogits.base[i], d)
      }
    }
    Matrix.productTransposedLeft(logits, memory.hidden.base, gradients, m: v, n: d, k: n, add: true, lda: stride)
    for i in 0..<n { Elementwise.addScaled(gradients + v * d, logits + i * stride, 1, v) }
  }
}
