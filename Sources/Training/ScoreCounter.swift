import Kernels
import Layers

/// Finds the ranks of the targets of a few sequences without keeping their scores: panel by panel of 64 items it is
/// counted which are above a target. Where only the first ranks matter, a sequence whose target is known to stand behind
/// them is dropped, which most are after a small part of the items.
final class ScoreCounter: Sendable {
  private let width: Int
  private let rows: FloatBuffer
  private let scores: FloatBuffer
  private let own: FloatBuffer

  /// - Parameter sequences: at most so many at a time.
  init(sequences: Int, width: Int) {
    self.width = width
    rows = FloatBuffer(count: sequences * width)
    scores = FloatBuffer(count: sequences * OutputColumns.panel)
    own = FloatBuffer(count: sequences)
  }

  /// Ranks from 0: items other than the pad scored higher, plus half of the others scored the same; infinity for `limit`
  /// and more. A score that is not a number stands above all others, a target's own behind them.
  func ranks(
    _ hidden: UnsafePointer<Float>, targets: [Int], _ columns: OutputColumns, limit: Int?
  ) -> [Double] {
    let n = targets.count
    findOwn(hidden, targets, columns)
    rows.base.update(from: hidden, count: n * width)
    let isNumber = targets.indices.map { !own.base[$0].isNaN }
    var above = [Int32](repeating: 0, count: n), equal = above
    var open = Array(targets.indices)
    columns.forEachPanel { panel, first, count in
      if open.isEmpty { return }
      Matrix.product(
        rows.base, columns.panels.base + first * width, scores.base, m: open.count, n: OutputColumns.panel, k: width)
      // The pad is never ranked.
      Elementwise.countPanel(
        rows: open.count, scores.base, shift: columns.shifts.base + first, own: own.base,
        columns: (panel == 0 ? 1 : 0)..<count, above: &above, equal: &equal)
      // OpenBLAS may round differently for another number of rows.
      if let limit, Matrix.hasOwnKernels { keep(&open, &above, &equal, below: Int32(clamping: limit)) }
    }
    var ranks = [Double](repeating: .infinity, count: n)
    // The target itself is one of the equal ones.
    for (place, sequence) in open.enumerated() {
      ranks[sequence] = Double(above[place]) + Double(equal[place] - 1) / 2
    }
    for sequence in targets.indices {
      if !isNumber[sequence] { ranks[sequence] = Double(columns.count - 2) }
      if let limit, ranks[sequence] >= Double(limit) { ranks[sequence] = .infinity }
    }
    return ranks
  }

  /// The targets' own scores, by the same products as all others, so that equal ones are equal to the last bit.
  private func findOwn(_ hidden: UnsafePointer<Float>, _ targets: [Int], _ columns: OutputColumns) {
    if Matrix.hasOwnKernels {
      for (i, target) in targets.enumerated() {
        let (panel, column) = target.quotientAndRemainder(dividingBy: OutputColumns.panel)
        let part = column / 16 * 16
        Matrix.product(
          hidden + i * width, columns.panels.base + panel * OutputColumns.panel * width + part, scores.base, m: 1, n: 16,
          k: width, ldb: OutputColumns.panel, ldc: 16)
        own.base[i] = scores.base[column - part] + columns.shifts.base[target]
      }
      return
    }
    for panel in Set(targets.map { $0 / OutputColumns.panel }) {
      let first = panel * OutputColumns.panel
      Matrix.product(
        hidden, columns.panels.base + first * width, scores.base, m: targets.count, n: OutputColumns.panel, k: width)
      for (i, target) in targets.enumerated() where target / OutputColumns.panel == panel {
        own.base[i] = scores.base[i * OutputColumns.panel + target - first] + columns.shifts.base[target]
      }
    }
  }

  /// Moves together what is still open: fewer than `most` above.
  private func keep(_ open: inout [Int], _ above: inout [Int32], _ equal: inout [Int32], below most: Int32) {
    var kept = 0
    for place in open.indices where above[place] < most {
      if kept < place {
        open[kept] = open[place]
        above[kept] = above[place]
        equal[kept] = equal[place]
        own.base[kept] = own.base[place]
        (rows.base + kept * width).update(from: rows.base + place * width, count: width)
      }
      kept += 1
    }
    if kept < open.count { open.removeLast(open.count - kept) }
  }
}
