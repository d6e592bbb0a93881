import Kernels

/// Rows of the output table in the layout that matrix products need: all rows, or those of some candidate items.
///
/// `@unchecked Sendable`: one thread calls `load`; the threads that read start afterwards.
public final class OutputPanels: @unchecked Sendable {
  /// The number of columns of a panel.
  public static let panel = 64

  /// The candidates; nil for the whole table.
  public private(set) var items: [Int32]?
  public let count: Int
  /// `count` rounded up to whole panels.
  public let padded: Int
  /// The transposed rows in panels of 64 columns: `(padded / 64, d, 64)`. Columns from `count` on are 0.
  public let panels: FloatBuffer
  /// What is added to the products: the bias minus the correction, or minus infinity from column `count` on.
  public let shifts: FloatBuffer
  /// The rows themselves: `(count, d)`, row-major.
  public private(set) var rows: UnsafePointer<Float>
  private let gathered: FloatBuffer?
  /// The factors of the rows of the whole table, 1 / max(|w|, shortest); nil unless scores are cosines.
  public let factors: FloatBuffer?
  /// By item: its index among the candidates, or -1.
  private var indices: [Int32]
  private let width: Int

  /// - Parameters:
  ///   - output: the output layer.
  ///   - candidates: the number of candidates; nil for the whole table.
  public init(_ output: OutputTable, candidates: Int?) {
    width = output.width
    count = candidates ?? output.rows
    padded = (count + Self.panel - 1) / Self.panel * Self.panel
    // Rows of length 1 are copies too.
    gathered =
      candidates.map { FloatBuffer(count: $0 * output.width) } ?? (output.isCosine ? FloatBuffer(count: output.rows * output.width) : nil)
    factors = output.isCosine ? FloatBuffer(count: output.rows) : nil
    panels = FloatBuffer(count: padded * output.width)
    shifts = FloatBuffer(count: padded)
    (shifts.base + count).update(repeating: -.infinity, count: padded - count)
    indices = Array(repeating: -1, count: candidates == nil ? 0 : output.rows)
    rows = UnsafePointer(panels.base)
  }

  /// Copies the values of the whole table.
  public func load(_ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool) {
    loadFactors(output, parameters, pool)
    if let gathered, let factors {
      let (from, to, scale, width) = (Shared(parameters.base + output.weight.offset), Shared(gathered.base), Shared(factors.base), width)
      pool.forEach((count + 255) / 256) { job, _ in
        for row in (job * 256)..<min(output.rows, (job + 1) * 256) {
          Elementwise.scale(to.pointer + row * width, from.pointer + row * width, scale.pointer[row], width)
        }
      }
      rows = UnsafePointer(gathered.base)
    } else {
      rows = UnsafePointer(parameters.base + output.weight.offset)
    }
    if let bias = output.bias { shifts.base.update(from: parameters.base + bias.offset, count: count) }
    transpose(pool)
  }

  /// Computes the factors of all rows, if scores are cosines.
  public func loadFactors(_ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool) {
    guard let factors else { return }
    let (from, to, width) = (Shared(parameters.base + output.weight.offset), Shared(factors.base), width)
    pool.forEach((output.rows + 255) / 256) { job, _ in
      for row in (job * 256)..<min(output.rows, (job + 1) * 256) {
        let x = from.pointer + row * width
        to.pointer[row] = 1 / max(Elementwise.dot(x, x, width).squareRoot(), OutputTable.shortest)
      }
    }
  }

  /// Copies the values of the candidates' rows.
  ///
  /// - Parameters:
  ///   - candidates: items, as many as the panels have columns.
  ///   - correction: what is subtracted from the logit of an item.
  ///   - output: the output layer.
  ///   - parameters: the values of the model.
  ///   - pool: the threads of the computation.
  public func load(
    candidates: [Int32], correction: (Int32) -> Float, _ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool
  ) {
    guard let gathered else { preconditionFailure("panels of the whole table have no candidates") }
    precondition(candidates.count == count)
    for item in items ?? [] { indices[Int(item)] = -1 }
    items = candidates
    loadFactors(output, parameters, pool)
    let table = parameters.base + output.weight.offset
    for (index, item) in candidates.enumerated() {
      indices[Int(item)] = Int32(index)
      if let factors {
        Elementwise.scale(gathered.base + index * width, table + Int(item) * width, factors.base[Int(item)], width)
      } else {
        (gathered.base + index * width).update(from: table + Int(item) * width, count: width)
      }
      let bias = output.bias.map { parameters.base[$0.offset + Int(item)] } ?? 0
      shifts.base[index] = bias - correction(item)
    }
    rows = UnsafePointer(gathered.base)
    transpose(pool)
  }

  private func transpose(_ pool: WorkerPool) {
    let (rows, panels, width, count) = (Shared(UnsafeMutablePointer(mutating: rows)), panels, width, count)
    pool.forEach(padded / Self.panel) { panel, _ in
      let first = panel * Self.panel
      Matrix.transpose(
        rows.pointer + first * width, panels.base + first * width, rows: min(Self.panel, count - first), columns: width,
        ldy: Self.panel)
    }
  }

  /// The index of an item among the candidates; nil if it is not a candidate.
  public func index(of item: Int32) -> Int? {
    let index = indices[Int(item)]
    return index < 0 ? nil : Int(index)
  }

  /// Calls `body` for every panel, with its number, its first column and its number of columns that belong to items.
  @inline(__always)
  public func forEachPanel(_ body: (_ panel: Int, _ first: Int, _ columns: Int) -> Void) {
    for panel in 0..<(padded / Self.panel) {
      let first = panel * Self.panel
      body(panel, first, min(Self.panel, count - first))
    }
  }
}
