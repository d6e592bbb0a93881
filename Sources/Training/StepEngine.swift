import Datasets
import Kernels
import Layers

/// One training step of one network: the memory for it, taken once, and the way of a batch through it.
///
/// Threads take lanes; a lane's tiles go through the network forward and backward while their activations are in
/// cache. See `BatchCut` for why the result does not depend on the threads.
final class StepEngine {
  private let network: any Network
  private let layout: ParameterLayout
  private let pool: WorkerPool
  private let loss: Loss
  private let isPairwise: Bool
  private let positions: Int
  private let largestBatch: Int

  private let lanes: [Lane]
  private let workers: [Worker]
  private let prepared: FloatBuffer
  private let tables: [TableGradient]
  private let outputGrouping: RowGrouping
  private let outputRows: FloatBuffer
  private let outputBias: FloatBuffer
  private let outputNegatives: FloatBuffer
  private let columns: OutputColumns

  /// Gradients of one lane: dense parameters, then the output table's (all rows, or the negatives').
  private final class Lane: Sendable {
    let gradients: FloatBuffer
    init(count: Int) { gradients = FloatBuffer(count: count) }
  }

  /// What one thread needs while a tile is on its way.
  private final class Worker: Sendable {
    let saved: FloatBuffer
    let scratch: FloatBuffer
    let hidden: FloatBuffer
    let head: OutputHead.Memory
    let row: FloatBuffer

    init(saved: Int, scratch: Int, hidden: Int, head: OutputHead.Memory, row: Int) {
      self.saved = FloatBuffer(count: saved)
      self.scratch = FloatBuffer(count: scratch)
      self.hidden = FloatBuffer(count: hidden)
      self.head = head
      self.row = FloatBuffer(count: row)
    }
  }

  /// Look-ups of one embedding table in a batch.
  private final class TableGradient: @unchecked Sendable {
    let table: RowTable
    let ids: UnsafeMutablePointer<Int32>
    let vectors: FloatBuffer
    let grouping: RowGrouping

    init(_ table: RowTable, lookups: Int) {
      self.table = table
      ids = .allocate(capacity: max(1, lookups))
      vectors = FloatBuffer(count: lookups * table.width)
      grouping = RowGrouping(rows: table.rows)
    }

    deinit { ids.deallocate() }
  }

  /// - Parameter negatives: how many negatives a batch has; nil for the full softmax.
  init(_ network: any Network, loss: Loss, length: Int, batch: Int, negatives: Int?, pool: WorkerPool) {
    self.network = network
    self.loss = loss
    self.pool = pool
    if case .pairwise = loss { isPairwise = true } else { isPairwise = false }
    layout = network.layout
    positions = network.positions(length: length)
    largestBatch = batch
    let output = network.output
    let tile = Tile(
      positions: positions, sequences: BatchCut(batch).tiles.first?.count ?? 1)
    // The pairwise loss touches single rows only; the others the whole table, or the negatives'.
    var outputCount = (negatives ?? output.rows) * (output.width + 1)
    if isPairwise { outputCount = 0 }
    lanes = (0..<min(BatchCut.lanes, batch)).map { _ in Lane(count: network.layout.denseCount + outputCount) }
    workers = (0..<pool.threads).map { _ in
      Worker(
        saved: network.savedCount(tile, training: true), scratch: network.scratchCount(tile),
        hidden: tile.rows * network.width,
        head: OutputHead.Memory(rows: tile.rows, width: output.width, columns: negatives ?? output.rows),
        row: max(output.width, network.rowTables.map(\.width).max() ?? 1, Self.chunk))
    }
    prepared = FloatBuffer(count: network.layout.preparedCount)
    let positions = positions
    tables = network.rowTables.map {
      TableGradient($0, lookups: $0.lookups(positions: positions, sequences: batch))
    }
    outputGrouping = RowGrouping(rows: output.rows)
    let ownRows = negatives == nil && !isPairwise ? 0 : positions * batch
    outputRows = FloatBuffer(count: ownRows * output.width)
    outputBias = FloatBuffer(count: ownRows)
    outputNegatives = FloatBuffer(count: isPairwise ? ownRows * output.width : 0)
    columns = OutputColumns(output, negatives: isPairwise ? 0 : negatives)
  }

  /// Bytes that training takes at its most: parameters with their copies and moments, and the memory of this engine.
  static func bytes(_ network: any Network, loss: Loss, length: Int, batch: Int, threads: Int) -> Double {
    let output = network.output
    var columns = Double(output.rows)
    if case .sampledSoftmax(let share, _) = loss { columns *= share }
    if case .pairwise = loss { columns = 0 }
    let tile = Tile(
      positions: network.positions(length: length), sequences: BatchCut(batch).tiles.first?.count ?? 1)
    let lane = Double(network.layout.denseCount) + columns * Double(output.width + 1)
    let worker = Double(network.savedCount(tile, training: true) + network.scratchCount(tile) + tile.rows * network.width)
    let logits = Double(threads) * min(64 * columns, max(1_048_576, 24 * columns))
    // Validation prepares anew and turns the output table over.
    let validation = Ranking.bytes(network, length: length, threads: threads)
    let lookups = network.rowTables.reduce(0.0) { $0 + Double($1.lookups(positions: tile.positions, sequences: batch) * $1.width) }
    // Given, trained, best, two moments, and one more while a growth has old and new at the same time.
    let model =
      6 * Double(network.layout.count) + Double(network.layout.preparedCount) + 2 * columns * Double(output.width)
    return 4 * (model + Double(min(BatchCut.lanes, batch)) * lane + Double(threads) * worker + lookups + logits) + validation
  }

