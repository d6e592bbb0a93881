import Kernels
import Layers

/// The gradients of the output table's rows in one batch, for losses that do not reach the whole table.
///
/// The gradient of a target's or a negative's logit is one number c; the gradient of its row is c h, with the hidden state h of
/// its position. So a look-up takes one float, and h is kept once per position. `sum` adds up the look-ups of every row in the
/// order of the batch: targets, negatives of positions, negatives of sequences, then, for a tied table, the look-ups of the
/// item embedding.
///
/// `@unchecked Sendable`: each tile writes to its own part; `sum` writes each row on one thread.
final class OutputGradients: @unchecked Sendable {
  private let output: OutputTable
  private let reach: OutputReach
  private let width: Int
  private let hidden: FloatBuffer
  private let targets: FloatBuffer
  private let negatives: FloatBuffer
  private let sequenceRows: FloatBuffer
  private let sequenceBias: FloatBuffer
  private let grouping: RowGrouping
  /// `(rows in use, d)`, then their biases: the summed gradients.
  private let sums: FloatBuffer
  private let capacity: Int
  /// The summed gradients of the batch's candidates, in the first lane.
  private var candidates: UnsafeMutablePointer<Float>?

  /// Whether the look-ups of a batch are so many that it takes less to add their gradients to whole tables, one for each lane.
  static func scatters(_ loss: any Loss, _ output: OutputTable, positions: Int, sequences: Int) -> Bool {
    let reach = loss.reach(rows: output.rows)
    let own = positions * reach.ownNegatives + sequences * reach.sequenceNegatives
    return loss.scatters && own >= output.rows
  }

  /// - Parameters:
  ///   - positions: the largest number of rows of a batch.
  ///   - sequences: the largest number of sequences of a batch.
  ///   - wholeTable: whether every row has a gradient: that of `Loss.tableDecay`.
  init(_ output: OutputTable, _ reach: OutputReach, positions: Int, sequences: Int, wholeTable: Bool) {
    self.output = output
    self.reach = reach
    width = output.width
    let counts = Self.counts(output, reach, positions: positions, sequences: sequences, wholeTable: wholeTable)
    hidden = FloatBuffer(count: counts.hidden)
    targets = FloatBuffer(count: counts.targets)
    negatives = FloatBuffer(count: counts.negatives)
    sequenceRows = FloatBuffer(count: counts.sequence * output.width)
    sequenceBias = FloatBuffer(count: counts.sequence)
    grouping = RowGrouping(rows: reach == .table ? 1 : output.rows, lookups: counts.lookups)
    capacity = counts.sums
    sums = FloatBuffer(count: counts.sums * (output.width + 1))
  }

  private static func counts(
    _ output: OutputTable, _ reach: OutputReach, positions: Int, sequences: Int, wholeTable: Bool
  ) -> (
    hidden: Int, targets: Int, negatives: Int, sequence: Int, lookups: Int, sums: Int
  ) {
    guard reach != .table else { return (0, 0, 0, 0, 0, 0) }
    let own = positions * reach.ownNegatives
    let sequence = sequences * reach.sequenceNegatives
    let lookups = positions + own + sequence
    let used = wholeTable ? output.rows : min(output.rows, lookups + (output.isTied ? positions : 0) + reach.sharedRows(output.rows))
    return (positions * output.width, positions, own, sequence, lookups, used)
  }

  /// Floats that the gradients of a batch take.
  static func count(_ output: OutputTable, _ reach: OutputReach, positions: Int, sequences: Int, wholeTable: Bool) -> Int {
    let counts = counts(output, reach, positions: positions, sequences: sequences, wholeTable: wholeTable)
    return counts.hidden + counts.targets + counts.negatives + (counts.sequence + counts.sums) * (output.width + 1)
  }

  /// The memory for the gradients of a tile's look-ups.
  ///
  /// - Parameters:
  ///   - row: the index, in the batch, of the tile's first row.
  ///   - sequence: the index, in the batch, of the tile's first sequence.
  func own(row: Int, sequence: Int) -> OwnRowGradients {
    let first = reach == .table ? 0 : row
    let vectors = sequence * reach.sequenceNegatives
    return OwnRowGradients(
      hidden: hidden.base + first * width, targets: targets.base + first, negatives: negatives.base + first * reach.ownNegatives,
      sequenceRows: sequenceRows.base + vectors * width, sequenceBias: sequenceBias.base + vectors)
  }

  /// Marks the rows that the batch uses, without their gradients.
  func markRows(_ batch: Batch, tied: TableGradient?) {
    grouping.clear()
    for (row, target) in batch.targets.enumerated() where batch.weights[row] != 0 { grouping.touch([target]) }
    let own = reach.ownNegatives
    for row in batch.weights.indices where own > 0 && batch.weights[row] != 0 {
      grouping.touch(batch.negatives[(row * own)..<((row + 1) * own)])
    }
    grouping.touch(batch.sequenceNegatives)
    if let tied { grouping.touch(tied.grouping.touched) }
  }

