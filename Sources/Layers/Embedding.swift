import Kernels

/// An embedding: a table `(rows, d)` whose rows are looked up by id.
public struct Embedding: Sendable {
  public let table: RowTable

  public init(
    _ name: String, rows: Int, width: Int, initial: Initializer, rowsAre: RowTable.Rows = .items, reference: ReferenceCarry = .always,
    in builder: LayoutBuilder
  ) {
    let slot = builder.add(
      name + ".weight", [rows, width], initial, .embedding, reference: reference, sparseRows: true)
    table = RowTable(name: name + ".weight", slot: slot, rows: rows, width: width, rowsAre: rowsAre)
  }

  /// y[r] = table[ids[r]] for `count` rows, 0 where the id is -1. `stride` is the number of floats from one row of y to the
  /// next.
  public func forward(
    _ count: Int, ids: UnsafePointer<Int32>, y: UnsafeMutablePointer<Float>, stride: Int? = nil, pass: Pass
  ) {
    let d = table.width
    let base = pass.parameters + table.slot.offset
    for r in 0..<count {
      let row = y + r * (stride ?? d)
      if ids[r] < 0 { row.update(repeating: 0, count: d) } else { row.update(from: base + Int(ids[r]) * d, count: d) }
    }
  }

  /// y[r] += table[ids[r]] for `count` rows; nothing where the id is -1.
  public func add(_ count: Int, ids: UnsafePointer<Int32>, to y: UnsafeMutablePointer<Float>, pass: Pass) {
    let d = table.width
    let base = pass.parameters + table.slot.offset
    for r in 0..<count where ids[r] >= 0 { Elementwise.addScaled(y + r * d, base + Int(ids[r]) * d, 1, d) }
  }

  /// Writes the ids and gradients of `count` look-ups to the batch's list, from entry `first` on. An id of -1 has none.
  public func backward(
    _ count: Int, ids: UnsafePointer<Int32>, dy: UnsafePointer<Float>, stride: Int? = nil, into gradient: RowGradient,
    first: Int
  ) {
    let d = table.width
    for r in 0..<count {
      gradient.ids[first + r] = ids[r]
      if ids[r] < 0 { continue }
      (gradient.vectors + (first + r) * d).update(from: dy + r * (stride ?? d), count: d)
    }
  }
}
