import Kernels

/// One step of an optimizer, shared by all parameters and threads.
///
/// `@unchecked Sendable`: threads write disjoint parts of parameters and state.
struct OptimizerStep: @unchecked Sendable {
  let optimizer: any Optimizer
  private let state: OptimizerState
  private let parameters: FloatBuffer
  /// The learning rate after the schedule.
  private let rate: Double
  private let tensors: [UnsafeMutablePointer<Float>]
  /// The update of parameters that have taken all steps.
  private let whole: OptimizerUpdate
  /// The offsets of the trained parameters, in ascending order; nil: all.
  private let learning: [Range<Int>]?

  /// Begins the next step of `state`, and counts it there.
  init(
    _ optimizer: any Optimizer, _ state: OptimizerState, parameters: FloatBuffer, rate: Double? = nil,
    learning: [Range<Int>]? = nil
  ) {
    state.steps += 1
    self.optimizer = optimizer
    self.state = state
    self.parameters = parameters
    self.rate = rate ?? optimizer.rate
    tensors = state.tensors.map(\.base)
    whole = optimizer.update(step: state.steps, rate: self.rate)
    self.learning = learning
  }

  /// Updates `count` values from `offset` on with the gradient at `g`.
  func apply(_ offset: Int, _ count: Int, _ g: UnsafePointer<Float>) {
    guard let learning else { return update(offset, count, g) }
    for range in learning where range.lowerBound < offset + count && range.upperBound > offset {
      let part = range.clamped(to: offset..<(offset + count))
      update(part.lowerBound, part.count, g + (part.lowerBound - offset))
    }
  }

  private func update(_ offset: Int, _ count: Int, _ g: UnsafePointer<Float>) {
    state.forEachStart(offset, count) { place, count, start in
      let update = start == 0 ? whole : optimizer.update(step: max(1, state.steps - start), rate: rate)
      update(place, count, parameters.base, tensors, g + (place - offset))
    }
  }
}