  /// Adds up the look-ups of every row.
  ///
  /// - Parameters:
  ///   - batch: the batch of the gradients.
  ///   - decay: the multiple of a row itself that is added to its gradient for each look-up, times the weight of the look-up.
  ///   - tableDecay: the multiple of a row itself that is added to its gradient once; if it is not 0, every row has one.
  ///   - table: the values of the table's rows, for `decay` and `tableDecay`.
  ///   - panels: the candidates of the batch.
  ///   - shared: the summed gradients of the candidates.
  ///   - tied: the look-ups of the item embedding, if the table is tied to it and they have gradients.
  func sum(
    _ batch: Batch, decay: Float, tableDecay: Float, table: UnsafePointer<Float>, panels: OutputPanels, shared: UnsafeMutablePointer<Float>,
    tied: TableGradient?, pool: WorkerPool
  ) {
    grouping.clear()
    candidates = nil
    if case .candidates = reach {
      grouping.touch(panels.items ?? [])
      candidates = shared
    }
    let (own, sequence) = (reach.ownNegatives, reach.sequenceNegatives)
    batch.weights.withUnsafeBufferPointer { weights in
      batch.targets.withUnsafeBufferPointer { rows in grouping.add(rows) { weights[$0] != 0 } }
      if own > 0 { batch.negatives.withUnsafeBufferPointer { rows in grouping.add(rows) { weights[$0 / own] != 0 } } }
    }
    if sequence > 0 {
      batch.sequenceNegatives.withUnsafeBufferPointer { rows in grouping.add(rows) { batch.counts[$0 / sequence] > 0 } }
    }
    if let tied { grouping.touch(tied.grouping.touched) }
    if tableDecay != 0 { grouping.touch(0..<Int32(output.rows)) }
    let (firstOwn, firstSequence) = (batch.targets.count, batch.targets.count * (1 + own))
    let jobs = (grouping.touched.count + TiledStep.rowsPerJob - 1) / TiledStep.rowsPerJob
    batch.weights.withUnsafeBufferPointer { weights in
      nonisolated(unsafe) let (weights, table) = (weights, table)
      let shared = candidates.map { Shared($0) }
      let width = width
      pool.forEach(jobs) { [self] job, _ in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { vector in
          guard let vector = vector.baseAddress else { return }
          for index in (job * TiledStep.rowsPerJob)..<min(grouping.touched.count, (job + 1) * TiledStep.rowsPerJob) {
            let item = grouping.touched[index]
            let sum = sums.base + index * width
            let bias = sums.base + capacity * width + index
            var isEmpty = true
            bias.pointee = 0
            if let shared, let candidate = panels.index(of: item) {
              sum.update(from: shared.pointer + candidate * width, count: width)
              bias.pointee = shared.pointer[panels.count * width + candidate]
              isEmpty = false
            }
            grouping.forEach(item) { lookup in
              if lookup >= firstSequence {
                add(sequenceRows.base + (lookup - firstSequence) * width, to: sum, &isEmpty)
                bias.pointee += sequenceBias.base[lookup - firstSequence]
                return
              }
              let row = lookup < firstOwn ? lookup : (lookup - firstOwn) / own
              let gradient = lookup < firstOwn ? targets.base[lookup] : negatives.base[lookup - firstOwn]
              Elementwise.scale(vector, hidden.base + row * width, gradient, width)
              if decay != 0 { Elementwise.addScaled(vector, table + Int(item) * width, weights[row] * decay, width) }
              add(vector, to: sum, &isEmpty)
              bias.pointee += gradient
            }
            if let factors = panels.factors, !isEmpty {
              let factor = factors.base[Int(item)]
              Elementwise.scale(vector, table + Int(item) * width, factor, width)
              OutputTable.gradient(sum, vector, factor: factor, length: 1, width)
            }
            if let tied, let first = tied.grouping.first(item) { add(tied.vectors.base + first * width, to: sum, &isEmpty) }
            if isEmpty { sum.update(repeating: 0, count: width) }
            if tableDecay != 0 { Elementwise.addScaled(sum, table + Int(item) * width, tableDecay, width) }
          }
        }
      }
    }
  }

  @inline(__always)
  private func add(_ vector: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, _ isEmpty: inout Bool) {
    if isEmpty { sum.update(from: vector, count: width) } else { Elementwise.addScaled(sum, vector, 1, width) }
    isEmpty = false
  }

  /// The rows of the table that the batch uses.
  var rows: RowGrouping { grouping }

  /// The summed gradient of a row; nil if the batch does not use it.
  func row(_ item: Int32) -> UnsafeMutablePointer<Float>? { grouping.index(item).map { sums.base + $0 * width } }

  /// The summed gradient of a bias; nil if the batch does not use it.
  func bias(_ item: Int32) -> UnsafeMutablePointer<Float>? { grouping.index(item).map { sums.base + capacity * width + $0 } }
}
