import Kernels
import Layers

/// Computes a `ScoreLoss` for the rows of one tile, with negatives of positions, of sequences, or of the batch.
struct NegativesHead<Score: ScoreLoss>: LossHead {
  let score: Score
  let output: OutputTable
  let parameters: FloatBuffer
  let panels: OutputPanels
  /// The negatives of the batch; nil if positions or sequences have their own.
  let shared: Negatives?
  /// The number of negatives of a position.
  let count: Int
  /// Whether a negative that equals the target is left out at that position.
  let removesHits: Bool
  /// By item, what is subtracted from its score; nil: nothing, or the same for all items.
  let correction: [Float]?

  /// Whether the log expected counts of the batch's negatives are subtracted.
  let isCorrected: Bool

  init(
    _ score: Score, _ step: LossStep, count: Int, removesHits: Bool, correction: [Float]? = nil, isCorrected: Bool = false
  ) {
    self.isCorrected = isCorrected
    self.score = score
    output = step.output
    parameters = step.parameters
    panels = step.panels
    shared = step.negatives
    self.count = count
    self.removesHits = removesHits
    self.correction = correction
  }

  func run(
    _ rows: LossRows, hidden: UnsafeMutablePointer<Float>, shared gradients: UnsafeMutablePointer<Float>, own: OwnRowGradients,
    memory: LossMemory
  ) -> Double {
    let d = output.width
    for row in 0..<rows.count where rows.weights[row] == 0 { (hidden + row * d).update(repeating: 0, count: d) }
    var loss = 0.0
    if let negatives = rows.negatives {
      for row in 0..<rows.count where rows.weights[row] != 0 {
        loss += position(row, negatives + row * count, rows, hidden + row * d, own, memory)
      }
    } else if let negatives = rows.sequenceNegatives {
      for b in 0..<rows.sequences {
        let counted = counted(rows, memory, stride(from: b, to: rows.count, by: rows.sequences))
        if counted == 0 { continue }
        let items = negatives + b * count
        gather(items, memory)
        loss += chunk(counted, items, rows, hidden, own, memory) { gradient in
          let place = own.table == nil ? b * count : 0
          let (vectors, bias) = (own.sequenceRows + place * d, own.sequenceBias + place)
          Matrix.productTransposedLeft(gradient, memory.hidden.base, vectors, m: count, n: d, k: counted)
          bias.update(repeating: 0, count: count)
          Elementwise.addRowSums(bias, gradient, rows: counted, c: count)
          guard let table = own.table else { return }
          for j in 0..<count {
            Elementwise.addScaled(table + Int(items[j]) * d, vectors + j * d, 1, d)
            table[output.rows * d + Int(items[j])] += bias[j]
          }
        }
      }
    } else if let shared {
      let all = counted(rows, memory, 0..<rows.count)
      let (every, size) = (Array(UnsafeBufferPointer(start: memory.rows, count: all)), memory.chunk)
      memory.negatives.base.update(from: panels.rows, count: count * d)
      for (i, item) in shared.items.enumerated() { memory.shifts.base[i] = shift(Int(item)) }
      shared.items.withUnsafeBufferPointer { items in
        guard let items = items.baseAddress else { return }
        for first in stride(from: 0, to: all, by: size) {
          let n = min(size, all - first)
          for i in 0..<n { memory.rows[i] = every[first + i] }
          loss += chunk(n, items, rows, hidden, own, memory) { gradient in
            Matrix.productTransposedLeft(gradient, memory.hidden.base, gradients, m: count, n: d, k: n, add: true)
            Elementwise.addRowSums(gradients + count * d, gradient, rows: n, c: count)
          }
        }
      }
    }
    return loss
  }

  /// The loss and the gradients of one position with negatives of its own.
  private func position(
    _ row: Int, _ items: UnsafePointer<Int32>, _ rows: LossRows, _ hidden: UnsafeMutablePointer<Float>, _ own: OwnRowGradients,
    _ memory: LossMemory
  ) -> Double {
    let d = output.width
    let table = parameters.base + output.weight.offset
    let (h, scores, gradient) = (memory.hidden.base, memory.scores.base, memory.gradient.base)
    h.update(from: hidden, count: d)
    output.scaleHidden(h, rows: 1, factors: memory.factors.base)
    Gather.dots(h, table, items, count, d, into: scores)
    if let factors = panels.factors {
      for j in 0..<count { scores[j] *= factors.base[Int(items[j])] }
    }
    if output.bias != nil || correction != nil {
      for j in 0..<count { scores[j] += shift(Int(items[j])) }
    }
    let target = Int(rows.targets[row])
    let factor = panels.factors.map { $0.base[target] } ?? 1
    var positive = factor * Elementwise.dot(h, table + target * d, d) + shift(target)
    if removesHits {
      for j in 0..<count where Int(items[j]) == target { scores[j] = -.infinity }
    }
    let weight = rows.weights[row]
    let loss = Double(weight) * score.gradient(positive: &positive, negatives: scores, count: count)
    Elementwise.scale(scores, scores, weight, count)
    positive *= weight
    if let sums = own.table {
      Gather.scatter(to: sums, items, scores, h, count, d)
      Elementwise.addScaled(sums + target * d, h, positive, d)
      if output.bias != nil {
        let bias = sums + output.rows * d
        for j in 0..<count { bias[Int(items[j])] += scores[j] }
        bias[target] += positive
      }
    } else {
      (own.negatives + row * count).update(from: scores, count: count)
      own.targets[row] = positive
      (own.hidden + row * d).update(from: h, count: d)
    }
    Elementwise.scale(gradient, table + target * d, factor * positive, d)
    if let factors = panels.factors {
      for j in 0..<count { scores[j] *= factors.base[Int(items[j])] }
    }
    Gather.addSum(to: gradient, table, items, scores, count, d)
    output.hiddenGradient(gradient, scaled: h, factors: memory.factors.base, rows: 1)
    hidden.update(from: gradient, count: d)
    return loss
  }

