import Kernels

/// A residual block: same shape in and out. Backward stands under forward; parameters are declared once, in `init`.
public protocol Block: Preparing {
  /// What makes two blocks compute the same from the same parameters, e.g. "dilation 4".
  var signature: String { get }
  /// Normalisations on its main path, the last of which closes it; none where the input goes through a sum untouched.
  /// Function-preserving growth asks.
  var norms: [Norm] { get }
  /// Floating-point operations of its matrix products for one sequence, forward.
  func operations(positions: Int) -> Double
  /// Floats kept from forward to backward, besides the block's input, which the stack keeps.
  func savedCount(_ tile: Tile) -> Int
  /// Floats needed only while it runs.
  func scratchCount(_ tile: Tile) -> Int
  /// `y = f(x)`, both `(T, B, d)`.
  func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int)
  /// On entry `d` is the gradient of y, on exit that of x; adds to the parameters' gradients.
  func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int)
}

extension Block {
  public var norms: [Norm] { [] }
}

/// Blocks one after the other: the part of a model that grows.
public struct BlockStack: Sendable {
  /// The prefix of its parameters' names, and what growth maps blocks within.
  public let name: String
  public let width: Int
  public let blocks: [any Block]

  /// - Parameters:
  ///   - name: the prefix of its parameters' names.
  ///   - count: how many blocks.
  ///   - width: channels of a row.
  ///   - builder: of the layout that the parameters are declared in.
  ///   - make: builds block `index`, declaring its parameters.
  public init(
    _ name: String = "blocks", count: Int, width: Int, in builder: LayoutBuilder,
    make: (_ index: Int, LayoutBuilder) throws -> any Block
  ) rethrows {
    self.name = name
    self.width = width
    blocks = try (0..<count).map { index in try builder.block(name, index) { try make(index, builder) } }
  }

  public var count: Int { blocks.count }

  /// Inputs of every block and what each block keeps.
  public func savedCount(_ tile: Tile) -> Int {
    blocks.reduce(0) { $0 + $1.savedCount(tile) + tile.rows * width }
  }

  /// Evaluation needs two activations and one block's memory, whatever the depth.
  public func evaluationCount(_ tile: Tile) -> Int {
    tile.rows * width + (blocks.map { $0.savedCount(tile) }.max() ?? 0)
  }

  public func scratchCount(_ tile: Tile) -> Int { blocks.map { $0.scratchCount(tile) }.max() ?? 0 }

  /// Runs all blocks. The input must be in `saved` already (its first `rows * width` floats); the output goes to `y`.
  public func forward(
    _ tile: Tile, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int
  ) {
    let size = tile.rows * width
    if blocks.isEmpty {
      y.update(from: saved, count: size)
      return
    }
    if !pass.isTraining {
      // Two activations in turn; nothing is kept.
      var from = saved
      var to = y
      let keep = saved + size
      for block in blocks {
        block.forward(tile, x: from, y: to, saved: keep, pass: pass, sequence: sequence)
        swap(&from, &to)
      }
      if from != y { y.update(from: from, count: size) }
      return
    }
    var place = saved
    for (i, block) in blocks.enumerated() {
      let keep = place + size
      let next = keep + block.savedCount(tile)
      block.forward(
        tile, x: place, y: i == blocks.count - 1 ? y : next, saved: keep, pass: pass, sequence: sequence)
      place = next
    }
  }

  /// After a training pass: the outputs of all blocks but the last, the inputs of those above.
  public func outputs(_ tile: Tile, saved: UnsafePointer<Float>) -> [UnsafePointer<Float>] {
    var place = saved
    return blocks.dropLast().map { block in
      place += tile.rows * width + block.savedCount(tile)
      return place
    }
  }

  /// `d`: gradient of the output on entry, of the input on exit; of the lowest block that learns, where the pass says
  /// that nothing below does.
  public func backward(
    _ tile: Tile, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int
  ) {
    let size = tile.rows * width
    var place = saved + savedCount(tile)
    for block in blocks[min(pass.lowestBlock, blocks.count)...].reversed() {
      place -= block.savedCount(tile) + size
      block.backward(tile, x: place, d: d, saved: place + size, pass: pass, sequence: sequence)
    }
  }
}
