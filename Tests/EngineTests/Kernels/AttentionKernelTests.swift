import CKernels
import Foundation
import Kernels
import Testing

/// Compares attention, GELU, layer normalisation of sums and dropout masks with plain loops in double precision.
@Suite struct AttentionKernelTests {
  struct Plain {
    let time, heads, dh, stride: Int
    let q, k, v, mask: [Float]

    /// Row t of head h, channel c.
    func at(_ x: [Float], _ t: Int, _ h: Int, _ c: Int) -> Double { Double(x[t * stride + h * dh + c]) }
    func mask(_ h: Int, _ i: Int, _ j: Int) -> Double { mask.isEmpty ? 1 : Double(mask[(h * time + i) * time + j]) }

    func probabilities(_ h: Int, _ i: Int) -> [Double] {
      let scores = (0...i).map { j in
        (0..<dh).reduce(0.0) { $0 + at(q, i, h, $1) * at(k, j, h, $1) } / Double(dh).squareRoot()
      }
      let e = scores.map { exp($0 - (scores.max() ?? 0)) }
      let total = e.reduce(0, +)
      return e.map { $0 / total }
    }

    func output() -> [Double] {
      var out = [Double](repeating: 0, count: q.count)
      for h in 0..<heads {
        for i in 0..<time {
          for (j, p) in probabilities(h, i).enumerated() {
            for c in 0..<dh { out[i * stride + h * dh + c] += p * mask(h, i, j) * at(v, j, h, c) }
          }
        }
      }
      return out
    }

    func gradients(_ dout: [Float]) -> (dq: [Double], dk: [Double], dv: [Double]) {
      var dq = [Double](repeating: 0, count: q.count)
      var dk = dq, dv = dq
      for h in 0..<heads {
        for i in 0..<time {
          let p = probabilities(h, i)
          let dp = p.indices.map { j in
            (0..<dh).reduce(0.0) { $0 + at(dout, i, h, $1) * at(v, j, h, $1) } * mask(h, i, j)
          }
          let sum = zip(p, dp).reduce(0.0) { $0 + $1.0 * $1.1 }
          for j in p.indices {
            let ds = p[j] * (dp[j] - sum) / Double(dh).squareRoot()
            for c in 0..<dh {
              let (a, b) = (i * stride + h * dh + c, j * stride + h * dh + c)
              dq[a] += ds * Double(k[b])
              dk[b] += ds * Double(q[a])
              dv[b] += p[j] * mask(h, i, j) * Double(dout[a])
            }
          }
        }
      }
      return (dq, dk, dv)
    }
  }

  @Test(arguments: [(1, 1, 16), (3, 2, 4), (16, 1, 64), (17, 2, 32), (19, 1, 19), (40, 2, 16)], [false, true])
  func attention(shape: (Int, Int, Int), dropped: Bool) {
    let (time, heads, dh) = shape
    let stride = 2 * heads * dh  // a tile of two sequences
    let count = time * stride
    let q = KernelTests.random(count, "q"), k = KernelTests.random(count, "k"), v = KernelTests.random(count, "v")
    let dout = KernelTests.random(count, "dout")
    let mask = dropped ? KernelTests.random(heads * time * time, "mask").map { $0 < -0.5 ? 0 : Float(1.4) } : []
    let plain = Plain(time: time, heads: heads, dh: dh, stride: stride, q: q, k: k, v: v, mask: mask)
    let attention = CausalAttention(heads: heads, width: heads * dh)
    var p = [Float](repeating: .nan, count: attention.probabilityCount(time: time))
    var scratch = [Float](repeating: .nan, count: attention.scratchCount(time: time))
    var out = [Float](repeating: 7, count: count)
    var dq = out, dk = out, dv = out
    mask.withUnsafeBufferPointer { mask in
      let mask = mask.count > 0 ? mask.baseAddress : nil
      attention.forward(
        time: time, stride: stride, q: q, k: k, v: v, mask: mask, probabilities: &p, out: &out, scratch: &scratch)
      attention.backward(
        time: time, stride: stride, q: q, k: k, v: v, mask: mask, probabilities: p, dout: dout, dq: &dq, dk: &dk,
        dv: &dv, scratch: &scratch)
    }
    let expected = plain.gradients(dout)
    for (own, plain) in [(out, plain.output()), (dq, expected.dq), (dk, expected.dk), (dv, expected.dv)] {
      var worst = 0.0
      for t in 0..<time {
        for c in 0..<stride {
          let i = t * stride + c
          // The rows of the other sequence are unchanged.
          worst = max(worst, abs(Double(own[i]) - (c < heads * dh ? plain[i] : 7)))
        }
      }
      #expect(worst < 2e-5)
    }
  }

