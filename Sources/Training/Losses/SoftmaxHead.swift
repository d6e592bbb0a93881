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

  init(_ step: LossStep) {
    output = step.output
    parameters = step.parameters
    panels = step.panels
    negatives = step.negatives
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
      loss += softmax(n, memory)
      backward(n, shared: shared, memory)
      for i in 0..<n {
        let row = memory.rows[start + i]
        if panels.items != nil {
          // `targetLogits` has the gradient dt of the target's logit. The gradient of the target's row is dt * h, and h is
          // still in `memory.hidden`.
          Elementwise.scale(own.targets + row * d, memory.hidden.base + i * d, memory.targetLogits.base[i], d)
          own.bias[row] = memory.targetLogits.base[i]
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
        Elementwise.dot(memory.hidden.base + i * d, weight + Int(target) * d, d)
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
      loss += Double(w) * (Double(log(sums[i])) + Double(top[i]) - Double(at[i]))
      memory.scale.base[i] = w / sums[i]
      if sampled { at[i] = w * (exp(at[i] - top[i]) / sums[i] - 1) }
    }
    return loss
  }

  /// Computes the gradients of hidden states, output rows and biases from the exponentials of the logits.
  private func backward(_ n: Int, shared gradients: UnsafeMutablePointer<Float>, _ memory: LossMemory) {
    let (d, v) = (output.width, panels.count)
    let sampled = panels.items != nil
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
    guard sampled else { return }
    let weight = parameters.base + output.weight.offset
    for i in 0..<n {
      Elementwise.addScaled(
        memory.gradient.base + i * d, weight + Int(memory.targets[i]) * d, memory.targetLogits.base[i], d)
    }
  }
}
