/// Groups the look-ups of a batch by table row, in the order of the batch. The cost does not depend on the size of the
/// table.
///
/// Each row has a linked list of its look-ups: `head` and `tail` by row, `next` by look-up. The lists are plain memory,
/// because they are read and written for every look-up of every batch.
final class RowGrouping: @unchecked Sendable {
  /// The rows that the batch uses, in the order of their first use.
  var touched: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: rows, count: touchedCount) }
  private let rows: UnsafeMutablePointer<Int32>
  private var touchedCount = 0
  /// -1 for a row that the batch does not use, -2 for one that is used without a look-up.
  private let head: UnsafeMutablePointer<Int32>
  private let tail: UnsafeMutablePointer<Int32>
  /// The index of a used row in `touched`.
  private let place: UnsafeMutablePointer<Int32>
  private let next: UnsafeMutablePointer<Int32>
  private let capacity: Int
  private var count = 0

  /// - Parameters:
  ///   - rows: the number of rows of the table.
  ///   - lookups: the largest number of look-ups of a batch.
  init(rows: Int, lookups: Int) {
    self.rows = .allocate(capacity: max(1, rows))
    head = .allocate(capacity: max(1, rows))
    tail = .allocate(capacity: max(1, rows))
    place = .allocate(capacity: max(1, rows))
    head.initialize(repeating: -1, count: max(1, rows))
    next = .allocate(capacity: max(1, lookups))
    capacity = lookups
  }

  deinit { for memory in [rows, head, tail, place, next] { memory.deallocate() } }

  func clear() {
    for row in touched { head[Int(row)] = -1 }
    touchedCount = 0
    count = 0
  }

  /// Marks rows as used without adding a look-up.
  func touch(_ items: some Sequence<Int32>) {
    for row in items where head[Int(row)] == -1 {
      head[Int(row)] = -2
      place[Int(row)] = Int32(touchedCount)
      rows[touchedCount] = row
      touchedCount += 1
    }
  }

  /// Adds the next look-ups of the batch. One that is not `counted` gets a number but does not belong to a row.
  @inline(__always)
  func add(_ lookups: UnsafeBufferPointer<Int32>, counted: (Int) -> Bool) {
    precondition(count + lookups.count <= capacity)
    var used = touchedCount
    for i in lookups.indices {
      let number = count + i
      next[number] = -1
      guard counted(i) else { continue }
      let row = Int(lookups[i])
      if head[row] == -1 {
        rows[used] = Int32(row)
        place[row] = Int32(used)
        used += 1
      }
      if head[row] < 0 { head[row] = Int32(number) } else { next[Int(tail[row])] = Int32(number) }
      tail[row] = Int32(number)
    }
    touchedCount = used
    count += lookups.count
  }

  /// The index of a row in `touched`; nil if the batch does not use it.
  func index(_ row: Int32) -> Int? { head[Int(row)] == -1 ? nil : Int(place[Int(row)]) }

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
