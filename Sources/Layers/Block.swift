import Kernels

/// A residual block: same shape in and out. Backward stands under forward; parameters are declared once, in `init`.
public protocol Block: Preparing {
  /// What makes two blocks compute the same from the same parameters, e.g. "dilation 4".
  var signature: String { get }
  /// Of which steps its last output is made: of every so many, counted back from the last.
  var stride: Int { get }
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
  public var stride: Int { 1 }
}

/// Blocks one after the other: the part of a model that grows.
public struct BlockStack: Sendable {
  /// The prefix of its parameters' names, and what growth maps blocks within.
  public let name: String
  public let width: Int
  public let blocks: [any Block]
  /// Of which steps the last output is made, from each block on.
  private let strides: [Int]

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
    let blocks = try (0..<count).map { index in try builder.block(name, index) { try make(index, builder) } }
    self.blocks = blocks
    var stride = 0
    strides = Array(
      blocks.reversed().map { block in
        // The greatest common divisor of what this and all later blocks look back by.
        var rest = block.stride
        while rest != 0 { (stride, rest) = (rest, stride % rest) }
        return stride
      }.reversed())
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
  /// With `lastOnly` only the last step of the output is asked for in evaluation; the others are left undefined.
  public func forward(
    _ tile: Tile, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int,
    lastOnly: Bool = false
  ) {
    let size = tile.rows * width
    if blocks.isEmpty {
      y.update(from: saved, count: size)
      return
    }
    if !pass.isTraining {
      evaluate(tile, y: y, saved: saved, pass: pass, sequence: sequence, lastOnly: lastOnly)
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

  /// Two activations in turn; nothing is kept.
  private func evaluate(
    _ tile: Tile, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int,
    lastOnly: Bool
  ) {
    var tile = tile
    let (whole, step) = (tile, tile.sequences * width)
    var from = saved
    var to = y
    let keep = saved + tile.rows * width
    for (index, block) in blocks.enumerated() {
      // The bits are to be those of the whole.
      if lastOnly && Matrix.isRowByRow(columns: width) {
        // What is left to be made of steps that are not needed any more is not made.
        let stride = strides[index]
        if stride > tile.steps.stride && stride < tile.steps.total {
          let fewer = Steps(total: tile.steps.total, stride: stride)
          for i in 0..<fewer.count {
            let place = (fewer.first + i * stride - tile.steps.first) / tile.steps.stride
            if place != i { (from + i * step).update(from: from + place * step, count: step) }
          }
          tile = Tile(fewer, sequences: tile.sequences)
        }
      }
      block.forward(tile, x: from, y: to, saved: keep, pass: pass, sequence: sequence)
      swap(&from, &to)
    }
    if lastOnly {
      let last = from + (tile.positions - 1) * step
      let place = y + (whole.positions - 1) * step
      if last != place { place.update(from: last, count: step) }
    } else if from != y {
      y.update(from: from, count: whole.rows * width)
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
