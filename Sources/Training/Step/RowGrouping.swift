/// Look-ups of a batch gathered by row, each row's in the order of the batch, at a cost that does not depend on the
/// size of the table.
final class RowGrouping: @unchecked Sendable {
  private(set) var touched: [Int32] = []
  private var head: [Int32]
  private var tail: [Int32]
  private var next: [Int32] = []

  init(rows: Int) {
    head = Array(repeating: -1, count: rows)
    tail = Array(repeating: -1, count: rows)
  }

  func clear() {
    for row in touched { head[Int(row)] = -1 }
    touched.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
  }

  /// Rows that are touched without a look-up of their own.
  func touch(_ row: Int32) {
    if head[Int(row)] == -1 {
      head[Int(row)] = -2
      touched.append(row)
    }
  }

  /// Look-up number `next.count` of the batch.
  func add(_ row: Int32, counted: Bool) {
    let number = Int32(next.count)
    next.append(-1)
    guard counted else { return }
    let r = Int(row)
    if head[r] == -1 { touched.append(row) }
    if head[r] < 0 {
      head[r] = number
    } else {
      next[Int(tail[r])] = number
    }
    tail[r] = number
  }

  /// The first look-up of a row; nil where there is none.
  func first(_ row: Int32) -> Int? { head[Int(row)] >= 0 ? Int(head[Int(row)]) : nil }

  /// Calls `body` with the look-ups of a row, in order.
  @inline(__always)
  func forEach(_ row: Int32, _ body: (Int) -> Void) {
    var number = head[Int(row)]
    while number >= 0 {
      body(Int(number))
      number = next[Int(number)]
    }
  }
}
