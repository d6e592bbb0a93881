import Datasets
import Evaluation
import Kernels
import Layers

/// Computes training steps on the processors of this machine. It allocates the memory of all steps once.
///
/// Each thread processes lanes. A tile goes through the whole network, forward and backward, while its activations are in the
/// cache. `BatchCut` explains why the result does not depend on the number of threads.
final class TiledStep: StepBackend {
  private let model: Model
  private let optimizerState: OptimizerState
  private let network: any Network
  private let layout: ParameterLayout
  private let pool: WorkerPool
  private let loss: any Loss
  private let reach: OutputReach
  private let largestBatch: Int

  private let lanes: [Lane]
  private let workers: [Worker]
  private let prepared: FloatBuffer
  private let tables: [TableGradient]
  private let rows: OutputGradients
  /// Whether gradients of single rows are added to whole tables, one for each lane.
  private let scatters: Bool
  /// The table of the item embedding, if the output layer is tied to it.
  private let tied: TableGradient?
  private let panels: OutputPanels
  /// The gradient of a row that the batch does not use.
  private let zeros: FloatBuffer
  /// The batch of the current gradients.
  private var batch: Batch?
  /// Whether the embeddings have gradients in this batch.
  private var embeddingsLearn = true

  /// The gradients of one lane: dense parameters, then the rows and biases of the output table or of the candidates.
  private final class Lane: Sendable {
    let gradients: FloatBuffer
    init(count: Int) { gradients = FloatBuffer(count: count) }
  }

  /// The memory of one thread.
  private final class Worker: Sendable {
    let saved: FloatBuffer
    let scratch: FloatBuffer
    let hidden: FloatBuffer
    let loss: LossMemory

    init(saved: Int, scratch: Int, hidden: Int, loss: LossMemory) {
      self.saved = FloatBuffer(count: saved)
      self.scratch = FloatBuffer(count: scratch)
      self.hidden = FloatBuffer(count: hidden)
      self.loss = loss
    }
  }

  /// - Parameters:
  ///   - model: the model; its values are updated in place.
  ///   - state: the optimizer's state; it is updated in place.
  ///   - loss: the training loss.
  ///   - length: the number of items of a sequence.
  ///   - batch: the number of sequences of the largest batch.
  ///   - scatters: whether gradients of single rows are added to whole tables; nil: if that takes less.
  ///   - pool: the threads to run on.
  init(
    _ model: Model, _ state: OptimizerState, loss: any Loss, length: Int, batch: Int, scatters: Bool? = nil, pool: WorkerPool
  ) {
    self.model = model
    optimizerState = state
    network = model.network
    self.loss = loss
    self.pool = pool
    let network = model.network
    layout = network.layout
    let positions = network.positions(length: max(2, length))
    largestBatch = batch
    let output = network.output
    let reach = loss.reach(rows: output.rows)
    self.reach = reach
    let scatters =
      scatters ?? OutputGradients.scatters(loss, output, positions: positions * batch, sequences: batch)
    self.scatters = scatters
    let shared = scatters ? output.rows : reach.sharedRows(output.rows)
    let tiles = BatchCut.largestTiles(limit: length, batch: batch, objective: network.objective, pads: network.pads)
    let tileRows = tiles.map(\.rows).max() ?? 1
    lanes = (0..<min(BatchCut.lanes, batch)).map { _ in Lane(count: network.layout.denseCount + shared * (output.width + 1)) }
    workers = (0..<pool.threads).map { _ in
      Worker(
        saved: tiles.map { network.savedCount($0, training: true) }.max() ?? 0,
        scratch: tiles.map(network.scratchCount).max() ?? 0, hidden: tileRows * network.width,
        loss: LossMemory(rows: tileRows, width: output.width, columns: reach.sharedRows(output.rows), reach: reach, keepsSequence: scatters)
      )
    }
    prepared = FloatBuffer(count: network.layout.preparedCount)
    let tables = network.rowTables.map {
      TableGradient($0, lookups: $0.lookups(positions: positions, sequences: batch))
    }
    self.tables = tables
    tied = output.isTied ? tables.first { $0.table.slot === output.weight } : nil
    rows = OutputGradients(
      output, reach, positions: scatters ? 0 : positions * batch, sequences: scatters ? 0 : batch,
      wholeTable: loss.tableDecay != 0)
    panels = OutputPanels(output, candidates: reach == .table ? nil : reach.sharedRows(output.rows))
    zeros = FloatBuffer(count: max(output.width, network.rowTables.map(\.width).max() ?? 1))
  }

