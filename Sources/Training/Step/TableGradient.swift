import Kernels
import Layers

/// The look-ups of a batch in one embedding table, with their gradients.
///
/// `@unchecked Sendable`: each tile writes to its own part.
final class TableGradient: @unchecked Sendable {
  let table: RowTable
  let ids: UnsafeMutablePointer<Int32>
  let vectors: FloatBuffer
  let grouping: RowGrouping

  init(_ table: RowTable, lookups: Int) {
    self.table = table
    ids = .allocate(capacity: max(1, lookups))
    vectors = FloatBuffer(count: lookups * table.width)
    grouping = RowGrouping(rows: table.rows, lookups: lookups)
  }

  deinit { ids.deallocate() }
}
