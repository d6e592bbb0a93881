import CKernels
import Foundation
import Kernels
import Synchronization
import Testing

/// Compares the fused kernels with plain loops, for widths that are a multiple of the vector length and others.
@Suite struct KernelTests {
  static let widths = [1, 3, 8, 16, 19, 64, 100]

  static func random(_ count: Int, _ name: String, scale: Double = 1) -> [Float] {
    var numbers = RandomStream(seed: 5, name).numbers()
    return (0..<count).map { _ in Float(numbers.normal() * scale) }
  }

  /// LN(x + bias) * gain + shift in double precision.
  static func norm(_ x: [Float], _ bias: [Float], _ gain: [Float], _ shift: [Float], _ c: Int, _ epsilon: Double) -> [Double] {
    var y = [Double](repeating: 0, count: x.count)
    for r in 0..<(x.count / c) {
      let z = (0..<c).map { Double(x[r * c + $0]) + Double(bias[$0]) }
      let mean = z.reduce(0, +) / Double(c)
      let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(c)
      for i in 0..<c {
        y[r * c + i] = Double(gain[i]) * (z[i] - mean) / (variance + epsilon).squareRoot() + Double(shift[i])
      }
    }
    return y
  }

  @Test(arguments: widths)
  func normReluResidualForward(c: Int) {
    let rows = 7
    let x = Self.random(rows * c, "x"), bias = Self.random(c, "bias"), gain = Self.random(c, "gain")
    let shift = Self.random(c, "shift"), skip = Self.random(rows * c, "skip")
    var xhat = x, rstd = [Float](repeating: 0, count: rows), y = x, out = x
    // At width 1 the variance is 0; epsilon keeps the result finite.
    let epsilon: Float = 1e-5
    srs_norm_relu(rows, c, x, bias, gain, shift, epsilon, &xhat, &rstd, &y)
    srs_norm_relu_residual(rows, c, x, bias, gain, shift, epsilon, &xhat, &rstd, skip, 0.7, &out)
    let expected = Self.norm(x, bias, gain, shift, c, Double(epsilon))
    for i in 0..<(rows * c) {
      #expect(abs(Double(y[i]) - max(0, expected[i])) < 2e-5)
      #expect(abs(Double(out[i]) - (Double(skip[i]) + 0.7 * max(0, expected[i]))) < 2e-5)
    }
  }

  /// Compares the backward pass with finite differences of the forward pass in double precision.
  @Test(arguments: [3, 16, 19])
  func normReluResidualBackward(c: Int) {
    let rows = 3
    let x = Self.random(rows * c, "x"), bias = Self.random(c, "bias"), gain = Self.random(c, "gain")
    let shift = Self.random(c, "shift"), skip = Self.random(rows * c, "skip"), dout = Self.random(rows * c, "dout")
    let alpha: Float = 0.7
    var xhat = x, rstd = [Float](repeating: 0, count: rows), out = x
    srs_norm_relu_residual(rows, c, x, bias, gain, shift, 1e-5, &xhat, &rstd, skip, alpha, &out)
    var dx = [Float](repeating: 0, count: rows * c)
    var dgain = [Float](repeating: 0, count: c), dshift = dgain, dbias = dgain
    let dalpha = srs_norm_relu_residual_backward(
      rows, c, dout, xhat, rstd, gain, shift, alpha, &dx, &dgain, &dshift, &dbias)

    func loss(_ x: [Float], _ bias: [Float], _ gain: [Float], _ shift: [Float], _ alpha: Double) -> Double {
      let y = Self.norm(x, bias, gain, shift, c, 1e-5)
      return y.indices.reduce(0) { $0 + Double(dout[$1]) * (Double(skip[$1]) + alpha * max(0, y[$1])) }
    }
    func slope(_ values: [Float], _ i: Int, _ f: ([Float]) -> Double) -> Double {
      let h: Float = 1e-3
      var up = values, down = values
      up[i] += h
      down[i] -= h
      return (f(up) - f(down)) / Double(up[i] - down[i])
    }
    for i in 0..<(rows * c) {
      #expect(abs(Double(dx[i]) - slope(x, i) { loss($0, bias, gain, shift, 0.7) }) < 5e-3)
    }
    for i in 0..<c {
      #expect(abs(Double(dgain[i]) - slope(gain, i) { loss(x, bias, $0, shift, 0.7) }) < 5e-3)
      #expect(abs(Double(dshift[i]) - slope(shift, i) { loss(x, bias, gain, $0, 0.7) }) < 5e-3)
      #expect(abs(Double(dbias[i]) - slope(bias, i) { loss(x, $0, gain, shift, 0.7) }) < 5e-3)
    }
    #expect(abs(Double(dalpha) - (loss(x, bias, gain, shift, 0.701) - loss(x, bias, gain, shift, 0.699)) / 0.002) < 5e-3)
  }

