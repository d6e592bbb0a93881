import Kernels

/// Rows of at most `length` items in memory, oldest first. A shorter row takes as much memory as it has items.
struct RaggedRows: Sendable, Equatable {
  let length: Int
  /// The items of all rows, one row after another.
  private(set) var items: [Int32] = []
  /// The index of the first item of each row, and the number of all items; empty if every row has `length` items.
  private var offsets: [Int] = []
  private(set) var count = 0

  /// - Parameter length: the largest number of items of a row; without it there is none.
  init(length: Int = .max, capacity: Int = 0) {
    self.length = length
    items.reserveCapacity(capacity)
  }

  /// - Parameters:
  ///   - length: the number of items of a row.
  ///   - tokens: `(count, length)` items. The pads before the first item of a row are not stored.
  init(length: Int, padded tokens: [Int32]) {
    self.init(length: length)
    if length > 0 && !stride(from: 0, to: tokens.count, by: length).contains(where: { tokens[$0] == 0 }) {
      items = tokens
      count = tokens.count / length
      return
    }
    tokens.withUnsafeBufferPointer { tokens in
      for start in stride(from: 0, to: tokens.count, by: max(1, length)) {
        let row = tokens[start..<(start + length)]
        add(UnsafeBufferPointer(rebasing: row[(row.firstIndex { $0 != 0 } ?? row.endIndex)...]))
      }
    }
  }

  /// Adds a row of at most `length` items.
  mutating func add(_ row: UnsafeBufferPointer<Int32>) {
    precondition(row.count <= length)
    if row.count < length && offsets.isEmpty { offsets = (0...count).map { count == 0 ? 0 : $0 * length } }
    items.append(contentsOf: row)
    count += 1
    if !offsets.isEmpty { offsets.append(items.count) }
  }

  /// The items of a row, without padding.
  subscript(row: Int) -> ArraySlice<Int32> {
    offsets.isEmpty ? items[(row * length)..<((row + 1) * length)] : items[offsets[row]..<offsets[row + 1]]
  }

  /// The number of items of a row.
  func count(of row: Int) -> Int { offsets.isEmpty ? length : offsets[row + 1] - offsets[row] }

  /// A row, padded in front with item 0 to `length` items.
  func padded(_ row: Int) -> ArraySlice<Int32> {
    let items = self[row]
    if items.count == length { return items }
    return [Int32](repeating: 0, count: length - items.count) + items
  }

  /// All rows, padded: `(count, length)`.
  var padded: [Int32] {
    if offsets.isEmpty { return items }
    var all: [Int32] = []
    all.reserveCapacity(count * length)
    for row in 0..<count { all += padded(row) }
    return all
  }

  /// The given rows, in that order.
  func selecting(_ rows: some Collection<Int>) -> RaggedRows {
    var selected = RaggedRows(length: length, capacity: rows.reduce(0) { $0 + count(of: $1) })
    items.withUnsafeBufferPointer { items in
      for row in rows {
        let start = offsets.isEmpty ? row * length : offsets[row]
        selected.add(UnsafeBufferPointer(rebasing: items[start..<(start + count(of: row))]))
      }
    }
    return selected
  }

  /// Adds the padded rows to a hash. Fingerprints contain this hash, so it must not change: it is that of `(count, length)` items
  /// in one buffer.
  func addPadded(to hash: inout WordHash) {
    hash.add(UInt64(count * length * MemoryLayout<Int32>.size))
    // Parts of an even number of items are whole words.
    let part = 1024
    for first in stride(from: 0, to: count, by: part) {
      var rows: [Int32] = []
      for row in first..<min(count, first + part) { rows += padded(row) }
      rows.withUnsafeBytes { hash.addWords($0) }
    }
  }
}
