import Foundation
import Kernels
import Layers

/// The computation of `Softmax` and `SampledSoftmax` for the rows of one tile. Logits are in memory for a few rows at a time,
/// in panels of 64 items.
struct SoftmaxHead: LossHead {
  private let output: OutputTable
  private let parameters: FloatBuffer
  private let panels: OutputPanels
  private let negatives: Negatives?
  /// The part of the target distribution that is spread evenly over all items: label smoothing.
  private let smoothing: Float
  /// With label smoothing, the mean of the rows of the table, scaled as they are, then the mean of the biases.
  private let mean: [Float]

  init(_ step: LossStep, smoothing: Double = 0) {
    output = step.output
    parameters = step.parameters
    panels = step.panels
    negatives = step.negatives
    self.smoothing = Float(smoothing)
    mean = smoothing > 0 ? Self.mean(step.panels, step.output.width) : []
  }

  private static func mean(_ panels: OutputPanels, _ d: Int) -> [Float] {
    var sums = [Double](repeating: 0, count: d + 1)
    for row in 0..<panels.count {
      for c in 0..<d { sums[c] += Double(panels.rows[row * d + c]) }
      sums[d] += Double(panels.shifts.base[row])
    }
    return sums.map { Float($0 / Double(panels.count)) }
  }

  func run(
    _ rows: LossRows, hidden: UnsafeMutablePointer<Float>, shared: UnsafeMutablePointer<Float>, own: OwnRowGradients,
    memory: LossMemory
  ) -> Double {
    let d = output.width
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
      output.scaleHidden(memory.hidden.base, rows: n, factors: memory.factors.base)
      loss += softmax(n, memory)
      backward(n, shared: shared, memory)
      output.hiddenGradient(memory.gradient.base, scaled: memory.hidden.base, factors: memory.factors.base, rows: n)
      for i in 0..<n {
        let row = memory.rows[start + i]
        if panels.items != nil {
          own.targets[row] = memory.targetLogits.base[i]
          (own.hidden + row * d).update(from: memory.hidden.base + i * d, count: d)
        }
        (hidden + row * d).update(from: memory.gradient.base + i * d, count: d)
      }
      start += n
    }
    return loss
  }

  /// Returns the loss of n rows. Replaces the logits by their exponentials, and writes to `scale`, `base` and `top` what
  /// `backward` needs to compute gradients from them. For sampled softmax, the gradients of the targets' logits are written
  /// to `targetLogits`.
  private func softmax(_ n: Int, _ memory: LossMemory) -> Double {
    let d = output.width
    let sampled = panels.items != nil
    let (top, sums, at) = (memory.top.base, memory.sums.base, memory.targetLogits.base)
    sums.update(repeating: 0, count: 16 * n)
    let weight = parameters.base + output.weight.offset
    for i in 0..<n {
      top[i] = -.infinity
      guard sampled else { continue }
      // The target's logit is apart from those of the negatives. A negative that equals the target is left out.
      let target = memory.targets[i]
      at[i] =
        factor(target) * Elementwise.dot(memory.hidden.base + i * d, weight + Int(target) * d, d)
        + (output.bias.map { parameters.base[$0.offset + Int(target)] } ?? 0) - (negatives?.logExpected(of: target) ?? 0)
      top[i] = at[i]
      sums[16 * i] = 1
      memory.removed[i] = panels.index(of: target).map(Int32.init) ?? -1
    }
    panels.forEachPanel { panel, first, _ in
      let x = memory.logits.base + panel * n * OutputPanels.panel
      Matrix.product(memory.hidden.base, panels.panels.base + first * d, x, m: n, n: OutputPanels.panel, k: d)
      Elementwise.softmaxPanel(
        rows: n, logits: x, shift: panels.shifts.base + first, columns: sampled ? memory.removed : memory.targets,
        first: first, targetLogits: sampled ? nil : at, top: top, sums: sums, base: memory.base.base + panel * n)
    }
    Elementwise.softmaxSums(rows: n, sums)
    var loss = 0.0
    for i in 0..<n {
      let w = memory.weights.base[i]
      if smoothing > 0 {
        let even = mean.withUnsafeBufferPointer { $0.baseAddress.map { Elementwise.dot(memory.hidden.base + i * d, $0, d) } ?? 0 } + mean[d]
        loss += Double(w) * Double(smoothing) * (Double(at[i]) - Double(even))
      }
      loss += Double(w) * (Double(log(sums[i])) + Double(top[i]) - Double(at[i]))
      memory.scale.base[i] = w / sums[i]
      if sampled { at[i] = w * (exp(at[i] - top[i]) / sums[i] - 1) }
    }
    return loss
  }

  /// The factor of an item's row: not 1 for cosine scores.
  private func factor(_ item: Int32) -> Float { panels.factors.map { $0.base[Int(item)] } ?? 1 }

  /// Computes the gradients of hidden states, output rows and biases from the exponentials of the logits.
  private func backward(_ n: Int, shared gradients: UnsafeMutablePointer<Float>, _ memory: LossMemory) {
    let (d, v) = (output.width, panels.count)
    let sampled = panels.items != nil
    // The kernel subtracts these at the targets.
    if smoothing > 0 { Elementwise.scale(memory.weights.base, memory.weights.base, 1 - smoothing, n) }
    panels.forEachPanel { panel, first, count in
      let x = memory.logits.base + panel * n * OutputPanels.panel
      let whole = count == OutputPanels.panel
      let dshift = whole ? gradients + v * d + first : memory.tail.base
      if !whole { memory.tail.zero() }
      Elementwise.softmaxGradient(
        rows: n, x, base: memory.base.base + panel * n, top: memory.top.base, scale: memory.scale.base,
        targets: sampled ? nil : memory.targets, first: first, weights: memory.weights.base, dshift: dshift)
      if !whole { Elementwise.addScaled(gradients + v * d + first, dshift, 1, count) }
      Matrix.product(
        x, panels.rows + first * d, memory.gradient.base, m: n, n: d, k: count, add: panel > 0,
        lda: OutputPanels.panel)
      Matrix.productTransposedLeft(
        x, memory.hidden.base, gradients + first * d, m: count, n: d, k: n, add: true, lda: OutputPanels.panel)
    }
    if smoothing > 0 { smooth(n, gradients, memory) }
    guard sampled else { return }
    let weight = parameters.base + output.weight.offset
    for i in 0..<n {
      Elementwise.addScaled(
        memory.gradient.base + i * d, weight + Int(memory.targets[i]) * d,
        factor(memory.targets[i]) * memory.targetLogits.base[i], d)
    }
  }

  /// Subtracts the gradients of the evenly spread part of the target distribution. It is the same for every item.
  private func smooth(_ n: Int, _ gradients: UnsafeMutablePointer<Float>, _ memory: LossMemory) {
    let (d, v) = (output.width, panels.count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: d) { sum in
      guard let sum = sum.baseAddress else { return }
      sum.update(repeating: 0, count: d)
      var total: Float = 0
      for i in 0..<n {
        // The weights are scaled by 1 - smoothing.
        let w = memory.weights.base[i] / (1 - smoothing) * smoothing
        mean.withUnsafeBufferPointer { mean in
          if let mean = mean.baseAddress { Elementwise.addScaled(memory.gradient.base + i * d, mean, -w, d) }
        }
        Elementwise.addScaled(sum, memory.hidden.base + i * d, -w / Float(v), d)
        total -= w / Float(v)
      }
      for row in 0..<v {
        Elementwise.addScaled(gradients + row * d, sum, 1, d)
        gradients[v * d + row] += total
      }
    }
  }
}
