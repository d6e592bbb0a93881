import Kernels
import Synchronization

extension StepEngine {
  /// Hands the batch's gradients to the optimizer, scaled down where their norm is above `options.clip`.
  func update(_ batch: Batch, _ options: AdamOptions, embeddings: Bool = true, _ step: AdamStep) {
    guard let limit = options.clip else {
      return reduce(batch, lazy: options.lazy, embeddings: embeddings) { step.apply($0, $1, $2) }
    }
    let norm = gradientNorm(batch, embeddings: embeddings)
    // One that is not a number scales nothing; the next loss tells.
    let scale = norm > limit ? Float(limit / norm) : 1
    reduce(batch, lazy: options.lazy, embeddings: embeddings) { offset, count, g in
      let scaled = UnsafeMutablePointer(mutating: g)
      if scale != 1 { Elementwise.scale(scaled, g, scale, count) }
      step.apply(offset, count, scaled)
    }
  }

  /// Euclidean norm of all gradients, in float64, added up in the order of the parameters.
  private func gradientNorm(_ batch: Batch, embeddings: Bool) -> Double {
    let parts = Mutex<[(offset: Int, squares: Double)]>([])
    reduce(batch, lazy: true, embeddings: embeddings) { offset, count, g in
      var sum = 0.0
      for i in 0..<count { sum += Double(g[i]) * Double(g[i]) }
      let squares = sum
      parts.withLock { $0.append((offset, squares)) }
    }
    return parts.withLock { $0.sorted { $0.offset < $1.offset }.reduce(0) { $0 + $1.squares }.squareRoot() }
  }
}