  /// Loss of the batch and its gradients, which stay in the lanes until `apply`.
  func gradients(
    _ batch: Batch, parameters: FloatBuffer, negatives: Negatives?, dropout: (any DropoutMasks)? = nil,
    lowestBlock: Int = 0
  ) -> Double {
    let cut = batch.cut
    precondition(cut.tiles.last.map { $0.upperBound <= largestBatch } ?? true)
    if !isPairwise { columns.load(negatives, network.output, parameters, pool) }
    network.prepare(parameters, into: prepared, training: true, pool: pool)
    let head = OutputHead(network.output, loss: loss, parameters: parameters, columns: columns)
    var losses = [Double](repeating: 0, count: cut.lanesUsed)
    let (network, lanes, workers, tables, prepared) = (network, lanes, workers, tables, prepared)
    let (positions, denseCount) = (positions, layout.denseCount)
    let (outputRows, outputBias, outputNegatives, width) = (outputRows, outputBias, outputNegatives, network.output.width)
    let source = BatchMemory(batch)
    losses.withUnsafeMutableBufferPointer { losses in
      guard let first = losses.baseAddress else { return }
      let sums = Shared(first)
      pool.forEach(cut.lanesUsed) { lane, worker in
        let gradients = lanes[lane].gradients
        gradients.zero()
        let memory = workers[worker]
        let pass = Pass(
          parameters: parameters.base, prepared: prepared.base, gradients: gradients.base,
          scratch: memory.scratch.base, rowGradients: tables.map { RowGradient(ids: $0.ids, vectors: $0.vectors.base) }, mode: .training,
          dropout: dropout, lowestBlock: lowestBlock)
        for range in cut.tiles(of: lane) {
          let firstRow = range.lowerBound * positions
          let input = TileInput(
            tile: Tile(positions: positions, sequences: range.count), items: source.items + firstRow,
            originals: source.originals + firstRow, users: source.users + range.lowerBound, firstRow: firstRow,
            firstSequence: range.lowerBound)
          network.forward(input, hidden: memory.hidden.base, saved: memory.saved.base, pass: pass)
          sums.pointer[lane] += head.run(
            .init(
              count: input.tile.rows, targets: source.targets + firstRow, weights: source.weights + firstRow,
              negatives: source.negatives.map { UnsafePointer($0 + firstRow) }),
            hidden: memory.hidden.base, gradients: gradients.base + denseCount,
            own: .init(
              vectors: outputRows.base + (outputRows.count > 0 ? firstRow * width : 0),
              bias: outputBias.base + (outputBias.count > 0 ? firstRow : 0),
              negatives: outputNegatives.base + (outputNegatives.count > 0 ? firstRow * width : 0)),
            memory: memory.head)
          network.backward(input, d: memory.hidden.base, saved: memory.saved.base, pass: pass)
        }
      }
    }
    let parts = network.preparing
    let used = lanes.prefix(cut.lanesUsed).map(\.gradients)
    pool.forEach(parts.count) { index, _ in
      parts[index].finish(parameters.base, lanes: used.map(\.base))
    }
    return losses.reduce(0, +)
  }

  /// A batch's lists where all threads may read them, for as long as it lives.
  private final class BatchMemory: @unchecked Sendable {
    let items, originals, targets, users: UnsafeMutablePointer<Int32>
    let weights: UnsafeMutablePointer<Float>
    let negatives: UnsafeMutablePointer<Int32>?