  var state: (parameters: FloatBuffer, optimizer: OptimizerState) { (model.values, optimizerState) }

  /// The largest number of bytes that a training takes at any time: parameters with their copies, the optimizer's state, the
  /// memory of the steps, and that of validation.
  static func bytes(_ network: any Network, _ recipe: Recipe, length: Int, batch: Int, threads: Int) -> Double {
    let output = network.output
    let reach = recipe.loss.reach(rows: output.rows)
    let positions = network.positions(length: max(2, length))
    let scatters = OutputGradients.scatters(recipe.loss, output, positions: positions * batch, sequences: batch)
    let shared = Double(scatters ? output.rows : reach.sharedRows(output.rows))
    let width = Double(output.width)
    let tiles = BatchCut.largestTiles(limit: length, batch: batch, objective: network.objective, pads: network.pads)
    let lane = Double(network.layout.denseCount) + shared * (width + 1)
    let worker = Double(
      (tiles.map { network.savedCount($0, training: true) }.max() ?? 0) + (tiles.map(network.scratchCount).max() ?? 0)
        + (tiles.map(\.rows).max() ?? 0) * network.width)
    let logits = Double(threads) * min(64 * shared, max(1_048_576, 24 * shared))
    let validation = Ranking.bytes(network, length: length, threads: threads, keepsScores: recipe.ranking.candidates != .all)
    let lookups = network.rowTables.reduce(0.0) { $0 + Double($1.lookups(positions: positions, sequences: batch) * $1.width) }
    let ownRows =
      Double(
        OutputGradients.count(
          output, reach, positions: scatters ? 0 : positions * batch, sequences: scatters ? 0 : batch,
          wholeTable: recipe.loss.tableDecay != 0))
      // The batch's negatives and the copy that threads read take two numbers each.
      + 2 * Double(positions * batch * reach.ownNegatives + batch * reach.sequenceNegatives)
      + Double(threads) * Double(LossMemory.count(rows: tiles.map(\.rows).max() ?? 1, width: output.width, reach: reach))
    // Three copies of the parameters (initial, current, best), their average, and the optimizer's state. A growth needs the old
    // and the new model at the same time. If it carries the optimizer's state over, the state at the best parameters is kept too.
    let tensors = Double(type(of: recipe.optimizer).stateNames.count)
    let copies =
      3 + (recipe.averageDecay == nil ? 0 : 1) + tensors + (recipe.phases.contains(where: \.grows) ? 1 : 0)
      + (recipe.carriesOptimizer ? tensors : 0)
    let model = copies * Double(network.layout.count) + Double(network.layout.preparedCount) + 2 * shared * width
    return 4
      * (model + Double(min(BatchCut.lanes, batch)) * lane + Double(threads) * worker + lookups + ownRows + logits)
      + validation
  }

  // MARK: Gradients

