import Layers

/// What stands still while only the blocks that a growth added are trained.
struct FrozenPart {
  /// Offsets of what learns: the new blocks and the output layer.
  let learning: [Range<Int>]
  /// What does not.
  let still: [Parameter]
  /// Gradients are not needed below it.
  let lowestBlock: Int

  init(_ network: any Network, new: Set<Int>) {
    func learns(_ parameter: Parameter) -> Bool {
      parameter.block.map { new.contains($0.index) } ?? (parameter.part == .output)
    }
    learning = network.layout.parameters.filter(learns).map(\.range)
    still = network.layout.parameters.filter { !learns($0) }
    // Where an encoder stands under the decoder, its new blocks need the gradient of everything above.
    lowestBlock = network.stacks.count == 1 ? new.min() ?? 0 : 0
  }
}
