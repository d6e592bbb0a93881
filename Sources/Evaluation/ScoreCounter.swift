import Kernels
import Layers

/// Computes the ranks of the targets of a few sequences without storing their scores: it counts, panel by panel of 64 items,
/// the items above each target. With a limit, a sequence is dropped as soon as that many items are above its target. Most
/// sequences are dropped after a small part of the items.
final class ScoreCounter: Sendable {
  private let width: Int
  private let rows: FloatBuffer
  private let scores: FloatBuffer
  /// The scores of the targets.
  private let own: FloatBuffer

  /// - Parameter sequences: the largest number of sequences per call.
  init(sequences: Int, width: Int) {
    self.width = width
    rows = FloatBuffer(count: sequences * width)
    scores = FloatBuffer(count: sequences * OutputPanels.panel)
    own = FloatBuffer(count: sequences)
  }

  /// The ranks among all items, except the pad unless the rule ranks it; `Rank.beyond` if `limit` or more items are above the
  /// target. An item whose score is NaN counts as higher than the target. A target whose score is NaN comes last.
  func ranks(
    _ hidden: UnsafePointer<Float>, targets: [Int], without left: [[Int32]] = [], _ columns: OutputPanels,
    _ rule: RankingRule = RankingRule(), limit: Int?
  ) -> [Rank] {
    let n = targets.count
    let firstRanked = rule.ranksPad ? 0 : 1
    computeOwn(hidden, targets, columns)
    // By sequence: how many of its items to leave out are in earlier panels.
    var next = [Int](repeating: 0, count: left.count)
    rows.base.update(from: hidden, count: n * width)
    let isNumber = targets.indices.map { !own.base[$0].isNaN }
    var above = [Int32](repeating: 0, count: n), equal = above
    // With ties by number: the tied items with a lower number than the target's.
    var lower = rule.ties == .number ? [Int32](repeating: 0, count: n) : []
    var open = Array(targets.indices)
    columns.forEachPanel { panel, first, count in
      if open.isEmpty { return }
      Matrix.product(
        rows.base, columns.panels.base + first * width, scores.base, m: open.count, n: OutputPanels.panel, k: width)
      let ranked = (panel == 0 ? firstRanked : 0)..<count
      if !lower.isEmpty {
        for (index, sequence) in open.enumerated() where (first..<(first + count)).contains(targets[sequence]) {
          // The counts so far are of items with lower numbers.
          lower[sequence] =
            equal[index] + tied(index, ranked.lowerBound..<(targets[sequence] - first), first, left.isEmpty ? [] : left[sequence], columns)
        }
      }
      Elementwise.countPanel(
        rows: open.count, scores.base, shift: columns.shifts.base + first, own: own.base, columns: ranked, above: &above,
        equal: &equal)
      // Sequences are not dropped with OpenBLAS, which may round differently for another number of rows.
      if !left.isEmpty { subtract(left, &next, open, first..<(first + count), columns, &above, &equal) }
      if let limit, Matrix.hasOwnKernels { dropFinished(&open, &above, &equal, limit: Int32(clamping: limit)) }
    }
    var ranks = [Rank](repeating: .beyond, count: n)
    // `equal` counts the target itself.
    for (index, sequence) in open.enumerated() {
      ranks[sequence] =
        lower.isEmpty ? Rank(above: Int(above[index]), tied: Int(equal[index]) - 1) : Rank(above: Int(above[index] + lower[sequence]))
    }
    for sequence in targets.indices {
      if !isNumber[sequence] {
        ranks[sequence] = Rank(above: columns.count - firstRanked - 1 - (left.isEmpty ? 0 : left[sequence].count))
      }
      if let limit, ranks[sequence].above >= limit { ranks[sequence] = .beyond }
    }
    return ranks
  }

  /// The number of items of some columns of a panel with the target's score, without those to leave out.
  private func tied(_ row: Int, _ range: Range<Int>, _ first: Int, _ left: [Int32], _ columns: OutputPanels) -> Int32 {
    let scores = scores.base + row * OutputPanels.panel
    return Int32(
      range.count {
        scores[$0] + columns.shifts.base[first + $0] == own.base[row] && !left.contains(Int32(first + $0))
      })
  }

  /// The score of one item, by the same products as those of all items.
  private func score(_ hidden: UnsafePointer<Float>, _ item: Int, _ columns: OutputPanels) -> Float {
    let (panel, column) = item.quotientAndRemainder(dividingBy: OutputPanels.panel)
    let part = Matrix.hasOwnKernels ? column / 16 * 16 : 0
    Matrix.product(
      hidden, columns.panels.base + panel * OutputPanels.panel * width + part, scores.base, m: 1,
      n: Matrix.hasOwnKernels ? 16 : OutputPanels.panel, k: width, ldb: OutputPanels.panel, ldc: OutputPanels.panel)
    return scores.base[column - part] + columns.shifts.base[item]
  }

  /// Computes the scores of the targets by the same products as those of all items, so that tied items have the same bits.
  private func computeOwn(_ hidden: UnsafePointer<Float>, _ targets: [Int], _ columns: OutputPanels) {
    if Matrix.hasOwnKernels {
      for (i, target) in targets.enumerated() { own.base[i] = score(hidden + i * width, target, columns) }
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

  /// Subtracts the items to leave out, of this panel's items, from the counts.
  private func subtract(
    _ left: [[Int32]], _ next: inout [Int], _ open: [Int], _ panel: Range<Int>, _ columns: OutputPanels, _ above: inout [Int32],
    _ equal: inout [Int32]
  ) {
    for (index, sequence) in open.enumerated() {
      let items = left[sequence]
      while next[sequence] < items.count, Int(items[next[sequence]]) < panel.upperBound {
        let item = Int(items[next[sequence]])
        let score = scores.base[index * OutputPanels.panel + item - panel.lowerBound] + columns.shifts.base[item]
        if score == own.base[index] { equal[index] -= 1 } else if !(score <= own.base[index]) { above[index] -= 1 }
        next[sequence] += 1
      }
    }
  }

  /// Drops the sequences with at least `limit` items above their target and moves the others together.
  private func dropFinished(_ open: inout [Int], _ above: inout [Int32], _ equal: inout [Int32], limit: Int32) {
    var count = 0
    for index in open.indices where above[index] < limit {
      if count < index {
        open[count] = open[index]
        above[count] = above[index]
        equal[count] = equal[index]
        own.base[count] = own.base[index]
        (rows.base + count * width).update(from: rows.base + index * width, count: width)
      }
      count += 1
    }
    if count < open.count { open.removeLast(open.count - count) }
  }
}