  func gradients(_ batch: Batch, negatives: Negatives?, dropout: (any DropoutMasks)? = nil, lowestBlock: Int = 0) -> Double {
    let cut = batch.cut
    precondition(cut.order.count <= largestBatch)
    self.batch = batch
    embeddingsLearn = lowestBlock == 0
    let (network, parameters) = (network, model.values)
    switch reach {
    case .table: panels.load(network.output, parameters, pool)
    case .candidates:
      guard let negatives else { preconditionFailure("\(loss.name) needs negatives") }
      panels.load(
        candidates: negatives.items, correction: negatives.logExpected(of:), network.output, parameters, pool)
    case .rows, .sequences: panels.loadFactors(network.output, parameters, pool)
    }
    network.prepare(parameters, into: prepared, training: true, pool: pool)
    let head = loss.head(
      LossStep(
        output: network.output, parameters: parameters, panels: panels, negatives: negatives,
        logProbabilities: batch.logProbabilities))
    var losses = [Double](repeating: 0, count: cut.lanesUsed)
    let (lanes, workers, tables, prepared) = (lanes, workers, tables, prepared)
    let (denseCount, perRow, perSequence) = (layout.denseCount, reach.ownNegatives, reach.sequenceNegatives)
    let (rows, scatters) = (rows, scatters)
    let source = BatchMemory(batch)
    let cancellation = pool.cancellation
    losses.withUnsafeMutableBufferPointer { losses in
      guard let first = losses.baseAddress else { return }
      let sums = Shared(first)
      pool.forEachUntilCancelled(cut.lanesUsed) { lane, worker in
        let gradients = lanes[lane].gradients
        gradients.zero()
        let memory = workers[worker]
        let pass = Pass(
          parameters: parameters.base, prepared: prepared.base, gradients: gradients.base,
          scratch: memory.scratch.base, rowGradients: tables.map { RowGradient(ids: $0.ids, vectors: $0.vectors.base) },
          mode: .training, dropout: dropout, lowestBlock: lowestBlock, cancellation: cancellation)
        for part in cut.parts(of: lane) {
          if cancellation?.leavesOut() == true { return }
          let firstRow = part.firstRow
          let input = TileInput(
            tile: part.tile, items: source.items + firstRow, originals: source.originals + firstRow,
            users: source.users + part.sequences.lowerBound, times: source.times(from: firstRow), firstRow: firstRow,
            firstSequence: part.sequences.lowerBound)
          network.forward(input, hidden: memory.hidden.base, saved: memory.saved.base, pass: pass)
          sums.pointer[lane] += head.run(
            LossRows(
              count: input.tile.rows, targets: source.targets + firstRow, weights: source.weights + firstRow,
              negatives: source.negatives.map { UnsafePointer($0 + firstRow * perRow) }, sequences: part.tile.sequences,
              sequenceNegatives: source.sequenceNegatives.map { UnsafePointer($0 + part.sequences.lowerBound * perSequence) }),
            hidden: memory.hidden.base, shared: gradients.base + denseCount,
            own: scatters
              ? memory.loss.own(table: gradients.base + denseCount)
              : rows.own(row: firstRow, sequence: part.sequences.lowerBound),
            memory: memory.loss)
          network.backward(input, d: memory.hidden.base, saved: memory.saved.base, pass: pass)
        }
      }
    }
    let parts = network.preparing
    let used = lanes.prefix(cut.lanesUsed).map(\.gradients)
    pool.forEachUntilCancelled(parts.count) { index, _ in
      parts[index].finish(parameters.base, lanes: used.map(\.base))
    }
    return losses.reduce(0, +) + tablePenalty
  }

  /// The penalty whose gradient is that of `Loss.tableDecay`.
  private var tablePenalty: Double {
    guard loss.tableDecay != 0 else { return 0 }
    let (output, values) = (network.output, model.values.base)
    let squares = (0..<output.rows).reduce(0.0) { sum, row in
      let vector = values + output.weight.offset + row * output.width
      return sum + Double(Elementwise.dot(vector, vector, output.width))
    }
    return Double(loss.tableDecay) / 2 * squares
  }

  /// Copies of a batch's arrays that all threads can read through pointers.
  ///
  /// `@unchecked Sendable`: nothing writes to them after `init`.
  private final class BatchMemory: @unchecked Sendable {
    let items, originals, targets, users: UnsafeMutablePointer<Int32>
    let weights: UnsafeMutablePointer<Float>
    let negatives, sequenceNegatives: UnsafeMutablePointer<Int32>?
    private let eventTimes, predictedTimes: UnsafeMutablePointer<Double>?

    /// The times of the rows from `row` on; nil if the network reads none.
    func times(from row: Int) -> TileInput.Times? {
      guard let eventTimes, let predictedTimes else { return nil }
      return TileInput.Times(events: eventTimes + row, predicted: predictedTimes + row)
    }

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
      sequenceNegatives = batch.sequenceNegatives.isEmpty ? nil : copy(batch.sequenceNegatives)
      eventTimes = batch.times.isEmpty ? nil : copy(batch.times)
      predictedTimes = batch.predictedTimes.isEmpty ? nil : copy(batch.predictedTimes)
    }