  @Test(arguments: [3, 16, 35])
  func gelu(count: Int) {
    let x = KernelTests.random(count, "x", scale: 2) + [-30, 30, 0]
    var y = x, dy = x.map { _ in Float(1) }
    srs_gelu(&y, x, x.count)
    srs_gelu_backward(&dy, x, x.count)
    for i in x.indices {
      let z = Double(x[i])
      let cdf = 0.5 * erfc(-z / 2.0.squareRoot())
      let slope = cdf + z * exp(-z * z / 2) / (2 * Double.pi).squareRoot()
      #expect(abs(Double(y[i]) - z * cdf) < 2e-6)
      #expect(abs(Double(dy[i]) - slope) < 2e-6)
    }
  }

  @Test(arguments: [3, 16, 19, 64])
  func normSum(c: Int) {
    let rows = 5, n = rows * c
    let x = KernelTests.random(n, "x"), u = KernelTests.random(n, "u"), dy = KernelTests.random(n, "dy")
    let gain = KernelTests.random(c, "gain"), shift = KernelTests.random(c, "shift")
    let zeros = [Float](repeating: 0, count: c)
    func loss(_ x: [Float], _ u: [Float], _ gain: [Float], _ alpha: Float) -> Double {
      let z = zip(x, u).map { $0 + alpha * $1 }
      let y = KernelTests.norm(z, zeros, gain, shift, c, 1e-5)
      return zip(y, dy).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    var xhat = x, y = x, rstd = [Float](repeating: 0, count: rows)
    srs_norm_sum(rows, c, x, u, 0.6, gain, shift, 1e-5, &xhat, &rstd, &y)
    #expect(abs(zip(y, dy).reduce(0) { $0 + Double($1.0 * $1.1) } - loss(x, u, gain, 0.6)) < 1e-4)
    var dx = dy, du = dy, dgain = zeros, dshift = zeros
    let dalpha = srs_norm_sum_backward(rows, c, dy, xhat, rstd, gain, u, 0.6, &dx, &du, &dgain, &dshift)
    for i in 0..<n {
      var up = x, down = x
      up[i] += 1e-3
      down[i] -= 1e-3
      let slope = (loss(up, u, gain, 0.6) - loss(down, u, gain, 0.6)) / Double(up[i] - down[i])
      #expect(abs(Double(dx[i]) - slope) < 1e-2)
      #expect(abs(du[i] - 0.6 * dx[i]) < 1e-6)
    }
    #expect(abs(Double(dalpha) - (loss(x, u, gain, 0.601) - loss(x, u, gain, 0.599)) / 0.002) < 1e-2)
    for i in 0..<c {
      #expect(abs(dshift[i] - (0..<rows).reduce(0) { $0 + dy[$1 * c + i] }) < 1e-5)
      var up = gain
      up[i] += 1e-2
      #expect(abs(Double(dgain[i]) - (loss(x, u, up, 0.6) - loss(x, u, gain, 0.6)) / 1e-2) < 1e-2)
    }
  }

  /// The vectorised kernel uses the words of the random stream, sixteen counters at a time.
  @Test func dropoutMasksUseTheWordsOfTheStream() {
    let stream = RandomStream(seed: 3, "dropout/here")
    var mask = [Float](repeating: .nan, count: 150)
    stream.fillMask(&mask, count: 150, substream: 77 << 24 | 5, rate: 0.3)
    var numbers = stream.numbers(at: 77 << 24 | 5)
    let words = (0..<192).map { _ in numbers.word() }
    for i in mask.indices {
      let (group, word, lane) = (i / 64, i % 64 / 16, i % 16)
      let dropped = Double(words[(16 * group + lane) * 4 + word]) < 0.3 * 4_294_967_296
      #expect(mask[i] == (dropped ? 0 : Float(1 / 0.7)))
    }
  }
}
