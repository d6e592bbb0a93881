/// Sorts the rows of one user by their times, stably. Keeps its room from one user to the next.
struct TimeSort {
  private var keys: [UInt64] = []
  private var other: [UInt64] = []

  /// - Parameters:
  ///   - rows: indices into `times`, in the order that equal times keep.
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
    // A key is the time since the user's first, and behind it the place among the rows.
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
        for (place, row) in rows.enumerated() { keys[place] = UInt64(times[Int(row)] - low) << 32 | UInt64(UInt32(bitPattern: row)) }
        if rows.count < 64 {
          Self.insert(keys, rows.count)
          for place in 0..<rows.count { rows[place] = Int32(truncatingIfNeeded: keys[place]) }
        } else {
          let isInKeys = Self.radix(keys, other, rows.count, range)
          let sorted = isInKeys ? keys : other
          for place in 0..<rows.count { rows[place] = Int32(truncatingIfNeeded: sorted[place]) }
        }
      }
    }
  }

  /// By insertion. Rows ascend where times are equal, so whole keys may be compared.
  private static func insert(_ keys: UnsafeMutableBufferPointer<UInt64>, _ count: Int) {
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

  /// By the bytes of the time, the last first; true if the result is where the keys were.
  private static func radix(
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