    deinit {
      for list in [items, originals, targets, users] { list.deallocate() }
      weights.deallocate()
      negatives?.deallocate()
      sequenceNegatives?.deallocate()
      eventTimes?.deallocate()
      predictedTimes?.deallocate()
    }
  }

  // MARK: Summing gradients

  /// The number of values per iteration of a parallel loop.
  private static let chunk = 8192
  /// The number of rows per iteration of a parallel loop.
  static let rowsPerJob = 64

  /// Sums the lanes in order, into the first lane. Sums the gradients of all look-ups of a row in the order of the batch, into
  /// the first look-up.
  func exchange() {
    guard let batch else { return }
    let output = network.output
    let shared = (scatters ? output.rows : reach.sharedRows(output.rows)) * (output.width + 1)
    addLanes(layout.denseCount + shared, used: batch.cut.lanesUsed)
    for table in tables where embeddingsLearn {
      let lookups = table.table.rowsAre == .items ? batch.cut.rows : batch.users.count
      table.grouping.clear()
      let ids = UnsafeBufferPointer(start: table.ids, count: lookups)
      table.grouping.add(ids) { ids[$0] >= 0 }
      let (vectors, width) = (Shared(table.vectors.base), table.table.width)
      addRows(table.grouping, width: width, into: { _ in nil }, vector: { vectors.pointer + $0 * width })
    }
    let sums = lanes[0].gradients.base + layout.denseCount
    let learnt = embeddingsLearn ? tied : nil
    if reach == .table || scatters {
      finishTable(sums, tied: learnt)
      if scatters { rows.markRows(batch, tied: learnt) }
      return
    }
    rows.sum(
      batch, decay: loss.decay, tableDecay: loss.tableDecay, table: model.values.base + output.weight.offset, panels: panels,
      shared: sums, tied: learnt, pool: pool)
  }

  /// Turns the summed gradients of scaled rows into those of the rows, and adds those of a tied embedding's look-ups.
  private func finishTable(_ gradients: UnsafeMutablePointer<Float>, tied: TableGradient?) {
    guard panels.factors != nil || tied != nil else { return }
    let (output, panels, gradients) = (network.output, panels, Shared(gradients))
    let table = Shared(model.values.base + output.weight.offset)
    let width = output.width
    pool.forEach((output.rows + Self.rowsPerJob - 1) / Self.rowsPerJob) { job, _ in
      for row in (job * Self.rowsPerJob)..<min(output.rows, (job + 1) * Self.rowsPerJob) {
        let gradient = gradients.pointer + row * width
        if let factors = panels.factors {
          withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { scaled in
            guard let scaled = scaled.baseAddress else { return }
            Elementwise.scale(scaled, table.pointer + row * width, factors.base[row], width)
            OutputTable.gradient(gradient, scaled, factor: factors.base[row], length: 1, width)
          }
        }
        if let tied, let first = tied.grouping.first(Int32(row)) {
          Elementwise.addScaled(gradient, tied.vectors.base + first * width, 1, width)
        }
      }
    }
  }

  private func addLanes(_ count: Int, used: Int) {
    guard used > 1 else { return }
    let lanes = lanes
    pool.forEach((count + Self.chunk - 1) / Self.chunk) { job, _ in
      let start = job * Self.chunk
      let n = min(Self.chunk, count - start)
      let sum = lanes[0].gradients.base + start
      for lane in 1..<used { Elementwise.addScaled(sum, lanes[lane].gradients.base + start, 1, n) }
    }
  }

  /// Sums the gradients of the look-ups of every row.
  ///
  /// - Parameters:
  ///   - into: the memory that the sum of a row is added to; nil: the gradient of its first look-up.
  ///   - vector: the gradient of a look-up.
  private func addRows(
    _ grouping: RowGrouping, width: Int, into: @escaping @Sendable (Int32) -> UnsafeMutablePointer<Float>?,
    vector: @escaping @Sendable (Int) -> UnsafeMutablePointer<Float>
  ) {
    pool.forEach((grouping.touched.count + Self.rowsPerJob - 1) / Self.rowsPerJob) { job, _ in
      for row in grouping.touched[(job * Self.rowsPerJob)..<min(grouping.touched.count, (job + 1) * Self.rowsPerJob)] {
        var sum = into(row)
        grouping.forEach(row) { lookup in
          if let sum { Elementwise.addScaled(sum, vector(lookup), 1, width) } else { sum = vector(lookup) }
        }
      }
    }
  }

  // MARK: Update

  func update(_ optimizer: any Optimizer, rate: Double, frozen: FrozenPart? = nil) {
    if let frozen { optimizerState.skip(frozen.still) }
    let embeddings = frozen == nil
    var scale: Float = 1
    if let limit = optimizer.clip {
      let norm = gradientNorm(embeddings: embeddings)
      // A norm of NaN scales nothing. The loss of the next step then reports the divergence.
      if norm > limit { scale = Float(limit / norm) }
    }
    let step = OptimizerStep(optimizer, optimizerState, parameters: model.values, rate: rate, learning: frozen?.learning)
    forEachGradient(lazy: optimizer.lazy, embeddings: embeddings) { [scale] offset, count, g in
      if scale != 1 { Elementwise.scale(g, g, scale, count) }
      step.apply(offset, count, g)
    }
  }

  /// The Euclidean norm of all gradients, summed in float64 in the order of the parameters.
  private func gradientNorm(embeddings: Bool) -> Double {
    let parts = Locked<[(offset: Int, squares: Double)]>([])
    forEachGradient(lazy: true, embeddings: embeddings) { offset, count, g in
      var sum = 0.0
      for i in 0..<count { sum += Double(g[i]) * Double(g[i]) }
      let squares = sum
      parts.change { $0.append((offset, squares)) }
    }
    return parts.value.sorted { $0.offset < $1.offset }.reduce(0) { $0 + $1.squares }.squareRoot()
  }

  /// Calls `body` with pieces of the summed gradients of all parameters, in parallel.
  ///
  /// - Parameters:
  ///   - lazy: whether to leave out rows of tables that the batch does not use. Otherwise their gradient is 0.
  ///   - embeddings: whether to include the embedding tables.
  func forEachGradient(
    lazy: Bool, embeddings: Bool = true,
    _ body: @escaping @Sendable (_ offset: Int, _ count: Int, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) {
    let sums = lanes[0].gradients.base
    forEachChunk(layout.denseCount, sums, offset: 0, body)
    for table in tables where embeddings && table !== tied {
      let (vectors, grouping, width) = (Shared(table.vectors.base), table.grouping, table.table.width)
      forEachRow(grouping, table.table.slot.offset, rows: table.table.rows, width: width, lazy: lazy, body) { row in
        grouping.first(row).map { vectors.pointer + $0 * width }
      }
    }
    let output = network.output
    if reach == .table {
      let shared = sums + layout.denseCount
      forEachChunk(output.rows * output.width, shared, offset: output.weight.offset, body)
      if let bias = output.bias { forEachChunk(output.rows, shared + output.rows * output.width, offset: bias.offset, body) }
      return
    }
    let own = rows
    if scatters {
      let (shared, width) = (Shared(sums + layout.denseCount), output.width)
      let bias = Shared(shared.pointer + output.rows * width)
      forEachRow(own.rows, output.weight.offset, rows: output.rows, width: width, lazy: lazy, body) {
        shared.pointer + Int($0) * width
      }
      if let slot = output.bias {
        forEachRow(own.rows, slot.offset, rows: output.rows, width: 1, lazy: lazy, body) { bias.pointer + Int($0) }
      }
      return
    }
    forEachRow(own.rows, output.weight.offset, rows: output.rows, width: output.width, lazy: lazy, body) { own.row($0) }
    if let bias = output.bias { forEachRow(own.rows, bias.offset, rows: output.rows, width: 1, lazy: lazy, body) { own.bias($0) } }
  }

  private func forEachChunk(
    _ count: Int, _ gradients: UnsafeMutablePointer<Float>, offset: Int,
    _ body: @escaping @Sendable (Int, Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let gradients = Shared(gradients)
    pool.forEach((count + Self.chunk - 1) / Self.chunk) { job, _ in
      let start = job * Self.chunk
      body(offset + start, min(Self.chunk, count - start), gradients.pointer + start)
    }
  }

  private func forEachRow(
    _ grouping: RowGrouping, _ offset: Int, rows: Int, width: Int, lazy: Bool,
    _ body: @escaping @Sendable (Int, Int, UnsafeMutablePointer<Float>) -> Void,
    sum: @escaping @Sendable (Int32) -> UnsafeMutablePointer<Float>?
  ) {
    let count = lazy ? grouping.touched.count : rows
    let zeros = zeros
    pool.forEach((count + Self.rowsPerJob - 1) / Self.rowsPerJob) { job, _ in
      for index in (job * Self.rowsPerJob)..<min(count, (job + 1) * Self.rowsPerJob) {
        let row = lazy ? grouping.touched[index] : Int32(index)
        body(offset + Int(row) * width, width, sum(row) ?? zeros.base)
      }
    }
  }

  // MARK: Average and ranks

  func updateAverage(_ average: FloatBuffer, decay: Double) {
    let (values, count) = (model.values, layout.count)
    pool.forEach((count + Self.chunk - 1) / Self.chunk) { job, _ in
      let start = job * Self.chunk
      let n = min(Self.chunk, count - start)
      Elementwise.moveAverage(average.base + start, values.base + start, decay: decay, n)
    }
  }

  func ranks(on set: SequenceSet, with average: FloatBuffer?, by rule: RankingRule, limit: Int?) -> [Rank] {
    let evaluated = average.map { Model(network, values: $0, seed: model.seed) } ?? model
    return Ranking.ranks(evaluated, on: set, by: rule, limit: limit, pool: pool)
  }
}