  /// Compares the softmax by panels of 64 columns with the softmax of whole rows. The logits grow from panel to panel.
  @Test(arguments: [1, 5, 64, 65, 200, 1000], [false, true])
  func softmaxByPanels(c: Int, sampled: Bool) {
    let rows = 5
    let panels = (c + 63) / 64
    let random = Self.random(rows * c, "logits", scale: 6)
    let logits = random.indices.map { random[$0] + Float($0 % c) / 20 }
    let shift = Self.random(c, "bias"), own = Self.random(rows, "own", scale: 6)
    // Includes a row without a column of its own. With sampling, a row's own column is left out.
    let targets = (0..<rows).map { $0 == 3 && sampled ? -1 : Int32($0 * 7 % c) }
    let weights: [Float] = [0.1, 0.5, 0, 1, 0.25]
    var top = sampled ? own : Array(repeating: -Float.infinity, count: rows), at = own
    var sums = [Float](repeating: 0, count: 16 * rows), bases: [[Float]] = [], values: [[Float]] = []
    if sampled { for r in 0..<rows { sums[16 * r] = 1 } }
    let shifts = shift + Array(repeating: -Float.infinity, count: panels * 64 - c)
    for panel in 0..<panels {
      var x = (0..<(rows * 64)).map { i in
        panel * 64 + i % 64 < c ? logits[i / 64 * c + panel * 64 + i % 64] : 0
      }
      var base = [Float](repeating: 0, count: rows)
      shifts.withUnsafeBufferPointer { shifts in
        at.withUnsafeMutableBufferPointer { at in
          srs_softmax_panel(
            rows, &x, shifts.baseAddress! + panel * 64, targets, panel * 64, sampled ? nil : at.baseAddress, &top, &sums,
            &base)
        }
      }
      bases.append(base)
      values.append(x)
    }
    srs_softmax_sums(rows, &sums)
    let scale = (0..<rows).map { weights[$0] / sums[$0] }
    var dshift = [Float](repeating: 0.5, count: panels * 64)
    for panel in 0..<panels {
      dshift.withUnsafeMutableBufferPointer {
        srs_softmax_gradient(
          rows, &values[panel], bases[panel], top, scale, sampled ? nil : targets, panel * 64, weights,
          $0.baseAddress! + panel * 64)
      }
    }
    var sum = [Double](repeating: 0.5, count: c)
    for r in 0..<rows {
      let z = (0..<c).map { i in
        sampled && i == Int(targets[r]) ? -Double.infinity : Double(logits[r * c + i]) + Double(shift[i])
      }
      let all = sampled ? z + [Double(own[r])] : z
      let largest = all.max()!
      let total = all.reduce(0) { $0 + exp($1 - largest) }
      let loss = log(total) + largest - (sampled ? Double(own[r]) : z[Int(targets[r])])
      #expect(abs(Double(log(sums[r]) + top[r] - at[r]) - loss) < 1e-5 * max(1, loss))
      for i in 0..<c {
        let wanted = Double(weights[r]) * (exp(z[i] - largest) / total - (!sampled && i == Int(targets[r]) ? 1 : 0))
        sum[i] += wanted
        #expect(abs(Double(values[i / 64][r * 64 + i % 64]) - wanted) < 2e-6)
      }
    }
    #expect((0..<c).allSatisfy { abs(Double(dshift[$0]) - sum[$0]) < 1e-5 })
  }