    init(_ batch: Batch) {
      func copy<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: max(1, values.count))
        for (i, value) in values.enumerated() { (memory + i).initialize(to: value) }
        return memory
      }
      items = copy(batch.items)
      originals = copy(batch.originals)
      targets = copy(batch.targets)
      users = copy(batch.users)
      weights = copy(batch.weights)
      negatives = batch.negatives.isEmpty ? nil : copy(batch.negatives)
    }

    deinit {
      for list in [items, originals, targets, users] { list.deallocate() }
      weights.deallocate()
      negatives?.deallocate()
    }
  }

  /// Values a job of the optimizer works on at a time.
  private static let chunk = 8192

  /// Reduces the gradients in their fixed order and hands every parameter its own.
  ///
  /// - Parameter embeddings: false leaves the embedding tables out, whose gradients then need not be there.
  func reduce(
    _ batch: Batch, lazy: Bool, embeddings: Bool = true,
    into update: @escaping @Sendable (_ offset: Int, _ count: Int, UnsafePointer<Float>) -> Void
  ) {
    let used = batch.cut.lanesUsed
    reduceDense(layout.denseCount, used: used, from: 0, to: 0, update)
    for table in tables where embeddings {
      let lookups = table.table.lookups(positions: positions, sequences: batch.users.count)
      table.grouping.clear()
      for i in 0..<lookups { table.grouping.add(table.ids[i], counted: true) }
      reduceRows(table.grouping, table.table.slot.offset, rows: table.table.rows, width: table.table.width, lazy: lazy, update) {
        row, sum in
        table.grouping.forEach(row) {
          Elementwise.addScaled(sum, table.vectors.base + $0 * table.table.width, 1, table.table.width)
        }
      }
    }
    reduceOutput(batch, used: used, lazy: lazy, update)
  }

  /// Sums `count` values over lanes, chunk by chunk.
  private func reduceDense(
    _ count: Int, used: Int, from: Int, to offset: Int,
    _ update: @escaping @Sendable (Int, Int, UnsafePointer<Float>) -> Void
  ) {
    let (lanes, workers, chunk) = (lanes, workers, Self.chunk)
    pool.forEach((count + chunk - 1) / chunk) { job, worker in
      let start = job * chunk
      let n = min(chunk, count - start)
      let sum = workers[worker].row.base
      sum.update(from: lanes[0].gradients.base + from + start, count: n)
      for lane in 1..<max(used, 1) { Elementwise.addScaled(sum, lanes[lane].gradients.base + from + start, 1, n) }
      update(offset + start, n, sum)
    }
  }

  /// Rows of a table: those touched, or all when the optimizer is not lazy.
  private func reduceRows(
    _ grouping: RowGrouping, _ offset: Int, rows: Int, width: Int, lazy: Bool,
    _ update: @escaping @Sendable (Int, Int, UnsafePointer<Float>) -> Void,
    _ add: @escaping @Sendable (Int32, UnsafeMutablePointer<Float>) -> Void
  ) {
    let touched = lazy ? grouping.touched : (0..<Int32(rows)).map { $0 }
    let workers = workers
    let perJob = 64
    pool.forEach((touched.count + perJob - 1) / perJob) { job, worker in
      let sum = workers[worker].row.base
      for row in touched[(job * perJob)..<min(touched.count, (job + 1) * perJob)] {
        sum.update(repeating: 0, count: width)
        add(row, sum)
        update(offset + Int(row) * width, width, sum)
      }
    }
  }

  private func reduceOutput(
    _ batch: Batch, used: Int, lazy: Bool, _ update: @escaping @Sendable (Int, Int, UnsafePointer<Float>) -> Void
  ) {
    let output = network.output
    let dense = layout.denseCount
    let grouping = outputGrouping
    grouping.clear()
    if isPairwise {
      for (row, target) in batch.targets.enumerated() { grouping.add(target, counted: batch.weights[row] != 0) }
      for (row, item) in batch.negatives.enumerated() { grouping.add(item, counted: batch.weights[row] != 0) }
      let (positives, negatives, width, count) = (outputRows, outputNegatives, output.width, batch.targets.count)
      reduceRows(grouping, output.weight.offset, rows: output.rows, width: width, lazy: lazy, update) { row, sum in
        grouping.forEach(row) {
          let vector = $0 < count ? positives.base + $0 * width : negatives.base + ($0 - count) * width
          Elementwise.addScaled(sum, vector, 1, width)
        }
      }
      return
    }
    guard let candidates = columns.items else {
      reduceDense(output.rows * output.width, used: used, from: dense, to: output.weight.offset, update)
      if let bias = output.bias {
        reduceDense(output.rows, used: used, from: dense + output.rows * output.width, to: bias.offset, update)
      }
      return
    }
    for item in candidates { grouping.touch(item) }
    for (row, target) in batch.targets.enumerated() { grouping.add(target, counted: batch.weights[row] != 0) }
    let (lanes, width, rowVectors, rowBias, columns) = (lanes, output.width, outputRows, outputBias, columns)
    let biasStart = dense + candidates.count * width
    reduceRows(grouping, output.weight.offset, rows: output.rows, width: width, lazy: lazy, update) { row, sum in
      if let place = columns.place(of: row) {
        for lane in 0..<used { Elementwise.addScaled(sum, lanes[lane].gradients.base + dense + place * width, 1, width) }
      }
      grouping.forEach(row) { Elementwise.addScaled(sum, rowVectors.base + $0 * width, 1, width) }
    }
    guard let bias = output.bias else { return }
    reduceRows(grouping, bias.offset, rows: output.rows, width: 1, lazy: lazy, update) { row, sum in
      if let place = columns.place(of: row) {
        for lane in 0..<used { sum[0] += lanes[lane].gradients.base[biasStart + place] }
      }
      grouping.forEach(row) { sum[0] += rowBias.base[$0] }
    }
  }
}
