import Layers

extension Model {
  /// The name of the first parameter, in the order of the layout, with a value that is not finite; nil if there is none.
  var firstNotFinite: String? {
    network.layout.parameters.first { parameter in
      values.values[parameter.range].contains { !$0.isFinite }
    }?.name
  }
}
