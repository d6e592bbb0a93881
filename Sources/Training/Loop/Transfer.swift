import Layers

extension Model {
  /// The same network scoring `targets` items of another vocabulary (the pad included), their embeddings fresh, everything
  /// else as trained: where fine-tuning on a target data set starts.
  public func retargeted(_ targets: Int, seed: UInt64) throws -> Model {
    let model = Model(try network.withTargets(targets), seed: seed)
    for parameter in model.network.layout.parameters where parameter.part != .output {
      guard let trained = network.layout[parameter.name], trained.shape == parameter.shape else { continue }
      (model.values.base + parameter.offset).update(from: values.base + trained.offset, count: parameter.count)
    }
    return model
  }
}
