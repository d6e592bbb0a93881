import Layers

extension Model {
  /// The first parameter, in the order of the layout, that holds a value which is not a finite number.
  var firstNotFinite: String? {
    network.layout.parameters.first { parameter in
      values.values[parameter.range].contains { !$0.isFinite }
    }?.name
  }
}
