import Kernels

/// The rows of the output table that hidden states are scored against, laid out for the products: all rows, or those of
/// some candidates.
public final class OutputPanels: @unchecked Sendable {
  /// Columns of a panel.
  public static let panel = 64

  /// The candidates; nil for the whole table.
  public private(set) var items: [Int32]?
  public let count: Int
  /// `count` rounded up to whole panels.
  public let padded: Int
  /// The transpose in panels of 64 columns, `(padded / 64, d, 64)`, columns from `count` on being 0.
  public let panels: FloatBuffer
  /// What is added to the products: bias and correction, minus infinity from `count` on.
  public let shifts: FloatBuffer
  /// The rows themselves, row-major `(count, d)`.
  public private(set) var rows: UnsafePointer<Float>
  private let gathered: FloatBuffer?
  private var places: [Int32]
  private let width: Int

  /// - Parameters:
  ///   - output: the output layer.
  ///   - candidates: how many there are; nil for the whole table.
  public init(_ output: OutputTable, candidates: Int?) {
    width = output.width
    count = candidates ?? output.rows
    padded = (count + Self.panel - 1) / Self.panel * Self.panel
    gathered = candidates.map { FloatBuffer(count: $0 * output.width) }
    panels = FloatBuffer(count: padded * output.width)
    shifts = FloatBuffer(count: padded)
    (shifts.base + count).update(repeating: -.infinity, count: padded - count)
    places = Array(repeating: -1, count: candidates == nil ? 0 : output.rows)
    rows = UnsafePointer(panels.base)
  }

  /// Takes the values of the whole table.
  public func load(_ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool) {
    rows = UnsafePointer(parameters.base + output.weight.offset)
    if let bias = output.bias { shifts.base.update(from: parameters.base + bias.offset, count: count) }
    transpose(pool)
  }

  /// Takes the values of the candidates' rows.
  ///
  /// - Parameters:
  ///   - candidates: items, as many as the panels have columns.
  ///   - correction: what is subtracted from the logit of an item.
  ///   - output: the output layer.
  ///   - parameters: the values of the model.
  ///   - pool: the threads to work on.
  public func load(
    candidates: [Int32], correction: (Int32) -> Float, _ output: OutputTable, _ parameters: FloatBuffer, _ pool: WorkerPool
  ) {
    guard let gathered else { preconditionFailure("panels of the whole table have no candidates") }
    precondition(candidates.count == count)
    for item in items ?? [] { places[Int(item)] = -1 }
    items = candidates
    let table = parameters.base + output.weight.offset
    for (place, item) in candidates.enumerated() {
      places[Int(item)] = Int32(place)
      (gathered.base + place * width).update(from: table + Int(item) * width, count: width)
      let bias = output.bias.map { parameters.base[$0.offset + Int(item)] } ?? 0
      shifts.base[place] = bias - correction(item)
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

  /// The place of an item among the candidates; nil for one that is none.
  public func place(of item: Int32) -> Int? {
    let place = places[Int(item)]
    return place < 0 ? nil : Int(place)
  }

  /// Calls `body` for every panel with its number, its first column and how many columns it has.
  @inline(__always)
  public func forEachPanel(_ body: (_ panel: Int, _ first: Int, _ columns: Int) -> Void) {
    for panel in 0..<(padded / Self.panel) {
      let first = panel * Self.panel
      body(panel, first, min(Self.panel, count - first))
    }
  }
}
