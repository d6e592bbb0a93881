import Kernels
import Layers

/// How gradients become new parameters. An optimizer is a file with a type, and a line in `Optimizers`; its state in memory
/// and in checkpoints, growth and fingerprints come from what the type says.
public protocol Optimizer: Component {
  /// Learning rate before the schedule.
  var rate: Double { get }
  /// Rows of embedding and output tables that a batch did not touch keep their state and values as they are, and cost
  /// nothing. Otherwise they move on by their state.
  var lazy: Bool { get }
  /// Largest Euclidean norm of a step's gradients, all parameters together; larger ones are scaled down to it (Pascanu
  /// et al., 2013). nil: as they are.
  var clip: Double? { get }
  /// Names of the state tensors, each laid out as the parameters are, in the order `update` is given them.
  static var stateNames: [String] { get }
  /// The update at a step of the parameters' own, from 1. What does not depend on the values is computed here, once.
  ///
  /// - Parameters:
  ///   - step: how many steps these parameters have taken, this one included.
  ///   - rate: the learning rate of this step, schedule included.
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
  public static let kinds: [any Optimizer.Type] = [Adam.self]
}
