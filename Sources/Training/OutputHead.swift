import Foundation
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
  /// Bias, for negatives minus the log expected count; minus infinity after `count`.
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
    shifts = FloatBuffer(count: padded)
    (shifts.base + count).update(repeating: -.infinity, count: padded - count)
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

  /// Calls `body` for every panel with its number, its first column and how many columns it has.
  @inline(__always)
  func forEachPanel(_ body: (_ panel: Int, _ first: Int, _ columns: Int) -> Void) {
    for panel in 0..<(padded / Self.panel) {
      let first = panel * Self.panel
      body(panel, first, min(Self.panel, count - first))
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
    /// Rows that go through the table together: the table is read, and its gradient added to, once for so many.
    let chunk: Int
    /// Logits, then their gradients, panel by panel: `(panels, rows, 64)`.
    let logits: FloatBuffer
    let hidden: FloatBuffer
    let gradient: FloatBuffer
    let targetLogits: FloatBuffer
    let weights: FloatBuffer
    /// Largest logit of a row so far; what the exponentials of a panel were taken against, panel by panel.
    let top: FloatBuffer
    let base: FloatBuffer
    let sums: FloatBuffer
    let scale: FloatBuffer
    /// The bias gradient of a panel that is not whole.
    let tail: FloatBuffer
    let targets: UnsafeMutablePointer<Int32>
    let removed: UnsafeMutablePointer<Int32>
    let rows: UnsafeMutablePointer<Int>

    init(rows: Int, width: Int, columns: Int) {
      let panels = (columns + OutputColumns.panel - 1) / OutputColumns.panel
      chunk = max(1, min(rows, max(24, min(64, (1 << 20) / max(columns, 1)))))
      logits = FloatBuffer(count: chunk * panels * OutputColumns.panel)
      hidden = FloatBuffer(count: chunk * width)
      gradient = FloatBuffer(count: chunk * width)
      targetLogits = FloatBuffer(count: chunk)
      weights = FloatBuffer(count: chunk)
      top = FloatBuffer(count: chunk)
      base = FloatBuffer(count: chunk * panels)
      sums = FloatBuffer(count: chunk * 16)
      scale = FloatBuffer(count: chunk)
      tail = FloatBuffer(count: OutputColumns.panel)
      targets = .allocate(capacity: chunk)
      removed = .allocate(capacity: chunk)
      self.rows = .allocate(capacity: max(rows, 1))
    }

    deinit {
      targets.deallocate()
      removed.deallocate()
      self.rows.deallocate()
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
      loss += softmax(n, memory)
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

  /// Leaves exponentials of the logits in their place, and what makes gradients of them in `scale`, `base` and `top`;
  /// returns the loss. Sampled: the gradients of the targets' logits go to `targetLogits`.
  private func softmax(_ n: Int, _ memory: Memory) -> Double {
    let d = output.width
    let sampled = columns.items != nil
    let (top, sums, at) = (memory.top.base, memory.sums.base, memory.targetLogits.base)
    sums.update(repeating: 0, count: 16 * n)
    let weight = parameters.base + output.weight.offset
    for i in 0..<n {
      top[i] = -.infinity
      guard sampled else { continue }
      // The target stands before the negatives; one of these that is the target is not counted.
      let target = memory.targets[i]
      at[i] =
        Elementwise.dot(memory.hidden.base + i * d, weight + Int(target) * d, d)
        + (output.bias.map { parameters.base[$0.offset + Int(target)] } ?? 0) - columns.logExpected(of: target)
      top[i] = at[i]
      sums[16 * i] = 1
      memory.removed[i] = columns.place(of: target).map(Int32.init) ?? -1
    }
    columns.forEachPanel { panel, first, _ in
      let x = memory.logits.base + panel * n * OutputColumns.panel
      Matrix.product(memory.hidden.base, columns.panels.base + first * d, x, m: n, n: OutputColumns.panel, k: d)
      Elementwise.softmaxPanel(
        rows: n, logits: x, shift: columns.shifts.base + first, columns: sampled ? memory.removed : memory.targets,
        first: first, targetLogits: sampled ? nil : at, top: top, sums: sums, base: memory.base.base + panel * n)
    }
    Elementwise.softmaxSums(rows: n, sums)
    var loss = 0.0
    for i in 0..<n {
      let w = memory.weights.base[i]
      loss += Double(w) * (Double(log(sums[i])) + Double(top[i]) - Double(at[i]))
      memory.scale.base[i] = w / sums[i]
      if sampled { at[i] = w * (exp(at[i] - top[i]) / sums[i] - 1) }
    }
    return loss
  }

  /// From the exponentials of the logits to the gradients of hidden states, rows and biases.
  private func backward(_ n: Int, gradients: UnsafeMutablePointer<Float>, _ memory: Memory) {
    let (d, v) = (output.width, columns.count)
    let sampled = columns.items != nil
    columns.forEachPanel { panel, first, count in
      let x = memory.logits.base + panel * n * OutputColumns.panel
      let whole = count == OutputColumns.panel
      let dshift = whole ? gradients + v * d + first : memory.tail.base
      if !whole { memory.tail.zero() }
      Elementwise.softmaxGradient(
        rows: n, x, base: memory.base.base + panel * n, top: memory.top.base, scale: memory.scale.base,
        targets: sampled ? nil : memory.targets, first: first, weights: memory.weights.base, dshift: dshift)
      if !whole { Elementwise.addScaled(gradients + v * d + first, dshift, 1, count) }
      Matrix.product(
        x, columns.rows + first * d, memory.gradient.base, m: n, n: d, k: count, add: panel > 0,
        lda: OutputColumns.panel)
      Matrix.productTransposedLeft(
        x, memory.hidden.base, gradients + first * d, m: count, n: d, k: n, add: true, lda: OutputColumns.panel)
    }
    guard sampled else { return }
    let weight = parameters.base + output.weight.offset
    for i in 0..<n {
      Elementwise.addScaled(
        memory.gradient.base + i * d, weight + Int(memory.targets[i]) * d, memory.targetLogits.base[i], d)
    }
  }
}
