import Kernels

/// A residual block, with input and output of the same shape `(T, B, d)`. It declares its parameters once, in `init`.
public protocol Block: Preparing {
  /// The hyperparameters that its function depends on besides its parameters, e.g. "dilation 4". Two blocks with the same
  /// signature and the same parameters compute the same function.
  var signature: String { get }
  /// The last output depends on every `stride`-th input step only, counted back from the last step.
  var stride: Int { get }
  /// The normalisations on the main path, in order; the last one produces the block's output. Empty if the block adds its
  /// branch to its input without a normalisation after the sum. Function-preserving growth reads this.
  var norms: [Norm] { get }
  /// Whether the block can be the identity, or a sequence of its norms. Function-preserving growth needs this.
  var canBeSilent: Bool { get }
  /// Floating-point operations of the matrix products in the forward pass of one sequence.
  func operations(positions: Int) -> Double
  /// Floats saved by the forward pass for the backward pass. The block's input is saved by the stack and does not count.
  func savedCount(_ tile: Tile) -> Int
  /// Floats of scratch memory that a call needs.
  func scratchCount(_ tile: Tile) -> Int
  /// Computes `y = f(x)`, both `(T, B, d)`. `sequence` is the index, in the batch, of the tile's first sequence.
  func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int)
  /// On entry `d` is the gradient of y, on exit the gradient of x. Adds to the gradients of the parameters.
  func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int)
}

extension Block {
  public var norms: [Norm] { [] }
  public var canBeSilent: Bool { true }
  public var stride: Int { 1 }
}

/// A sequence of blocks. Growth makes it deeper.
public struct BlockStack: Sendable {
  /// The prefix of the parameters' names. Growth copies blocks within one stack.
  public let name: String
  public let width: Int
  public let blocks: [any Block]
  /// For each block i: the last output of the stack depends on every `strides[i]`-th input step of block i only.
  private let strides: [Int]

  /// - Parameters:
  ///   - name: the prefix of the parameters' names.
  ///   - count: the number of blocks.
  ///   - width: channels of an activation row.
  ///   - builder: receives the declarations of the parameters.
  ///   - make: builds block `index` and declares its parameters.
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
        // The greatest common divisor of the strides of this block and all later ones.
        var rest = block.stride
        while rest != 0 { (stride, rest) = (rest, stride % rest) }
        return stride
      }.reversed())
  }

  public var count: Int { blocks.count }

  /// Floats that a training pass saves: the input of every block and what each block saves.
  public func savedCount(_ tile: Tile) -> Int {
    // Without blocks the input is the output, but it is still written there.
    blocks.isEmpty ? tile.rows * width : blocks.reduce(0) { $0 + $1.savedCount(tile) + tile.rows * width }
  }

  /// Floats that evaluation needs: one activation (the other is the output) and the memory of one block, at any depth.
  public func evaluationCount(_ tile: Tile) -> Int {
    tile.rows * width + (blocks.map { $0.savedCount(tile) }.max() ?? 0)
  }

  public func scratchCount(_ tile: Tile) -> Int { blocks.map { $0.scratchCount(tile) }.max() ?? 0 }

  /// Runs all blocks. The caller has written the input to the first `rows * width` floats of `saved`; the output goes to
  /// `y`. With `lastOnly`, evaluation computes the last step of the output only; the other steps are undefined.
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
    var input = saved
    for (i, block) in blocks.enumerated() {
      if pass.cancellation?.leavesOut() == true { return }
      let blockSaved = input + size
      let next = blockSaved + block.savedCount(tile)
      block.forward(
        tile, x: input, y: i == blocks.count - 1 ? y : next, saved: blockSaved, pass: pass, sequence: sequence)
      input = next
    }
  }

  /// The forward pass of evaluation: two buffers alternate as input and output, and no activation is saved.
  private func evaluate(
    _ tile: Tile, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int,
    lastOnly: Bool
  ) {
    var tile = tile
    let (whole, step) = (tile, tile.sequences * width)
    var from = saved
    var to = y
    let blockMemory = saved + tile.rows * width
    for (index, block) in blocks.enumerated() {
      // Steps may only be left out where products round each row alone; else the remaining steps would get other bits.
      if lastOnly && Matrix.isRowByRow(columns: width) {
        // Leave out the steps that the last output does not depend on: move the others together.
        let stride = strides[index]
        if stride > tile.steps.stride && stride < tile.steps.total {
          let fewer = Steps(total: tile.steps.total, stride: stride)
          for i in 0..<fewer.count {
            let source = (fewer.first + i * stride - tile.steps.first) / tile.steps.stride
            if source != i { (from + i * step).update(from: from + source * step, count: step) }
          }
          tile = Tile(fewer, sequences: tile.sequences, starts: tile.starts)
        }
      }
      if pass.cancellation?.leavesOut() == true { return }
      block.forward(tile, x: from, y: to, saved: blockMemory, pass: pass, sequence: sequence)
      swap(&from, &to)
    }
    if lastOnly {
      let last = from + (tile.positions - 1) * step
      let target = y + (whole.positions - 1) * step
      if last != target { target.update(from: last, count: step) }
    } else if from != y {
      y.update(from: from, count: whole.rows * width)
    }
  }

  /// The outputs of all blocks except the last, after a training pass. They are the inputs of the blocks above.
  public func outputs(_ tile: Tile, saved: UnsafePointer<Float>) -> [UnsafePointer<Float>] {
    var output = saved
    return blocks.dropLast().map { block in
      output += tile.rows * width + block.savedCount(tile)
      return output
    }
  }

  /// On entry `d` is the gradient of the output, on exit the gradient of the input. If the pass has a `lowestBlock` above
  /// 0, the backward pass ends there, and `d` is the gradient of that block's input.
  public func backward(
    _ tile: Tile, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>, pass: Pass, sequence: Int
  ) {
    let size = tile.rows * width
    var input = saved + savedCount(tile)
    for block in blocks[min(pass.lowestBlock, blocks.count)...].reversed() {
      if pass.cancellation?.leavesOut() == true { return }
      input -= block.savedCount(tile) + size
      block.backward(tile, x: input, d: d, saved: input + size, pass: pass, sequence: sequence)
    }
  }
}
