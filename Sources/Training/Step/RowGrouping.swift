/// Groups the look-ups of a batch by table row, in the order of the batch. The cost does not depend on the size of the
/// table.
///
/// Each row has a linked list of its look-ups: `head` and `tail` by row, `next` by look-up.
final class RowGrouping: @unchecked Sendable {
  /// The rows that the batch uses, in the order of their first use.
  private(set) var touched: [Int32] = []
  /// -1 for a row that the batch does not use, -2 for one that is used without a look-up.
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

  /// Marks a row as used without adding a look-up.
  func touch(_ row: Int32) {
    if head[Int(row)] == -1 {
      head[Int(row)] = -2
      touched.append(row)
    }
  }

  /// Adds the next look-up of the batch. One that is not `counted` gets a number but does not belong to the row.
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

  /// The first look-up of a row; nil if it has none.
  func first(_ row: Int32) -> Int? { head[Int(row)] >= 0 ? Int(head[Int(row)]) : nil }

  /// Calls `body` with the number of every look-up of a row, in order.
  @inline(__always)
  func forEach(_ row: Int32, _ body: (Int) -> Void) {
    var number = head[Int(row)]
    while number >= 0 {
      body(Int(number))
      number = next[Int(number)]
    }
  }
}
