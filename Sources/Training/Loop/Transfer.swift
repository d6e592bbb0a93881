import Layers

extension Model {
  /// The initial model for fine-tuning on a target data set: the same network with an output layer for `targets` items of
  /// another vocabulary, the pad included. The output layer is newly initialised; all other parameters are copied.
  public func retargeted(_ targets: Int, seed: UInt64) throws -> Model {
    let model = Model(try network.withTargets(targets), seed: seed)
    for parameter in model.network.layout.parameters where parameter.part != .output {
      guard let trained = network.layout[parameter.name], trained.shape == parameter.shape else { continue }
      (model.values.base + parameter.offset).update(from: values.base + trained.offset, count: parameter.count)
    }
    return model
  }
}
