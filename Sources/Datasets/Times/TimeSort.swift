/// Sorts the rows of one user by time. The sort is stable. The memory is reused from user to user.
struct TimeSort {
  private var keys: [UInt64] = []
  private var other: [UInt64] = []

  /// - Parameters:
  ///   - rows: ascending indices into `times`. Rows with equal times keep this order.
  ///   - times: the times of all rows.
  mutating func sort(_ rows: UnsafeMutableBufferPointer<Int32>, by times: UnsafeBufferPointer<Int64>) {
    var (low, high) = (Int64.max, Int64.min)
    var isSorted = true
    for row in rows {
      let time = times[Int(row)]
      if time < high { isSorted = false }
      low = min(low, time)
      high = max(high, time)
    }
    if isSorted { return }
    // The upper half of a key is the time since the user's first, the lower half is the row.
    guard high.subtractingReportingOverflow(low).overflow == false, UInt64(bitPattern: high - low) < 1 << 32 else {
      var rows = rows
      rows.sort { (times[Int($0)], $0) < (times[Int($1)], $1) }
      return
    }
    if keys.count < rows.count {
      keys = [UInt64](repeating: 0, count: rows.count)
      other = keys
    }
    let range = UInt64(high - low)
    keys.withUnsafeMutableBufferPointer { keys in
      other.withUnsafeMutableBufferPointer { other in
        for (i, row) in rows.enumerated() { keys[i] = UInt64(times[Int(row)] - low) << 32 | UInt64(UInt32(bitPattern: row)) }
        if rows.count < 64 {
          Self.insertionSort(keys, rows.count)
          for i in 0..<rows.count { rows[i] = Int32(truncatingIfNeeded: keys[i]) }
        } else {
          let isInKeys = Self.radixSort(keys, other, rows.count, range)
          let sorted = isInKeys ? keys : other
          for i in 0..<rows.count { rows[i] = Int32(truncatingIfNeeded: sorted[i]) }
        }
      }
    }
  }

  /// Insertion sort. Rows with equal times ascend, so comparing whole keys keeps the sort stable.
  private static func insertionSort(_ keys: UnsafeMutableBufferPointer<UInt64>, _ count: Int) {
    for i in 1..<count {
      let key = keys[i]
      var j = i
      while j > 0 && keys[j - 1] > key {
        keys[j] = keys[j - 1]
        j -= 1
      }
      keys[j] = key
    }
  }

  /// Radix sort by the bytes of the time, the least significant first. True if the result is in `keys`, false if it is in
  /// `other`.
  private static func radixSort(
    _ keys: UnsafeMutableBufferPointer<UInt64>, _ other: UnsafeMutableBufferPointer<UInt64>, _ count: Int, _ range: UInt64
  ) -> Bool {
    var (from, to) = (keys, other)
    var isInKeys = true
    var shift: UInt64 = 32
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { starts in
      while shift < 64 && range >> (shift - 32) > 0 {
        for digit in 0..<256 { starts[digit] = 0 }
        for i in 0..<count { starts[Int(truncatingIfNeeded: from[i] >> shift) & 255] += 1 }
        var sum = 0
        for digit in 0..<256 { (starts[digit], sum) = (sum, sum + starts[digit]) }
        for i in 0..<count {
          let digit = Int(truncatingIfNeeded: from[i] >> shift) & 255
          to[starts[digit]] = from[i]
          starts[digit] += 1
        }
        (from, to) = (to, from)
        isInKeys.toggle()
        shift += 8
      }
    }
    return isInKeys
  }
}