  /// Writes the given rows that count to `memory.rows` and returns their number.
  private func counted(_ rows: LossRows, _ memory: LossMemory, _ candidates: some Sequence<Int>) -> Int {
    var counted = 0
    for row in candidates where rows.weights[row] != 0 {
      memory.rows[counted] = row
      counted += 1
    }
    return counted
  }

  /// Copies the rows of the table of `count` items, scaled, and what is added to their products.
  private func gather(_ items: UnsafePointer<Int32>, _ memory: LossMemory) {
    let d = output.width
    let table = parameters.base + output.weight.offset
    for i in 0..<count {
      let item = Int(items[i])
      let row = memory.negatives.base + i * d
      if let factors = panels.factors {
        Elementwise.scale(row, table + item * d, factors.base[item], d)
      } else {
        row.update(from: table + item * d, count: d)
      }
      memory.shifts.base[i] = shift(item)
    }
  }

  /// What is added to the product of a hidden state and the row of an item: the bias less the correction.
  private func shift(_ item: Int) -> Float {
    let expected = isCorrected ? shared?.logExpected(of: Int32(item)) : nil
    return (output.bias.map { parameters.base[$0.offset + item] } ?? 0) - (expected ?? correction.map { $0[item] } ?? 0)
  }

  /// The loss and the gradients of the first `n` rows in `memory.rows`, whose negatives are in `memory.negatives`.
  ///
  /// - Parameter done: called with the gradients of the negatives' logits, `(n, count)`.
  private func chunk(
    _ n: Int, _ items: UnsafePointer<Int32>, _ rows: LossRows, _ hidden: UnsafeMutablePointer<Float>, _ own: OwnRowGradients,
    _ memory: LossMemory, _ done: (UnsafeMutablePointer<Float>) -> Void
  ) -> Double {
    let d = output.width
    let table = parameters.base + output.weight.offset
    let (h, logits, factors) = (memory.hidden.base, memory.scores.base, memory.factors.base)
    for i in 0..<n { (h + i * d).update(from: hidden + memory.rows[i] * d, count: d) }
    output.scaleHidden(h, rows: n, factors: factors)
    Matrix.productTransposedRight(h, memory.negatives.base, logits, m: n, n: count, k: d)
    Elementwise.addBias(logits, memory.shifts.base, rows: n, c: count)
    var loss = 0.0
    for i in 0..<n {
      let row = memory.rows[i]
      let target = Int(rows.targets[row])
      let scores = logits + i * count
      let factor = panels.factors.map { $0.base[target] } ?? 1
      var positive = factor * Elementwise.dot(h + i * d, table + target * d, d) + shift(target)
      if removesHits {
        for j in 0..<count where Int(items[j]) == target { scores[j] = -.infinity }
      }
      let weight = rows.weights[row]
      loss += Double(weight) * score.gradient(positive: &positive, negatives: scores, count: count)
      Elementwise.scale(scores, scores, weight, count)
      memory.targetLogits.base[i] = weight * positive
      if let sums = own.table {
        Elementwise.addScaled(sums + target * d, h + i * d, weight * positive, d)
        if output.bias != nil { sums[output.rows * d + target] += weight * positive }
      } else {
        own.targets[row] = weight * positive
        (own.hidden + row * d).update(from: h + i * d, count: d)
      }
    }
    Matrix.product(logits, memory.negatives.base, memory.gradient.base, m: n, n: d, k: count)
    for i in 0..<n {
      let row = memory.rows[i]
      let target = Int(rows.targets[row])
      let factor = panels.factors.map { $0.base[target] } ?? 1
      Elementwise.addScaled(memory.gradient.base + i * d, table + target * d, factor * memory.targetLogits.base[i], d)
    }
    done(logits)
    output.hiddenGradient(memory.gradient.base, scaled: h, factors: factors, rows: n)
    for i in 0..<n { (hidden + memory.rows[i] * d).update(from: memory.gradient.base + i * d, count: d) }
    return loss
  }
}