  @Test(arguments: [1, 15, 16, 100])
  func countsAboveAndEqual(n: Int) {
    let x = (0..<n).map { Float($0 % 5) }
    var above = 0, equal = 0
    srs_count_above(x, n, 2, &above, &equal)
    #expect(above == x.filter { $0 > 2 }.count)
    #expect(equal == x.filter { $0 == 2 }.count)
  }
}

/// Compares convolutions over time with plain loops.
@Suite struct ConvolutionTests {
  @Test(
    arguments: [
      (9, 1, true), (9, 4, true), (5, 8, true), (9, 2, false), (4, 3, false), (2, 1, false), (19, 4, true), (35, 2, false),
    ],
    [(5, 4, 3), (16, 16, 3), (32, 64, 3), (48, 80, 2), (16, 32, 5)])
  func forwardAndBackward(shape: (Int, Int, Bool), channels: (Int, Int, Int)) {
    let (time, dilation, causal) = shape
    let (ci, co, kernel) = channels
    let batch = 3
    let convolution =
      causal
      ? TimeConvolution(causal: kernel, dilation: dilation, channelsIn: ci, channelsOut: co)
      : TimeConvolution(symmetric: kernel, dilation: dilation, channelsIn: ci, channelsOut: co)
    let x = KernelTests.random(time * batch * ci, "x"), w = KernelTests.random(kernel * ci * co, "w")
    let dy = KernelTests.random(time * batch * co, "dy")
    var y = [Float](repeating: .nan, count: time * batch * co)
    let prepared = FloatBuffer(count: convolution.preparedCount)
    let scratch = FloatBuffer(count: convolution.scratchCount(time: time, batch: batch))
    scratch.base.update(repeating: .nan, count: scratch.count)
    let taps = FloatBuffer(count: w.count)
    taps.base.update(from: w, count: w.count)
    convolution.prepare(taps.base, into: prepared.base, training: true)
    let weights = TimeConvolution.Weights(taps.base, prepared: prepared.base)
    convolution.forward(
      steps: Steps(total: time), batch: batch, x: x, weights: weights, y: &y, scratch: scratch.base)
    var dw = [Float](repeating: 0, count: w.count), dx = [Float](repeating: .nan, count: x.count)
    convolution.backward(
      time: time, batch: batch, x: x, weights: weights, dy: dy, dw: &dw, dx: &dx, add: false, scratch: scratch.base)
    var added = x
    convolution.backward(
      time: time, batch: batch, x: x, weights: weights, dy: dy, dw: &dw, dx: &added, add: true, scratch: scratch.base)

    var y2 = [Double](repeating: 0, count: y.count), dw2 = [Double](repeating: 0, count: w.count)
    var dx2 = [Double](repeating: 0, count: x.count)
    for t in 0..<time {
      for j in 0..<kernel {
        let s = causal ? t - (kernel - 1 - j) * dilation : t + (j - (kernel - 1) / 2) * dilation
        guard s >= 0 && s < time else { continue }
        for b in 0..<batch {
          for i in 0..<ci {
            for o in 0..<co {
              let (xi, wi, yi) = ((s * batch + b) * ci + i, (j * ci + i) * co + o, (t * batch + b) * co + o)
              y2[yi] += Double(x[xi]) * Double(w[wi])
              dw2[wi] += Double(x[xi]) * Double(dy[yi])
              dx2[xi] += Double(w[wi]) * Double(dy[yi])
            }
          }
        }
      }
    }
    #expect(zip(y, y2).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    #expect(zip(dw, dw2).allSatisfy { abs(Double($0) - 2 * $1) < 1e-4 })
    #expect(x.indices.allSatisfy { abs(Double(added[$0] - x[$0]) - dx2[$0]) < 1e-4 })
    #expect(zip(dx, dx2).allSatisfy { abs(Double($0) - $1) < 1e-4 })
  }
}

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8])
  func everyIterationRunsOnce(threads: Int) {
    let pool = WorkerPool(threads: threads)
    let counts = FloatBuffer(count: 1000)
    let workers = FloatBuffer(count: 1000)
    for _ in 0..<20 {
      pool.forEach(1000) { index, worker in
        counts.base[index] += 1
        workers.base[index] = Float(worker)
      }
    }
    #expect(counts.array.allSatisfy { $0 == 20 })
    #expect(workers.array.allSatisfy { $0 >= 0 && Int($0) < threads })
  }

  /// Signals that ask the program to end are left to the main thread; those of a fault reach the thread that has it, so that
  /// their handlers can report it.
  @Test func faultsAreNotBlocked() {
    let pool = WorkerPool(threads: 3)
    let blocked = FloatBuffer(count: 3 * 64)
    let started = Atomic<Int>(0)
    pool.forEach(3) { _, worker in
      // Each thread has one of the three iterations: none ends before all have begun.
      started.add(1, ordering: .relaxed)
      while started.load(ordering: .relaxed) < 3 { sched_yield() }
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      for signal in 1..<Int32(64) { blocked.base[worker * 64 + Int(signal)] = Float(sigismember(&mask, signal)) }
    }
    for worker in 1..<3 {
      for fault in [SIGBUS, SIGSEGV, SIGILL, SIGFPE] { #expect(blocked.array[worker * 64 + Int(fault)] == 0, "\(fault)") }
      for other in [SIGINT, SIGTERM, SIGHUP, SIGALRM] { #expect(blocked.array[worker * 64 + Int(other)] == 1, "\(other)") }
    }
  }
}

/// Compares matrix products with three nested loops, for sizes that are multiples of the register tiles and others.
@Suite struct ProductTests {
  @Test(arguments: [1, 4, 6, 13, 30], [5, 16, 32, 48, 64, 112, 130])
  func products(m: Int, n: Int) {
    for k in [1, 7, 64] {
      for add in [false, true] {
        let (lda, ldb, ldc) = (max(k, m) + 3, max(k, n) + 2, n + 1)
        let a = KernelTests.random(max(m, k) * lda, "a"), b = KernelTests.random(max(n, k) * ldb, "b")
        let c = KernelTests.random(m * ldc, "c")
        func check(
          _ left: (Int, Int) -> Int, _ right: (Int, Int) -> Int, _ product: (UnsafeMutablePointer<Float>) -> Void
        ) {
          var own = c
          own.withUnsafeMutableBufferPointer { product($0.baseAddress!) }
          var worst = 0.0
          for i in 0..<m {
            for j in 0..<ldc {
              var sum = j >= n || add ? Double(c[i * ldc + j]) : 0
              if j < n { for p in 0..<k { sum += Double(a[left(i, p)]) * Double(b[right(p, j)]) } }
              worst = max(worst, abs(sum - Double(own[i * ldc + j])))
            }
          }
          #expect(worst < 1e-4)
        }
        check({ $0 * lda + $1 }, { $0 * ldb + $1 }) {
          Matrix.product(a, b, $0, m: m, n: n, k: k, add: add, lda: lda, ldb: ldb, ldc: ldc)
        }
        check({ $0 * lda + $1 }, { $1 * ldb + $0 }) {
          Matrix.productTransposedRight(a, b, $0, m: m, n: n, k: k, add: add, lda: lda, ldb: ldb, ldc: ldc)
        }
        check({ $1 * lda + $0 }, { $0 * ldb + $1 }) {
          Matrix.productTransposedLeft(a, b, $0, m: m, n: n, k: k, add: add, lda: lda, ldb: ldb, ldc: ldc)
        }
      }
    }
  }

  @Test(arguments: [(1, 1), (16, 16), (17, 40), (64, 33)])
  func transposes(rows: Int, columns: Int) {
    let x = KernelTests.random(rows * columns, "x")
    var y = [Float](repeating: .nan, count: columns * (rows + 2))
    Matrix.transpose(x, &y, rows: rows, columns: columns, ldy: rows + 2)
    for i in 0..<rows { for j in 0..<columns { #expect(y[j * (rows + 2) + i] == x[i * columns + j]) } }
  }
}
