import Kernels
import Layers

/// The state of an optimizer: its tensors, which have the layout of the parameters, and the number of steps it has taken.
///
/// Every parameter has its own number of steps for the bias correction, because a parameter that a growth added, or that was
/// frozen for a while, has taken fewer steps than the optimizer.
public final class OptimizerState: @unchecked Sendable {
  public let names: [String]
  public let tensors: [FloatBuffer]
  /// The number of steps taken.
  var steps = 0
  private let layout: ParameterLayout
  /// For each parameter, in the order of the layout, the number of optimizer steps before its first one; empty: 0 for all.
  private(set) var starts: [Int] = []

  public init(_ optimizer: any Optimizer, _ layout: ParameterLayout) {
    self.layout = layout
    names = type(of: optimizer).stateNames
    tensors = names.map { _ in FloatBuffer(count: layout.count) }
  }

  private init(names: [String], _ layout: ParameterLayout) {
    self.layout = layout
    self.names = names
    tensors = names.map { _ in FloatBuffer(count: layout.count) }
  }

  /// - Parameter starts: empty, or a number for each parameter of the layout.
  func restore(steps: Int, starts: [Int]) {
    precondition(starts.isEmpty || starts.count == layout.parameters.count)
    self.steps = steps
    self.starts = starts
  }

  func copy() -> OptimizerState {
    let twin = OptimizerState(names: names, layout)
    for (own, other) in zip(twin.tensors, tensors) { own.assign(other) }
    twin.restore(steps: steps, starts: starts)
    return twin
  }

  /// The parameter that contains an offset. Parameters are sorted by offset.
  private func index(of offset: Int) -> Int {
    var low = 0
    var high = layout.parameters.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if layout.parameters[middle].offset <= offset { low = middle } else { high = middle }
    }
    return low
  }

  func start(of parameter: Parameter) -> Int { starts.isEmpty ? 0 : starts[index(of: parameter.offset)] }

  func setStart(of parameter: Parameter, _ step: Int) {
    guard step != start(of: parameter) else { return }
    if starts.isEmpty { starts = [Int](repeating: 0, count: layout.parameters.count) }
    starts[index(of: parameter.offset)] = step
  }

  /// Leaves these parameters out of a step, which then does not count for them.
  func skip(_ parameters: [Parameter]) {
    for parameter in parameters { setStart(of: parameter, start(of: parameter) + 1) }
  }

  /// Calls `body` with the parts of `offset..<(offset + count)` and the start step of each.
  func forEachStart(_ offset: Int, _ count: Int, _ body: (_ offset: Int, _ count: Int, _ start: Int) -> Void) {
    guard !starts.isEmpty else { return body(offset, count, 0) }
    var low = index(of: offset)
    var place = offset
    while place < offset + count {
      let end = min(offset + count, layout.parameters[low].range.upperBound)
      body(place, end - place, starts[low])
      place = end
      low += 1
    }
  }
}
