import Kernels
import Layers

/// An optimizer. To add one, add a file with its type and a line in `Optimizers`. Its state in memory and in checkpoints, its
/// growth and its fingerprint are derived from the type.
public protocol Optimizer: Component {
  /// The learning rate before the schedule.
  var rate: Double { get }
  /// Whether rows of embedding and output tables that a batch does not use are left unchanged, with their state, at no cost.
  /// Otherwise they are updated with a gradient of 0.
  var lazy: Bool { get }
  /// The largest Euclidean norm of the gradients of a step, over all parameters; larger gradients are scaled down to it
  /// (Pascanu et al., 2013). nil: no limit.
  var clip: Double? { get }
  /// The names of the state tensors, in the order in which `update` receives them. Each has the layout of the parameters.
  static var stateNames: [String] { get }
  /// The update at a step of the parameters, counted from 1. Factors that do not depend on the values are computed here, once.
  ///
  /// - Parameters:
  ///   - step: the number of steps of these parameters, including this one.
  ///   - rate: the learning rate of this step, after the schedule.
  func update(step: Int, rate: Double) -> OptimizerUpdate
}

/// Updates `count` values from `offset` on, in place: `parameters` and the state tensors begin at offset 0, `gradient` at
/// `offset`.
public typealias OptimizerUpdate =
  @Sendable (
    _ offset: Int, _ count: Int, _ parameters: UnsafeMutablePointer<Float>, _ state: [UnsafeMutablePointer<Float>],
    _ gradient: UnsafePointer<Float>
  ) -> Void

/// All optimizers.
public enum Optimizers {
  public static let kinds: [any Optimizer.Type] = [Adam.self, AdamW.self, Adagrad.self]
}
