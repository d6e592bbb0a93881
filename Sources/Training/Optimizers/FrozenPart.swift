import Layers

/// The parameters that are frozen while only the blocks that a growth added are trained.
struct FrozenPart {
  /// The offsets of the trained parameters: the new blocks and the output layer.
  let learning: [Range<Int>]
  /// The offsets of the frozen parameters.
  let still: [Parameter]
  /// The lowest block that needs gradients.
  let lowestBlock: Int

  init(_ network: any Network, new: Set<Int>) {
    func learns(_ parameter: Parameter) -> Bool {
      parameter.block.map { new.contains($0.index) } ?? (parameter.part == .output)
    }
    learning = network.layout.parameters.filter(learns).map(\.range)
    still = network.layout.parameters.filter { !learns($0) }
    // If there is an encoder below the decoder, its new blocks need the gradients of everything above them.
    lowestBlock = network.stacks.count == 1 ? new.min() ?? 0 : 0
  }
}
