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
    scores = FloatBuffer(count: sequences * OutputPanels.panel)
    own = FloatBuffer(count: sequences)
  }

  /// Ranks among all items but the pad; `Rank.beyond` where `limit` items or more are above. A score that is not a number
  /// stands above all others, a target's own behind them.
  func ranks(
    _ hidden: UnsafePointer<Float>, targets: [Int], _ columns: OutputPanels, limit: Int?
  ) -> [Rank] {
    let n = targets.count
    findOwn(hidden, targets, columns)
    rows.base.update(from: hidden, count: n * width)
    let isNumber = targets.indices.map { !own.base[$0].isNaN }
    var above = [Int32](repeating: 0, count: n), equal = above
    var open = Array(targets.indices)
    columns.forEachPanel { panel, first, count in
      if open.isEmpty { return }
      Matrix.product(
        rows.base, columns.panels.base + first * width, scores.base, m: open.count, n: OutputPanels.panel, k: width)
      // The pad is never ranked.
      Elementwise.countPanel(
        rows: open.count, scores.base, shift: columns.shifts.base + first, own: own.base,
        columns: (panel == 0 ? 1 : 0)..<count, above: &above, equal: &equal)
      // OpenBLAS may round differently for another number of rows.
      if let limit, Matrix.hasOwnKernels { keep(&open, &above, &equal, below: Int32(clamping: limit)) }
    }
    var ranks = [Rank](repeating: .beyond, count: n)
    // The target itself is one of the equal ones.
    for (place, sequence) in open.enumerated() {
      ranks[sequence] = Rank(above: Int(above[place]), tied: Int(equal[place]) - 1)
    }
    for sequence in targets.indices {
      if !isNumber[sequence] { ranks[sequence] = Rank(above: columns.count - 2) }
      if let limit, ranks[sequence].above >= limit { ranks[sequence] = .beyond }
    }
    return ranks
  }

  /// The targets' own scores, by the same products as all others, so that equal ones are equal to the last bit.
  private func findOwn(_ hidden: UnsafePointer<Float>, _ targets: [Int], _ columns: OutputPanels) {
    if Matrix.hasOwnKernels {
      for (i, target) in targets.enumerated() {
        let (panel, column) = target.quotientAndRemainder(dividingBy: OutputPanels.panel)
        let part = column / 16 * 16
        Matrix.product(
          hidden + i * width, columns.panels.base + panel * OutputPanels.panel * width + part, scores.base, m: 1, n: 16,
          k: width, ldb: OutputPanels.panel, ldc: 16)
        own.base[i] = scores.base[column - part] + columns.shifts.base[target]
      }
      return
    }
    for panel in Set(targets.map { $0 / OutputPanels.panel }) {
      let first = panel * OutputPanels.panel
      Matrix.product(
        hidden, columns.panels.base + first * width, scores.base, m: targets.count, n: OutputPanels.panel, k: width)
      for (i, target) in targets.enumerated() where target / OutputPanels.panel == panel {
        own.base[i] = scores.base[i * OutputPanels.panel + target - first] + columns.shifts.base[target]
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
