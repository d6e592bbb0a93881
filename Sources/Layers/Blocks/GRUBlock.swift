import Kernels

/// A layer of gated recurrent units (Cho et al., 2014) over time, as PyTorch's `GRU`:
///
///     r, z = sigma(x Wr + br + h Ur + cr), sigma(x Wz + bz + h Uz + cz)
///     c    = tanh(x Wn + bn + r * (h Un + cn))
///     h'   = (1 - z) * c + z * h
///
/// h is 0 before the first item of a sequence; the output is h'. Activations are `(T, B, d)`, W and U `(d, 3d)` with columns
/// r, z, n. Gradients go through the whole sequence.
public struct GRUBlock: Block {
  private let width: Int
  private let input, state: Linear

  public init(width: Int, in builder: LayoutBuilder) {
    self.width = width
    input = Linear("input", width, 3 * width, in: builder)
    state = Linear("state", width, 3 * width, preparesTranspose: false, in: builder)
  }

  public var signature: String { "gru" }
  /// A layer without a residual path is never the identity.
  public var canBeSilent: Bool { false }
  public func operations(positions: Int) -> Double { 12 * Double(positions) * Double(width * width) }

  public func prepare(
    _ parameters: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>, training: Bool
  ) {
    input.prepare(parameters, into: prepared, training: training)
  }

  // Saved per row: r and z (2d), c, h Un + cn, and h'.
  public func savedCount(_ tile: Tile) -> Int { 5 * tile.rows * width }
  // The gates' inputs from x, or their gradients; those from h, of one step or of all; h or its gradient.
  public func scratchCount(_ tile: Tile) -> Int { 6 * tile.rows * width + 2 * tile.sequences * width }

  public func forward(
    _ tile: Tile, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let (d, n) = (width, tile.sequences)
    let size = tile.rows * d
    let (gates, candidates, states, outputs) = (saved, saved + 2 * size, saved + 3 * size, saved + 4 * size)
    let (fromInput, fromState) = (pass.scratch, pass.scratch + 3 * size)
    let zeros = pass.scratch + 6 * size
    zeros.update(repeating: 0, count: n * d)
    input.forward(tile.rows, x, fromInput, pass: pass)
    var existing = 0
    for t in 0..<tile.positions {
      let previous = t == 0 ? UnsafePointer(zeros) : UnsafePointer(outputs + (t - 1) * n * d)
      state.forward(n, previous, fromState, pass: pass)
      for b in 0..<n {
        let row = t * n + b
        let (xs, hs) = (fromInput + row * 3 * d, fromState + b * 3 * d)
        let (gate, candidate, kept, out) = (gates + row * 2 * d, candidates + row * d, states + row * d, outputs + row * d)
        Elementwise.addScaled(xs, hs, 1, 2 * d)
        Elementwise.sigmoid(gate, xs, 2 * d)
        kept.update(from: hs + 2 * d, count: d)
        // tanh(x) = 2 sigma(2 x) - 1
        for i in 0..<d { candidate[i] = 2 * (xs[2 * d + i] + gate[i] * kept[i]) }
        Elementwise.sigmoid(candidate, candidate, d)
        let before = previous + b * d
        for i in 0..<d {
          candidate[i] = 2 * candidate[i] - 1
          let z = gate[d + i]
          out[i] = (1 - z) * candidate[i] + z * before[i]
        }
      }
      while existing < n, tile.start(existing) <= t { existing += 1 }
      (outputs + (t * n + existing) * d).update(repeating: 0, count: (n - existing) * d)
    }
    y.update(from: outputs, count: size)
  }

  public func backward(
    _ tile: Tile, x: UnsafePointer<Float>, d: UnsafeMutablePointer<Float>, saved: UnsafeMutablePointer<Float>,
    pass: Pass, sequence: Int
  ) {
    let (c, n) = (width, tile.sequences)
    let size = tile.rows * c
    let (gates, candidates, states, outputs) = (saved, saved + 2 * size, saved + 3 * size, saved + 4 * size)
    let (toInput, toState) = (pass.scratch, pass.scratch + 3 * size)
    let carry = pass.scratch + 6 * size
    let zeros = carry + n * c
    carry.update(repeating: 0, count: n * c)
    zeros.update(repeating: 0, count: n * c)
    for t in (0..<tile.positions).reversed() {
      var existing = 0
      while existing < n, tile.start(existing) <= t { existing += 1 }
      (carry + existing * c).update(repeating: 0, count: (n - existing) * c)
      for b in 0..<n {
        let row = t * n + b
        let before = t == 0 ? UnsafePointer(zeros) : UnsafePointer(outputs + (row - n) * c)
        let (gate, candidate, kept) = (gates + row * 2 * c, candidates + row * c, states + row * c)
        let (gx, gh) = (toInput + row * 3 * c, toState + row * 3 * c)
        let (own, sum) = (d + row * c, carry + b * c)
        let exists: Float = b < existing ? 1 : 0
        for i in 0..<c {
          let (r, z, value) = (gate[i], gate[c + i], candidate[i])
          let dh = (own[i] + sum[i]) * exists
          let dn = dh * (1 - z) * (1 - value * value)
          let dr = dn * kept[i] * r * (1 - r)
          let dz = dh * (before[i] - value) * z * (1 - z)
          gx[i] = dr
          gx[c + i] = dz
          gx[2 * c + i] = dn
          gh[i] = dr
          gh[c + i] = dz
          gh[2 * c + i] = dn * r
          sum[i] = dh * z
        }
      }
      Matrix.productTransposedRight(
        toState + t * n * 3 * c, pass.parameters + state.weight.offset, carry, m: n, n: c, k: 3 * c, add: true)
    }
    // The state before step t is the output of step t - 1; before the first step it is 0.
    Matrix.productTransposedLeft(
      outputs, toState + n * 3 * c, pass.gradients + state.weight.offset, m: c, n: 3 * c, k: tile.rows - n, add: true)
    Elementwise.addRowSums(pass.gradients + state.bias.offset, toState, rows: tile.rows, c: 3 * c)
    input.backward(tile.rows, x: x, dy: toInput, dx: d, add: false, pass: pass)
    tile.clear(d, width: c)
  }
}
